"""Norms of the groups of a field, rounded off at zero: total variation, isotropic, anisotropic and of colours."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from refdeconv._arrays import Array, Shape, axis_index, cast_like, operand, real_dtype, real_number, whole_number
from refdeconv.calculus import Expansion, Functional, LinearOperator, Symmetric
from refdeconv.functionals.pointwise import checked_data_and_weight, with_rows
from refdeconv.hessians import SelfAdjoint

_CANCELLATION = 8  # times the rounding of its terms that may be left in a sum


class GroupSum(Functional):
    """A weighted sum over groups of entries, ``f(u) = sum(weight * phi(r))``, with r the Euclidean length of a group.

    A subclass defines, for an array of lengths r >= 0 (complex near the real ones, for the complex step), `_phi`, its
    second derivative `_bend`, and `_divisor`: r divided by the first derivative of phi, whose limit at r = 0 must be
    positive.

    Parameters
    ----------
    axis : int or sequence of int
        The axes along which the entries of a group lie; none, ``()``, makes every entry a group.
        Default 0.
    weight : float or array_like, optional
        Weight of each group, >= 0: one number, or an array of u's shape without `axis`. A group of weight zero counts
        for nothing, whatever stands there. Default 1.

    Raises
    ------
    TypeError, ValueError
        If `axis` is not made of different integers, or `weight` not of finite numbers >= 0.

    Notes
    -----
    Derivation: derivations/functionals/group_norm.md, GRN.1, GRN.2, GRN.3
    """

    new_arrays = True
    _keeps_nothing = True

    axis: tuple[int, ...]
    weight: Array | None

    def __init__(self, axis: int | Sequence[int], weight: ArrayLike | None) -> None:
        named = (axis,) if isinstance(axis, int | np.integer) or not np.iterable(axis) else axis
        axes = tuple(whole_number(each, "each of axis") for each in named)
        if len(set(axes)) < len(axes):
            raise ValueError(f"axis must not name one twice, got {axes}")
        self.axis = axes
        self.weight = checked_data_and_weight(None, weight)[1]
        self.input_shape = None  # a weight has one entry for each group, which does not say how long the groups are

    @abstractmethod
    def _phi(self, r: Array, s: Array) -> Array:
        """The function of the length, analytic in a complex r; s is the divisor."""

    @abstractmethod
    def _divisor(self, r: Array) -> Array:
        """The length divided by phi's first derivative, at r = 0 the limit."""

    @abstractmethod
    def _bend(self, r: Array, s: Array) -> Array:
        """Its second derivative; at a joint, as the class documents. s is the divisor."""

    def at(self, u: ArrayLike) -> Expansion:
        """The sum, the groups divided by what their lengths say, and the Hessian within each group."""
        return self._expansion(operand(u, None, "u"))

    def _value_and_gradient_over(self, u: Array) -> tuple[Any, Array]:
        here = self._expansion(u, over=u)
        return here.value(), here.gradient()

    def _expansion(self, u: Array, over: Array | None = None) -> Expansion:
        """The expansion; its gradient is written over an array, if there is one."""
        axes = self._axes_of(u)
        weight = None
        if self.weight is not None:
            weight = spread_weight(self.weight, _without(u.shape, axes), u)
            if weight.ndim:
                weight = np.expand_dims(weight, axes)
                u = without_weightless(u, weight)
        knee = self._knee(u)
        square = None if u.dtype.kind == "c" else _square_of_lengths(u, axes, knee)
        divisor = None if square is None else self._divisor_of_square(square, knee)
        if square is not None and divisor is not None:
            return Expansion(
                partial(self._sum_from_squares, square, divisor, knee, weight),
                lambda: _times(weight, np.divide(u, divisor, out=over)),
                lambda: self._hessian(u, np.sqrt(square), divisor, axes, weight),
            )
        r = _scaled_length(u, axes) if square is None else np.sqrt(square)
        s = self._divisor(r)
        return Expansion(
            lambda: np.sum(_times(weight, self._phi(r, s))),
            lambda: _times(weight, self._pull(u, r, s, axes)),
            lambda: self._hessian(u, r, s, axes, weight),
        )

    def _divisor_of_square(self, square: Array, knee: Any) -> Array | None:
        """The divisor of real groups from the squares of their lengths, if that is a shorter way."""
        return None

    def _sum_from_squares(self, square: Array, s: Array, knee: Any, weight: Array | None) -> Any:
        """The weighted sum, from the squares of the lengths and this divisor."""
        raise NotImplementedError

    def cut(self, shape: Shape, axis: int, rows: slice) -> Functional | None:
        """The groups of some rows, where no group lies along these."""
        axes = self._axes_of(np.broadcast_to(0, shape))
        if axis in axes:
            return None
        return with_rows(self, _without(shape, axes), axis - sum(each < axis for each in axes), rows)

    def _pull(self, u: Array, r: Array, s: Array, axes: tuple[int, ...]) -> Array:
        """Each group divided by what its length says.

        At complex u, long groups take another way: there u and the divisor change almost in proportion, and of the
        difference, which the complex step is after, the quotient would lose the digits (GRN.5).
        """
        quotient = u / s
        if u.dtype.kind != "c":
            return quotient
        length = _scaled_length(u.real, axes)
        unit = np.divide(u.real, length, out=np.zeros_like(u.real), where=length != 0)
        across = u - unit * np.sum(unit * u, axis=axes, keepdims=True)
        is_long = self._is_long(r)
        r = np.where(is_long, r, 1)
        turned = across / r + unit * np.sqrt(1 - np.sum((across / r) ** 2, axis=axes, keepdims=True))
        return np.where(is_long, self._slope(r) * turned, quotient)

    @abstractmethod
    def _slope(self, r: Array) -> Array:
        """Phi's first derivative, without cancellation where r is long."""

    @abstractmethod
    def _knee(self, r: Array) -> Any:
        """The length at which phi turns from its square to the length itself, in the precision of r."""

    def _is_long(self, r: Array) -> Array:
        """Where phi is nearer to the length than to its square."""
        return r.real > self._knee(r)

    def _hessian(self, u: Array, r: Array, s: Array, axes: tuple[int, ...], weight: Array | None) -> LinearOperator:
        """Each direction split along its group and across; a group of zeros has no direction, and all is across."""
        unit = np.divide(u, r, out=np.zeros_like(u), where=r != 0)
        across, along = _times(weight, 1 / s), _times(weight, self._bend(r, s))
        if u.dtype.kind != "c" and len(axes) == 1 and u.shape[axes[0]] == 2:
            return _OfPairs(unit, across, along, axes[0])

        def product(v: Array) -> Array:
            e, a, b = (part if part.dtype.kind == "c" else cast_like(part, v) for part in (unit, across, along))
            parallel = e * _sum_of_products(e, v, axes)
            if parallel.dtype != v.dtype:
                return a * (v - parallel) + b * parallel
            result = v - parallel
            result *= a
            parallel *= b
            result += parallel
            return result

        return SelfAdjoint(u.shape, product, new_arrays=True)

    def _axes_of(self, u: Array) -> tuple[int, ...]:
        axes = tuple(axis_index(axis, u.ndim, "each of axis") for axis in self.axis)
        if len(set(axes)) < len(axes):
            raise ValueError(f"axis must not name one twice, got {self.axis} for an array of {u.ndim} axes")
        return axes

    def _options(self) -> str:
        axis = self.axis[0] if len(self.axis) == 1 else self.axis
        return f"axis={axis}{'' if self.weight is None else ', weight'}"


