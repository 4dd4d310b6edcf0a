"""Independent answers: the definitions, summed directly, in plain loops without FFT and without the package."""

import itertools

import numpy as np


def extended_index(index, size, boundary):
    """The pixel that stands at an index outside the image, or None where there is zero: a walk, step by step."""
    if 0 <= index < size:
        return index
    if boundary == "constant":
        return None
    if boundary == "nearest":
        return 0 if index < 0 else size - 1
    if boundary == "wrap":
        return extended_index(index + size if index < 0 else index - size, size, boundary)
    if size == 1:
        return 0
    # Reflect at the edge that lies in between: half a pixel outside the last one, or on it.
    edge = 1 if boundary == "reflect" else 0
    return extended_index(-index - edge if index < 0 else 2 * (size - 1) - index + edge, size, boundary)


def extension_matrix(shape, before, after, boundary):
    """The matrix that extends flat images."""
    extended = [b + n + a for n, b, a in zip(shape, before, after, strict=True)]
    matrix = np.zeros((np.prod(extended), np.prod(shape)))
    for row, pixel in enumerate(itertools.product(*map(range, extended))):
        source = [extended_index(i - b, n, boundary) for i, b, n in zip(pixel, before, shape, strict=True)]
        if None not in source:
            matrix[row, np.ravel_multi_index(source, shape)] = 1
    return matrix


def convolution_matrix(psf, shape, boundary, origin):
    """The matrix of y[i] = sum_j psf[j] x[i + origin - j] on flat images (C order).

    With the boundary 'valid', the rows of the pixels that the PSF reaches from inside the image alone.
    """
    rows = []
    for pixel in itertools.product(*map(range, shape)):
        row = np.zeros(np.prod(shape), psf.dtype)
        for sample in itertools.product(*map(range, psf.shape)):
            places = [i + o - j for i, o, j in zip(pixel, origin, sample, strict=True)]
            if boundary == "valid" and not all(0 <= p < n for p, n in zip(places, shape, strict=True)):
                break
            source = [extended_index(p, n, boundary) for p, n in zip(places, shape, strict=True)]
            if None not in source:
                row[np.ravel_multi_index(source, shape)] += psf[sample]
        else:
            rows.append(row)
    return np.array(rows)


def gradient_matrix(shape, spacing, axes):
    """The matrix of the forward differences, zero at the far edge; rows: (axis, pixel)."""
    matrix = np.zeros((len(axes), np.prod(shape), np.prod(shape)))
    for a, (axis, step) in enumerate(zip(axes, spacing, strict=True)):
        for row, pixel in enumerate(itertools.product(*map(range, shape))):
            if pixel[axis] + 1 < shape[axis]:
                neighbour = tuple(i + (d == axis) for d, i in enumerate(pixel))
                matrix[a, row, np.ravel_multi_index(neighbour, shape)] += 1 / step
                matrix[a, row, row] -= 1 / step
    return matrix.reshape(-1, np.prod(shape))


def stencil_matrix(shape, stencil, boundary):
    """The matrix of y[i] = sum of coefficient * x[i + shift] over a stencil, a list of (shift, coefficient).

    Beyond the edges the image is zero ("constant"), repeated ("wrap") or mirrored about its edge ("reflect"); "free":
    a row that would need a pixel there is zero.
    """
    matrix = np.zeros((np.prod(shape), np.prod(shape)))
    for row, pixel in enumerate(itertools.product(*map(range, shape))):
        needed = [tuple(i + s for i, s in zip(pixel, shift, strict=True)) for shift, _ in stencil]
        inside = [all(0 <= i < n for i, n in zip(source, shape, strict=True)) for source in needed]
        if boundary == "free" and not all(inside):
            continue
        for source, is_inside, (_, coefficient) in zip(needed, inside, stencil, strict=True):
            if boundary == "constant" and not is_inside:
                continue
            if boundary == "reflect":  # ... x1 x0 | x0 x1 ... x(n-1) | x(n-1) ...
                source = [min(i % (2 * n), (-1 - i) % (2 * n)) for i, n in zip(source, shape, strict=True)]
            matrix[row, np.ravel_multi_index(source, shape, mode="wrap")] += coefficient
    return matrix


def unit_step(axis, ndim):
    """The shift by one pixel along an axis, as an array that can be added and multiplied."""
    return np.eye(ndim, dtype=int)[axis]


def second_difference_matrix(shape, spacing, boundary, a, b):
    """The matrix of the second difference along the axes a and b, without the factor of those off the diagonal."""
    ea, eb = unit_step(a, len(shape)), unit_step(b, len(shape))
    terms = [(ea, 1), (0 * ea, -2), (-ea, 1)] if a == b else [(ea + eb, 1), (ea, -1), (eb, -1), (0 * ea, 1)]
    scale = spacing[a] * spacing[b]
    return stencil_matrix(shape, [(shift, factor / scale) for shift, factor in terms], boundary)


def article_objective(x, psf, data, mu):
    """The article's objective of a 2-D image, by its definition, in the arithmetic of x's numbers (float, mpmath)."""
    rows, columns = np.shape(x)
    origin = [(k - 1) // 2 for k in psf.shape]
    blurred = [
        [
            sum(
                psf[p, q] * x[i + origin[0] - p][j + origin[1] - q]
                for p in range(psf.shape[0])
                for q in range(psf.shape[1])
                if 0 <= i + origin[0] - p < rows and 0 <= j + origin[1] - q < columns
            )
            for j in range(columns)
        ]
        for i in range(rows)
    ]
    misfit = sum((blurred[i][j] - data[i][j]) ** 2 for i in range(rows) for j in range(columns)) / 2
    vertical = sum((x[i + 1][j] - x[i][j]) ** 2 for i in range(rows - 1) for j in range(columns)) / 2
    horizontal = sum((x[i][j + 1] - x[i][j]) ** 2 for i in range(rows) for j in range(columns - 1)) / 2
    return misfit**0.5 + mu * (vertical + horizontal) ** 0.5
