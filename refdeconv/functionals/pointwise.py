"""Sums over pixels of a function of one number: what all of them share."""

from __future__ import annotations

import copy
from abc import abstractmethod
from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike

from refdeconv import _blocks
from refdeconv._arrays import Array, Shape, cast_like, operand, real_array, real_dtype
from refdeconv.calculus import Functional, LinearOperator, OutsideDomain
from refdeconv.hessians import Multiplication


class Pointwise(Functional):
    """A weighted sum over pixels, ``f(u) = sum(weight * phi(u))``, of a function phi of one number.

    A subclass sets `data` and `weight` by calling this constructor, and defines `_phi`, `_slope` and `_bend`: phi, its
    first and its second derivative, pixel by pixel, for an array u in which pixels of weight zero stand at
    `_harmless`. Where phi is not defined everywhere, `_outside` says where not.

    Parameters
    ----------
    data : array_like, optional
        The measured values, of u's shape. Default: none, for u of any shape.
    weight : float or array_like, optional
        Weight of each pixel, >= 0; a pixel of weight zero counts for nothing, whatever stands there. Default 1.

    Raises
    ------
    TypeError, ValueError
        If `data` or `weight` is not made of finite real numbers, their shapes differ, or a weight is negative.

    Notes
    -----
    Derivation: derivations/functionals/pointwise.md, PTW.1, PTW.2, PTW.3
    """

    new_arrays = True
    _keeps_nothing = True

    _harmless: ClassVar[float] = 1.0  # a point at which phi and its derivatives are finite

    data: Array | None
    weight: Array | None

    def __init__(self, data: ArrayLike | None = None, weight: ArrayLike | None = None) -> None:
        self.data, self.weight, self.input_shape = checked_data_and_weight(data, weight)

    @abstractmethod
    def _phi(self, u: Array) -> Array:
        """The function, analytic in a complex u."""

    @abstractmethod
    def _slope(self, u: Array) -> Array:
        """Its first derivative; at a kink the subgradient nearest to zero."""

    @abstractmethod
    def _bend(self, u: Array) -> Array:
        """Its second derivative; at a joint, as the class documents."""

    def _value_and_slope(self, u: Array, into: Array) -> Any:
        """The weighted sum; the weighted slopes are written into an array, which may be u.

        A subclass whose two share work does it here.
        """
        value = self._total(u)
        _write(into, self._weighted(self._slope(u)))
        return value

    def _total(self, u: Array) -> Any:
        """The weighted sum. A subclass that knows a shorter way takes it here."""
        return np.sum(self._weighted(self._phi(u)))

    def _outside(self, u: Array) -> Array | None:
        """Where u is outside of phi's domain; None if that is nowhere."""
        return None

    def value(self, u: ArrayLike) -> Any:
        """The sum over all pixels; infinity outside the domain."""
        u = self._pixels(u)
        if self._leaves_domain(u):
            return real_dtype(u.dtype).type(np.inf)
        return _blocks.total(self._each(lambda f, part: f._total(part), u))

    def gradient(self, u: ArrayLike) -> Array:
        """The weighted slopes. Raises ValueError outside the domain."""
        u = self._pixels_in_domain(u)
        slopes = np.empty(u.shape, u.dtype)
        self._each(lambda f, part, into: _write(into, f._weighted(f._slope(part))), u, slopes)
        return slopes

    def value_and_gradient(self, u: ArrayLike) -> tuple[Any, Array]:
        """Both, in one pass. Raises ValueError outside the domain."""
        u = self._pixels_in_domain(u)
        return self._value_and_gradient_into(np.empty(u.shape, u.dtype), u)

    def _value_and_gradient_over(self, u: Array) -> tuple[Any, Array]:
        u = self._pixels_in_domain(u)
        return self._value_and_gradient_into(u, u)

    def _value_and_gradient_into(self, slopes: Array, u: Array) -> tuple[Any, Array]:
        return _blocks.total(self._each(lambda f, part, into: f._value_and_slope(part, into), u, slopes)), slopes

    def hessian(self, u: ArrayLike) -> LinearOperator:
        """Multiplication by the weighted second derivatives. Raises ValueError outside the domain."""
        u = self._pixels_in_domain(u)
        bends = np.empty(u.shape, u.dtype)
        self._each(lambda f, part, into: _write(into, f._weighted(f._bend(part))), u, bends)
        return Multiplication(bends)

    def cut(self, shape: Shape, axis: int, rows: slice) -> Functional | None:
        """The terms of some rows, where every u is inside the domain."""
        has_domain = type(self)._outside is not Pointwise._outside
        return None if has_domain else with_rows(self, shape, axis, rows)

    def _each(self, work: Callable[..., Any], *arrays: Array) -> list[Any]:
        """Work on blocks of rows, with the functional that has these rows' parameters."""
        shape = arrays[0].shape
        rows = _blocks.blocks(shape)
        if len(rows) == 1:
            return [work(self, *arrays)]
        return _blocks.each(
            lambda block: work(with_rows(self, shape, 0, block), *(array[block] for array in arrays)),
            rows,
            arrays[0].nbytes,
        )

    def _pixels(self, u: ArrayLike) -> Array:
        u = operand(u, self.input_shape, "u")
        if self.weight is None or self.weight.all():
            return u
        return np.where(self.weight == 0, u.dtype.type(self._harmless), u)

    def _pixels_in_domain(self, u: ArrayLike) -> Array:
        u = self._pixels(u)
        if self._leaves_domain(u):
            raise OutsideDomain(
                f"{self!r} has no derivative here: u is outside its domain, where the value is infinite"
            )
        return u

    def _leaves_domain(self, u: Array) -> bool:
        outside = self._outside(u.real)
        return outside is not None and bool(np.any(outside))

    def _weighted(self, v: Array) -> Array:
        return v if self.weight is None else cast_like(self.weight, v) * v

    def _residual(self, u: Array) -> Array:
        return u if self.data is None else u - cast_like(self.data, u)

    def __repr__(self) -> str:
        given = [name for name in ("data", "weight") if getattr(self, name) is not None]
        return f"{type(self).__name__}({', '.join(given)})"


