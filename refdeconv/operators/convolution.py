"""Convolution of an image with a point spread function, by FFT, with its exact adjoint."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from refdeconv import _fft
from refdeconv._arrays import (
    Array,
    Shape,
    choice,
    image_shape,
    operand,
    read_only,
    real_array,
    real_dtype,
    whole_number,
)
from refdeconv.calculus import LinearOperator

BOUNDARIES = ("constant", "wrap")


class Convolution(LinearOperator):
    """Convolution with a point spread function, the image continued beyond its edges as `boundary` says.

    ``forward(x)[i] = sum_j psf[j] x[i + origin - j]``, the sum over all samples j of the PSF. Blurred and unknown image
    have the same shape.

    Parameters
    ----------
    psf : array_like
        The point spread function: real and finite, not all zero, as many axes as the image, each of any size, odd or
        even, also larger than the image. It need not sum to one.
    shape : int or tuple of int
        Shape of the image.
    boundary : {'constant', 'wrap'}
        What lies beyond the edges, in scipy.ndimage's terms: zeros, or the image again, periodically.
    origin : int or sequence of int, optional
        Index of the PSF sample that multiplies the pixel itself, along each axis. By default ``(k - 1) // 2`` for k
        samples, which is the centre for odd k, and the convention of scipy.signal's mode 'same'.
    workers : int, optional
        Threads that the FFT may use, as in scipy.fft (negative: counted from the number of cores). Default one.

    Attributes
    ----------
    input_shape, output_shape : tuple of int
        `shape`
    fft_shape : tuple of int
        Shape of the transforms: the image, and for 'constant' only as much padding as the PSF reaches, made a fast
        size.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as described; the message names it.

    Notes
    -----
    With the PSF placed around index 0 of a periodic grid, the convolution is C W P: pad with zeros, convolve
    periodically, crop. The adjoint P^T W^T C^T multiplies by the conjugate spectrum; see the page for why this is not
    "flip the PSF and call again" when the size is even or the origin is off centre. A PSF in float64 meets a float32
    image in float32.

    Derivation: derivations/operators/convolution.md, CNV.1, CNV.2, CNV.3
    """

    psf: Array
    boundary: str
    origin: Shape
    workers: int | None
    fft_shape: Shape
    _spectra: Mapping[Any, Array]

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
        origin = _origin(origin, psf.shape)
        fft_shape = shape if boundary == "wrap" else _padded_shape(psf, origin, shape)
        self.input_shape = shape
        self.output_shape = shape
        self.psf = psf
        self.boundary = boundary
        self.origin = origin
        self.workers = _fft.checked_workers(workers)
        self.fft_shape = fft_shape
        # In the precisions that images come in; longdouble, for verification, is computed when it is needed.
        double = self._transform(np.dtype(np.float64))
        single = read_only(double.astype(np.complex64))
        self._spectra = {np.dtype(np.float32): single, np.dtype(np.float64): double}

    def forward(self, x: ArrayLike) -> Array:
        """The blurred image."""
        return self._apply(operand(x, self.input_shape), self._blur)

    def adjoint(self, y: ArrayLike) -> Array:
        """The correlation of y with the PSF: what was gathered from a pixel is given back to it."""
        return self._apply(operand(y, self.output_shape, "y"), self._correlate)

    def gram(self, x: ArrayLike) -> Array:
        """The adjoint after the forward; between the two, what lies beyond the image is cleared where it stands."""
        return self._apply(
            operand(x, self.input_shape), lambda padded: self._correlate(self._clear_padding(self._blur(padded)))
        )

    def _apply(self, x: Array, periodic: Callable[[Array], Array]) -> Array:
        """Pad, act on the periodic grid, crop."""
        if x.dtype.kind == "c":  # each part by itself: in one complex transform, one's rounding would hide the other
            return self._apply(x.real, periodic) + 1j * self._apply(x.imag, periodic)
        if x.shape == self.fft_shape:
            return periodic(x)
        padded = np.zeros(self.fft_shape, x.dtype)
        inside = tuple(map(slice, x.shape))
        padded[inside] = x
        return np.ascontiguousarray(periodic(padded)[inside])

    def _blur(self, x: Array) -> Array:
        return _fft.multiply_spectrum(x, self._spectrum(x.dtype), workers=self.workers)

    def _correlate(self, y: Array) -> Array:
        return _fft.multiply_spectrum(y, self._spectrum(y.dtype), conjugate=True, workers=self.workers)

    def _clear_padding(self, x: Array) -> Array:
        for axis, size in enumerate(self.input_shape):
            x[(slice(None),) * axis + (slice(size, None),)] = 0
        return x

    def _spectrum(self, dtype: np.dtype[Any]) -> Array:
        return self._spectra[dtype] if dtype in self._spectra else self._transform(dtype)

    def _transform(self, dtype: np.dtype[Any]) -> Array:
        """The real transform of the PSF, placed around index 0 of the periodic grid."""
        reachable = self.psf, self.origin
        if self.boundary == "constant":
            reachable = _within_reach(self.psf, self.origin, self.input_shape)
        psf, origin = reachable
        placed = _placed_around_zero(psf.astype(real_dtype(dtype), copy=False), origin, self.fft_shape)
        return read_only(_fft.spectrum(placed, self.workers))

    def __repr__(self) -> str:
        sizes = "x".join(map(str, self.psf.shape))
        centred = self.origin == _origin(None, self.psf.shape)
        origin = "" if centred else f", origin={self.origin}"
        return f"Convolution(psf {sizes}, {self.input_shape}, {self.boundary!r}{origin})"


def _origin(origin: int | Sequence[int] | None, sizes: Shape) -> Shape:
    if origin is None:
        return tuple((size - 1) // 2 for size in sizes)
    indices = (origin,) * len(sizes) if isinstance(origin, int | np.integer) else tuple(origin)
    if len(indices) != len(sizes):
        raise ValueError(f"origin needs one index, or one for each of the psf's {len(sizes)} axes, got {origin!r}")
    for index, size in zip(indices, sizes, strict=True):
        if not 0 <= whole_number(index, "each index in origin") < size:
            raise ValueError(f"origin must lie inside the psf of shape {sizes}, got {origin!r}")
    return tuple(map(int, indices))


def _within_reach(psf: Array, origin: Shape, shape: Shape) -> tuple[Array, Shape]:
    """The samples of the PSF that can reach a pixel of the image from another, and the origin among them (CNV.4)."""
    first = [max(0, o - n + 1) for o, n in zip(origin, shape, strict=True)]
    last = [min(k, o + n) for k, o, n in zip(psf.shape, origin, shape, strict=True)]
    return psf[tuple(map(slice, first, last))], tuple(o - f for o, f in zip(origin, first, strict=True))


def _padded_shape(psf: Array, origin: Shape, shape: Shape) -> Shape:
    """The smallest fast sizes at which nothing of the periodic convolution wraps into the image (CNV.4)."""
    reachable, offset = _within_reach(psf, origin, shape)
    needed = [n + max(o, k - 1 - o) for n, k, o in zip(shape, reachable.shape, offset, strict=True)]
    return _fft.fast_shape(tuple(needed))


def _placed_around_zero(psf: Array, origin: Shape, grid: Shape) -> Array:
    """The PSF on the periodic grid, its origin at index 0; samples that fall on one another are added."""
    placed = np.zeros(grid, psf.dtype)
    indices = [(np.arange(k) - o) % n for k, o, n in zip(psf.shape, origin, grid, strict=True)]
    np.add.at(placed, np.ix_(*indices), psf)
    return placed
