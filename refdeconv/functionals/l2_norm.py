"""The Euclidean norm, not squared: the article's data term and, of the image's differences, its regulariser."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from refdeconv._arrays import Array, cast_like, inner, operand, real_array
from refdeconv.calculus import Functional, LinearOperator, SelfAdjoint, Zero


class L2Norm(Functional):
    """The Euclidean norm of the residual, ``f(u) = sqrt(sum((u - data)**2))``.

    Parameters
    ----------
    data : array_like, optional
        What u is compared with, of u's shape. Default zero, for u of any shape.

    Raises
    ------
    TypeError, ValueError
        If `data` is not made of finite real numbers.

    Notes
    -----
    Convex. Where ``u == data`` exactly, f has a kink: `gradient` returns zeros there, the subgradient of least norm,
    and `hessian` the zero operator; neither is a derivative. Residuals whose squares overflow or underflow are scaled
    first. Derivation: derivations/functionals/l2_norm.md, L2N.2
    """

    data: Array | None

    def __init__(self, data: ArrayLike | None = None) -> None:
        data = None if data is None else real_array(data, "data")
        self._freeze(data=data, input_shape=None if data is None else data.shape)

    def value(self, u: ArrayLike) -> Any:
        """The norm of the residual."""
        return _norm(self._residual(u))

    def gradient(self, u: ArrayLike) -> Array:
        """The residual divided by its norm; zeros where the residual is zero."""
        residual = self._residual(u)
        norm = _norm(residual)
        return residual / norm if norm != 0 else np.zeros_like(residual)

    def hessian(self, u: ArrayLike) -> LinearOperator:
        """The projection orthogonal to the residual, divided by its norm; zero where the residual is zero."""
        residual = self._residual(u)
        norm = _norm(residual)
        if norm == 0:
            return Zero(residual.shape, residual.shape)
        direction = residual / norm
        return SelfAdjoint(residual.shape, lambda v: (v - inner(direction, v) * direction) / norm)

    def _residual(self, u: ArrayLike) -> Array:
        u = operand(u, self.input_shape, "u")
        return u if self.data is None else u - cast_like(self.data, u)

    def __repr__(self) -> str:
        return f"L2Norm({'' if self.data is None else 'data'})"


def _norm(residual: Array) -> Any:
    """The norm, analytic in a complex residual (no absolute values in the result), without overflow or underflow."""
    limits = np.finfo(residual.dtype)
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        square = inner(residual, residual)
        if limits.tiny / limits.eps < abs(square) < limits.max:
            return np.sqrt(square)
    largest = np.max(np.abs(residual.real))
    if largest == 0 or not np.isfinite(largest):
        return np.sqrt(square)
    scaled = residual / largest
    return largest * np.sqrt(inner(scaled, scaled))