def with_rows(functional: Any, shape: Shape, axis: int, rows: slice) -> Any:
    """A sum over pixels, of some rows along an axis alone: each of its arrays that varies along it is cut."""
    part = copy.copy(functional)
    for name, parameter in vars(functional).items():
        if isinstance(parameter, np.ndarray) and _varies(parameter.shape, shape, axis):
            vars(part)[name] = parameter[(slice(None),) * (axis - len(shape) + parameter.ndim) + (rows,)]
    if part.input_shape is not None:
        vars(part)["input_shape"] = np.broadcast_to(0, shape)[(slice(None),) * axis + (rows,)].shape
    return part


def _varies(own: Shape, shape: Shape, axis: int) -> bool:
    """Whether an array of a shape of its own, broadcast to another, has as many entries as that along an axis."""
    along = axis - len(shape)
    fits = len(own) <= len(shape) and all(n in (1, m) for n, m in zip(reversed(own), reversed(shape), strict=False))
    return fits and len(own) >= -along and own[along] == shape[axis]


def _write(into: Array, result: Array) -> None:
    into[...] = result


def checked_data_and_weight(
    data: ArrayLike | None, weight: ArrayLike | None
) -> tuple[Array | None, Array | None, Shape | None]:
    """Data and weight as read-only arrays, and the shape of u that they fix, None if any will do."""
    data = None if data is None else real_array(data, "data")
    shape = None if data is None else data.shape
    if weight is None:
        return data, None, shape
    # One number is a weight for any shape; only an array of weights fixes the shape.
    weight = checked_parameter(weight, "weight", shape)
    return data, weight, shape or weight.shape or None


def checked_parameter(x: ArrayLike, name: str, shape: Shape | None, *, positive: bool = False) -> Array:
    """One number for all pixels, or one for each: a read-only array of numbers >= 0, or > 0."""
    array = real_array(x, name, shape=shape if np.ndim(x) else None)
    smallest = array.min()
    if smallest < 0 or (positive and smallest == 0):
        raise ValueError(f"{name} must be {'>' if positive else '>='} 0, its smallest value is {smallest}")
    return array
