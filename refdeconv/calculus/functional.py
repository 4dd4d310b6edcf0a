"""Functionals with their gradients and Hessians, and the rules by which these compose: the chain rule stands here."""

from __future__ import annotations

import math
from functools import partial
from typing import Any, NoReturn

from numpy.typing import ArrayLike

from refdeconv._arrays import Array, Shape, cast_scalar, operand, real_dtype
from refdeconv._blocks import added, added_multiple, owned, scaled
from refdeconv._scratch import scratch
from refdeconv.calculus.expansion import Expansion
from refdeconv.calculus.frozen import Frozen
from refdeconv.calculus.operator import LinearOperator, Operator, OutsideDomain
from refdeconv.calculus.parts import Parts, composition_in_parts, sum_in_parts
from refdeconv.calculus.writing import fits, parenthesised, scale_factor, times


class Functional(Frozen):
    """A function f from arrays to numbers, with its gradient and its Hessian.

    A subclass sets `input_shape` and defines either `value`, `gradient` and `hessian`, or, where these share work, `at`
    alone; everything else follows. Functionals compose: ``f @ A`` is f after the operator A, and ``f + g``, ``f - g``,
    ``-f``, ``2.0 * f`` are what they say.

    Attributes
    ----------
    input_shape : tuple of int or None
        The shape of the arrays that f takes; None where any shape will do.

    Notes
    -----
    Derivation: derivations/calculus.md, CAL.3
    """

    input_shape: Shape | None

    def __init_subclass__(cls) -> None:
        """Refuse a subclass that leaves something undefined."""
        super().__init_subclass__()
        missing = {name for name in ("value", "gradient", "hessian") if getattr(cls, name) is getattr(Functional, name)}
        if missing and cls.at is Functional.at:
            raise TypeError(f"{cls.__name__} must define value, gradient and hessian, or at")

    def value(self, u: ArrayLike) -> Any:
        """f(u), a scalar of u's dtype (complex for complex u, which is what the complex step needs)."""
        return self.at(u).value()

    def gradient(self, u: ArrayLike) -> Array:
        """The gradient of f at u, an array like u; at a kink, the subgradient that the class documents."""
        return self.at(u).gradient()

    def hessian(self, u: ArrayLike) -> LinearOperator:
        """The self-adjoint Hessian of f at u; what depends on u alone is computed here, once for all products."""
        return self.at(u).hessian()

    def at(self, u: ArrayLike) -> Expansion:
        """Value, gradient and Hessian at one point, sharing their work (for ``f @ A``: one forward pass of A)."""
        return Expansion(partial(self.value, u), partial(self.gradient, u), partial(self.hessian, u))

    def terms(self) -> tuple[Functional, ...]:
        """The functionals whose sum this one is: itself alone, unless it was made as a sum."""
        return (self,)

    def cut(self, shape: Shape, axis: int, rows: slice) -> Functional | None:
        """The terms of f, at arrays of a shape, that depend on some rows along an axis alone: a functional of these.

        A sum over pixels that can be cut is evaluated in blocks that fit the cache. None, by default: f is evaluated
        as a whole.
        """
        return None

    def in_parts(self, operator: Operator) -> Any:
        """A quicker way to evaluate f after an operator, with the methods of `Parts`; None if there is none."""
        return composition_in_parts(self, operator)

    def value_and_gradient(self, u: ArrayLike) -> tuple[Any, Array]:
        """The pair f(u), grad f(u), sharing their work."""
        here = self.at(u)
        return here.value(), here.gradient()

    def _value_and_gradient_over(self, u: Array) -> tuple[Any, Array]:
        """The same, where the gradient may be written over u. Asked only of those that give new arrays."""
        return self.value_and_gradient(u)

    def _value_and_gradient_onto(self, u: Array, total: Array, scale: Any = 1) -> tuple[Any, Array]:
        """The value, and a multiple of the gradient added to an array, which may be written to."""
        value, gradient = self.value_and_gradient(u)
        gradient = owned(gradient, self)
        return value, added_multiple(total, gradient, cast_scalar(scale, gradient))

    def hvp(self, u: ArrayLike, v: ArrayLike) -> Array:
        """The Hessian-vector product (hess f)(u) v; for many v at one u, take ``hessian(u)`` once and apply it."""
        return self.hessian(u).forward(v)

    def __matmul__(self, other: Operator) -> Functional:
        """The composition f after an operator or map."""
        return Composition(self, other) if fits(self, other) else NotImplemented

    def __add__(self, other: Functional) -> Functional:
        if not isinstance(other, Functional):
            return NotImplemented
        if None not in (self.input_shape, other.input_shape) and self.input_shape != other.input_shape:
            raise ValueError(
                f"cannot add {self!r}, which takes arrays of shape {self.input_shape}, "
                f"and {other!r}, which takes arrays of shape {other.input_shape}"
            )
        return Sum(self, other)

    def __radd__(self, other: Any) -> Functional:
        # sum([f, g, h]) starts from the integer 0.
        return self if isinstance(other, int) and other == 0 else NotImplemented

    def __sub__(self, other: Functional) -> Functional:
        return self.__add__(-other) if isinstance(other, Functional) else NotImplemented

    def __neg__(self) -> Functional:
        return self * -1.0

    def __mul__(self, scale: float) -> Functional:
        return Multiple(scale_factor(scale), self)

    def __rmul__(self, scale: float) -> Functional:
        return self * scale

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


