"""Losses that all but forget outliers: the negative logarithms of the Cauchy and the Student-t density."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from refdeconv._arrays import Array, positive_like, real_dtype
from refdeconv._logarithm import log1p
from refdeconv.functionals.robust import Robust, is_tiny, magnitude, positive


class Cauchy(Robust):
    """Quadratic near zero, logarithmic far out, ``f(u) = sum(weight * scale**2 / 2 * log(1 + (r / scale)**2))``.

    Here ``r = u - data``. The negative log-density of Cauchy noise, times ``scale**2 / 2`` and up to a constant; also
    known as the Lorentzian loss.

    Parameters
    ----------
    data : array_like, optional
        What u is compared with, of u's shape. Default zero, for u of any shape.
    scale : float
        Residual that pulls hardest, > 0, in units of u. Default 1.
    weight : float or array_like, optional
        Weight of each pixel, >= 0. Default 1.

    Raises
    ------
    TypeError, ValueError
        If an argument is not made of finite real numbers, `scale` is not above zero, a weight is negative, or the
        shapes of `data` and `weight` differ.

    Notes
    -----
    Not convex: the second derivative is positive where ``|r| < scale``, negative where ``|r| > scale``, so that the
    start of a minimisation decides where it ends. Redescending: the slope is largest at ``|r| == scale`` and falls to
    zero beyond. Derivation: derivations/functionals/cauchy.md, CAU.1, CAU.2, CAU.3
    """

    scale: Any

    def __init__(self, data: ArrayLike | None = None, scale: float = 1.0, weight: ArrayLike | None = None) -> None:
        super().__init__(data, weight)
        self.scale = positive(scale, "scale")

    def _phi(self, u: Array) -> Array:
        r = self._residual(u)
        scale = positive_like(self.scale, r)
        return np.piecewise(
            r,
            [is_tiny(r, scale)],
            [lambda r: r * r / 2, lambda r: scale * (scale / 2 * _log_one_plus_square(r, scale))],
        )

    def _slope(self, u: Array) -> Array:
        r = self._residual(u)
        scale = positive_like(self.scale, r)
        return _near_or_far(r, scale, lambda r, q: r / (1 + q * q), lambda r, q: scale * (q / (1 + q * q)))

    def _bend(self, u: Array) -> Array:
        r = self._residual(u)
        scale = positive_like(self.scale, r)
        return _near_or_far(r, scale, lambda r, q: _bell(q), lambda r, q: -q * q * _bell(q))


class StudentT(Robust):
    """The negative log-density of Student's t, ``f(u) = sum(weight * (nu + 1) / 2 * log(1 + r**2 / (nu * scale**2)))``.

    Here ``r = u - data`` and nu is `degrees`; the constant of the density is left out, so that f is zero where the
    residual is.

    Parameters
    ----------
    data : array_like, optional
        What u is compared with, of u's shape. Default zero, for u of any shape.
    scale : float
        Scale of the noise, > 0, in units of u. Default 1.
    degrees : float
        Degrees of freedom, > 0: 1 is Cauchy noise, many are Gaussian noise of standard deviation `scale`. Default 4.
    weight : float or array_like, optional
        Weight of each pixel, >= 0. Default 1.

    Raises
    ------
    TypeError, ValueError
        If an argument is not made of finite real numbers, `scale` or `degrees` is not above zero, a weight is negative,
        or the shapes of `data` and `weight` differ.

    Notes
    -----
    Not convex: the second derivative is positive where ``|r| < sqrt(nu) * scale``, negative where it is larger, so that
    the start of a minimisation decides where it ends. Redescending: the slope is largest there and falls to zero
    beyond. `Cauchy` with ``scale = sqrt(nu) * scale``, times ``(nu + 1) / (nu * scale**2)``.
    Derivation: derivations/functionals/cauchy.md, CAU.4
    """

    scale: Any
    degrees: Any

    def __init__(
        self,
        data: ArrayLike | None = None,
        scale: float = 1.0,
        degrees: float = 4.0,
        weight: ArrayLike | None = None,
    ) -> None:
        super().__init__(data, weight)
        self.scale = positive(scale, "scale")
        self.degrees = positive(degrees, "degrees")

    def _phi(self, u: Array) -> Array:
        r = self._residual(u)
        factor, turn = self._factor_and_turn(r)
        return factor / 2 * _log_one_plus_square(r, turn)

    def _slope(self, u: Array) -> Array:
        r = self._residual(u)
        factor, turn = self._factor_and_turn(r)
        return _near_or_far(
            r, turn, lambda r, q: factor * (q / (1 + q * q)) / turn, lambda r, q: factor / r / (1 + q * q)
        )

    def _bend(self, u: Array) -> Array:
        r = self._residual(u)
        factor, turn = self._factor_and_turn(r)
        return _near_or_far(
            r, turn, lambda r, q: factor / turn * _bell(q) / turn, lambda r, q: -factor / r * _bell(q) / r
        )

    def _factor_and_turn(self, r: Array) -> tuple[Any, Any]:
        """The factor nu + 1, and the residual at which the second derivative changes sign."""
        turn = np.sqrt(np.longdouble(self.degrees)) * self.scale
        return real_dtype(r.dtype).type(self.degrees) + 1, positive_like(turn, r)


def _near_or_far(
    r: Array, scale: Any, near: Callable[[Array, Array], Array], far: Callable[[Array, Array], Array]
) -> Array:
    """near(r, r/scale) up to the scale, far(r, scale/r) beyond: the quotient is at most one, so its square is safe."""
    return np.piecewise(r, [np.abs(r.real) <= scale], [lambda r: near(r, r / scale), lambda r: far(r, scale / r)])


def _log_one_plus_square(r: Array, scale: Any) -> Array:
    """log(1 + (r / scale)**2); far out 2 log|r / scale| and a small rest, by roots whose quotient does not overflow."""

    def far(r: Array, q: Array) -> Array:
        return 4 * np.log(np.sqrt(magnitude(r)) / np.sqrt(scale)) + log1p(q * q)

    return _near_or_far(r, scale, lambda r, q: log1p(q * q), far)


def _bell(q: Array) -> Array:
    """(1 - q**2) / (1 + q**2)**2; as a product, so that near |q| = 1 only the rounding of q counts."""
    return (1 - q) * (1 + q) / (1 + q * q) ** 2