class _OfPairs(Symmetric):
    """The Hessian within groups of two, as a symmetric matrix for each: fewer arrays and passes than its two parts.

    Derivation: derivations/functionals/group_norm.md, GRN.3
    """

    new_arrays = True

    def __init__(self, unit: Array, across: Array, along: Array, axis: int) -> None:
        self.input_shape = self.output_shape = unit.shape
        self._axis = axis
        first, second = _components(unit, axis)
        across, along = _components(across, axis)[0], _components(along, axis)[0]
        # Where a group has one entry only, the other part is left out without rounding.
        self._entries = (
            across * (1 - first * first) + along * (first * first),
            (along - across) * (first * second),
            across * (1 - second * second) + along * (second * second),
        )

    _axis: int
    _entries: tuple[Array, Array, Array]

    def forward(self, x: ArrayLike) -> Array:
        return self._forward_over(operand(x, self.input_shape).copy())

    def _forward_over(self, x: Array) -> Array:
        first, mixed, second = (cast_like(entry, x) for entry in self._entries)
        a, b = _components(x, self._axis)
        from_a, from_b = mixed * a, mixed * b
        a *= first
        a += from_b
        b *= second
        b += from_a
        return x


class SmoothedGroupNorm(GroupSum):
    """The smoothed lengths of groups, ``f(u) = sum(weight * (sqrt(sum(u**2, axis) + epsilon**2) - epsilon))``.

    Of the differences of an image, as ``SmoothedGroupNorm() @ Gradient(shape)``, it is the total variation: isotropic
    with ``axis=0``, where the differences of a pixel make a group, anisotropic with ``axis=()``, and with two axes,
    those of the differences and of the channels, the vectorial one, whose channels share their edges.

    Parameters
    ----------
    epsilon : float
        Length, > 0, below which a group counts as small: the square of a length well below it is divided by
        ``2 * epsilon``, a length well above it is kept, but for `epsilon`. Default 1e-3.
    axis : int or sequence of int
        The axes along which the entries of a group lie; none, ``()``, makes every entry a group.
        Default 0.
    weight : float or array_like, optional
        Weight of each group, >= 0: one number, or an array of u's shape without `axis`. A group of weight zero counts
        for nothing, whatever stands there. Default 1.

    Raises
    ------
    TypeError, ValueError
        If `epsilon` is not a number > 0, `axis` not made of different integers, or `weight` not of finite numbers >= 0.

    Notes
    -----
    Strictly convex and smooth; at most `epsilon` a group below the norm. Derivation:
    derivations/functionals/group_norm.md, GRN.4
    """

    epsilon: float

    def __init__(self, epsilon: float = 1e-3, axis: int | Sequence[int] = 0, weight: ArrayLike | None = None) -> None:
        self.epsilon = smoothing_length(epsilon)
        super().__init__(axis, weight)

    def _phi(self, r: Array, s: Array) -> Array:
        return r * (r / (s + representable(self.epsilon, r)))

    def _divisor_of_square(self, square: Array, knee: Any) -> Array | None:
        s = np.asarray(square + np.square(knee))
        return np.sqrt(s, out=s)

    def _sum_from_squares(self, square: Array, s: Array, knee: Any, weight: Array | None) -> Any:
        if weight is None:
            lengths = s.sum()
            total = lengths - s.size * knee
            if lengths <= _CANCELLATION * total:
                return total
        phi = np.asarray(s + knee)
        return np.sum(_times(weight, np.divide(square, phi, out=phi)))

    def _divisor(self, r: Array) -> Array:
        epsilon = representable(self.epsilon, r)
        scale = np.maximum(r.real, epsilon)
        return scale * np.sqrt((r / scale) ** 2 + (epsilon / scale) ** 2)

    def _slope(self, r: Array) -> Array:
        return np.sqrt(1 - (representable(self.epsilon, r) / self._divisor(r)) ** 2)

    def _knee(self, r: Array) -> Any:
        return representable(self.epsilon, r)

    def _bend(self, r: Array, s: Array) -> Array:
        return (representable(self.epsilon, r) / s) ** 2 / s

    def __repr__(self) -> str:
        return f"SmoothedGroupNorm(epsilon={float(self.epsilon):.6g}, {self._options()})"


