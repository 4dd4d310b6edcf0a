"""Sums over pixels, evaluated block by block: what stands between two passes over memory stays in the cache.

A functional that is a sum over pixels can be cut into sums over blocks of rows, and so can an operator that looks at
neighbouring rows only. Their composition is then a sum of small compositions, which is mathematics as before (CAL.3,
CAL.7), and several times faster for images that do not fit the cache.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from refdeconv import _blocks
from refdeconv._arrays import Array, Shape, cast_scalar, operand
from refdeconv.calculus.expansion import Expansion
from refdeconv.calculus.operator import LinearOperator, Operator
from refdeconv.calculus.symmetric import Symmetric

if TYPE_CHECKING:
    from refdeconv.calculus.functional import Functional


class LocalPart(NamedTuple):
    """What an operator does for a block of rows of its output.

    Attributes
    ----------
    rows : slice
        The rows of its input that it needs for that.
    operator : LinearOperator
        From these rows to the block.
    axis : int
        The axis of its output along which the block's rows lie.
    """

    rows: slice
    operator: LinearOperator
    axis: int


@dataclass(frozen=True)
class Parts:
    """The functional ``u -> sum_b f_b(u[rows_b])`` of an array of a shape; blocks may share rows with the next ones.

    Attributes
    ----------
    shape : tuple of int
        Of u.
    rows : sequence of slice
        Of each part, in order.
    functionals : sequence of Functional
        Of each part.

    Notes
    -----
    Derivation: derivations/calculus.md, CAL.7
    """

    new_arrays: ClassVar[bool] = True

    shape: Shape
    rows: Sequence[slice]
    functionals: Sequence[Functional]

    @property
    def _keeps_nothing(self) -> bool:
        return all(part._keeps_nothing for part in self.functionals)

    def value(self, u: Array) -> Any:
        """The sum of the parts' values."""
        return np.sum(self._each(lambda part, block: part.value(block), u))

    def gradient(self, u: Array) -> Array:
        """The parts' gradients, added where they overlap."""
        return _blocks.gather(lambda number, block: (None, self.functionals[number].gradient(block)), self.rows, u)[1]

    def value_and_gradient(self, u: ArrayLike) -> tuple[Any, Array]:
        """Both, in one pass."""
        return self._value_and_gradient(operand(u, self.shape, "u"))

    _value_and_gradient_over = value_and_gradient

    def value_and_gradient_onto(self, u: Array, total: Array, scale: Any) -> tuple[Any, Array]:
        """The value, and a multiple of the gradient added to an array, block by block."""
        return self._value_and_gradient(u, total, scale)

    def _value_and_gradient(self, u: Array, onto: Array | None = None, scale: Any = 1) -> tuple[Any, Array]:
        def work(number: int, block: Array) -> tuple[Any, Array]:
            part = self.functionals[number]
            value, gradient = part.value_and_gradient(block)
            return value, gradient if onto is None else _multiple(gradient, part, scale)

        values, gradient = _blocks.gather(work, self.rows, u, onto)
        return np.sum(values), gradient

    def hessian(self, u: Array) -> LinearOperator:
        """The sum of the parts' Hessians."""
        return _PartsHessian(self, self._each(lambda part, block: part.hessian(block), u), u.dtype.kind == "c")

    def at(self, u: ArrayLike) -> Expansion:
        """What is asked for is computed then: all that the three share is cheap."""
        point = operand(u, self.shape, "u")
        return Expansion(lambda: self.value(point), lambda: self.gradient(point), lambda: self.hessian(point))

    def _each(self, work: Callable[[Functional, Array], Any], u: Array) -> list[Any]:
        parts = {rows.start: functional for rows, functional in zip(self.rows, self.functionals, strict=True)}
        return _blocks.each(lambda rows: work(parts[rows.start], u[rows]), self.rows, u.nbytes)


class _PartsHessian(Symmetric):
    """The sum of the Hessians of parts. Derivation: derivations/calculus.md, CAL.7"""

    new_arrays = True

    def __init__(self, parts: Parts, hessians: Sequence[LinearOperator], is_complex: bool) -> None:
        self.input_shape = self.output_shape = parts.shape
        self._rows = tuple(parts.rows)
        self._hessians = tuple(hessians)
        self._is_complex = is_complex

    _rows: tuple[slice, ...]
    _hessians: tuple[LinearOperator, ...]
    _is_complex: bool

    def forward(self, x: ArrayLike) -> Array:
        x = operand(x, self.input_shape)
        if self._is_complex:
            x = x.astype(np.result_type(x.dtype, np.complex64), copy=False)
        return _blocks.gather(lambda number, block: (None, self._hessians[number].forward(block)), self._rows, x)[1]

    def _forward_onto(self, x: Array, total: Array, scale: Any = 1) -> Array:
        if total.dtype != x.dtype or self._is_complex:
            return super()._forward_onto(x, total, scale)

        def work(number: int, block: Array) -> tuple[None, Array]:
            hessian = self._hessians[number]
            return None, _multiple(hessian.forward(block), hessian, scale)

        return _blocks.gather(work, self._rows, x, total)[1]


def _multiple(array: Array, giver: Any, scale: Any) -> Array:
    """A multiple, in the same array if that is a new one."""
    return array if scale == 1 else _blocks.scaled(_blocks.owned(array, giver), cast_scalar(scale, array))


def sum_in_parts(functional: Functional, shape: Shape) -> Parts | None:
    """A functional of arrays of a shape, cut into blocks of rows; None where it cannot be, or need not."""
    rows = _blocks.blocks(shape)
    if len(rows) == 1:
        return None
    functionals = [functional.cut(shape, 0, block) for block in rows]
    return None if None in functionals else Parts(shape, rows, functionals)  # type: ignore[arg-type]


def composition_in_parts(functional: Functional, operator: Operator) -> Parts | None:
    """A functional after an operator, both cut into blocks of rows; None where one cannot be, or need not."""
    rows = _blocks.blocks(operator.input_shape)
    if len(rows) == 1 or not isinstance(operator, LinearOperator):
        return None
    sources, functionals = [], []
    for block in rows:
        local = operator.cut(block)
        if local is None:
            return None
        part = functional.cut(operator.output_shape, local.axis, block)
        if part is None:
            return None
        sources.append(local.rows)
        functionals.append(part @ local.operator)
    return Parts(operator.input_shape, sources, functionals)
