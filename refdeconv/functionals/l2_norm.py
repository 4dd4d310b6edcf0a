"""The Euclidean norm, not squared: the article's data term and, of the image's differences, its regulariser."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from refdeconv._arrays import Array, cast_like, inner, operand, real_array
from refdeconv.calculus import Expansion, Functional, Zero
from refdeconv.hessians import GramPlusRankOne


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
    first. Derivation: derivations/functionals/l2_norm.md, L2N.1, L2N.2, L2N.3
    """

    data: Array | None

    def __init__(self, data: ArrayLike | None = None) -> None:
        data = None if data is None else real_array(data, "data")
        self.data = data
        self.input_shape = None if data is None else data.shape

    def at(self, u: ArrayLike) -> Expansion:
        """The norm, the residual divided by it, and the projection orthogonal to the residual, divided by it.

        Gradient and Hessian are zero where the residual is.
        """
        residual = self._residual(u)
        norm = _norm(residual)
        no_curvature = Zero(residual.shape, residual.shape)
        if abs(norm) < np.finfo(residual.dtype).tiny:  # zero, or so small that its curvature is out of range
            return Expansion(
                lambda: norm, lambda: residual / norm if norm != 0 else np.zeros_like(residual), lambda: no_curvature
            )
        if residual.size == 1:  # an absolute value: straight on both sides of its kink
            return Expansion(lambda: norm, lambda: residual / norm, lambda: no_curvature)
        return Expansion(
            lambda: norm,
            lambda: residual / norm,
            lambda: GramPlusRankOne(residual.shape, 1 / norm, -1 / norm, residual / norm),
        )

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
