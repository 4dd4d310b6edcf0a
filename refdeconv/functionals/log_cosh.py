"""The logarithm of the hyperbolic cosine: a smooth relative of the Huber loss."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from refdeconv._arrays import Array, positive_like
from refdeconv._logarithm import log1p
from refdeconv.functionals.robust import Robust, is_tiny, magnitude, positive

_FAR = 6000.0  # exp(-2 * 6000) is zero even in longdouble


class LogCosh(Robust):
    """Quadratic near zero, linear far out, ``f(u) = sum(weight * delta**2 * log(cosh(r / delta)))``.

    Here ``r = u - data``.

    Parameters
    ----------
    data : array_like, optional
        What u is compared with, of u's shape. Default zero, for u of any shape.
    delta : float
        Residual at which quadratic turns into linear, > 0, in units of u. Default 1.
    weight : float or array_like, optional
        Weight of each pixel, >= 0. Default 1.

    Raises
    ------
    TypeError, ValueError
        If an argument is not made of finite real numbers, `delta` is not above zero, a weight is negative, or the
        shapes of `data` and `weight` differ.

    Notes
    -----
    Convex and smooth everywhere; the second derivative falls off exponentially, to zero in floating point beyond a few
    hundred `delta`. Derivation: derivations/functionals/log_cosh.md, LCH.1, LCH.2, LCH.3
    """

    delta: Any

    def __init__(self, data: ArrayLike | None = None, delta: float = 1.0, weight: ArrayLike | None = None) -> None:
        super().__init__(data, weight)
        self.delta = positive(delta, "delta")

    def _phi(self, u: Array) -> Array:
        r = self._residual(u)
        delta = positive_like(self.delta, r)

        def small(r: Array) -> Array:
            return delta * log1p(2 * np.sinh(r / delta / 2) ** 2) * delta

        def large(r: Array) -> Array:
            decay = np.exp(-2 * _ratio(r, delta))
            return delta * (magnitude(r) + delta * (log1p(decay) - np.log(delta.dtype.type(2))))

        return np.piecewise(r, [is_tiny(r, delta), np.abs(r.real) > delta], [lambda r: r * r / 2, large, small])

    def _slope(self, u: Array) -> Array:
        r = self._residual(u)
        delta = positive_like(self.delta, r)
        return np.where(is_tiny(r, delta), r, delta * np.tanh(np.copysign(1, r.real) * _ratio(r, delta)))

    def _bend(self, u: Array) -> Array:
        r = self._residual(u)
        decay = np.exp(-2 * _ratio(r, positive_like(self.delta, r)))
        return 4 * decay / (1 + decay) ** 2


def _ratio(r: Array, delta: Any) -> Array:
    """|r| / delta, but no larger than makes a difference, so that it does not overflow."""
    return np.piecewise(magnitude(r), [np.abs(r.real) / _FAR < delta], [lambda size: size / delta, _FAR])
