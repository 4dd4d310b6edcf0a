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
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import DTypeLike

from refdeconv import _blocks
from refdeconv._arrays import Array, Shape, read_only
from refdeconv.operators.extension import copied_pixel

_ROUNDING = 4  # times epsilon of the largest sample: how far a product of factors may be from the PSF
_ROWS = 8  # of a block of a matrix: the fastest, as measured,
_ROWS_OF_LAST = 16  # a multiple; along the last axis, where they are columns of the matrix that is multiplied by
_ROWS_OF_END = 32  # at most, of a block that is there once
_LINES = 256  # at most in one product: of many more, BLAS makes copies
_ASLEEP = 2**18  # multiplications in one product, above which OpenBLAS wakes threads, which takes longer than all of it
_NARROW = 48  # pixels beside each other, below which many blocks of rows have little to do in each
_WORTH = 10  # multiplications in matrices that take the time of one step of an FFT of log2(pixels) steps, measured


@dataclass(frozen=True)
class _Run:
    """Equal blocks of a banded matrix, each as many rows and columns further as it has rows.

    Attributes
    ----------
    rows, columns : slice
        Of the first block.
    entries : ndarray
        Of each; those along the last axis of an image lie in memory as they are multiplied by, column by column.
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
    def of(cls, short: Array, left_out: int, corner: int, is_last: bool) -> Self:
        """A matrix from a shorter one, of which after the first rows some were left out; along the last axis or not."""
        height = _height(is_last)
        left_out //= height
        if left_out == 0:
            ends = [*range(height, len(short), height), len(short)]
        else:
            repeated = (corner, corner + height)
            before, after = range(0, corner, _ROWS_OF_END), range(repeated[1], len(short), _ROWS_OF_END)
            ends = [*before[1:], *repeated, *after[1:], len(short)]
        runs, first, further = [], 0, 0
        for end in ends:
            used = np.flatnonzero(short[first:end].any(axis=0))
            columns = slice(int(used[0]), int(used[-1]) + 1) if used.size else slice(0, 1)
            count = 1 + left_out if left_out and (first, end) == repeated else 1
            entries = read_only(short[first:end, columns].copy("F" if is_last else "C"))
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

    def calls(self, shape: Shape, axis: int) -> list[_Call]:
        """What makes up the product with each line along an axis, of an image of a shape."""
        before, after = prod(shape[:axis]), prod(shape[axis + 1 :])
        return [
            _Call(
                after == 1,
                run.entries,
                _windows(run.columns, run, lines, (before, shape[axis], after)),
                _windows(run.rows, run, lines, (before, self.rows, after)),
            )
            for run in self.runs
            for lines in _pieces(before if after == 1 else after, run.entries.size)
        ]


class _Pieces(NamedTuple):
    """Lines beside each other, in pieces: from which one on, how many pieces, and how many lines in each."""

    first: int
    number: int
    lines: int


class _Windows(NamedTuple):
    """Equal parts of a contiguous array, which may overlap: a view of it; strides and offset in bytes."""

    shape: Shape
    strides: Shape
    offset: int

    def of(self, x: Array) -> Array:
        """The view."""
        return np.ndarray(self.shape, x.dtype, x, self.offset, self.strides)


class _Call(NamedTuple):
    """One call of matmul: blocks of the matrix, what they are multiplied with, and where the products are written."""

    is_last: bool  # axis, along which lines are rows
    entries: Array
    taken: _Windows
    given: _Windows

    def __call__(self, x: Array, result: Array) -> None:
        """Multiply."""
        taken, given = self.taken.of(x), self.given.of(result)
        if self.is_last:
            np.matmul(taken, self.entries.T, out=given)
        else:
            np.matmul(self.entries, taken, out=given)


class _Product:
    """The product with a banded matrix along each axis.

    Parameters
    ----------
    matrices : sequence of Banded
        One for each axis.
    shape : tuple of int
        Of the images,
    dtype : dtype
        and their precision.
    """

    def __init__(self, matrices: Sequence[Banded], shape: Shape, dtype: DTypeLike) -> None:
        first, *others = [matrix.astype(dtype) for matrix in matrices]
        self._shape = tuple(matrix.rows for matrix in matrices)
        self._steps = {}
        self._rows = []
        for rows, part in first.cut(len(_blocks.blocks(self._shape))):
            steps, before = [], shape
            for axis, matrix in enumerate([part, *others]):
                after = (*before[:axis], matrix.rows, *before[axis + 1 :])
                steps.append((matrix.calls(before, axis), after))
                before = after
            self._steps[rows.start] = steps
            self._rows.append(rows)

    def __call__(self, x: Array, into: Array | None = None) -> Array:
        """Some rows along the first axis, and these along the others while they are in the cache; then the next."""
        x = np.ascontiguousarray(x)
        result = into if into is not None and into.dtype == x.dtype else np.empty(self._shape, x.dtype)
        last = len(self._shape) - 1

        def work(rows: slice) -> None:
            part = x
            for axis, (calls, shape) in enumerate(self._steps[rows.start]):
                blurred = result[rows] if axis == last else np.empty(shape, x.dtype)
                for call in calls:
                    call(part, blurred)
                part = blurred

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
            left_out = max(0, (size - 2 * corner) // _ROWS_OF_LAST - 1) * _ROWS_OF_LAST
            short, is_last = _along_axis(samples, size - left_out, o, boundary), axis == len(shape) - 1
            three = short, short.T, short.T @ short
            double.append([Banded.of(matrix, left_out, corner, is_last) for matrix in three])
        forward, adjoint, gram = zip(*double, strict=True)
        blurred = tuple(matrix.rows for matrix in forward)
        ways = {"forward": (forward, shape), "adjoint": (adjoint, blurred), "gram": (gram, shape)}
        self._products = {
            np.dtype(dtype): {name: _Product(matrices, of, dtype) for name, (matrices, of) in ways.items()}
            for dtype in (np.float64, np.float32)
        }

    def __contains__(self, dtype: np.dtype[np.generic]) -> bool:
        """Whether it works in a precision."""
        return dtype in self._products

    def forward(self, x: Array, result: Array | None = None) -> Array:
        """The blurred image, in a contiguous array if one of the same precision is given."""
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
    last = len(shape) - 1
    widths = [min(n, k - 1 + _height(axis == last)) for axis, (k, n) in enumerate(zip(psf, shape, strict=True))]
    return sum(widths) * prod(shape) <= _WORTH * log2(prod(grid)) * prod(grid)


def _height(is_last: bool) -> int:
    """Rows of a block."""
    return _ROWS_OF_LAST if is_last else _ROWS


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


def _windows(part: slice, run: _Run, lines: _Pieces, sizes: Shape) -> _Windows:
    """Of a contiguous array of three sizes, a part of the middle axis, for each block of a run and piece of lines."""
    before, size, after = sizes
    further, entries, item = len(run.entries), part.stop - part.start, run.entries.itemsize
    if after == 1:
        shape: Shape = (lines.number, run.count, lines.lines, entries)
        strides: Shape = (lines.lines * size, further, size, 1)
        offset = lines.first * size + part.start
    else:
        shape = (before, lines.number, run.count, entries, lines.lines)
        strides = (size * after, lines.lines, further * after, after, 1)
        offset = part.start * after + lines.first
    return _Windows(shape, tuple(stride * item for stride in strides), offset * item)


def _pieces(lines: int, entries: int) -> list[_Pieces]:
    """Equal pieces of no more lines than are fast with a block of so many entries, and the rest as another one."""
    count = -(-lines // min(_LINES, max(1, _ASLEEP // entries)))
    each = -(-lines // count)
    whole, rest = divmod(lines, each)
    return [_Pieces(0, whole, each), *([_Pieces(whole * each, 1, rest)] if rest else [])]


def _later(part: slice, distance: int) -> slice:
    return slice(part.start + distance, part.stop + distance)
