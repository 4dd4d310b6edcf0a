"""The Kullback-Leibler divergence of counts from their expectation: the data term of Poisson noise."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from refdeconv._arrays import Array, cast_like, inner, read_only, real_array, real_dtype, real_number
from refdeconv.functionals.pointwise import Pointwise, checked_parameter

_Plain = tuple[Array, Array, Array]
_CANCELLATION = 8  # times the rounding of a pixel that may be left in a sum
_ROUNDING = 64  # times epsilon times the largest count: what an FFT may leave of a zero


class Poisson(Pointwise):
    """The negative log-likelihood of Poisson noise, ``f(u) = sum(weight * (v - data + data * log(data / v)))``.

    There ``v = u + background`` is the expected count of each pixel, and ``0 * log(0) = 0``. The sum is the generalised
    Kullback-Leibler divergence of the data from v: the negative log-likelihood less its smallest value, so that it is 0
    where ``v == data``, and positive elsewhere.

    Parameters
    ----------
    data : array_like
        Counts, >= 0, not necessarily whole numbers.
    background : float or array_like
        Expected counts that do not come from u, >= 0: one number, or an array of the shape of `data`.
        Default 0.
    weight : float or array_like, optional
        Weight of each pixel, >= 0; a pixel of weight zero counts for nothing. Default 1.
    threshold : float, optional
        In counts, > 0. Where v is below it, each term is its quadratic Taylor expansion at the threshold: twice
        continuously differentiable, convex, and defined for all u, so that a line search may pass where v is negative.
        Choose it below the smallest positive count: the terms of smaller counts would have their minimum displaced.
        Default: none.

    Raises
    ------
    TypeError, ValueError
        If a parameter is not made of finite real numbers, a shape is not that of `data`, a number is out of its range,
        or ``data / threshold**2`` overflows.

    Notes
    -----
    Convex. Without a threshold, the domain is ``v > 0``, and ``v >= 0`` where the data is zero: there the term is v
    itself, with derivative 1 up to and including ``v == 0``. Derivation: derivations/functionals/poisson.md, POI.1,
    POI.2, POI.3, POI.4, POI.5
    """

    data: Array
    background: Array
    threshold: Any

    def __init__(
        self,
        data: ArrayLike,
        background: ArrayLike = 0.0,
        weight: ArrayLike | None = None,
        threshold: float | None = None,
    ) -> None:
        super().__init__(real_array(data, "data"), weight)
        if self.data.min() < 0:
            raise ValueError(
                f"data must be >= 0, being counts, its smallest value is {self.data.min()} "
                "(data with read noise: PoissonGaussian)"
            )
        self.background = checked_parameter(background, "background", self.data.shape)
        self.threshold = None if threshold is None else _checked_threshold(threshold, self.data)
        masked = self.weight is not None and not self.weight.all()
        # What stands at a pixel of weight zero must not decide by which formula the others are computed.
        self._counts = read_only(np.where(self.weight == 0, 1, self.data)) if masked else self.data
        self._net, self._lost = _split(self._counts, self.background)
        self._single_net, self._single_lost = self._net, self._lost
        if self._net.dtype != np.float32:
            with np.errstate(over="ignore", under="ignore", invalid="ignore"):  # of counts out of its range
                single = self._counts.astype(np.float32), self.background.astype(np.float32)
                self._single_net, self._single_lost = _split(*single)

    _counts: Array
    _net: Array
    _lost: Array | None
    _single_net: Array
    _single_lost: Array | None

    def _excess(self, u: Array) -> Array:
        """``u + background - data``, to full relative precision also where the three nearly cancel (POI.5)."""
        net, lost, precision = self._net, self._lost, real_dtype(u.dtype)
        if precision == np.float32:
            net, lost = self._single_net, self._single_lost
        elif precision.itemsize < net.dtype.itemsize:  # to which the two must not be rounded
            net, lost = _split(cast_like(self._counts, u), cast_like(self.background, u))
        excess = u - cast_like(net, u)
        return excess if lost is None else excess - cast_like(lost, u)

    def _value_and_slope(self, u: Array, into: Array) -> Any:
        plain = self._plain(u)
        total = self._total_from(plain, u)
        into[...] = self._weighted(self._slope_from(plain, u))  # last, as into may be u
        return total

    def _total(self, u: Array) -> Any:
        return self._total_from(self._plain(u), u)

    def _total_from(self, plain: _Plain | None, u: Array) -> Any:
        total = None if plain is None else self._total_at_once(*plain)
        return super()._total(u) if total is None else total

    def _phi(self, u: Array) -> Array:
        data = cast_like(self._counts, u)
        v, excess, step = self._expected(u)
        phi = _divergence(v, excess, data)
        return phi if step is None else phi + step * (_slope(v, excess, data) + step * _bend(v, data) / 2)

    def _slope(self, u: Array) -> Array:
        return self._slope_from(self._plain(u), u)

    def _slope_from(self, plain: _Plain | None, u: Array) -> Array:
        if plain is not None and np.isfinite(plain[2]).all():
            return plain[2]
        v, excess, step = self._expected(u)
        data = cast_like(self._counts, u)
        slope = _slope(v, excess, data)
        return slope if step is None else slope + step * _bend(v, data)

    def _plain(self, u: Array) -> _Plain | None:
        """The expected counts v, their excess over the data, and its quotient by v, which need not be finite.

        None, if some are complex or below the threshold.
        """
        if u.dtype.kind == "c":
            return None
        v = u + cast_like(self.background, u)
        if self.threshold is not None and v.min() <= self.threshold:
            return None
        excess = self._excess(u)
        with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
            return v, excess, excess / v

    def _total_at_once(self, v: Array, excess: Array, slope: Array) -> Any:
        """The weighted sum, where ``1 - slope`` is the data over v; None if it would lose digits (POI.5).

        A pixel's rounding is that of its excess. Where the sum of these is not large beside that of the results, the
        sum is as precise as by the other formulas, which are several times slower.
        """
        data, limits = cast_like(self._counts, v), np.finfo(v.dtype)
        if self.weight is not None:
            weight = cast_like(self.weight, v)
            v, data, excess = weight * v, weight * data, weight * excess
        with np.errstate(over="ignore", under="ignore", invalid="ignore"):
            squares = inner(excess, excess)
            # No less than the sum of sizes, in half the time, unless they are so small that squares underflow.
            sizes = np.sqrt(v.size * squares) if squares > limits.tiny / limits.eps**2 else np.inf
            most = _CANCELLATION * inner(excess, slope)  # no less than what is allowed (POI.5)
            if sizes > most:
                sizes = np.sum(np.abs(excess))
            if sizes > most:
                return None
            quotient = np.asarray(1 - slope)
            lost = 1 - quotient
            lost -= slope
            # So little that it counts only where the data is nothing beside v, and its logarithm for nothing.
            quotient += limits.epsneg / 8
            total = inner(data, np.log(quotient, out=quotient)) + inner(v, lost) + np.sum(excess)
            allowed = _CANCELLATION * total
        is_small = sizes <= allowed or np.sum(np.abs(excess)) <= allowed
        return total if is_small and allowed < np.inf else None

    def _bend(self, u: Array) -> Array:
        v = u + cast_like(self.background, u)
        if u.dtype.kind != "c" and v.min() > (self.threshold or 0):
            bend = cast_like(self._counts, u) / v
            bend /= v  # not by the square, which may underflow
            return bend
        v, _, _ = self._expected(u)
        return _bend(v, cast_like(self._counts, u))

    def _outside(self, u: Array) -> Array | None:
        if self.threshold is not None:
            return None
        background, data = cast_like(self.background, u), cast_like(self._counts, u)
        lowest = u.min() + background if background.ndim == 0 else (u + background).min()
        if lowest > 0:
            return None
        v = u + background
        # The rounding of a blur leaves values just below zero where the exact one is zero.
        rounding = _ROUNDING * np.finfo(u.dtype).eps * np.max(np.abs(v))
        return np.where(data > 0, v <= 0, v < -rounding)

    def _expected(self, u: Array) -> tuple[Array, Array, Array | None]:
        """The expected counts v and their excess over the data, both no lower than the threshold, and the step below.

        Where the data is zero, v is replaced by 1: no formula needs it there, and it may be zero.
        """
        data, background = cast_like(self._counts, u), cast_like(self.background, u)
        v, excess, step = u + background, self._excess(u), None
        if self.threshold is not None:
            threshold = real_dtype(u.dtype).type(self.threshold)
            below = (v.real < threshold) & (data > 0)  # of no counts the term is a line: its own expansion
            step = np.where(below, (u - (threshold - background)) - _lost(threshold, background), 0)
            v, excess = np.where(below, threshold, v), np.where(below, threshold - data, excess)
        return np.where(data == 0, 1, v), excess, step


def _divergence(v: Array, excess: Array, data: Array) -> Array:
    """``excess - data * log(v / data)``, to full relative precision also where v is close to the data (POI.5)."""
    near = (excess.real >= -data / 2) & (excess.real <= data) & (data > 0)
    distance = np.where(near, excess, 0)
    ratio = distance / np.where(near, data, 1)
    s = ratio / (2 + ratio)
    phi = np.asarray(s * (distance - 2 * data * s**2 * _tail(s**2)))
    if not near.all():
        far = ~near
        v, excess, data = np.asarray(v)[far], np.asarray(excess)[far], data[far]
        # Twice the logarithm of a quotient of roots: the quotient itself might overflow or underflow.
        phi[far] = excess - 2 * data * np.log(np.sqrt(v) / np.sqrt(np.where(data == 0, 1, data)))
    return phi


def _tail(square: Array) -> Array:
    """The series ``1/3 + square/5 + square**2/7 + ...``, for squares up to 1/9, with as many terms as they need."""
    one, limits = real_dtype(square.dtype).type(1), np.finfo(square.dtype)
    terms = int(np.ceil(np.log(limits.eps) / np.log(np.max(np.abs(square), initial=limits.tiny))))
    total = np.zeros_like(square)
    for k in reversed(range(terms)):
        total *= square
        total += one / (2 * k + 3)
    return total


def _slope(v: Array, excess: Array, data: Array) -> Array:
    near = np.abs(excess.real) <= data / 2  # elsewhere the quotient of the two large numbers would lose digits
    return np.where(data == 0, 1, np.where(near, excess / v, 1 - data / v))


def _bend(v: Array, data: Array) -> Array:
    return data / v / v  # not by the square, which may underflow


def _split(data: Array, background: Array) -> tuple[Array, Array | None]:
    """The rounded difference, and what rounding took from it, if it took something."""
    lost = _lost(data, background)
    return read_only(data - background), read_only(lost) if lost.any() else None


def _lost(data: Any, background: Array) -> Any:
    """What rounding takes from ``data - background``, exactly (POI.5)."""
    net = data - background
    shift = net - data
    return (data - (net - shift)) - (background + shift)


def _checked_threshold(threshold: float, data: Array) -> Any:
    threshold = real_number(threshold, "threshold", minimum=0, exclusive=True)
    with np.errstate(over="ignore"):
        if not np.isfinite(data.max() / threshold / threshold):
            raise ValueError(f"threshold must be large enough for data / threshold**2 to be finite, got {threshold!r}")
    return threshold
