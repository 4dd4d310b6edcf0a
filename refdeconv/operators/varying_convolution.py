"""A blur that varies over the image: a sum of convolutions, each of a weighted image."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from refdeconv._arrays import Array, cast_like, image_shape, operand, real_array
from refdeconv.calculus import LinearOperator
from refdeconv.operators.convolution import Convolution


class VaryingConvolution(LinearOperator):
    """A convolution with a point spread function that varies from pixel to pixel, as a sum of products.

    ``forward(x) = sum_j K_j (weights[j] * x)``, K_j the convolution with ``psfs[j]``. The weights stand at the input:
    a point at pixel q of the unknown image is spread by the PSF ``sum_j weights[j][q] psfs[j]``.

    Parameters
    ----------
    psfs : sequence of array_like
        The point spread functions, at least one, each as for `Convolution`; their shapes may differ.
    weights : sequence of array_like
        As many arrays of the unknown image's shape: real, finite, of any sign. They need not sum to one at each pixel;
        where they do, and the PSFs do, the blur keeps the sum of the image (but for what leaves it at the edges).
    shape : int or tuple of int
        Shape of the image.
    boundary : str
        What lies beyond the edges of the weighted images, as for `Convolution`.
    origin : int or sequence of int, optional
        Index of the sample that multiplies the pixel itself, the same in each PSF, as for `Convolution`.
    workers : int, optional
        Threads that each FFT may use. Default one.

    Attributes
    ----------
    convolutions : tuple of Convolution
        K_j
    weights : tuple of ndarray
        The weights, read-only.

    Raises
    ------
    TypeError, ValueError
        If there are no PSFs, or not as many weights, or an argument is not as described; the message names it.

    Notes
    -----
    For weights at the output, where each pixel of the blurred image gathers with a PSF of its own, compose:
    ``Diagonal(w0) @ Convolution(p0, shape) + Diagonal(w1) @ Convolution(p1, shape)``.

    Derivation: derivations/operators/varying_convolution.md, VAR.1, VAR.2
    """

    new_arrays = True

    convolutions: tuple[Convolution, ...]
    weights: tuple[Array, ...]

    def __init__(
        self,
        psfs: Sequence[ArrayLike],
        weights: Sequence[ArrayLike],
        shape: int | tuple[int, ...],
        boundary: str = "constant",
        origin: int | Sequence[int] | None = None,
        *,
        workers: int | None = None,
    ) -> None:
        shape = image_shape(shape)
        if _count(psfs, "psfs") != _count(weights, "weights"):
            raise ValueError(f"weights must be as many as psfs, got {len(weights)} for {len(psfs)}")
        kernels = [real_array(psf, f"psfs[{j}]") for j, psf in enumerate(psfs)]
        convolutions = tuple(Convolution(psf, shape, boundary, origin, workers=workers) for psf in kernels)
        if len({(K.input_shape, K.output_shape) for K in convolutions}) > 1:
            raise ValueError(
                f"psfs must be of one shape for the boundary {boundary!r}, where it decides that of images"
            )
        input_shape = convolutions[0].input_shape
        self.input_shape = input_shape
        self.output_shape = convolutions[0].output_shape
        self.convolutions = convolutions
        self.weights = tuple(real_array(w, f"weights[{j}]", shape=input_shape) for j, w in enumerate(weights))

    def forward(self, x: ArrayLike) -> Array:
        """The blurred image."""
        x = operand(x, self.input_shape)
        blurred = np.zeros(self.output_shape, x.dtype)
        for K, weight in zip(self.convolutions, self.weights, strict=True):
            blurred += K.forward(cast_like(weight, x) * x)
        return blurred

    def adjoint(self, y: ArrayLike) -> Array:
        """The correlations of y with the PSFs, each weighted after it, summed."""
        y = operand(y, self.output_shape, "y")
        image = np.zeros(self.input_shape, y.dtype)
        for K, weight in zip(self.convolutions, self.weights, strict=True):
            image += cast_like(weight, y) * K.adjoint(y)
        return image

    def __repr__(self) -> str:
        return f"VaryingConvolution({len(self.weights)} psfs, {self.input_shape}, {self.convolutions[0].boundary!r})"


def _count(arrays: Sequence[ArrayLike], name: str) -> int:
    """How many arrays there are, at least one."""
    if not isinstance(arrays, Sequence | np.ndarray) or isinstance(arrays, str):
        raise TypeError(f"{name} must be a sequence of arrays, got {arrays!r}")
    if len(arrays) == 0:
        raise ValueError(f"{name} must be a sequence of at least one array, got none")
    return len(arrays)
