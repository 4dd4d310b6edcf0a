"""Functionals by their definitions: sums over pixels, part by part.

Each is written as a generator of the parts that its formula adds up, as a reader would write it down: of Poisson's
divergence ``v``, ``-data`` and ``data * log(data / v)`` at each pixel. Their sum is the value (`DEFINITIONS`). The
sum of their sizes (`SIZES`) is what an implementation in floating point may be measured by: one that adds up the
parts as they stand is off by a few roundings of that, however small the value is that is left when they cancel. Where
an implementation does better, as with the digits of a divergence beside its minimum, that is its own merit.

`parameters` are the keyword arguments of the public constructor; one that is missing has its documented default. Points
must lie in the domain.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
from mpmath import matrix, mp, mpf

from refdeconv.conformance.golden.definitions.arrays import Exact, Index, exact, indices, number

Parameters = Mapping[str, Any]
Parts = Callable[[Parameters, Exact], Iterator[Any]]
Definition = Callable[[Parameters, Exact], Any]


def value_of(parts: Parts) -> Definition:
    """The sum of the parts."""
    return lambda parameters, u: mp.fsum(parts(parameters, u))


def size_of(parts: Parts) -> Definition:
    """The sum of the sizes of the parts."""
    return lambda parameters, u: mp.fsum(abs(part) for part in parts(parameters, u))


def parameter(parameters: Parameters, name: str, default: Any, shape: Index) -> Exact:
    """A parameter as an exact array of the shape; one number counts for all pixels."""
    given = parameters.get(name)
    return exact(np.broadcast_to(default if given is None else given, shape))


def pixels(parameters: Parameters, u: Exact, *names: tuple[str, float]) -> Iterator[tuple[Any, ...]]:
    """Each pixel that counts: u, data, weight, and the parameters of the names, which come with their defaults."""
    arrays = [parameter(parameters, name, default, u.shape) for name, default in (("data", 0), ("weight", 1), *names)]
    for i in indices(u.shape):
        if arrays[1][i] != 0:
            yield (u[i], *(array[i] for array in arrays))


# ---- Residuals. ----


def least_squares(parameters: Parameters, u: Exact) -> Iterator[Any]:
    """Sum of weight * (u - data)**2 / 2; a variance is an inverse weight."""
    for x, d, w, variance in pixels(parameters, u, ("variance", 1)):
        yield w / variance * (x - d) ** 2 / 2


def l2_norm(parameters: Parameters, u: Exact) -> Iterator[Any]:
    """sqrt(sum((u - data)**2))."""
    yield mp.sqrt(mp.fsum((x - d) ** 2 for x, d, _ in pixels(parameters, u)))


def pseudo_huber(parameters: Parameters, u: Exact) -> Iterator[Any]:
    """Sum of weight * delta**2 * (sqrt(1 + (r / delta)**2) - 1)."""
    delta = number(parameters.get("delta", 1.0))
    for x, d, w in pixels(parameters, u):
        yield w * delta**2 * mp.sqrt(1 + ((x - d) / delta) ** 2)
        yield -w * delta**2


def smoothed_l1(parameters: Parameters, u: Exact) -> Iterator[Any]:
    """Sum of weight * (sqrt(r**2 + epsilon**2) - epsilon)."""
    epsilon = number(parameters.get("epsilon", 1e-3))
    for x, d, w in pixels(parameters, u):
        yield from rounded_length((x - d) ** 2, epsilon, w)


def huber(parameters: Parameters, u: Exact) -> Iterator[Any]:
    """Sum of weight * r**2 / 2 where |r| <= delta, weight * delta * (|r| - delta / 2) beyond."""
    delta = number(parameters.get("delta", 1.0))
    for x, d, w in pixels(parameters, u):
        r = abs(x - d)
        if r <= delta:
            yield w * r**2 / 2
        else:
            yield w * delta * r
            yield -w * delta**2 / 2


def log_cosh(parameters: Parameters, u: Exact) -> Iterator[Any]:
    """Sum of weight * delta**2 * log(cosh(r / delta)), with cosh(t) = (exp(t) + exp(-t)) / 2."""
    delta = number(parameters.get("delta", 1.0))
    for x, d, w in pixels(parameters, u):
        t = (x - d) / delta
        yield w * delta**2 * mp.log(mp.exp(t) + mp.exp(-t))
        yield -w * delta**2 * mp.log(2)


def cauchy(parameters: Parameters, u: Exact) -> Iterator[Any]:
    """Sum of weight * scale**2 / 2 * log(1 + (r / scale)**2)."""
    scale = number(parameters.get("scale", 1.0))
    for x, d, w in pixels(parameters, u):
        yield w * scale**2 / 2 * mp.log(1 + ((x - d) / scale) ** 2)


def student_t(parameters: Parameters, u: Exact) -> Iterator[Any]:
    """Sum of weight * (nu + 1) / 2 * log(1 + r**2 / (nu * scale**2)), nu the degrees of freedom."""
    scale, nu = number(parameters.get("scale", 1.0)), number(parameters.get("degrees", 4.0))
    for x, d, w in pixels(parameters, u):
        yield w * (nu + 1) / 2 * mp.log(1 + (x - d) ** 2 / (nu * scale**2))


# ---- Counts and densities. ----


def entropy(parameters: Parameters, u: Exact) -> Iterator[Any]:
    """Sum of weight * (u * log(u / prior) - u + prior), where u = 0 the prior."""
    for x, _, w, p in pixels(parameters, u, ("prior", 1)):
        yield from (w * part for part in (x * mp.log(x / p) if x != 0 else mpf(0), -x, p))


def divergence(v: Any, d: Any) -> tuple[Any, Any, Any]:
    """The parts of v - d + d * log(d / v), where d = 0 of v."""
    return v, -d, d * mp.log(d / v) if d != 0 else mpf(0)


def poisson(parameters: Parameters, u: Exact) -> Iterator[Any]:
    """Sum of weight * (v - data + data * log(data / v)), v = u + background.

    Where v is below the threshold t, the Taylor polynomial of second order there.
    """
    threshold = parameters.get("threshold")
    t = None if threshold is None else number(threshold)
    for x, d, w, b in pixels(parameters, u, ("background", 0)):
        v = x + b
        if t is None or v >= t:
            yield from (w * part for part in divergence(v, d))
        else:
            yield from (w * part for part in divergence(t, d))
            yield w * (1 - d / t) * (v - t)
            yield w * d / t**2 * (v - t) ** 2 / 2


def poisson_gaussian(parameters: Parameters, u: Exact) -> Iterator[Any]:
    """Sum of weight * ((data - gain * v)**2 / s + log(s)) / 2, s = gain**2 * v + read_noise**2, v = u + background."""
    for x, d, w, g, sigma, b in pixels(parameters, u, ("gain", 1), ("read_noise", 1), ("background", 0)):
        mean, variance = g * (x + b), g**2 * (x + b) + sigma**2
        yield w * (d - mean) ** 2 / variance / 2
        yield w * mp.log(variance) / 2


def anscombe(parameters: Parameters, u: Exact) -> Iterator[Any]:
    """Sum of weight * (A(gain * v) - A(data))**2 / 2, A(x) = 2 / gain * sqrt(gain * x + 3/8 * gain**2 + read_noise**2).

    Where the root's argument is negative for the data, it is zero.
    """
    for x, d, w, g, sigma, b in pixels(parameters, u, ("gain", 1), ("read_noise", 0), ("background", 0)):
        model, data = (g * y + mpf(3) / 8 * g**2 + sigma**2 for y in (g * (x + b), d))
        yield w * (2 / g * (mp.sqrt(model) - mp.sqrt(max(data, mpf(0))))) ** 2 / 2


# ---- Groups and matrices. ----


def rounded_length(square: Any, epsilon: Any, weight: Any = 1) -> Iterator[Any]:
    """The parts of weight * (sqrt(square + epsilon**2) - epsilon)."""
    yield weight * mp.sqrt(square + epsilon**2)
    yield -weight * epsilon


def huber_length(r: Any, delta: Any, weight: Any = 1) -> Iterator[Any]:
    """The parts of weight * (r**2 / (2 delta) where r <= delta, r - delta / 2 beyond)."""
    if r <= delta:
        yield weight * r**2 / (2 * delta)
    else:
        yield weight * r
        yield -weight * delta / 2


def groups(parameters: Parameters, u: Exact) -> Iterator[tuple[Any, Any]]:
    """The sum of squares of each group of entries, and its weight: groups lie along the axes named."""
    named = parameters.get("axis", 0)
    axes = {axis % u.ndim for axis in ((named,) if isinstance(named, int) else named)}
    rest = [axis for axis in range(u.ndim) if axis not in axes]
    weights = parameter(parameters, "weight", 1, tuple(u.shape[axis] for axis in rest))
    squares: dict[Index, list[Any]] = {}
    for i in indices(u.shape):
        squares.setdefault(tuple(i[axis] for axis in rest), []).append(u[i] ** 2)
    for group, members in squares.items():
        if weights[group] != 0:
            yield mp.fsum(members), weights[group]


def smoothed_group_norm(parameters: Parameters, u: Exact) -> Iterator[Any]:
    """Sum of weight * (sqrt(r**2 + epsilon**2) - epsilon), r the length of a group."""
    epsilon = number(parameters.get("epsilon", 1e-3))
    for square, w in groups(parameters, u):
        yield from rounded_length(square, epsilon, w)


def group_huber(parameters: Parameters, u: Exact) -> Iterator[Any]:
    """Sum of weight * (r**2 / (2 delta) where r <= delta, r - delta / 2 beyond), r the length of a group."""
    delta = number(parameters["delta"])
    for square, w in groups(parameters, u):
        yield from huber_length(mp.sqrt(square), delta, w)


def eigenvalues(triangle: list[Any]) -> list[Any]:
    """Of the symmetric matrix of which this is the upper triangle, entries off the diagonal multiplied by sqrt(2)."""
    if len(triangle) == 1:
        return triangle
    if len(triangle) == 3:
        a, b, c = triangle[0], triangle[1] / mp.sqrt(2), triangle[2]
        middle, radius = (a + c) / 2, mp.sqrt(((a - c) / 2) ** 2 + b**2)
        return [middle - radius, middle + radius]
    a, ab, ac, b, bc, c = (x / (1 if i in (0, 3, 5) else mp.sqrt(2)) for i, x in enumerate(triangle))
    return list(mp.eigsy(matrix([[a, ab, ac], [ab, b, bc], [ac, bc, c]]), eigvals_only=True))


def nuclear(field: Exact, epsilon: Any, weights: Exact) -> Iterator[Any]:
    """Sum of weight * sum_i (sqrt(l_i**2 + epsilon**2) - epsilon), l_i the eigenvalues of the matrix at a pixel."""
    for i in indices(field.shape[1:]):
        if weights[i] != 0:
            for eigenvalue in eigenvalues([field[(entry, *i)] for entry in range(len(field))]):
                yield from rounded_length(eigenvalue**2, epsilon, weights[i])


def smoothed_nuclear_norm(parameters: Parameters, u: Exact) -> Iterator[Any]:
    """The smoothed nuclear norm of the matrices in u, summed over the pixels."""
    epsilon = number(parameters.get("epsilon", 1e-3))
    yield from nuclear(u, epsilon, parameter(parameters, "weight", 1, u.shape[1:]))


PARTS: dict[str, Parts] = {
    "Anscombe": anscombe,
    "Cauchy": cauchy,
    "Entropy": entropy,
    "GroupHuber": group_huber,
    "Huber": huber,
    "L2Norm": l2_norm,
    "LeastSquares": least_squares,
    "LogCosh": log_cosh,
    "Poisson": poisson,
    "PoissonGaussian": poisson_gaussian,
    "PseudoHuber": pseudo_huber,
    "SmoothedGroupNorm": smoothed_group_norm,
    "SmoothedL1": smoothed_l1,
    "SmoothedNuclearNorm": smoothed_nuclear_norm,
    "StudentT": student_t,
}

DEFINITIONS: dict[str, Definition] = {name: value_of(parts) for name, parts in PARTS.items()}
SIZES: dict[str, Definition] = {name: size_of(parts) for name, parts in PARTS.items()}
