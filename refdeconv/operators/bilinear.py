"""Convolution where image and point spread function are both unknown: a bilinear map, with its exact derivatives."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from refdeconv import _fft
from refdeconv._arrays import Array, Shape, choice, image_shape, operand, real_dtype
from refdeconv.calculus import LinearOperator, Operator
from refdeconv.hessians import SelfAdjoint
from refdeconv.operators.convolution import BOUNDARIES, checked_origin, valid_shape
from refdeconv.operators.extension import Extension
from refdeconv.operators.identity import Identity
from refdeconv.operators.packing import Packing

# The transform of a real array; of a complex one, the transforms of its real and of its imaginary part.
_Spectrum = tuple[Array, ...]


class BlindConvolution(Operator):
    """The convolution ``k * x`` as a map of image x and point spread function k, packed in one vector.

    ``forward(pack(x, k))[i] = sum_j k[j] x[i + origin - j]``, as in `Convolution`, but of two unknowns: an objective
    composed with it has its exact gradient in both, and the full Hessian with the mixed blocks.

    Parameters
    ----------
    image_shape : int or tuple of int
        Shape of the image.
    psf_shape : int or tuple of int
        Shape of the point spread function: as many axes as the image, each of any size. Its values are a variable, and
        may be anything, zero included.
    boundary : {'constant', 'wrap', 'reflect', 'mirror', 'nearest', 'valid'} or LinearOperator
        What lies beyond the image's edges, as in `Convolution`. Or the operator that continues the image: it returns
        an array that is larger than the blurred image by ``psf_shape - 1``, with ``k - 1 - origin`` of these pixels,
        for k samples of the PSF, before its first and ``origin`` after its last pixel along each axis.
    origin : int or sequence of int, optional
        Index of the PSF sample that multiplies the pixel itself, as in `Convolution`; by default ``(k - 1) // 2``. Not
        with an operator as `boundary`, which decides it.
    workers : int, optional
        Threads that the FFT may use, as in scipy.fft. Default one.

    Attributes
    ----------
    packing : Packing
        Of image and PSF: ``packing.pack(x, k)`` is the vector, ``packing.unpack(z)`` the two.
    input_shape : tuple of int
        ``(packing.size,)``
    output_shape : tuple of int
        Shape of the blurred image: `image_shape`, unless an operator continues the image.
    fft_shape : tuple of int
        Shape of the transforms.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as described; the message names it.

    Notes
    -----
    The Jacobian is ``(dx, dk) -> k * dx + dk * x``, its adjoint correlates with k and, cropped to the PSF, with x. The
    curvature has mixed blocks alone. (a x, k / a) gives the same for every number a, so fix the PSF's sum, such as by
    `Softmax`.

    Derivation: derivations/operators/bilinear.md, BIL.1, BIL.2, BIL.3, BIL.4, BIL.5
    """

    packing: Packing
    boundary: str | LinearOperator
    origin: Shape | None
    workers: int | None
    fft_shape: Shape
    _extension: LinearOperator
    _reach: tuple[slice, ...]
    _complete: tuple[slice, ...]

    def __init__(
        self,
        image_shape: int | tuple[int, ...],
        psf_shape: int | tuple[int, ...],
        boundary: str | LinearOperator = "constant",
        origin: int | Sequence[int] | None = None,
        *,
        workers: int | None = None,
    ) -> None:
        packing = _image_and_psf(image_shape, psf_shape)
        shape, sizes = packing.shapes
        reach = tuple(slice(0, k) for k in sizes)
        if isinstance(boundary, LinearOperator):
            extension = _checked_extension(boundary, shape, sizes, origin)
        else:
            origin = checked_origin(origin, sizes)
            if choice(boundary, "boundary", BOUNDARIES) == "constant":
                reach = _reach(sizes, origin, shape)
            extension = _extension(shape, reach, origin, boundary)
        self.packing = packing
        self.boundary = boundary
        self.origin = None if origin is None else checked_origin(origin, sizes)
        self.workers = _fft.checked_workers(workers)
        self.fft_shape = _fft.fast_shape(extension.output_shape)
        self._extension = extension
        self._reach = reach
        lost = [r.stop - r.start - 1 for r in reach]  # what a convolution that is complete has less than its input
        self._complete = tuple(slice(k, n) for k, n in zip(lost, extension.output_shape, strict=True))
        self.input_shape = (packing.size,)
        self.output_shape = tuple(part.stop - part.start for part in self._complete)

    def forward(self, z: ArrayLike) -> Array:
        """The blurred image."""
        z = operand(z, self.input_shape, "z")
        return self._blurred(_times(*self._spectra(z)), z)

    def jacobian(self, z: ArrayLike) -> LinearOperator:
        """The operator ``(dx, dk) -> k * dx + dk * x``."""
        return _BlindJacobian(self, *self._spectra(operand(z, self.input_shape, "z")))

    def linearize(self, z: ArrayLike) -> tuple[Array, LinearOperator]:
        """The pair of the two, which share the transforms of image and PSF."""
        z = operand(z, self.input_shape, "z")
        image, psf = self._spectra(z)
        return self._blurred(_times(image, psf), z), _BlindJacobian(self, image, psf)

    def curvature(self, z: ArrayLike, w: ArrayLike) -> LinearOperator:
        """The operator (dx, dk) -> (w correlated with dk, w correlated with dx), the same at every z."""
        operand(z, self.input_shape, "z")
        weights = self._spectrum_of_blurred(operand(w, self.output_shape, "w"))

        def apply(v: Array) -> Array:
            image, psf = self._spectra(v)
            return self._packed(_correlate(weights, psf), _correlate(weights, image), v)

        return SelfAdjoint(self.input_shape, apply, new_arrays=True)

    # Everything happens on a periodic grid that is large enough for nothing that counts to wrap around (BIL.2): there
    # stand the continued image and the PSF from index 0 on, and the blurred image where the convolution is complete.

    def _spectra(self, z: Array) -> tuple[_Spectrum, _Spectrum]:
        """The transforms of the continued image and of the PSF."""
        image, psf = self.packing.views(z)
        return self._spectrum(self._extension.forward(image)), self._spectrum(psf[self._reach])

    def _spectrum_of_blurred(self, y: Array) -> _Spectrum:
        return self._spectrum(y, self._complete)

    def _spectrum(self, x: Array, place: tuple[slice, ...] | None = None) -> _Spectrum:
        """The transform of an array at its place on the grid; of real and imaginary part each by itself."""
        parts = (x.real, x.imag) if x.dtype.kind == "c" else (x,)
        grids = np.zeros((len(parts), *self.fft_shape), parts[0].dtype)
        for grid, part in zip(grids, parts, strict=True):
            grid[tuple(map(slice, x.shape)) if place is None else place] = part
        return tuple(_fft.spectrum(grid, self.workers) for grid in grids)

    def _blurred(self, product: _Spectrum, like: Array) -> Array:
        """The blurred image with this transform, in the precision of an array."""
        return self._cropped(product, self._complete, like)

    def _packed(self, image: _Spectrum, psf: _Spectrum, like: Array) -> Array:
        """Image, folded back to its own pixels, and PSF, zero beyond reach, with these transforms, packed."""
        continued = self._cropped(image, tuple(map(slice, self._extension.output_shape)), like)
        samples = self._cropped(psf, tuple(slice(r.stop - r.start) for r in self._reach), like)
        whole = np.zeros(self.packing.shapes[1], samples.dtype)
        whole[self._reach] = samples
        return self.packing.pack(self._extension.adjoint(continued), whole)

    def _cropped(self, product: _Spectrum, place: tuple[slice, ...], like: Array) -> Array:
        dtype = real_dtype(like.dtype)
        real, *imaginary = (
            _fft.inverse_spectrum(part, self.fft_shape, self.workers)[place].astype(dtype) for part in product
        )
        return real + 1j * imaginary[0] if imaginary else real

    def __repr__(self) -> str:
        shape, sizes = self.packing.shapes
        centred = self.origin is None or self.origin == checked_origin(None, sizes)
        origin = "" if centred else f", origin={self.origin}"
        return f"BlindConvolution({shape}, psf {'x'.join(map(str, sizes))}, {self.boundary!r}{origin})"


class _BlindJacobian(LinearOperator):
    """(dx, dk) -> k * dx + dk * x. Derivation: derivations/operators/bilinear.md, BIL.3"""

    def __init__(self, convolution: BlindConvolution, image: _Spectrum, psf: _Spectrum) -> None:
        self.input_shape = convolution.input_shape
        self.output_shape = convolution.output_shape
        self._convolution = convolution
        self._image = image
        self._psf = psf

    _convolution: BlindConvolution
    _image: _Spectrum
    _psf: _Spectrum

    def forward(self, x: ArrayLike) -> Array:
        """The change of the blurred image with changes of image and PSF."""
        x = operand(x, self.input_shape)
        image, psf = self._convolution._spectra(x)
        return self._convolution._blurred(_plus(_times(image, self._psf), _times(self._image, psf)), x)

    def adjoint(self, y: ArrayLike) -> Array:
        """The correlations of y with the PSF and with the image, packed."""
        y = operand(y, self.output_shape, "y")
        blurred = self._convolution._spectrum_of_blurred(y)
        return self._convolution._packed(_correlate(blurred, self._psf), _correlate(blurred, self._image), y)


def _extension(shape: Shape, reach: tuple[slice, ...], origin: Shape, boundary: str) -> LinearOperator:
    """The image continued by as much as a PSF reaches; with 'valid' it is as large as that already."""
    if boundary == "valid":
        sizes = tuple(part.stop for part in reach)
        valid_shape(sizes, shape)
        return Identity(shape)
    before = [part.stop - 1 - o for part, o in zip(reach, origin, strict=True)]
    after = [o - part.start for part, o in zip(reach, origin, strict=True)]
    return Extension(shape, before, after, boundary)


def _image_and_psf(shape: Any, sizes: Any) -> Packing:
    shape, sizes = image_shape(shape, "image_shape"), image_shape(sizes, "psf_shape")
    if len(shape) != len(sizes):
        raise ValueError(f"psf_shape {sizes} has {len(sizes)} axes, image_shape {shape} has {len(shape)}")
    return Packing((shape, sizes))


def _reach(sizes: Shape, origin: Shape, shape: Shape) -> tuple[slice, ...]:
    """The samples of a PSF that can reach a pixel of an image from another (CNV.4); along an axis, one at least."""
    return tuple(slice(max(0, o - n + 1), min(k, o + n)) for k, o, n in zip(sizes, origin, shape, strict=True))


def _checked_extension(extension: LinearOperator, shape: Shape, sizes: Shape, origin: Any) -> LinearOperator:
    if origin is not None:
        raise ValueError(f"origin must be left out where boundary is an operator, which decides it, got {origin!r}")
    if extension.input_shape != shape:
        raise ValueError(f"boundary takes images of shape {extension.input_shape}, image_shape is {shape}")
    continued = extension.output_shape
    if len(continued) != len(sizes) or any(n < k for n, k in zip(continued, sizes, strict=True)):
        raise ValueError(f"boundary must return an array at least as large as psf_shape {sizes}, not {continued}")
    return extension


def _times(a: _Spectrum, b: _Spectrum) -> _Spectrum:
    """The transform of the convolution of two arrays: bilinear in real and imaginary parts."""
    if len(a) < len(b):
        a, b = b, a
    if len(b) == 1:
        return tuple(part * b[0] for part in a)
    return a[0] * b[0] - a[1] * b[1], a[0] * b[1] + a[1] * b[0]


def _correlate(y: _Spectrum, a: _Spectrum) -> _Spectrum:
    """The transform of the correlation of y with a: reversing the real array a conjugates its transform."""
    return _times(y, tuple(map(np.conj, a)))


def _plus(a: _Spectrum, b: _Spectrum) -> _Spectrum:
    both = min(len(a), len(b))
    return tuple(left + right for left, right in zip(a, b, strict=False)) + a[both:] + b[both:]
