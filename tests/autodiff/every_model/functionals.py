"""Functionals by their definitions, of which only an instance's parameters are read."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

import refdeconv as rd

from .tables import Definition

PointLoss = Callable[[Any, Any, Any], Any]  # of a namespace, the residual, and the instance


def pointwise(loss: PointLoss) -> Callable[[Any], Definition]:
    """A weighted sum over the pixels of a loss of u - data."""

    def define(f: Any) -> Definition:
        def value(xp: Any, u: Any) -> Any:
            residual = u if f.data is None else u - xp.constant(f.data, u)
            losses = loss(xp, residual, f)
            return xp.sum(losses if f.weight is None else xp.constant(f.weight, u) * losses)

        return value

    return define


def huber_loss(xp: Any, r: Any, f: Any) -> Any:
    delta = float(f.delta)
    size = xp.abs(r)
    return xp.where(size <= delta, r**2 / 2, delta * (size - delta / 2))


def pseudo_huber_loss(xp: Any, r: Any, f: Any) -> Any:
    delta = float(f.delta)
    return delta**2 * (xp.sqrt(1 + (r / delta) ** 2) - 1)


def smooth(xp: Any, square: Any, epsilon: float) -> Any:
    """The smoothed length, of its square."""
    return xp.sqrt(square + epsilon**2) - epsilon


def log_cosh_loss(xp: Any, r: Any, f: Any) -> Any:
    """Of the larger of the two exponentials, since cosh overflows."""
    delta = float(f.delta)
    size = xp.abs(r) / delta
    return delta**2 * (size + xp.log1p(xp.exp(-2 * size)) - math.log(2))


def cauchy_loss(xp: Any, r: Any, f: Any) -> Any:
    scale = float(f.scale)
    return scale**2 / 2 * xp.log1p((r / scale) ** 2)


def student_t_loss(xp: Any, r: Any, f: Any) -> Any:
    scale, nu = float(f.scale), float(f.degrees)
    return (nu + 1) / 2 * xp.log1p(r**2 / (nu * scale**2))


def l2_norm(f: rd.L2Norm) -> Definition:
    return lambda xp, u: xp.sqrt(xp.sum((u if f.data is None else u - xp.constant(f.data, u)) ** 2))


def weighted(xp: Any, f: Any, u: Any, losses: Any) -> Any:
    return xp.sum(losses if f.weight is None else xp.constant(f.weight, u) * losses)


def entropy(f: rd.Entropy) -> Definition:
    def value(xp: Any, u: Any) -> Any:
        prior = xp.constant(f.prior, u)
        return weighted(xp, f, u, u * xp.log(u / prior) - u + prior)

    return value


def poisson(f: rd.Poisson) -> Definition:
    """``v - d + d log(d / v)``; below the threshold t, its parabola there."""

    def value(xp: Any, u: Any) -> Any:
        v, d = u + xp.constant(f.background, u), xp.constant(f.data, u)
        counted = xp.constant(np.where(f.data > 0, f.data, 1), u)  # 0 log(0) is 0
        if f.threshold is None:
            return weighted(xp, f, u, v - d + d * xp.log(counted / v))
        t = float(f.threshold)
        safe = xp.where(v >= t, v, 0 * v + t)  # the branch that is not taken must have a derivative all the same
        parabola = t - d + d * xp.log(counted / t) + (1 - d / t) * (v - t) + d / t**2 * (v - t) ** 2 / 2
        return weighted(xp, f, u, xp.where(v >= t, safe - d + d * xp.log(counted / safe), parabola))

    return value


def poisson_gaussian(f: rd.PoissonGaussian) -> Definition:
    def value(xp: Any, u: Any) -> Any:
        gain, noise, background = (xp.constant(p, u) for p in (f.gain, f.read_noise, f.background))
        v = u + background
        variance = gain**2 * v + noise**2
        return weighted(xp, f, u, (xp.constant(f.data, u) - gain * v) ** 2 / (2 * variance) + xp.log(variance) / 2)

    return value


def anscombe(f: rd.Anscombe) -> Definition:
    def value(xp: Any, u: Any) -> Any:
        gain, noise, background = (xp.constant(p, u) for p in (f.gain, f.read_noise, f.background))
        measured = np.maximum(f.gain * f.data + f.gain**2 * 3 / 8 + f.read_noise**2, 0)
        model = gain * (gain * (u + background)) + gain**2 * 3 / 8 + noise**2
        return weighted(xp, f, u, (2 / gain * (xp.sqrt(model) - xp.sqrt(xp.constant(measured, u)))) ** 2 / 2)

    return value


def squared_lengths(xp: Any, u: Any, axes: tuple[int, ...]) -> Any:
    return xp.sum(u**2, tuple(axis % len(u.shape) for axis in axes)) if axes else u**2


def smoothed_group_norm(f: rd.SmoothedGroupNorm) -> Definition:
    return lambda xp, u: weighted(xp, f, u, smooth(xp, squared_lengths(xp, u, f.axis), float(f.epsilon)))


def group_huber(f: rd.GroupHuber) -> Definition:
    return lambda xp, u: weighted(xp, f, u, huber_of_square(xp, squared_lengths(xp, u, f.axis), float(f.delta)))


def huber_of_square(xp: Any, square: Any, delta: float) -> Any:
    """Huber's function of a length, of its square, so that no root is taken of zero."""
    short = square <= delta**2
    length = xp.sqrt(xp.where(short, 0 * square + delta**2, square))
    return xp.where(short, square / (2 * delta), length - delta / 2)