class GroupHuber(GroupSum):
    """The Huber function of the lengths of groups, ``f(u) = sum(weight * phi(r))`` with ``r = sqrt(sum(u**2, axis))``.

    ``phi(r) = r**2 / (2 * delta)`` where ``r <= delta``, and ``r - delta / 2`` beyond: small differences are smoothed
    by a quadratic, and large ones, edges, cost no more than their height.

    Parameters
    ----------
    delta : float
        Length, > 0, at which the quadratic ends.
    axis : int or sequence of int
        The axes along which the entries of a group lie; none, ``()``, makes every entry a group.
        Default 0.
    weight : float or array_like, optional
        Weight of each group, >= 0: one number, or an array of u's shape without `axis`. A group of weight zero counts
        for nothing, whatever stands there. Default 1.

    Raises
    ------
    TypeError, ValueError
        If `delta` is not a number > 0, `axis` not made of different integers, or `weight` not of finite numbers >= 0.

    Notes
    -----
    Convex, with a continuous gradient. The second derivative jumps where ``r == delta``; there `hessian` is that of
    the quadratic. Derivation: derivations/functionals/group_norm.md, GHU.1, GHU.2
    """

    delta: float

    def __init__(self, delta: float, axis: int | Sequence[int] = 0, weight: ArrayLike | None = None) -> None:
        self.delta = real_number(delta, "delta", minimum=0, exclusive=True)
        super().__init__(axis, weight)

    def _phi(self, r: Array, s: Array) -> Array:
        delta = representable(self.delta, r)
        quadratic = np.where(r.real <= delta, r, delta)  # the part of the length that the quadratic sees
        return quadratic * (quadratic / (2 * delta)) + (r - quadratic)

    def _divisor(self, r: Array) -> Array:
        delta = representable(self.delta, r)
        return np.where(r.real <= delta, delta, r)

    def _slope(self, r: Array) -> Array:
        return np.ones_like(r)  # where it is long

    def _knee(self, r: Array) -> Any:
        return representable(self.delta, r)

    def _bend(self, r: Array, s: Array) -> Array:
        delta = representable(self.delta, r)
        return np.where(r.real <= delta, 1 / delta, delta.dtype.type(0))

    def __repr__(self) -> str:
        return f"GroupHuber(delta={float(self.delta):.6g}, {self._options()})"


