"""The Huber loss: exactly quadratic up to a threshold, exactly linear beyond it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from refdeconv._arrays import Array, positive_like, real_dtype
from refdeconv.functionals.robust import Robust, positive


class Huber(Robust):
    """Half the square of residuals up to `delta`, linear beyond.

    Of a pixel with residual ``r = u - data``, times its weight: ``r**2 / 2`` where ``|r| <= delta``, and
    ``delta * (|r| - delta / 2)`` where it is larger.

    Parameters
    ----------
    data : array_like, optional
        What u is compared with, of u's shape. Default zero, for u of any shape.
    delta : float
        Largest residual that counts as quadratic, > 0, in units of u. Default 1.
    weight : float or array_like, optional
        Weight of each pixel, >= 0. Default 1.

    Raises
    ------
    TypeError, ValueError
        If an argument is not made of finite real numbers, `delta` is not above zero, a weight is negative, or the
        shapes of `data` and `weight` differ.

    Notes
    -----
    Convex, with a continuous gradient. The second derivative jumps from 1 to 0 where ``|r| == delta``; `hessian` takes
    the inner side there, 1. Beyond, it is zero: a Newton method sees no curvature in outliers (`PseudoHuber` has some
    everywhere). `scipy.special.huber` is its loss. Derivation: derivations/functionals/huber.md, HUB.1, HUB.2, HUB.3
    """

    delta: Any

    def __init__(self, data: ArrayLike | None = None, delta: float = 1.0, weight: ArrayLike | None = None) -> None:
        super().__init__(data, weight)
        self.delta = positive(delta, "delta")

    def _phi(self, u: Array) -> Array:
        clipped = self._slope(u)
        return clipped * (self._residual(u) - clipped / 2)

    def _slope(self, u: Array) -> Array:
        r = self._residual(u)
        return np.where(self._is_quadratic(r), r, np.copysign(positive_like(self.delta, r), r.real))

    def _bend(self, u: Array) -> Array:
        return self._is_quadratic(self._residual(u)).astype(real_dtype(u.dtype))

    def _is_quadratic(self, r: Array) -> Array:
        return np.abs(r.real) <= positive_like(self.delta, r)
