"""The pseudo-Huber (Charbonnier) loss, and the smoothed sum of absolute values, which is a multiple of it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from refdeconv._arrays import Array, positive_like
from refdeconv.functionals.robust import Robust, positive


class PseudoHuber(Robust):
    """Quadratic near zero, linear far out, ``f(u) = sum(weight * delta**2 * (sqrt(1 + (r/delta)**2) - 1))``.

    Here ``r = u - data``. Also known as the Charbonnier loss.

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
    Convex and smooth everywhere; `scipy.special.pseudo_huber` is its loss. Half the squares for large `delta`, `delta`
    times the absolute values for small.
    Derivation: derivations/functionals/pseudo_huber.md, PHU.1, PHU.2, PHU.3
    """

    delta: Any

    def __init__(self, data: ArrayLike | None = None, delta: float = 1.0, weight: ArrayLike | None = None) -> None:
        super().__init__(data, weight)
        self.delta = positive(delta, "delta")

    def _phi(self, u: Array) -> Array:
        r = self._residual(u)
        slope, cosine = self._slope_and_cosine(r)
        return r * slope / (1 + cosine)

    def _slope(self, u: Array) -> Array:
        return self._slope_and_cosine(self._residual(u))[0]

    def _bend(self, u: Array) -> Array:
        return self._slope_and_cosine(self._residual(u))[1] ** 3

    def _slope_and_cosine(self, r: Array) -> tuple[Array, Array]:
        """The slope delta * r/h and the quotient delta/h."""
        delta = positive_like(self.delta, r)
        sine, cosine, _ = _polar(r, delta)
        return np.where(np.abs(r.real) < delta, r * cosine, delta * sine), cosine


class SmoothedL1(Robust):
    """The sum of absolute values with a rounded kink, ``f(u) = sum(weight * (sqrt(r**2 + epsilon**2) - epsilon))``.

    Here ``r = u - data``. It is shifted by `epsilon` in each pixel, so that it is zero where the residual is.

    Parameters
    ----------
    data : array_like, optional
        What u is compared with, of u's shape. Default zero, for u of any shape.
    epsilon : float
        Residual below which the kink is rounded, > 0, in units of u. Default 1e-3.
    weight : float or array_like, optional
        Weight of each pixel, >= 0. Default 1.

    Raises
    ------
    TypeError, ValueError
        If an argument is not made of finite real numbers, `epsilon` is not above zero, a weight is negative, or the
        shapes of `data` and `weight` differ.

    Notes
    -----
    Convex and smooth everywhere; `PseudoHuber` with ``delta = epsilon``, divided by `epsilon`. Below the sum of
    absolute values by at most `epsilon` a pixel; the second derivative at zero is ``1 / epsilon``.
    Derivation: derivations/functionals/pseudo_huber.md, PHU.4
    """

    epsilon: Any

    def __init__(self, data: ArrayLike | None = None, epsilon: float = 1e-3, weight: ArrayLike | None = None) -> None:
        super().__init__(data, weight)
        self.epsilon = positive(epsilon, "epsilon")

    def _phi(self, u: Array) -> Array:
        r = self._residual(u)
        sine, cosine, _ = _polar(r, positive_like(self.epsilon, r))
        return r * (sine / (1 + cosine))

    def _slope(self, u: Array) -> Array:
        r = self._residual(u)
        return _polar(r, positive_like(self.epsilon, r))[0]

    def _bend(self, u: Array) -> Array:
        r = self._residual(u)
        _, cosine, inverse = _polar(r, positive_like(self.epsilon, r))
        return cosine**2 * inverse


def _polar(r: Array, scale: Any) -> tuple[Array, Array, Array]:
    """The quotients r/h, scale/h and 1/h, where h is the hypotenuse sqrt(r**2 + scale**2).

    Both sides are divided by the larger first, so that no square over- or underflows; a real number, so that the
    result stays analytic in r. Far out r/h comes from the other quotient: its own would lose the digits of its slope,
    which the complex step shows.
    """
    larger = np.maximum(np.abs(r.real), scale)
    a, b = r / larger, scale / larger
    root = np.sqrt(a * a + b * b)
    cosine = b / root
    far = np.copysign(1, r.real) * np.sqrt(1 - cosine * cosine)
    return np.where(np.abs(r.real) < scale, a / root, far), cosine, 1 / root / larger