# ---- The rules. Each is derived on the page derivations/calculus.md under the label that its class cites. ----


class Composition(Functional):
    """f @ m. Derivation: derivations/calculus.md, CAL.4"""

    def __init__(self, outer: Functional, inner: Operator) -> None:
        self.input_shape = inner.input_shape
        self.outer = outer
        self.inner = inner
        self._parts = outer.in_parts(inner)
        self._outer = (None if self._parts else sum_in_parts(outer, inner.output_shape)) or outer
        # A map, and its Jacobian, may keep what they gave.
        self.new_arrays = isinstance(inner, LinearOperator) and inner.new_arrays

    outer: Functional
    inner: Operator
    _parts: Any
    _outer: Functional | Parts

    def terms(self) -> tuple[Functional, ...]:
        return tuple(term @ self.inner for term in self.outer.terms())

    def at(self, z: ArrayLike) -> Expansion:
        if self._parts is not None:
            return self._parts.at(z)
        try:
            u, jacobian = self.inner.linearize(z)
        except OutsideDomain as error:
            return self._outside(z, error)
        f = self._outer.at(u)
        return Expansion(
            f.value,
            lambda: jacobian.adjoint(f.gradient()),
            lambda: self._hessian(z, jacobian, f),
        )

    def value_and_gradient(self, z: ArrayLike) -> tuple[Any, Array]:
        if self._parts is not None:
            return self._parts.value_and_gradient(operand(z, self.input_shape, "z"))
        if not (self.new_arrays and self._outer.new_arrays and isinstance(self.inner, LinearOperator)):
            u, jacobian = self.inner.linearize(z)
            value, gradient = self._outer.value_and_gradient(u)
            return value, jacobian.adjoint(gradient)
        if not (self._outer._keeps_nothing and self.inner._keeps_nothing and self.inner._writes_into):
            value, gradient = self._outer._value_and_gradient_over(self.inner.forward(z))
            return value, self.inner.adjoint(gradient)
        z = operand(z, self.input_shape, "z")
        with scratch(self.inner.output_shape, z.dtype) as between:
            value, gradient = self._outer._value_and_gradient_over(self.inner._forward_into(z, between))
            return value, self.inner.adjoint(gradient)

    def _value_and_gradient_onto(self, u: Array, total: Array, scale: Any = 1) -> tuple[Any, Array]:
        if self._parts is None or total.dtype != u.dtype:
            return super()._value_and_gradient_onto(u, total, scale)
        value, total = self._parts.value_and_gradient_onto(u, total, scale)
        return value, total

    def _outside(self, z: ArrayLike, error: OutsideDomain) -> Expansion:
        """Where the map has no derivative, or no value at all."""

        def value() -> Any:
            try:
                return self.outer.value(self.inner.forward(z))
            except OutsideDomain:
                return real_dtype(operand(z, self.input_shape, "z").dtype).type(math.inf)

        def no_derivative() -> NoReturn:
            raise OutsideDomain(str(error)) from error

        return Expansion(value, no_derivative, no_derivative)

    def _hessian(self, z: ArrayLike, jacobian: LinearOperator, f: Expansion) -> LinearOperator:
        gauss_newton = f.hessian().congruence(jacobian)
        if isinstance(self.inner, LinearOperator):  # no curvature, so no need for the gradient that would weight it
            return gauss_newton
        return gauss_newton + self.inner.curvature(z, f.gradient())

    def __repr__(self) -> str:
        return f"{parenthesised(self.outer)} @ {parenthesised(self.inner)}"