def _square_of_lengths(u: Array, axes: tuple[int, ...], knee: Any) -> Array | None:
    """The squared length of each group of real numbers; None where a square may overflow or underflow.

    What a short group loses must not count beside the length at which groups are short, either.
    """
    with np.errstate(over="ignore", under="ignore"):
        if not _is_safe(np.square(knee)):
            return None
        square = _sum_of_squares(u, axes)
    return square if _is_safe(square) else None


def _scaled_length(u: Array, axes: tuple[int, ...]) -> Array:
    """The length of each group, without overflow or underflow of the squares; the axes are kept, of size one."""
    largest = np.max(np.abs(u.real), axis=axes, keepdims=True)
    scale = np.where(largest > 0, largest, largest.dtype.type(1))
    scaled = u / scale
    return scale * np.sqrt(np.sum(scaled * scaled, axis=axes, keepdims=True))


def _sum_of_squares(u: Array, axes: tuple[int, ...]) -> Array:
    """Of each group, see `_sum_of_products`; each component is read once."""
    if len(axes) != 1:
        return np.sum(np.square(u), axis=axes, keepdims=True)
    return _summed((np.square(each) for each in _components(u, axes[0])), axes)


def _sum_of_products(a: Array, b: Array, axes: tuple[int, ...]) -> Array:
    """Of each group, component by component, which is faster than a sum over axes; these are kept, of size one."""
    if len(axes) != 1:
        return np.sum(a * b, axis=axes, keepdims=True)
    pairs = zip(_components(a, axes[0]), _components(b, axes[0]), strict=True)
    return _summed((one * other for one, other in pairs), axes)


def _summed(terms: Iterator[Array], axes: tuple[int, ...]) -> Array:
    total = next(terms)
    for term in terms:
        total += term
    return total[(*(slice(None),) * axes[0], np.newaxis)]


def _components(u: Array, axis: int) -> list[Array]:
    """Of each group: what stands at each index of an axis, as views."""
    before: tuple[Any, ...] = (slice(None),) * axis
    return [u[(*before, index, ...)] for index in range(u.shape[axis])]


def _is_safe(square: Any) -> bool:
    """Whether, of real numbers, no square has overflowed, and none underflowed that counts beside the largest one."""
    limits = np.finfo(square.dtype)
    return bool(limits.tiny / limits.eps**2 < square.max() < limits.max * limits.eps**2)


def _times(weight: Array | None, x: Array) -> Array:
    """The product; without weights, the same array."""
    return x if weight is None else weight * x


def _without(shape: Shape, axes: tuple[int, ...]) -> Shape:
    return tuple(size for axis, size in enumerate(shape) if axis not in axes)


# ---- What the norms of fields share. ----


def smoothing_length(epsilon: Any) -> Any:
    """The parameter epsilon, checked."""
    if np.ndim(epsilon) == 0 and np.asarray(epsilon).dtype.kind in "iuf" and epsilon == 0:
        raise ValueError(
            f"epsilon must be > 0, got {epsilon!r}: the norm has kinks, and its smoothed form needs a width"
        )
    return real_number(epsilon, "epsilon", minimum=0, exclusive=True)


def representable(number: Any, x: Array) -> Any:
    """A positive number in the precision of x, where neither it nor its inverse must round to zero or infinity."""
    limits = np.finfo(x.dtype)
    return limits.dtype.type(min(max(np.longdouble(number), limits.tiny), limits.max / 4))


def spread_weight(weight: Array | None, shape: Shape, u: Array) -> Array:
    """The weights of a field's groups in the precision of u; their shape is checked here, where u's is known."""
    if weight is None:
        return np.ones((), real_dtype(u.dtype))
    if weight.ndim and weight.shape != shape:
        raise ValueError(f"weight has shape {weight.shape}, but for u of shape {u.shape} the groups have shape {shape}")
    return cast_like(weight, u)


def without_weightless(u: Array, weight: Array) -> Array:
    """The same field, with zeros where the weight is zero, so that nothing that stands there does harm."""
    return u if weight.all() else np.where(weight == 0, u.dtype.type(0), u)
