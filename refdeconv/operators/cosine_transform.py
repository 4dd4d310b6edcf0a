"""The orthonormal cosine transform: the basis in which symmetric differences, and nearly every blur, are diagonal."""

from __future__ import annotations

from collections.abc import Callable

from numpy.typing import ArrayLike

from refdeconv import _fft
from refdeconv._arrays import Array, image_shape, operand
from refdeconv.calculus import LinearOperator


class CosineTransform(LinearOperator):
    """The orthonormal discrete cosine transform (DCT-II) along every axis.

    Along an axis of n pixels, ``forward(x)[k] = c_k sum_i x[i] cos(pi k (2 i + 1) / (2 n))`` with ``c_0 = sqrt(1 / n)``
    and ``c_k = sqrt(2 / n)`` for the others. It is orthogonal: the adjoint is the inverse.

    Parameters
    ----------
    shape : int or tuple of int
        Shape of image and coefficients.
    workers : int, optional
        Threads that the transform may use, as in scipy.fft. Default one.

    Raises
    ------
    TypeError, ValueError
        If `shape` is not made of integers of at least 1.

    Notes
    -----
    Derivation: derivations/operators/cosine_transform.md, COS.1, COS.2, COS.3
    """

    new_arrays = True

    workers: int | None

    def __init__(self, shape: int | tuple[int, ...], *, workers: int | None = None) -> None:
        shape = image_shape(shape)
        self.input_shape = shape
        self.output_shape = shape
        self.workers = _fft.checked_workers(workers)

    def forward(self, x: ArrayLike) -> Array:
        """The coefficients of x."""
        return self._apply(operand(x, self.input_shape), _fft.cosine_transform)

    def adjoint(self, y: ArrayLike) -> Array:
        """The image that has the coefficients y."""
        return self._apply(operand(y, self.output_shape, "y"), _fft.inverse_cosine_transform)

    def gram(self, x: ArrayLike) -> Array:
        """A copy of x: the transform is orthogonal."""
        return operand(x, self.input_shape).copy()

    def _apply(self, x: Array, transform: Callable[[Array, int | None], Array]) -> Array:
        if x.dtype.kind == "c":  # each part by itself: in one complex transform, one's rounding would hide the other
            return transform(x.real, self.workers) + 1j * transform(x.imag, self.workers)
        return transform(x, self.workers)
