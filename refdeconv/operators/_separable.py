"""Separable PSFs: a convolution along one axis after the other, as products with banded matrices.

A PSF that is a product of one-dimensional ones, as an upright Gaussian is, makes the convolution a product of matrices,
one for each axis, which know what lies beyond the edges. Their bands are narrow, and matrix products on blocks that fit
the cache take less time than transforms of padded images (CNV.8).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import log2, prod
from typing import Self

import numpy as np
from numpy.typing import DTypeLike

from refdeconv import _blocks
from refdeconv._arrays import Array, Shape, read_only
from refdeconv.operators.extension import copied_pixel

_ROUNDING = 4  # times epsilon of the largest sample: how far a product of factors may be from the PSF
_ROWS = 48  # of a block of the first axis' matrix, of which each gives so many rows of the image
_ENTRIES = 16  # rows of a block of the other axes' matrices
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
        """A matrix from a shorter one, of which `left_out` blocks of a height were left out after the first rows."""
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

    def split(self) -> Self:
        """The same, each run a single block."""
        runs: list[_Run] = []
        for run in self.runs:
            runs += [
                _Run(_later(run.rows, distance), _later(run.columns, distance), run.entries, 1)
                for distance in range(0, run.count * len(run.entries), len(run.entries))
            ]
        return replace(self, runs=runs)

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
            height = _ENTRIES if axis else _ROWS
            # From as many rows on as there are samples, the edge is out of sight of all three.
            corner = len(samples) if axis else max(len(samples), height)
            left_out = max(0, (size - 2 * corner) // height - 1)
            short = _along_axis(samples, size - left_out * height, o, boundary)
            three = short, short.T, short.T @ short
            banded = [Banded.of(matrix, left_out, corner, height) for matrix in three]
            double.append(banded if axis else [matrix.split() for matrix in banded])
        forward, adjoint, gram = zip(*double, strict=True)
        self._matrices = {
            np.dtype(dtype): {
                name: tuple(matrix.astype(dtype) for matrix in matrices)
                for name, matrices in (("forward", forward), ("adjoint", adjoint), ("gram", gram))
            }
            for dtype in (np.float64, np.float32)
        }

    def __contains__(self, dtype: np.dtype[np.generic]) -> bool:
        """Whether it works in a precision."""
        return dtype in self._matrices

    def forward(self, x: Array) -> Array:
        """The blurred image."""
        return _product(self._matrices[x.dtype]["forward"], x)

    def adjoint(self, y: Array) -> Array:
        """The adjoint."""
        return _product(self._matrices[y.dtype]["adjoint"], y)

    def gram(self, x: Array) -> Array:
        """The adjoint after the forward: again a product of banded matrices, whose bands are twice as wide."""
        return _product(self._matrices[x.dtype]["gram"], x)


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
    if prod(shape[1:]) < _ROWS < shape[0]:  # many blocks with little to do in each
        return False
    widths = [min(n, k - 1 + (_ENTRIES if axis else _ROWS)) for axis, (k, n) in enumerate(zip(psf, shape, strict=True))]
    return sum(widths) * prod(shape) <= _WORTH * log2(prod(grid)) * prod(grid)


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


def _product(matrices: Sequence[Banded], x: Array) -> Array:
    """Along the first axis block by block, and each of these along the others while it is in the cache."""
    first, *others = matrices
    last = len(others)
    x = np.ascontiguousarray(x)
    lines = x.reshape(len(x), -1)
    result = np.empty(tuple(matrix.rows for matrix in matrices), x.dtype)
    blocks = {run.rows.start: run for run in first.runs}

    def work(rows: slice) -> None:
        block = blocks[rows.start]
        part = np.matmul(block.entries, lines[block.columns]).reshape(-1, *x.shape[1:])
        for axis, matrix in enumerate(others, start=1):
            blurred = (*part.shape[:axis], matrix.rows, *part.shape[axis + 1 :])
            part = matrix.along(part, axis, result[rows] if axis == last else np.empty(blurred, x.dtype))

    _blocks.each(work, [run.rows for run in first.runs], x.size)
    return result


def _windows(x: Array, part: slice, run: _Run) -> Array:
    """Views of a part of the middle axis of a contiguous array, one for each block of a run, along a new first axis."""
    outer, middle, _ = x.strides
    shape = (run.count, len(x), part.stop - part.start, x.shape[2])
    strides = (len(run.entries) * middle, outer, middle, x.itemsize)
    return np.ndarray(shape, x.dtype, x, part.start * middle, strides)


def _later(part: slice, distance: int) -> slice:
    return slice(part.start + distance, part.stop + distance)
