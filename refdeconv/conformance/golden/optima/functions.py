"""The functions of which the problems are sums: value, slope, curvature, and how fast the curvature can change.

Each takes mpmath's numbers or intervals, whatever `context` makes. The second derivative of all of them is
``across * I + along * e e^T``. Derivation: derivations/conformance/golden/optima.md, OPT.3
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Number = Any  # of an mpmath context


class UnprovenError(ValueError):
    """A proof that does not go through; the message says where."""


@dataclass(frozen=True)
class Point:
    """A function of a group at u: its value, its gradient, and its second derivative ``across I + along e e^T``."""

    value: Number
    slope: Sequence[Number]
    across: Number
    along: Number = 0
    e: Sequence[Number] = ()


def square(context: Any, u: Sequence[Number], parameter: Number) -> Point:
    """``u**2 / 2``"""
    return Point(sum(t * t for t in u) / 2, u, context.mpf(1))


def length(context: Any, u: Sequence[Number], parameter: Number) -> Point:
    """``sqrt(|u|**2 + parameter**2) - parameter``"""
    s = context.sqrt(sum((t * t for t in u), parameter * parameter))
    return Point(s - parameter, [t / s for t in u], 1 / s, -1 / (s * s * s), u)


def count(context: Any, u: Sequence[Number], parameter: Number) -> Point:
    """``v - d + d log(d / v)`` for v expected counts, and d found ones, the parameter."""
    (v,) = u
    d = parameter
    value = v if d == 0 else v - d + d * context.log(d / v)
    return Point(value, [1 - d / v], d / (v * v))


def entropy(context: Any, u: Sequence[Number], parameter: Number) -> Point:
    """``x log(x / p) - x + p``, p being the parameter"""
    (x,) = u
    log = context.log(x / parameter)
    return Point(x * log - x + parameter, [log], 1 / x)


def pair(context: Any, u: Sequence[Number], parameter: Number) -> Point:
    """``4 (sqrt(a) - sqrt(b))**2`` of two neighbouring pixels"""
    a, b = u
    root = context.sqrt(a * b)
    slope = [4 - 4 * root / a, 4 - 4 * root / b]
    return Point(4 * (a + b) - 8 * root, slope, context.mpf(0), 2 / (root * root * root), [b, -a])


def _positive(least: Number, what: str) -> Number:
    if not least > 0:
        raise UnprovenError(f"{what} may not be positive everywhere in the ball: a smaller radius is needed")
    return least


def _square_change(context: Any, u: Sequence[Number], parameter: Number, reach: Number) -> Number:
    return context.mpf(0)


def _length_change(context: Any, u: Sequence[Number], parameter: Number, reach: Number) -> Number:
    least = _positive(context.sqrt(sum((t * t for t in u), parameter * parameter)) - reach, "a length")
    return 2 / (least * least)


def _count_change(context: Any, u: Sequence[Number], parameter: Number, reach: Number) -> Number:
    least = _positive(u[0] - reach, "an expected count")
    return 2 * parameter / (least * least * least)


def _entropy_change(context: Any, u: Sequence[Number], parameter: Number, reach: Number) -> Number:
    least = _positive(u[0] - reach, "a pixel")
    return 1 / (least * least)


def _pair_change(context: Any, u: Sequence[Number], parameter: Number, reach: Number) -> Number:
    least, most = [_positive(t - reach, "a pixel") for t in u], [t + reach for t in u]
    total = context.mpf(0)
    for here, there in ((0, 1), (1, 0)):
        total += 3 * context.sqrt(most[there] / least[here]) / (least[here] * least[here])
        total += 3 / (least[here] * context.sqrt(least[here] * least[there]))
    return total


FUNCTIONS: Mapping[str, Callable[[Any, Sequence[Number], Number], Point]] = {
    "square": square,
    "length": length,
    "count": count,
    "entropy": entropy,
    "pair": pair,
}

# For all u closer than `reach`: a bound of the third derivative along one unit vector and twice along another.
CHANGES: Mapping[str, Callable[[Any, Sequence[Number], Number, Number], Number]] = {
    "square": _square_change,
    "length": _length_change,
    "count": _count_change,
    "entropy": _entropy_change,
    "pair": _pair_change,
}
