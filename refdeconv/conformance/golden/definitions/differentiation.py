"""Derivatives of definitions by central differences, in so many digits that nothing of their error is left.

A definition is a function of an object array of mpmath numbers, and is written for its value alone; here it is
evaluated beside a point, in arithmetic of 300 digits with steps of 1e-80 of the largest number of the point. A
central difference of step h is off by a multiple of h**2, of about 1e-160 times the function's next two derivatives,
and the rounding of the function is magnified by 1/h, or 1/h**2: to about 1e-220 and 1e-140. So a hundred digits are
right where the function is smooth over lengths of 1e-15 of the largest number, and fifty where it is over lengths of
1e-40.

This is not taken for granted. Each difference is taken twice, with steps h and 2 h. Where the error of the first is
``c * h**p``, their distance is ``(2**p - 1)`` times that, and so at least the error itself if p >= 1: p is 2 for a
smooth function, and 1 for the gradient at a joint of two smooth pieces (Huber's at its threshold). Rounding shows in
the distance as well. Twice the distance, plus the least that rounding can do, is the bound that is handed out. A
kink, where the slopes of both sides differ, or a joint, where the second derivatives do, could hide from a central
difference, which is a mean of one-sided ones. So the spread of the one-sided ones is taken too, again with both
steps: it is halved with the step where there is a derivative, and what is left of it otherwise is added to the bound,
which then is no smaller than the jump.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import mpmath
import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Scalar = Callable[[Array], Any]  # an array of mpmath numbers -> a number
Map = Callable[[Array], Array]

DIGITS = 300
STEP_EXPONENT = -80
# Of the value of a definition, in its last digit: more than of sums of some thousand parts that cancel by 1e6.
_ROUNDINGS = 10**10


class Derivative(NamedTuple):
    """An array of mpmath numbers, and a bound on the error of each of them."""

    numbers: Array
    error: Any


@contextmanager
def many_digits() -> Iterator[None]:
    """The arithmetic in which definitions are differentiated."""
    with mpmath.workdps(DIGITS):
        yield


def value(f: Scalar, u: Array) -> Derivative:
    """f(u), as an array without axes, and what its rounding can be."""
    with many_digits():
        found = mpmath.mpf(f(u))
        return Derivative(_array(found), _rounding(found))


def gradient(f: Scalar, u: Array) -> Derivative:
    """All partial derivatives of f at u."""
    with many_digits():
        here = f(u)

        def partial(index: tuple[int, ...], h: Any) -> _Difference:
            ahead, behind = f(_moved(u, h, index)), f(_moved(u, -h, index))
            spread = abs(ahead - 2 * here + behind) / h
            return _Difference((ahead - behind) / (2 * h), _rounding(ahead, behind) / h, spread)

        return _at_every_pixel(partial, u)


def hvp(f: Scalar, u: Array, v: Array) -> Derivative:
    """The Hessian of f at u times v: the mixed derivatives along each pixel and along v."""
    with many_digits():
        here, signs = f(u), (1, -1)
        along = {(h, j): f(u + j * h * v) for h in _steps(u) for j in signs}

        def mixed(index: tuple[int, ...], h: Any) -> _Difference:
            across = {i: f(_moved(u, i * h, index)) for i in signs}
            corners = {(i, j): f(_moved(u + j * h * v, i * h, index)) for i in signs for j in signs}
            # One on each side of either; their mean is the central difference.
            quotients = [i * j * (corners[i, j] - across[i] - along[h, j] + here) / h**2 for i, j in corners]
            return _Difference(
                mpmath.fsum(quotients) / 4, _rounding(*corners.values()) / h**2, max(quotients) - min(quotients)
            )

        return _at_every_pixel(mixed, u)


def jvp(forward: Map, z: Array, v: Array) -> Derivative:
    """The Jacobian of a map at z times v: its derivative along v."""
    with many_digits():

        def along(h: Any) -> tuple[Array, Any]:
            ahead, behind = forward(z + h * v), forward(z - h * v)
            return (ahead - behind) / (2 * h), _rounding(*ahead.ravel(), *behind.ravel()) / h

        (near, rounding), (far, _) = map(along, _steps(z))
        return Derivative(near, 2 * _largest(near - far) + rounding)


def vjp(forward: Map, z: Array, w: Array) -> Derivative:
    """The transposed Jacobian of a map at z times w: the gradient of its inner product with w."""
    return gradient(_weighted(forward, w), z)


def curvature(forward: Map, z: Array, w: Array, v: Array) -> Derivative:
    """The Hessians of a map's outputs at z, weighted by w, times v."""
    return hvp(_weighted(forward, w), z, v)


def _weighted(forward: Map, w: Array) -> Scalar:
    return lambda z: mpmath.fdot(w.ravel(), forward(z).ravel())


class _Difference(NamedTuple):
    """A quotient of differences, what rounding can do to it, and by how much one-sided quotients differ."""

    quotient: Any
    rounding: Any
    spread: Any


def _at_every_pixel(difference: Callable[[tuple[int, ...], Any], _Difference], u: Array) -> Derivative:
    """The difference along each pixel with a step, and the bound from that with twice the step."""
    numbers, error = np.empty(u.shape, dtype=object), mpmath.mpf(0)
    for index in np.ndindex(*u.shape):
        near, far = (difference(index, h) for h in _steps(u))
        numbers[index] = near.quotient
        kink = abs(2 * near.spread - far.spread)
        error = max(error, 2 * abs(near.quotient - far.quotient) + kink + near.rounding)
    return Derivative(numbers, error)


def _steps(u: Array) -> tuple[Any, Any]:
    """A small part of the largest number of the point (of one where all are zero), and twice as much."""
    largest = _largest(u)
    magnitude = mpmath.ceil(mpmath.log10(largest)) if largest > 0 else 0
    step = mpmath.mpf(10) ** (STEP_EXPONENT + magnitude)
    return step, 2 * step


def _moved(u: Array, h: Any, index: tuple[int, ...]) -> Array:
    """The point with one of its numbers moved."""
    moved = u.copy()
    moved[index] = moved[index] + h
    return moved


def _rounding(*values: Any) -> Any:
    """What rounding can do to values of a definition."""
    return _ROUNDINGS * mpmath.mpf(10) ** -DIGITS * max((abs(x) for x in values), default=mpmath.mpf(0))


def _largest(numbers: Array) -> Any:
    return max((abs(x) for x in numbers.ravel()), default=mpmath.mpf(0))


def _array(number: Any) -> Array:
    array = np.empty((), dtype=object)
    array[()] = number
    return array
