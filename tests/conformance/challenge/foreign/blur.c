/* A blur and its adjoint in two dimensions, for refdeconv challenge DIR --problem convolution-reflect.

   cc -O2 blur.c -o blur; ./blur DIR

   -DSUM=float adds up in single precision, -DNOT_FOLDED takes the correlation of the mirrored image for the adjoint: both wrong. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifndef SUM
#define SUM double
#endif

static int rows, columns, psf_rows, psf_columns, origin_row, origin_column;

static FILE *open_in(const char *folder, const char *name, const char *ending, const char *mode)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s%s", folder, name, ending);
    FILE *file = fopen(path, mode);
    if (!file) { perror(path); exit(1); }
    return file;
}

static void read_array(const char *folder, const char *name, double *to, size_t count)
{
    FILE *file = open_in(folder, name, ".bin", "rb");
    if (fread(to, sizeof *to, count, file) != count) { fprintf(stderr, "%s is short\n", name); exit(1); }
    fclose(file);
}

/* The pixel that an index beyond the edges stands for: the mirror image, with the edge between two pixels. */
static int reflected(int index, int size)
{
    while (index < 0 || index >= size)
        index = index < 0 ? -1 - index : 2 * size - 1 - index;
    return index;
}

static void forward(const double *psf, const double *x, double *y)
{
    for (int row = 0; row < rows; row++)
        for (int column = 0; column < columns; column++) {
            SUM sum = 0;
            for (int j = 0; j < psf_rows; j++)
                for (int k = 0; k < psf_columns; k++) {
                    int a = reflected(row + origin_row - j, rows), b = reflected(column + origin_column - k, columns);
                    sum += (SUM)psf[j * psf_columns + k] * (SUM)x[a * columns + b];
                }
            y[row * columns + column] = sum;
        }
}

/* What forward gathers from a pixel is given back to it. */
static void adjoint(const double *psf, const double *y, double *x)
{
    memset(x, 0, sizeof *x * rows * columns);
    for (int row = 0; row < rows; row++)
        for (int column = 0; column < columns; column++)
            for (int j = 0; j < psf_rows; j++)
                for (int k = 0; k < psf_columns; k++) {
#ifdef NOT_FOLDED
                    int a = reflected(row + j - origin_row, rows), b = reflected(column + k - origin_column, columns);
                    x[row * columns + column] += psf[j * psf_columns + k] * y[a * columns + b];
#else
                    int a = reflected(row + origin_row - j, rows), b = reflected(column + origin_column - k, columns);
                    x[a * columns + b] += psf[j * psf_columns + k] * y[row * columns + column];
#endif
                }
}

int main(int count, char **arguments)
{
    if (count != 2) return 2;
    const char *folder = arguments[1];
    char line[256], function[32], point[64], direction[64], answer[64];

    FILE *sizes = open_in(folder, "parameters", ".csv", "r");
    while (fgets(line, sizeof line, sizes)) {
        sscanf(line, "shape,%d,%d", &rows, &columns);
        sscanf(line, "psf_shape,%d,%d", &psf_rows, &psf_columns);
        sscanf(line, "origin,%d,%d", &origin_row, &origin_column);
    }
    fclose(sizes);

    size_t size = (size_t)rows * columns;
    double *psf = malloc(sizeof *psf * psf_rows * psf_columns), *in = malloc(sizeof *in * size), *out = malloc(sizeof *out * size);
    read_array(folder, "inputs/psf", psf, (size_t)psf_rows * psf_columns);

    FILE *calls = open_in(folder, "calls", ".csv", "r");
    int number;
    if (!fgets(line, sizeof line, calls)) return 1;
    while (fscanf(calls, " %d,%31[^,],%63[^,],%63[^,],%63s", &number, function, point, direction, answer) == 5) {
        read_array(folder, point, in, size);
        if (strcmp(function, "forward") == 0) forward(psf, in, out);
        else adjoint(psf, in, out);
        FILE *file = open_in(folder, answer, ".bin", "wb");
        fwrite(out, sizeof *out, size, file);
        fclose(file);
    }
    fclose(calls);
    return 0;
}
