"""Self-adjoint operators that Hessians are made of."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, final

import numpy as np
from numpy.typing import ArrayLike

from refdeconv._arrays import Array, Shape, cast_scalar, in_precision_of, operand, read_only, real_dtype
from refdeconv._blocks import added, inner, owned, pixelwise, scaled
from refdeconv.calculus import LinearOperator, Symmetric
from refdeconv.calculus.writing import scale_factor


@final
class SelfAdjoint(Symmetric):
    """A self-adjoint operator given by its action.

    Parameters
    ----------
    shape : tuple of int
        The common shape of its input and output.
    apply : callable
        v -> H v; the caller promises that it is linear and that <H v, w> = <v, H w>.
    new_arrays : bool
        Whether every array that `apply` returns is a new one, to which others may write. Default: False.

    Notes
    -----
    Derivation: derivations/calculus.md, CAL.1
    """

    _apply: Callable[[Array], Array]

    def __init__(self, shape: Shape, apply: Callable[[Array], Array], *, new_arrays: bool = False) -> None:
        self.input_shape = shape
        self.output_shape = shape
        self._apply = apply
        self.new_arrays = new_arrays

    def forward(self, x: ArrayLike) -> Array:
        """H x."""
        return self._apply(operand(x, self.input_shape))


class Multiplication(Symmetric):
    """Multiplication of each entry by a factor of its own, in the precision of what is multiplied.

    Parameters
    ----------
    factors : ndarray
        Of the common shape of its input and output; complex ones, those of a complex step, are taken as they are.

    Notes
    -----
    Derivation: derivations/calculus.md, CAL.1
    """

    new_arrays = True
    _keeps_nothing = True

    _factors: Array

    def __init__(self, factors: Array) -> None:
        self.input_shape = self.output_shape = factors.shape
        self._factors = factors

    def forward(self, x: ArrayLike) -> Array:
        """The factors times x."""
        x = operand(x, self.input_shape)
        if self._factors.dtype != x.dtype:
            return in_precision_of(x, self._factors) * x
        return self._multiplied(x, np.empty(x.shape, x.dtype))

    def _forward_over(self, x: Array) -> Array:
        return self._multiplied(x, x) if x.dtype == self._factors.dtype else self.forward(x)

    def _multiplied(self, x: Array, result: Array) -> Array:
        pixelwise(np.multiply, self._factors, x, result)
        return result


@final
class GramPlusRankOne(Symmetric):
    """The operator ``v -> gram J^T J v + rank_one direction <direction, v>``.

    The Hessian of a norm or of unweighted least squares, after any linear operator J: pulled back through another, and
    multiplied by a number, it keeps this form, so that a product costs one pass over J, however it was composed.

    Parameters
    ----------
    shape : tuple of int
        The common shape of its input and output.
    gram : float
        The factor of the first term.
    rank_one : float
        The factor of the second term. Default 0.
    direction : ndarray, optional
        Of that shape; without it there is no second term.
    operator : LinearOperator, optional
        J; without it, the identity.

    Notes
    -----
    Derivation: derivations/calculus.md, CAL.6
    """

    new_arrays = True

    gram_factor: Any
    rank_one_factor: Any
    direction: Array | None
    operator: LinearOperator | None

    def __init__(
        self,
        shape: Shape,
        gram: Any,
        rank_one: Any = 0.0,
        direction: Array | None = None,
        operator: LinearOperator | None = None,
    ) -> None:
        self.input_shape = shape
        self.output_shape = shape
        self.gram_factor = gram
        self.rank_one_factor = rank_one
        self.direction = None if direction is None else read_only(direction.view())
        self.operator = operator

    def forward(self, x: ArrayLike) -> Array:
        """The sum of the two terms at x."""
        x = operand(x, self.input_shape)
        factor, gram = cast_scalar(self.gram_factor, x), self._gram(x)
        if self.direction is None:
            return scaled(gram, factor)
        if self.direction.dtype.kind == "c":  # at a complex point, of which a real x makes a complex product
            return factor * gram + self.rank_one_factor * inner(self.direction, x) * self.direction
        direction, along = self._direction_and_share(x)
        if np.result_type(gram, factor, along) != gram.dtype:
            return factor * gram + along * direction
        pixelwise(lambda part, unit: _combine(part, factor, unit, along), gram, direction, passes=3)
        return gram

    def _forward_onto(self, x: Array, total: Array, scale: Any = 1) -> Array:
        is_real = self.direction is not None and self.direction.dtype.kind == x.dtype.kind == "f"
        if scale != 1 or not is_real or total.dtype != x.dtype:
            return super()._forward_onto(x, total, scale)
        factor, gram = cast_scalar(self.gram_factor, x), self._gram(x)
        direction, along = self._direction_and_share(x)
        if np.result_type(gram, factor, along) != total.dtype:
            return added(total, factor * gram + along * direction)

        def add(part: Array, unit: Array, to: Array) -> None:
            _combine(part, factor, unit, along)
            to += part

        pixelwise(add, gram, direction, total, passes=4)
        return total

    def _gram(self, x: Array) -> Array:
        return x.copy() if self.operator is None else owned(self.operator.gram(x), self.operator)

    def _direction_and_share(self, x: Array) -> tuple[Array, Any]:
        """The real direction in the precision of x, and how much of it the second term is."""
        assert self.direction is not None
        direction = self.direction.astype(real_dtype(x.dtype), copy=False)
        return direction, cast_scalar(self.rank_one_factor, x) * inner(direction, x)

    def congruence(self, operator: LinearOperator) -> LinearOperator:
        """Pulled back through an operator, of the same form."""
        return GramPlusRankOne(
            operator.input_shape,
            self.gram_factor,
            self.rank_one_factor,
            None if self.direction is None else operator.adjoint(self.direction),
            operator if self.operator is None else self.operator @ operator,
        )

    def __mul__(self, scale: float) -> LinearOperator:
        """A multiple, of the same form."""
        scale = scale_factor(scale)
        with np.errstate(over="ignore", invalid="ignore"):
            # In the widest precision: each product casts its factor to its own.
            gram, rank_one = (np.longdouble(scale) * factor for factor in (self.gram_factor, self.rank_one_factor))
            in_range = np.isfinite(np.complex128(gram)) and np.isfinite(np.complex128(rank_one))
        if not in_range:
            return super().__mul__(scale)
        return GramPlusRankOne(self.input_shape, gram, rank_one, self.direction, self.operator)


def _combine(part: Array, factor: Any, unit: Array, along: Any) -> None:
    """``factor * part + along * unit``, in the first array."""
    part *= factor
    part += along * unit
