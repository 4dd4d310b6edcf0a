"""The Euclidean norm, not squared: the article's data term and, of the image's differences, its regulariser."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from refdeconv._arrays import Array, cast_like, cast_scalar, operand, real_array
from refdeconv._blocks import added_multiple, inner, owned, pixelwise
from refdeconv.calculus import Expansion, Functional, LinearOperator, Operator, Zero
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

    new_arrays = True
    _keeps_nothing = True

    data: Array | None

    def __init__(self, data: ArrayLike | None = None) -> None:
        data = None if data is None else real_array(data, "data")
        self.data = data
        self.input_shape = None if data is None else data.shape

    def at(self, u: ArrayLike) -> Expansion:
        """The norm, the residual divided by it, and the projection orthogonal to the residual, divided by it.

        Gradient and Hessian are zero where the residual is.
        """
        residual, norm = self._residual_and_norm(u)
        if _is_flat(norm, residual):
            no_curvature = Zero(residual.shape, residual.shape)
            return Expansion(lambda: norm, lambda: _divided(residual, norm), lambda: no_curvature)
        return Expansion(
            lambda: norm,
            lambda: _divided(residual, norm),
            lambda: GramPlusRankOne(residual.shape, 1 / norm, -1 / norm, _divided(residual, norm)),
        )

    def value_and_gradient(self, u: ArrayLike) -> tuple[Any, Array]:
        """Both; the residual becomes the gradient where it stands."""
        residual, norm = self._residual_and_norm(u)
        return norm, _divided(residual, norm, overwrite=self.data is not None)

    def _value_and_gradient_over(self, u: Array) -> tuple[Any, Array]:
        residual, norm = self._residual_and_norm(u, overwrite_u=True)
        return norm, _divided(residual, norm, overwrite=True)

    def in_parts(self, operator: Operator) -> Any:
        """The norm after an operator that gives ``|A z|^2`` and its gradient in one pass."""
        in_one_pass = getattr(type(operator), "gram_and_square", None) is not LinearOperator.gram_and_square
        if self.data is not None or not isinstance(operator, LinearOperator) or not in_one_pass:
            return None
        return _NormAfter(self, operator)

    def _residual_and_norm(self, u: ArrayLike, *, overwrite_u: bool = False) -> tuple[Array, Any]:
        u = operand(u, self.input_shape, "u")
        if self.data is None:
            return u, _norm(u)
        data = cast_like(self.data, u)
        residual = u if overwrite_u else np.empty(u.shape, u.dtype)
        pixelwise(np.subtract, u, data, residual)
        return residual, _norm(residual)

    def __repr__(self) -> str:
        return f"L2Norm({'' if self.data is None else 'data'})"


class _NormAfter:
    """The norm after a linear operator A, with the methods of `Parts`: the root of ``|A z|^2``.

    Where the square is too large or too small to be trusted, the norm is computed as of anything else.
    """

    def __init__(self, norm: L2Norm, operator: LinearOperator) -> None:
        self._norm, self._operator = norm, operator

    def at(self, z: ArrayLike) -> Expansion:
        z = operand(z, self._operator.input_shape, "z")
        norm, gradient = self._norm_and_gradient(z)
        if gradient is None:
            f, operator = self._norm.at(self._operator.forward(z)), self._operator
            return Expansion(f.value, lambda: operator.adjoint(f.gradient()), lambda: f.hessian().congruence(operator))
        return Expansion(
            lambda: norm,
            gradient.copy,
            lambda: GramPlusRankOne(z.shape, 1 / norm, -1 / norm, gradient.copy(), self._operator),
        )

    def value_and_gradient(self, z: Array) -> tuple[Any, Array]:
        norm, gradient = self._norm_and_gradient(z)
        if gradient is None:
            here = self.at(z)
            return here.value(), here.gradient()
        return norm, gradient

    def value_and_gradient_onto(self, z: Array, total: Array, scale: Any) -> tuple[Any, Array]:
        norm, gram = self._norm_and_gram(z)
        if gram is not None:
            with np.errstate(over="ignore", under="ignore"):
                factor = cast_scalar(scale, gram) / norm
            limits = np.finfo(gram.dtype)
            if limits.tiny < abs(factor) < limits.max:
                return norm, added_multiple(total, owned(gram, self._operator), factor)
        here = self.at(z)
        return here.value(), added_multiple(total, owned(here.gradient(), self._operator), cast_scalar(scale, z))

    def _norm_and_gradient(self, z: Array) -> tuple[Any, Array | None]:
        norm, gram = self._norm_and_gram(z)
        return norm, None if gram is None else _divided(gram, norm, overwrite=self._operator.new_arrays)

    def _norm_and_gram(self, z: Array) -> tuple[Any, Array | None]:
        """The norm, and the gradient times the norm; none where the square is not to be trusted."""
        with np.errstate(over="ignore", under="ignore", invalid="ignore"):
            gram, square = self._operator.gram_and_square(z)
        if prod(self._operator.output_shape) == 1 or not _is_safe(square, gram.dtype):
            return None, None
        return np.sqrt(square), gram


def _is_flat(norm: Any, residual: Array) -> bool:
    """Whether there is no curvature: at zero, so close to it that its curvature is out of range, or in one pixel.

    In one pixel, the norm is an absolute value: straight on both sides of its kink.
    """
    return bool(abs(norm) < np.finfo(residual.dtype).tiny) or residual.size == 1


def _divided(residual: Array, norm: Any, *, overwrite: bool = False) -> Array:
    """The residual divided by the norm, zero where that is; written where it stands, if told so."""
    dtype = np.result_type(residual, norm)
    result = residual if overwrite and residual.dtype == dtype else np.empty(residual.shape, dtype)
    if norm == 0:
        result[...] = 0
    else:
        pixelwise(lambda part, into: np.divide(part, norm, out=into), residual, result)
    return result


def _is_safe(square: Any, dtype: np.dtype[Any]) -> bool:
    """Whether a sum of squares has neither overflowed nor lost digits to underflow."""
    limits = np.finfo(dtype)
    return bool(limits.tiny / limits.eps < abs(square) < limits.max)


def _norm(residual: Array) -> Any:
    """The norm, analytic in a complex residual (no absolute values in the result), without overflow or underflow."""
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        square = inner(residual, residual)
        if _is_safe(square, residual.dtype):
            return np.sqrt(square)
    largest = np.max(np.abs(residual.real))
    if largest == 0 or not np.isfinite(largest):
        return np.sqrt(square)
    scaled = residual / largest
    return largest * np.sqrt(inner(scaled, scaled))
