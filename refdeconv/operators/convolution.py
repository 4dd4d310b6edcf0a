"""Convolution of an image with a point spread function, by FFT or along the axes, with its exact adjoint."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import prod
from operator import sub
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from refdeconv import _blocks, _fft
from refdeconv._arrays import (
    Array,
    Shape,
    choice,
    image_shape,
    operand,
    read_only,
    real_array,
    real_dtype,
    whole_numbers,
)
from refdeconv._scratch import scratch
from refdeconv.calculus import LinearOperator
from refdeconv.operators import extension
from refdeconv.operators._gram import NearlyToeplitz, cost, is_narrow
from refdeconv.operators._periodic_grid import Axis, fft_shape, placed
from refdeconv.operators._separable import Separable, is_worth_it, separated
from refdeconv.operators.extension import Extension

BOUNDARIES = (*extension.BOUNDARIES, "valid")
_SMALLEST = 2.0**-30  # the largest sample of a PSF whose squares still have their digits in float32
_SHORTER = 0.85  # of the two transforms and back: what a shorter way to the Gram operator may take


class Convolution(LinearOperator):
    """Convolution with a point spread function, the image continued beyond its edges as `boundary` says.

    ``forward(x)[i] = sum_j psf[j] x[i + origin - j]``, the sum over all samples j of the PSF. Blurred and unknown image
    have the same shape, except with the boundary 'valid'.

    Parameters
    ----------
    psf : array_like
        The point spread function: real and finite, not all zero, as many axes as the image, each of any size, odd or
        even, also larger than the image. It need not sum to one.
    shape : int or tuple of int
        Shape of the unknown image.
    boundary : {'constant', 'wrap', 'reflect', 'mirror', 'nearest', 'valid'}
        What lies beyond the edges, in scipy.ndimage's terms (see `Extension`): zeros, the image again, its mirror image
        with the edge between two pixels or on the last one, the nearest pixel. With 'valid', nothing needs to be known
        there: the blurred image holds only the pixels that the PSF reaches from inside, ``shape - k + 1`` along an axis
        for k samples. For data of a given shape take ``shape = data.shape + k - 1``.
    origin : int or sequence of int, optional
        Index of the PSF sample that multiplies the pixel itself, along each axis. By default ``(k - 1) // 2`` for k
        samples, which is the centre for odd k, and the convention of scipy.signal's mode 'same'. With 'valid' it has no
        influence on the blurred image, only on where that lies in the unknown one: `inside`.
    workers : int, optional
        Threads that the FFT may use, as in scipy.fft (negative: counted from the number of cores). Default: one a
        core for large images, one for small ones.

    Attributes
    ----------
    input_shape : tuple of int
        `shape`
    output_shape : tuple of int
        `shape`, or with 'valid', ``shape - k + 1``.
    inside : tuple of slice
        The part of the unknown image whose pixels have a blurred counterpart: all, or with 'valid', along each axis the
        pixels from ``k - 1 - origin``.
    fft_shape : tuple of int
        Shape of the transforms, where there are any: the image with only as much padding as the PSF reaches, made a
        fast size, or a whole period of the image beyond its edges, where that is smaller.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as described, or with 'valid' the PSF is larger than the image; the message names it.

    Notes
    -----
    With the PSF placed around index 0 of a periodic grid, the convolution is C W P E: extend beyond the edges, pad with
    zeros, convolve periodically, crop. The adjoint E^T P^T W^T C^T multiplies by the conjugate spectrum, and folds; see
    the page for why this is not "flip the PSF and call again" when the size is even, the origin is off centre, or the
    image is continued by other than zeros or itself. A PSF in float64 meets a float32 image in float32.

    Narrow PSFs that are a product of one-dimensional ones (an upright Gaussian, a box) need no transforms: the
    convolution is a product of banded matrices, one for each axis, which takes less time.

    Derivation: derivations/operators/convolution.md, CNV.1, CNV.2, CNV.3, CNV.5,
    CNV.6, CNV.7, CNV.8
    """

    new_arrays = True
    _keeps_nothing = True

    psf: Array
    boundary: str
    origin: Shape
    workers: int | None
    inside: tuple[slice, ...]
    fft_shape: Shape
    _squares_fit: bool
    _axes: tuple[Axis, ...]
    _extension: Extension | None
    _spectra: Mapping[Any, Array]
    _toeplitz: NearlyToeplitz | None
    _separable: Separable | None

    def __init__(
        self,
        psf: ArrayLike,
        shape: int | tuple[int, ...],
        boundary: str = "constant",
        origin: int | Sequence[int] | None = None,
        *,
        workers: int | None = None,
    ) -> None:
        psf, shape = real_array(psf, "psf"), image_shape(shape)
        boundary = choice(boundary, "boundary", BOUNDARIES)
        if psf.ndim != len(shape):
            raise ValueError(f"psf has {psf.ndim} axes (shape {psf.shape}), the image has {len(shape)} (shape {shape})")
        if not psf.any():
            raise ValueError("psf is zero everywhere: there is nothing to convolve with")
        origin = checked_origin(origin, psf.shape)
        self.input_shape = shape
        self.output_shape = valid_shape(psf.shape, shape) if boundary == "valid" else shape
        self.psf = psf
        self.boundary = boundary
        self.origin = origin
        self.workers = _fft.checked_workers(workers)
        self.inside = tuple(
            slice(k - 1 - o, n - o) if boundary == "valid" else slice(0, n)
            for n, k, o in zip(shape, psf.shape, origin, strict=True)
        )
        self._axes = tuple(Axis.of(boundary, *sizes) for sizes in zip(shape, psf.shape, origin, strict=True))
        self._extension = _extension(shape, self._axes, boundary)
        self.fft_shape = fft_shape(self._axes)
        self._squares_fit = bool(_SMALLEST <= np.max(np.abs(psf)) <= 1 / _SMALLEST)
        self._separable = self._as_separable()
        if self._separable is not None:
            self._spectra, self._toeplitz = {}, None
            return
        # In the precisions that images come in; longdouble, for verification, is computed when it is needed.
        double = self._transform(np.dtype(np.float64))
        with np.errstate(over="ignore"):
            single = read_only(double.astype(np.complex64))
        self._spectra = {np.dtype(np.float32): single, np.dtype(np.float64): double}
        self._toeplitz = self._nearly_toeplitz(_SHORTER * 2 * prod(self.fft_shape))

    def forward(self, x: ArrayLike) -> Array:
        """The blurred image."""
        return _by_parts(self._forward, operand(x, self.input_shape))

    def adjoint(self, y: ArrayLike) -> Array:
        """The correlation of y with the PSF: what was gathered from a pixel is given back to it."""
        return _by_parts(self._adjoint, operand(y, self.output_shape, "y"))

    def gram(self, x: ArrayLike) -> Array:
        """The adjoint after the forward: for narrow PSFs nearly one convolution, with the autocorrelation (CNV.7)."""
        return _by_parts(self._gram, operand(x, self.input_shape))

    def _forward_into(self, x: Array, result: Array) -> Array:
        return self._forward(x, result) if x.dtype.kind == "f" else self.forward(x)

    def _forward(self, x: Array, result: Array | None = None) -> Array:
        if self._separable is not None and x.dtype in self._separable:
            return self._separable.forward(x, result)
        if x.shape == self.fft_shape:
            blurred = self._blur(x)
            whole = blurred.shape == self.output_shape
            return blurred if whole else _copied(_leading(blurred, self.output_shape), result)
        with scratch(self.fft_shape, x.dtype) as grid:
            self._extend(x, grid)
            return _copied(_leading(self._blur(grid, overwrite=True), self.output_shape), result)

    def _adjoint(self, y: Array) -> Array:
        if self._separable is not None and y.dtype in self._separable:
            return self._separable.adjoint(y)
        if y.shape == self.fft_shape:
            return self._correlate(y)
        with scratch(self.fft_shape, y.dtype) as grid:
            _blocks.pixelwise(_copy, y, _leading(grid, y.shape))
            return self._folded(self._correlate(_cleared_beyond(grid, y.shape), overwrite=True))

    def _gram(self, x: Array) -> Array:
        if self._separable is not None and x.dtype in self._separable:
            return self._separable.gram(x) if self._squares_fit else self._adjoint(self._forward(x))
        if self._toeplitz is not None and x.dtype in self._spectra:
            if self._extension is None:
                return self._toeplitz(x, self.workers)
            return _copied(self._extension.fold(self._toeplitz(self._extension.forward(x), self.workers)))
        if x.shape == self.fft_shape:
            return self._correlate(_cleared_beyond(self._blur(x), self.output_shape), overwrite=True)
        with scratch(self.fft_shape, x.dtype) as grid:
            self._extend(x, grid)
            blurred = _cleared_beyond(self._blur(grid, overwrite=True), self.output_shape)
            return self._folded(self._correlate(blurred, overwrite=True))

    def _extend(self, x: Array, grid: Array) -> None:
        """Write the image, with what lies beyond its edges, on the periodic grid."""
        if self._extension is None:
            _blocks.pixelwise(_copy, x, _leading(grid, x.shape))
            _cleared_beyond(grid, x.shape)
        else:
            extended = self._extension.output_shape
            _cleared_beyond(grid, extended)
            self._extension.fill(_leading(grid, extended), x)

    def _folded(self, grid: Array) -> Array:
        """The adjoint of `_extend`, in an array of its own; the grid is overwritten."""
        if self._extension is None:
            return _copied(_leading(grid, self.input_shape))
        return _copied(self._extension.fold(_leading(grid, self._extension.output_shape)))

    def _blur(self, x: Array, overwrite: bool = False) -> Array:
        return _fft.multiply_spectrum(x, self._spectrum(x.dtype), workers=self.workers, overwrite=overwrite)

    def _correlate(self, y: Array, overwrite: bool = False) -> Array:
        return _fft.multiply_spectrum(
            y, self._spectrum(y.dtype), conjugate=True, workers=self.workers, overwrite=overwrite
        )

    def _as_separable(self) -> Separable | None:
        """The way without transforms, where the PSF has one and it is shorter."""
        shape = self.input_shape
        if len(shape) < 2 or self.boundary == "wrap" or not is_worth_it(self.psf.shape, shape, self.fft_shape):
            return None
        factors = separated(self.psf)
        with np.errstate(over="ignore"):  # of squares that nobody asks for, and of what is out of float32's range
            return None if factors is None else Separable(factors, shape, self.origin, self.boundary)

    def _nearly_toeplitz(self, pixels: float) -> NearlyToeplitz | None:
        """The shorter way to the Gram operator, where there is one that takes less time than transforms of so many."""
        psf, shape = self.psf.astype(np.float64, copy=False), self.input_shape
        if self._extension is not None:
            shape = self._extension.output_shape
        periodic = self.boundary == "wrap"
        if not (is_narrow(psf.shape, shape) and self._squares_fit):
            return None
        if not periodic and any(axis.exact for axis in self._axes):
            return None
        before = after = tuple(k - 1 for k in psf.shape)
        if periodic:
            before = after = (0,) * psf.ndim
        elif self.boundary == "constant":
            before, after = self.origin, tuple(map(sub, before, self.origin))
        if cost(psf.shape, shape, before, after, periodic=periodic) >= pixels:
            return None
        return NearlyToeplitz(psf, shape, before, after, periodic=periodic)

    def _spectrum(self, dtype: np.dtype[Any]) -> Array:
        return self._spectra[dtype] if dtype in self._spectra else self._transform(dtype)

    def _transform(self, dtype: np.dtype[Any]) -> Array:
        """The real transform of the PSF, placed around index 0 of the periodic grid."""
        psf = self.psf.astype(real_dtype(dtype), copy=False)
        return read_only(_fft.spectrum(placed(psf, self._axes, self.fft_shape), self.workers))

    def __repr__(self) -> str:
        sizes = "x".join(map(str, self.psf.shape))
        centred = self.origin == checked_origin(None, self.psf.shape)
        origin = "" if centred else f", origin={self.origin}"
        return f"Convolution(psf {sizes}, {self.input_shape}, {self.boundary!r}{origin})"


def checked_origin(origin: int | Sequence[int] | None, sizes: Shape) -> Shape:
    """The index of the PSF's origin along each axis, by default the middle sample."""
    if origin is None:
        return tuple((size - 1) // 2 for size in sizes)
    indices = whole_numbers(origin, "origin", len(sizes))
    if not all(0 <= index < size for index, size in zip(indices, sizes, strict=True)):
        raise ValueError(f"origin must lie inside the psf of shape {sizes}, got {origin!r}")
    return indices


def valid_shape(sizes: Shape, shape: Shape) -> Shape:
    """The shape of what a PSF blurs without leaving an image; an error where there is nothing."""
    if any(k > n for k, n in zip(sizes, shape, strict=True)):
        raise ValueError(
            f"psf of shape {sizes} is larger than the image of shape {shape}: with the boundary 'valid', shape is that "
            "of the unknown image, the data's shape + psf.shape - 1"
        )
    return tuple(n - k + 1 for k, n in zip(sizes, shape, strict=True))


def _extension(shape: Shape, axes: tuple[Axis, ...], boundary: str) -> Extension | None:
    before, after = tuple(axis.before for axis in axes), tuple(axis.after for axis in axes)
    return Extension(shape, before, after, boundary) if any(before) or any(after) else None


def _by_parts(apply: Callable[[Array], Array], x: Array) -> Array:
    """A real operator at x. Each part by itself: in one complex transform, one's rounding would hide the other."""
    return apply(x.real) + 1j * apply(x.imag) if x.dtype.kind == "c" else apply(x)


def _copy(x: Array, place: Array) -> None:
    place[...] = x


def _copied(view: Array, result: Array | None = None) -> Array:
    """An array of its own, or the one given."""
    if result is None:
        result = np.empty(view.shape, view.dtype)
    _blocks.pixelwise(_copy, view, result)
    return result


def _cleared_beyond(grid: Array, shape: Shape) -> Array:
    """The grid with zeros beyond an image at its start."""
    for axis, size in enumerate(shape):
        grid[(slice(None),) * axis + (slice(size, None),)] = 0
    return grid


def _leading(grid: Array, shape: Shape) -> Array:
    return grid[tuple(map(slice, shape))]
