"""The adjoint of a convolution after the convolution, at the cost of one transform and back instead of two.

Were nothing cut off between the two, they would be one convolution, with the autocorrelation of the PSF. What is cut
off is seen by few pixels near the edges alone, whose share is taken away (CNV.7).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import chain, combinations, product
from math import prod
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import DTypeLike

from refdeconv import _blocks, _fft
from refdeconv._arrays import Array, Shape, read_only
from refdeconv._scratch import scratch

_NARROW = 4  # times the reach of the PSF that an image must have along each axis, for the shares to be small
_NEAR = 63  # pixels near an edge, at most, in a product with a complex matrix: of more, OpenBLAS may wake threads
_NUMBERS = 2**20  # in the matrices of a share, at most: more take memory, and time to find, and gain nothing
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
    image : tuple of int
        Shape of the image.
    axes : tuple of int
        Along which,
    near : tuple of int
        and how many of them are near an edge.
    blocks : list of tuple of _Edge
        At which edges.
    grid : tuple of int
        Shape of the transforms along the other axes.
    """

    image: Shape
    axes: tuple[int, ...]
    near: Shape
    blocks: list[tuple[_Edge, ...]]
    grid: Shape

    @property
    def near_grid(self) -> Shape:
        """Shape of the transforms along these axes, where there are no matrices."""
        return _fft.fast_shape(tuple(2 * pixels - 1 for pixels in self.near))

    @property
    def cost_of_matrices(self) -> float:
        """In pixels that are transformed and back; infinite, where these would be too large."""
        count = len(self.blocks) * (prod(self.grid[:-1]) * (self.grid[-1] // 2 + 1) if self.grid else 1)
        numbers = count * prod(self.near) ** 2 * (2 if self.grid else 1)
        if numbers > _NUMBERS or (self.grid and prod(self.near) > _NEAR):
            return np.inf
        transformed = len(self.blocks) * prod(self.near) * prod(self.grid) if self.grid else 0
        return transformed + numbers / _MULTIPLICATIONS + _MATRIX * count + _SHARE

    @property
    def cost_of_transforms(self) -> float:
        """The same, where pixels near the edges are transformed once along the other axes, and twice along these."""
        along_these = len(self.near) / len(self.image)
        once = (1 - along_these) * prod(self.near)
        complexes = 1 if self.grid else 2  # along all axes, pixels are transformed as complex numbers
        twice = 4 * along_these * prod(self.near_grid) * complexes
        return len(self.blocks) * prod(self.grid) * (once + twice) + _SHARE

    @property
    def by_matrices(self) -> bool:
        """Whether these are the shorter way."""
        return self.cost_of_matrices <= self.cost_of_transforms

    @property
    def cost(self) -> float:
        """Of this way."""
        return self.cost_of_matrices if self.by_matrices else self.cost_of_transforms


@dataclass(frozen=True)
class _Matrices:
    """What is seen beyond the edges, and back, as a matrix for each block and each frequency along the other axes."""

    matrices: Array

    @classmethod
    def of(cls, samples: Array, layout: _Layout) -> Self:
        """From the transform of the samples along the other axes."""
        found = []
        for edges in layout.blocks:
            seen = _seen_beyond(samples, edges, layout.near)
            found.append((-1) ** len(edges) * seen.conj().swapaxes(-2, -1) @ seen)
        return cls(np.stack(found))

    def astype(self, dtype: np.dtype[Any]) -> Self:
        """In another precision."""
        return type(self)(_with_precision(self.matrices, dtype))

    def __call__(self, x: Array, near: int, workers: int | None) -> Array:
        """The product with pixels of each block, on the grid, of which the last axes are the near ones."""
        vectors = x.reshape(*x.shape[: x.ndim - near], -1)
        if vectors.ndim > 2:
            products = _fft.multiply_matrices(vectors, self.matrices, workers)
        else:
            products = np.vecdot(self.matrices, vectors[:, None])
        return products.reshape(x.shape)


@dataclass(frozen=True)
class _Transforms:
    """The same by transforms along the near axes as well, twice: to the pixels beyond, and back.

    Attributes
    ----------
    spectra : ndarray
        For each block, of the samples that lead from its pixels to those beyond.
    beyond : ndarray
        Where these are on the grid, with the sign of the share.
    """

    spectra: Array
    beyond: Array

    @classmethod
    def of(cls, samples: Array, layout: _Layout) -> Self:
        """From the transform of the samples along the other axes."""
        count, axes = len(layout.near), tuple(range(-len(layout.near), 0))
        spectra, beyond = [], []
        for edges in layout.blocks:
            leading = [
                slice(0, width) if edge.is_first else slice(size - width, size)
                for edge, width, size in zip(edges, layout.near, samples.shape[:count], strict=True)
            ]
            part = np.moveaxis(samples[tuple(leading)], range(count), axes)
            spectra.append(_fft.complex_spectrum(part, layout.near_grid, axes))
            places = np.zeros(layout.near_grid)
            places[tuple(map(_beyond, edges, layout.near))] = (-1) ** len(edges)
            beyond.append(places.reshape((1,) * len(layout.grid) + layout.near_grid))
        return cls(np.stack(spectra), np.stack(beyond))

    def astype(self, dtype: np.dtype[Any]) -> Self:
        """In another precision."""
        return type(self)(_with_precision(self.spectra, dtype), _with_precision(self.beyond, dtype))

    def __call__(self, x: Array, near: int, workers: int | None) -> Array:
        """The product with pixels of each block, on the grid, of which the last axes are the near ones."""
        others, axes = tuple(range(1, x.ndim - near)), tuple(range(-near, 0))
        vectors = _fft.spectrum(x, workers, others) if others else x
        blurred = _fft.complex_spectrum(vectors, self.beyond.shape[-near:], axes, workers)
        blurred *= self.spectra
        blurred = _fft.inverse_complex_spectrum(blurred, axes, workers)
        blurred *= self.beyond
        back = _fft.complex_spectrum(blurred, blurred.shape[-near:], axes, workers)
        back *= self.spectra.conj()
        inside: tuple[Any, ...] = (..., *map(slice, x.shape[-near:]))
        back = _fft.inverse_complex_spectrum(back, axes, workers)[inside]
        return _fft.inverse_spectrum(back, x.shape[1:-near], workers, others) if others else back.real


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
    product : _Matrices or _Transforms
        What makes these pixels' share of them.
    """

    blocks: list[tuple[slice, ...]]
    order: tuple[int, ...]
    near: Shape
    grid: Shape
    product: _Matrices | _Transforms

    def astype(self, dtype: DTypeLike) -> Self:
        """In another precision."""
        return replace(self, product=self.product.astype(np.dtype(dtype)))

    def add(self, x: Array, result: Array, workers: int | None) -> None:
        """Add what it is for the image x."""
        grid = np.zeros((len(self.blocks), *self.grid, *self.near), x.dtype)  # small
        inside = tuple(slice(x.shape[axis]) for axis in self.order[: len(self.grid)])
        for place, block in zip(grid, self.blocks, strict=True):
            place[inside] = x[block].transpose(self.order)
        for place, block in zip(self.product(grid, len(self.near), workers), self.blocks, strict=True):
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
        shares = [_share(psf, layout) for layout in _layouts(psf.shape, shape, before, after)]
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
    """Pixels whose transform and back takes as long."""
    shares = sum(layout.cost for layout in _layouts(psf, shape, before, after))
    return prod(_grid(psf, shape, periodic)) + shares


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
        yield _Layout(shape, axes, near, list(product(*edges)), _fft.fast_shape(others))


def _share(psf: Array, layout: _Layout) -> _Share:
    """What it takes from the samples of the PSF, by the shorter way."""
    shape, count = layout.image, len(layout.near)
    others = tuple(axis for axis in range(len(shape)) if axis not in layout.axes)
    samples = psf.transpose(*layout.axes, *others)
    if others:
        at_start = _at_start(samples, (*samples.shape[:count], *layout.grid))
        samples = _fft.spectrum(at_start, axes=tuple(range(count, len(shape))))
    blocks = []
    for edges in layout.blocks:
        block = [slice(None)] * len(shape)
        for axis, edge, near in zip(layout.axes, edges, layout.near, strict=True):
            block[axis] = slice(0, near) if edge.is_first else slice(shape[axis] - near, shape[axis])
        blocks.append(tuple(block))
    way = _Matrices if layout.by_matrices else _Transforms
    return _Share(blocks, (*others, *layout.axes), layout.near, layout.grid, way.of(samples, layout))


def _beyond(edge: _Edge, near: int) -> slice:
    """Where on a grid of a share what is cut off lies: the samples lead that far on."""
    return slice(0, edge.beyond) if edge.is_first else slice(2 * near - 1 - edge.beyond, None)


def _with_precision(array: Array, dtype: np.dtype[Any]) -> Array:
    complex_type = np.result_type(dtype, np.complex64)
    return read_only(array.astype(complex_type if array.dtype.kind == "c" else dtype))


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
