"""The adjoint of a convolution after the convolution, at the cost of one transform and back instead of two.

Were nothing cut off between the two, they would be one convolution, with the autocorrelation of the PSF. What is cut
off is seen by few pixels near the edges alone, whose share is taken away (CNV.7).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, combinations, product
from math import prod
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import DTypeLike

from refdeconv import _blocks, _fft
from refdeconv._arrays import Array, Shape, read_only
from refdeconv._scratch import scratch

_NARROW = 4  # times the reach of the PSF that an image must have along each axis, for the shares to be small
_NEAR = 63  # pixels near an edge, at most, in a product with a complex matrix: for more, OpenBLAS wakes threads
_TABLES = 4  # times the pixels of the image: numbers in all matrices, at most
_MULTIPLICATIONS = 16  # by a real number, that take the time of a pixel's transform and back, measured
_MATRIX = 10  # pixels whose transform and back takes the time of one more matrix, however small,
_SHARE = 8000  # or of one more share, measured


class _Edge(NamedTuple):
    """One end of an axis, and how many pixels of the convolution are cut off beyond it."""

    is_first: bool
    beyond: int


class _Layout(NamedTuple):
    """Pixels near the edges along some axes.

    Attributes
    ----------
    axes : tuple of int
        Along which,
    near : tuple of int
        and how many of them are near an edge.
    blocks : list of tuple of _Edge
        At which edges.
    grid : tuple of int
        Shape of the transforms along the other axes.
    """

    axes: tuple[int, ...]
    near: Shape
    blocks: list[tuple[_Edge, ...]]
    grid: Shape

    @property
    def matrices(self) -> int:
        """How many matrices: one for each block and frequency."""
        return len(self.blocks) * (prod(self.grid[:-1]) * (self.grid[-1] // 2 + 1) if self.grid else 1)

    @property
    def numbers(self) -> int:
        """Real numbers in them."""
        return self.matrices * prod(self.near) ** 2 * (2 if self.grid else 1)

    @property
    def cost(self) -> float:
        """In pixels that are transformed and back."""
        transformed = len(self.blocks) * prod(self.near) * prod(self.grid) if self.grid else 0
        return transformed + self.numbers / _MULTIPLICATIONS + _MATRIX * self.matrices + _SHARE


@dataclass(frozen=True)
class _Share:
    """The term of one choice of axes: what pixels near the edges along these see beyond, and back, with its sign.

    Attributes
    ----------
    blocks : list of tuple of slice
        The pixels, in the image: near one edge or the other along each of these axes.
    order : tuple of int
        The axes of the image, these last.
    near : tuple of int
        How many pixels along these.
    grid : tuple of int
        Shape of the transforms along the others.
    matrices : ndarray
        For each block, and each frequency along the other axes, what the pixels near the edges are multiplied with.
    """

    blocks: list[tuple[slice, ...]]
    order: tuple[int, ...]
    near: Shape
    grid: Shape
    matrices: Array

    def astype(self, dtype: DTypeLike) -> Self:
        """In another precision."""
        kind = np.result_type(dtype, np.complex64) if self.grid else dtype
        return type(self)(self.blocks, self.order, self.near, self.grid, read_only(self.matrices.astype(kind)))

    def add(self, x: Array, result: Array, workers: int | None) -> None:
        """Add what it is for the image x."""
        grid = np.zeros((len(self.blocks), *self.grid, *self.near), x.dtype)  # small
        inside = tuple(slice(x.shape[axis]) for axis in self.order[: len(self.grid)])
        for place, block in zip(grid, self.blocks, strict=True):
            place[inside] = x[block].transpose(self.order)
        vectors = grid.reshape(len(self.blocks), *self.grid, prod(self.near))
        if self.grid:
            products = _fft.multiply_matrices(vectors, self.matrices, workers)
        else:
            products = np.vecdot(self.matrices, vectors[:, None])
        for place, block in zip(products.reshape(grid.shape), self.blocks, strict=True):
            part = result[block].transpose(self.order)
            part += place[inside]


class NearlyToeplitz:
    """``x -> K^T K x``, where K convolves an image with a PSF and cuts off what lies beyond it.

    Parameters
    ----------
    psf : ndarray
        In float64.
    shape : tuple of int
        Of the image.
    before, after : tuple of int
        Along each axis, how many of the ``n + k - 1`` pixels that the convolution of n pixels with k samples reaches
        are cut off at its beginning and at its end.
    periodic : bool
        Whether the image goes on periodically instead, and nothing is cut off. The PSF is then no larger than it.

    Notes
    -----
    Derivation: derivations/operators/convolution.md, CNV.7
    """

    def __init__(self, psf: Array, shape: Shape, before: Shape, after: Shape, *, periodic: bool = False) -> None:
        self.shape = shape
        self.grid = _grid(psf.shape, shape, periodic)
        transform = _fft.spectrum(_at_start(psf, self.grid))
        powers = transform.real**2 + transform.imag**2
        shares = [_share(psf, shape, layout) for layout in _layouts(psf.shape, shape, before, after)]
        self._factors = {
            np.dtype(dtype): (read_only(powers.astype(dtype)), [share.astype(dtype) for share in shares])
            for dtype in (np.float64, np.float32)
        }

    def __call__(self, x: Array, workers: int | None) -> Array:
        """The product, for a real x of float64 or float32."""
        inside = tuple(map(slice, self.shape))
        powers, shares = self._factors[x.dtype]
        result = np.empty(self.shape, x.dtype)
        with scratch(self.grid, x.dtype) as grid:
            _blocks.pixelwise(_copy, x, grid[inside])
            for axis, size in enumerate(self.shape):
                grid[(slice(None),) * axis + (slice(size, None),)] = 0
            product = _fft.multiply_spectrum(grid, powers, workers=workers, overwrite=True)
            _blocks.pixelwise(_copy, product[inside], result)
        for share in shares:
            share.add(x, result, workers)
        return result


def is_narrow(psf: Shape, shape: Shape) -> bool:
    """Whether a PSF is so much smaller than the image that this way may be the shorter one."""
    return all(_NARROW * (k - 1) <= n for k, n in zip(psf, shape, strict=True))


def cost(psf: Shape, shape: Shape, before: Shape, after: Shape, *, periodic: bool = False) -> float:
    """Pixels whose transform and back takes as long; infinite, where the matrices would be too large."""
    layouts = list(_layouts(psf, shape, before, after))
    wakes_threads = any(layout.grid and prod(layout.near) > _NEAR for layout in layouts)
    if wakes_threads or sum(layout.numbers for layout in layouts) > _TABLES * prod(shape):
        return np.inf
    return prod(_grid(psf, shape, periodic)) + sum(layout.cost for layout in layouts)


def _grid(psf: Shape, shape: Shape, periodic: bool) -> Shape:
    return shape if periodic else _fft.fast_shape(_reached(psf, shape))


def _reached(psf: Shape, shape: Shape) -> Shape:
    return tuple(n + k - 1 for n, k in zip(shape, psf, strict=True))


def _layouts(psf: Shape, shape: Shape, before: Shape, after: Shape) -> Iterator[_Layout]:
    """For each choice of axes along which something is cut off."""
    cut = [axis for axis, pixels in enumerate(map(max, before, after)) if pixels]
    reached = _reached(psf, shape)
    for axes in chain.from_iterable(combinations(cut, count) for count, _ in enumerate(cut, 1)):
        edges = [
            [_Edge(is_first, beyond) for is_first, beyond in ((True, before[axis]), (False, after[axis])) if beyond]
            for axis in axes
        ]
        others = tuple(size for axis, size in enumerate(reached) if axis not in axes)
        near = tuple(max(before[axis], after[axis]) for axis in axes)
        yield _Layout(axes, near, list(product(*edges)), _fft.fast_shape(others))


def _share(psf: Array, shape: Shape, layout: _Layout) -> _Share:
    """Its matrices: what pixels near the edges see beyond, and back."""
    others = tuple(axis for axis in range(len(shape)) if axis not in layout.axes)
    samples = psf.transpose(*layout.axes, *others)
    if others:
        at_start = _at_start(samples, (*samples.shape[: len(layout.axes)], *layout.grid))
        samples = _fft.spectrum(at_start, axes=tuple(range(len(layout.axes), len(shape))))
    blocks, matrices = [], []
    for edges in layout.blocks:
        block = [slice(None)] * len(shape)
        for axis, edge, near in zip(layout.axes, edges, layout.near, strict=True):
            block[axis] = slice(0, near) if edge.is_first else slice(shape[axis] - near, shape[axis])
        blocks.append(tuple(block))
        seen = _seen_beyond(samples, edges, layout.near)
        matrices.append((-1) ** len(edges) * seen.conj().swapaxes(-2, -1) @ seen)
    return _Share(blocks, (*others, *layout.axes), layout.near, layout.grid, np.stack(matrices))


def _seen_beyond(samples: Array, edges: tuple[_Edge, ...], near: Shape) -> Array:
    """A matrix for each frequency: from the pixels near the edges, of so many along each axis, to those beyond."""
    count = len(near)
    indices = np.ix_(*map(np.arange, near + near))
    samples_seen, is_seen = [], np.array(True)
    for edge, size, width, to, of in zip(
        edges, samples.shape[:count], near, indices[:count], indices[count:], strict=True
    ):
        beyond = to < edge.beyond if edge.is_first else to >= width - edge.beyond
        sample = to - of if edge.is_first else size - 1 + to - of
        is_seen = is_seen & beyond & (sample >= 0) & (sample < size)
        samples_seen.append(sample % size)
    pixels = prod(near)
    seen = samples[tuple(samples_seen)].reshape(pixels, pixels, *samples.shape[count:])
    return np.moveaxis(seen, (0, 1), (-2, -1)) * is_seen.reshape(pixels, pixels)


def _at_start(array: Array, grid: Shape) -> Array:
    result = np.zeros(grid)
    result[tuple(map(slice, array.shape))] = array
    return result


def _copy(x: Array, place: Array) -> None:
    place[...] = x
