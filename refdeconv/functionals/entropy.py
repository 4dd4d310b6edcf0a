"""The entropy of an image relative to a prior image: the regulariser of maximum-entropy restoration."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from refdeconv._arrays import Array, positive_like, real_array
from refdeconv._logarithm import log1p
from refdeconv.calculus import OutsideDomain
from refdeconv.functionals.pointwise import Pointwise

_TERMS = 12  # of a series in s**2 <= 1/49: its rest is below the rounding of longdouble


class Entropy(Pointwise):
    """The negative entropy of u relative to a prior p, ``f(u) = sum(weight * (u * log(u / p) - u + p))``, for u >= 0.

    Zero where u is the prior, positive elsewhere: to minimise it is to maximise the entropy.

    Parameters
    ----------
    prior : float or array_like
        The image p that u is drawn to, > 0: an array of u's shape, or one number for a flat prior of any shape.
    weight : float or array_like, optional
        Weight of each pixel, >= 0. Default 1.

    Raises
    ------
    TypeError, ValueError
        If an argument is not made of finite real numbers, the prior is not above zero, a weight is negative, or the
        shapes of `prior` and `weight` differ.

    Notes
    -----
    Strictly convex. At ``u == 0`` the value is p, but the slope is minus infinity: `gradient` and `hessian` raise
    ValueError there. Below zero the value is infinite. `scipy.special.kl_div(u, p)` is its loss.
    Derivation: derivations/functionals/entropy.md, ENT.1, ENT.2, ENT.3
    """

    prior: Array

    def __init__(self, prior: ArrayLike, weight: ArrayLike | None = None) -> None:
        self.prior = real_array(prior, "prior")
        if self.prior.min() <= 0:
            raise ValueError(f"prior must be > 0, its smallest value is {self.prior.min()}")
        super().__init__(None, weight)
        if self.prior.ndim and self.input_shape not in (None, self.prior.shape):
            raise ValueError(f"weight has shape {self.input_shape}, expected {self.prior.shape}, which is prior's")
        self.input_shape = self.prior.shape or self.input_shape

    def _phi(self, u: Array) -> Array:
        p = positive_like(self.prior, u)
        difference = u - p
        near = np.abs(difference.real) <= p / 4
        return np.where(near, _near_prior(np.where(near, difference, 0), p), u * self._slope(u) - difference)

    def _slope(self, u: Array) -> Array:
        """log(u / p), of the relative difference near p, of roots elsewhere; zero at u = 0, where u log(u) is."""
        p = positive_like(self.prior, u)
        near = (u.real >= p / 2) & (u.real / 4 <= p)
        far = np.where(near | (u.real == 0), p, u)
        return np.where(near, log1p(np.where(near, u - p, 0) / p), 2 * np.log(np.sqrt(far) / np.sqrt(p)))

    def _bend(self, u: Array) -> Array:
        return 1 / u

    def _outside(self, u: Array) -> Array:
        return u < 0

    def _pixels_in_domain(self, u: ArrayLike) -> Array:
        u = super()._pixels_in_domain(u)
        if not u.real.all():
            raise OutsideDomain(f"{self!r} has no derivative here: its slope is minus infinity where u is zero")
        return u

    def __repr__(self) -> str:
        prior = "prior" if self.prior.ndim else f"{float(self.prior):.6g}"
        return f"Entropy({prior}{'' if self.weight is None else ', weight'})"


def _near_prior(difference: Array, p: Any) -> Array:
    """The loss p * ((1 + t) log(1 + t) - t) with t = difference / p, |t| <= 1/4, where its terms nearly cancel.

    With s = t / (2 + t), so that log(1 + t) = 2 artanh(s), and b = 1/3 + s**2/5 + s**4/7 + ... (ENT.1).
    """
    t = difference / p
    s = t / (2 + t)
    b = np.zeros_like(s)
    for k in reversed(range(_TERMS)):
        b = b * (s * s) + np.ones_like(p) / (2 * k + 3)
    return difference * s * (1 + s * (1 + s) * b)