class Sum(Functional):
    """f + g. Derivation: derivations/calculus.md, CAL.3"""

    _is_sum = True
    new_arrays = True

    def __init__(self, left: Functional, right: Functional) -> None:
        shape = right.input_shape if left.input_shape is None else left.input_shape
        self.input_shape = shape
        self.left = left
        self.right = right

    left: Functional
    right: Functional

    def terms(self) -> tuple[Functional, ...]:
        return self.left.terms() + self.right.terms()

    def at(self, u: ArrayLike) -> Expansion:
        u = operand(u, self.input_shape, "u")
        f, g = self.left.at(u), self.right.at(u)
        return Expansion(
            lambda: f.value() + g.value(),
            lambda: added(owned(f.gradient(), self.left), g.gradient()),
            lambda: f.hessian() + g.hessian(),
        )

    def value_and_gradient(self, u: ArrayLike) -> tuple[Any, Array]:
        u = operand(u, self.input_shape, "u")
        f, gradient = self.left.value_and_gradient(u)
        g, gradient = self.right._value_and_gradient_onto(u, owned(gradient, self.left))
        return f + g, gradient

    def __repr__(self) -> str:
        return f"{self.left!r} + {self.right!r}"


class Multiple(Functional):
    """c f. Derivation: derivations/calculus.md, CAL.3"""

    new_arrays = True

    def __init__(self, scale: float, functional: Functional) -> None:
        self.input_shape = functional.input_shape
        self.scale = scale
        self.functional = functional
        self._keeps_nothing = functional._keeps_nothing

    scale: float
    functional: Functional

    def terms(self) -> tuple[Functional, ...]:
        return tuple(self.scale * term for term in self.functional.terms())

    def __matmul__(self, other: Operator) -> Functional:
        """The multiple of the composition."""
        return Multiple(self.scale, self.functional @ other) if fits(self, other) else NotImplemented

    def at(self, u: ArrayLike) -> Expansion:
        u = operand(u, self.input_shape, "u")
        f = self.functional.at(u)
        return Expansion(
            lambda: times(self.scale, f.value()),
            lambda: self._times(f.gradient()),
            lambda: self.scale * f.hessian(),
        )

    def value_and_gradient(self, u: ArrayLike) -> tuple[Any, Array]:
        value, gradient = self.functional.value_and_gradient(operand(u, self.input_shape, "u"))
        return times(self.scale, value), self._times(gradient)

    def _value_and_gradient_over(self, u: Array) -> tuple[Any, Array]:
        if not self.functional.new_arrays:
            return self.value_and_gradient(u)
        value, gradient = self.functional._value_and_gradient_over(u)
        return times(self.scale, value), self._times(gradient)

    def _value_and_gradient_onto(self, u: Array, total: Array, scale: Any = 1) -> tuple[Any, Array]:
        if scale != 1:
            return super()._value_and_gradient_onto(u, total, scale)
        value, total = self.functional._value_and_gradient_onto(u, total, self.scale)
        return times(self.scale, value), total

    def _times(self, gradient: Array) -> Array:
        return scaled(owned(gradient, self.functional), cast_scalar(self.scale, gradient))

    def __repr__(self) -> str:
        return f"{float(self.scale):.6g} * {parenthesised(self.functional)}"