def smoothed_nuclear_norm(f: rd.SmoothedNuclearNorm) -> Definition:
    """By the eigenvalues; entries are the upper triangle, those off the diagonal times the root of two."""

    def value(xp: Any, u: Any) -> Any:
        d = {1: 1, 3: 2, 6: 3}[u.shape[0]]
        pairs = [(min(i, j), max(i, j)) for i in range(d) for j in range(d)]
        places = sorted(set(pairs))
        rows = xp.constant([1 if i == j else 1 / math.sqrt(2) for i, j in places], u)
        entries = xp.reshape(u, (len(places), -1)) * xp.reshape(rows, (-1, 1))
        return weighted(xp, f, u, xp.reshape(nuclear(xp, entries, d, float(f.epsilon)), u.shape[1:]))

    return value


def nuclear(xp: Any, entries: Any, d: int, epsilon: float) -> Any:
    """The sum of the smoothed eigenvalues of the matrices with these upper triangles, one in each column."""
    places = [(i, j) for i in range(d) for j in range(i, d)]
    order = np.array([places.index((min(i, j), max(i, j))) for i in range(d) for j in range(d)])
    count = entries.shape[1]
    index = order * count + np.arange(count)[:, None]
    matrices = xp.reshape(xp.take(xp.reshape(entries, (-1,)), index), (count, d, d))
    return xp.sum(smooth(xp, xp.eigvalsh(matrices) ** 2, epsilon), -1)


FUNCTIONALS: dict[type, Callable[[Any], Definition]] = {
    rd.L2Norm: l2_norm,
    rd.LeastSquares: pointwise(lambda xp, r, f: r**2 / 2),
    rd.PseudoHuber: pointwise(pseudo_huber_loss),
    rd.SmoothedL1: pointwise(lambda xp, r, f: smooth(xp, r**2, float(f.epsilon))),
    rd.Huber: pointwise(huber_loss),
    rd.LogCosh: pointwise(log_cosh_loss),
    rd.Cauchy: pointwise(cauchy_loss),
    rd.StudentT: pointwise(student_t_loss),
    rd.Entropy: entropy,
    rd.Poisson: poisson,
    rd.PoissonGaussian: poisson_gaussian,
    rd.Anscombe: anscombe,
    rd.SmoothedGroupNorm: smoothed_group_norm,
    rd.GroupHuber: group_huber,
    rd.SmoothedNuclearNorm: smoothed_nuclear_norm,
}
