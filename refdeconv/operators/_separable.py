"""Separable PSFs: a convolution along one axis after the other, as products with banded matrices.

A PSF that is a product of one-dimensional ones, as an upright Gaussian is, makes the convolution a product of matrices,
one for each axis, which know what lies beyond the edges. Their bands are narrow, and matrix products on blocks that fit
the cache take less time than transforms of padded images (CNV.8).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from math import log2, prod
from typing import Self

import numpy as np
from numpy.typing import DTypeLike

from refdeconv import _blocks
from refdeconv._arrays import Array, Shape, read_only
from refdeconv.operators.extension import copied_pixel

_ROUNDING = 4  # times epsilon of the largest sample: how far a product of factors may be from the PSF
_ROWS = 8  # of a block of a matrix: the fastest, as measured,
_ROWS_OF_SHORT = 16  # but along the other axes than the first, where the block is to have few columns:
_SHORT = 20  # samples of the PSF
_NARROW = 48  # pixels beside each other, below which many blocks of rows have little to do in each
_WORTH = 7  # multiplications in matrices that take the time of one step of an FFT of log2(pixels) steps, measured


@dataclass(frozen=True)
class _Run:
    """Equal blocks of a banded matrix, each as many rows and columns further as it has rows.

    Attributes
    ----------
    rows, columns : slice
        Of the first block.
    entries : ndarray
        Of each.
    count : int
        How many there are.
    """

    rows: slice
    columns: slice
    entries: Array
    count: int


@dataclass(frozen=True)
class Banded:
    """A banded matrix that repeats itself but near its ends, as runs of blocks, from the first row to the last.

    Attributes
    ----------
    rows : int
        Of the matrix.
    runs : sequence of _Run
    """

    rows: int
    runs: Sequence[_Run]

    @classmethod
    def of(cls, short: Array, left_out: int, corner: int, height: int) -> Self:
        """A matrix from a shorter one, of which after the first rows some were left out, in blocks of a height."""
        left_out //= height
        if left_out == 0:
            ends = [*range(height, len(short), height), len(short)]
        else:
            ends = [corner, corner + height, len(short)]
        runs, first, further = [], 0, 0
        for number, end in enumerate(ends):
            used = np.flatnonzero(short[first:end].any(axis=0))
            columns = slice(int(used[0]), int(used[-1]) + 1) if used.size else slice(0, 1)
            count = 1 + left_out if left_out and number == 1 else 1
            entries = read_only(short[first:end, columns].copy())
            runs.append(_Run(_later(slice(first, end), further), _later(columns, further), entries, count))
            further += (count - 1) * height
            first = end
        return cls(len(short) + further, runs)

    def astype(self, dtype: DTypeLike) -> Self:
        """In another precision."""
        return replace(self, runs=[replace(run, entries=read_only(run.entries.astype(dtype))) for run in self.runs])

    def cut(self, count: int) -> list[tuple[slice, Self]]:
        """About so many parts of nearly as many rows each, and which rows of the matrix these are."""
        parts = groupby(self._blocks(), lambda block: block.rows.start * count // self.rows)
        return [self._part(list(blocks)) for _, blocks in parts]

    def _blocks(self) -> Iterator[_Run]:
        for run in self.runs:
            for distance in range(0, run.count * len(run.entries), len(run.entries)):
                yield _Run(_later(run.rows, distance), _later(run.columns, distance), run.entries, 1)

    def _part(self, blocks: Sequence[_Run]) -> tuple[slice, Self]:
        rows = slice(blocks[0].rows.start, blocks[-1].rows.stop)
        runs = []
        for _, equal in groupby(blocks, lambda block: id(block.entries)):
            first, *others = equal
            runs.append(replace(first, rows=_later(first.rows, -rows.start), count=1 + len(others)))
        return rows, replace(self, rows=rows.stop - rows.start, runs=runs)

    def along(self, x: Array, axis: int, result: Array) -> Array:
        """The product with each line along an axis, of contiguous arrays."""
        before, after = prod(x.shape[:axis]), prod(x.shape[axis + 1 :])
        source, target = x.reshape(before, -1, after), result.reshape(before, -1, after)
        for run in self.runs:
            taken, given = _windows(source, run.columns, run), _windows(target, run.rows, run)
            if after == 1:  # one product of all lines with the block
                np.matmul(taken[..., 0], run.entries.T, out=given[..., 0])
            else:
                np.matmul(run.entries, taken, out=given)
        return result


class _Product:
    """The product with a banded matrix along each axis.

    Parameters
    ----------
    matrices : sequence of Banded
        One for each axis.
    """

    def __init__(self, matrices: Sequence[Banded]) -> None:
        first, *self._others = matrices
        self._shape = tuple(matrix.rows for matrix in matrices)
        self._parts = {rows.start: part for rows, part in first.cut(len(_blocks.blocks(self._shape)))}
        self._rows = [slice(start, start + part.rows) for start, part in self._parts.items()]

    def __call__(self, x: Array, into: Array | None = None) -> Array:
        """Some rows along the first axis, and these along the others while they are in the cache; then the next."""
        x = np.ascontiguousarray(x)
        result = np.empty(self._shape, x.dtype) if into is None else into
        last = len(self._others)

        def work(rows: slice) -> None:
            matrix = self._parts[rows.start]
            part = matrix.along(x, 0, np.empty((matrix.rows, *x.shape[1:]), x.dtype))
            for axis, matrix in enumerate(self._others, start=1):
                blurred = (*part.shape[:axis], matrix.rows, *part.shape[axis + 1 :])
                part = matrix.along(part, axis, result[rows] if axis == last else np.empty(blurred, x.dtype))

        _blocks.each(work, self._rows, x.nbytes)
        return result


class Separable:
    """A convolution with a separable PSF, its adjoint, and the adjoint after it.

    Parameters
    ----------
    factors : sequence of ndarray
        The one-dimensional PSFs, in float64, one for each axis.
    shape, origin : tuple of int
        Of the image, and the index of the PSF's origin.
    boundary : str
        What lies beyond the edges, of those of `Convolution` all but 'wrap'.

    Notes
    -----
    Derivation: derivations/operators/convolution.md, CNV.8
    """

    def __init__(self, factors: Sequence[Array], shape: Shape, origin: Shape, boundary: str) -> None:
        double = []
        for axis, (samples, size, o) in enumerate(zip(factors, shape, origin, strict=True)):
            corner = len(samples)  # from as many rows on, the edge is out of sight of all three
            left_out = max(0, (size - 2 * corner) // _ROWS_OF_SHORT - 1) * _ROWS_OF_SHORT
            short = _along_axis(samples, size - left_out, o, boundary)
            once, twice = _height(axis, len(samples)), _height(axis, 2 * len(samples) - 1)
            three = (short, once), (short.T, once), (short.T @ short, twice)
            double.append([Banded.of(matrix, left_out, corner, height) for matrix, height in three])
        ways = tuple(zip(("forward", "adjoint", "gram"), zip(*double, strict=True), strict=True))
        self._products = {
            np.dtype(dtype): {name: _Product([matrix.astype(dtype) for matrix in matrices]) for name, matrices in ways}
            for dtype in (np.float64, np.float32)
        }

    def __contains__(self, dtype: np.dtype[np.generic]) -> bool:
        """Whether it works in a precision."""
        return dtype in self._products

    def forward(self, x: Array, result: Array | None = None) -> Array:
        """The blurred image, in an array if one is given."""
        return self._products[x.dtype]["forward"](x, result)

    def adjoint(self, y: Array) -> Array:
        """The adjoint."""
        return self._products[y.dtype]["adjoint"](y)

    def gram(self, x: Array) -> Array:
        """The adjoint after the forward: again a product of banded matrices, whose bands are twice as wide."""
        return self._products[x.dtype]["gram"](x)


def separated(psf: Array) -> list[Array] | None:
    """The factors along each axis whose product the PSF is, but for rounding; None if it is not."""
    psf = psf.astype(np.float64, copy=False)
    peak = tuple(map(int, np.unravel_index(np.argmax(np.abs(psf)), psf.shape)))
    lines = [np.moveaxis(psf, axis, -1)[peak[:axis] + peak[axis + 1 :]] for axis in range(psf.ndim)]
    factors = [lines[0], *(line / psf[peak] for line in lines[1:])]
    together = factors[0]
    for factor in factors[1:]:
        together = np.multiply.outer(together, factor)
    is_product = np.max(np.abs(together - psf)) <= _ROUNDING * np.finfo(np.float64).eps * abs(psf[peak])
    return factors if is_product else None


def is_worth_it(psf: Shape, shape: Shape, grid: Shape) -> bool:
    """Whether the products take less time than transforms on a grid."""
    if prod(shape[1:]) < _NARROW < shape[0]:
        return False
    widths = [min(n, k - 1 + _height(axis, k)) for axis, (k, n) in enumerate(zip(psf, shape, strict=True))]
    return sum(widths) * prod(shape) <= _WORTH * log2(prod(grid)) * prod(grid)


def _height(axis: int, samples: int) -> int:
    """Rows of a block."""
    return _ROWS_OF_SHORT if axis and samples <= _SHORT else _ROWS


def _along_axis(samples: Array, size: int, origin: int, boundary: str) -> Array:
    """The matrix of a convolution along one axis: its definition (CNV.1)."""
    first = len(samples) - 1 if boundary == "valid" else origin
    rows = size - len(samples) + 1 if boundary == "valid" else size
    pixels = np.arange(rows)[:, None] + first - np.arange(len(samples))
    values = np.broadcast_to(samples, pixels.shape)
    if boundary == "constant":
        inside = (pixels >= 0) & (pixels < size)
        values, pixels = np.where(inside, values, 0), np.where(inside, pixels, 0)
    elif boundary != "valid":
        pixels = copied_pixel(pixels, size, boundary)
    matrix = np.zeros((rows, size))
    np.add.at(matrix, (np.arange(rows)[:, None], pixels), values)
    return matrix


def _windows(x: Array, part: slice, run: _Run) -> Array:
    """Views of a part of the middle axis of a contiguous array, one for each block of a run, along a new first axis."""
    if run.count == 1:
        return x[None, :, part]
    outer, middle, _ = x.strides
    shape = (run.count, len(x), part.stop - part.start, x.shape[2])
    strides = (len(run.entries) * middle, outer, middle, x.itemsize)
    return np.ndarray(shape, x.dtype, x, part.start * middle, strides)


def _later(part: slice, distance: int) -> slice:
    return slice(part.start + distance, part.stop + distance)
