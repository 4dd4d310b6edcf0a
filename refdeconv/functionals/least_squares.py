"""Half the weighted sum of squares: the data term of Gaussian noise."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from refdeconv._arrays import Array, Shape, cast_like, operand, real_array
from refdeconv._blocks import inner
from refdeconv.calculus import Functional, LinearOperator
from refdeconv.functionals.pointwise import checked_data_and_weight, checked_parameter, with_rows
from refdeconv.hessians import GramPlusRankOne, Multiplication


class LeastSquares(Functional):
    """Half the weighted sum of squared residuals, ``f(u) = sum(weight * (u - data)**2) / 2``.

    Parameters
    ----------
    data : array_like, optional
        What u is compared with, of u's shape. Default zero, for u of any shape.
    weight : float or array_like, optional
        Weight of each pixel, >= 0: the inverse variance of its noise, or a mask of ones and zeros. One number, or an
        array of u's shape. Default 1.
    variance : float or array_like, optional
        Variance of each pixel's noise, > 0, instead of `weight`, which is then ``1 / variance``.

    Raises
    ------
    TypeError, ValueError
        If `data`, `weight` or `variance` is not made of finite real numbers, their shapes differ, a weight is negative
        or a variance not positive, or both are given.

    Notes
    -----
    Convex and quadratic: the gradient is ``weight * (u - data)``, the Hessian multiplication by the weight, everywhere.
    Derivation: derivations/functionals/least_squares.md, LSQ.1, LSQ.2, LSQ.3
    """

    new_arrays = True
    _keeps_nothing = True

    data: Array | None
    weight: Array | None

    def __init__(
        self, data: ArrayLike | None = None, weight: ArrayLike | None = None, *, variance: ArrayLike | None = None
    ) -> None:
        if weight is not None and variance is not None:
            raise ValueError("weight and variance were both given: a weight is an inverse variance, give one of them")
        if variance is not None:
            data = None if data is None else real_array(data, "data")
            weight = _inverse(variance, None if data is None else data.shape)
        self.data, self.weight, self.input_shape = checked_data_and_weight(data, weight)

    def value(self, u: ArrayLike) -> Any:
        """Half the weighted sum of squared residuals."""
        residual = self._residual(u)
        return inner(self._weighted(residual), residual) / 2

    def gradient(self, u: ArrayLike) -> Array:
        """The weighted residual."""
        return self._weighted(self._residual(u))

    def value_and_gradient(self, u: ArrayLike) -> tuple[Any, Array]:
        """Both, of one residual."""
        residual = self._residual(u)
        weighted = self._weighted(residual)
        return inner(weighted, residual) / 2, weighted

    def _value_and_gradient_over(self, u: Array) -> tuple[Any, Array]:
        if self.data is None and self.weight is None:
            return inner(u, u) / 2, u
        return self.value_and_gradient(u)

    def cut(self, shape: Shape, axis: int, rows: slice) -> Functional:
        """The terms of some rows."""
        return with_rows(self, shape, axis, rows)

    def hessian(self, u: ArrayLike) -> LinearOperator:
        """Multiplication by the weight, whatever u."""
        shape = operand(u, self.input_shape, "u").shape
        if self.weight is None or self.weight.ndim == 0:
            return GramPlusRankOne(shape, 1.0 if self.weight is None else self.weight[()])
        return Multiplication(self.weight)

    def _residual(self, u: ArrayLike) -> Array:
        u = operand(u, self.input_shape, "u")
        residual = u.copy() if self.data is None else u - cast_like(self.data, u)
        if self.weight is not None and not self.weight.all():
            residual = np.where(self.weight == 0, 0, residual)  # whatever stands there counts for nothing
        return residual

    def _weighted(self, v: Array) -> Array:
        return v if self.weight is None else cast_like(self.weight, v) * v

    def __repr__(self) -> str:
        given = [name for name in ("data", "weight") if getattr(self, name) is not None]
        return f"LeastSquares({', '.join(given)})"


def _inverse(variance: ArrayLike, shape: Shape | None) -> Array:
    """The weights that belong to variances."""
    variance = checked_parameter(variance, "variance", shape, positive=True)
    with np.errstate(over="ignore"):
        weight: Array = np.divide(1, variance)
    if not np.isfinite(weight).all():
        raise ValueError(f"variance must have a finite inverse, its smallest value is {variance.min()}")
    return weight
