"""The convex problems as sums over groups of linear functions of the pixels, by their definitions, in exact fractions.

Imports nothing of the package but what lies beyond the edges. An image is the sequence of its pixels in C order, a
linear function of it a `Row`: the coefficient of each pixel that it needs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from math import prod
from typing import Any

import numpy as np

from refdeconv.conformance.golden.edges import inside

Shape = tuple[int, ...]
Row = dict[int, Fraction]


@dataclass(frozen=True)
class Group:
    """``weight * phi(u)`` with ``u = rows(x) - data``; what phi is, and its parameter, stands in the term."""

    rows: Sequence[Row]
    data: Sequence[Fraction]
    weight: Fraction = Fraction(1)
    parameter: Fraction = Fraction(0)


@dataclass(frozen=True)
class Term:
    """``factor * sum(weight * phi(u))`` over groups, divided by the root of two where `over_root_two`."""

    phi: str
    groups: Sequence[Group]
    factor: Fraction = Fraction(1)
    over_root_two: bool = False


@dataclass(frozen=True)
class Definition:
    """A problem: the shape of the unknown image, its terms, and a constant of strong convexity, if one is obvious."""

    shape: Shape
    terms: Sequence[Term]
    strong_convexity: Fraction = Fraction(0)


def definition(model: str, parameters: Mapping[str, Any]) -> Definition:
    """The definition of a problem by the public name of its model below `refdeconv`.

    Parameters
    ----------
    model : str
        One of `MODELS`, as "problems.inpainting".
    parameters : mapping
        Its arguments; float64 arrays and numbers are taken as they are, exactly.

    Raises
    ------
    ValueError
        If the model is not one of those.
    """
    if model not in MODELS:
        raise ValueError(f"no definition of {model!r}, there are: {', '.join(sorted(MODELS))}")
    return MODELS[model](**parameters)


def fractions(array: Any) -> list[Fraction]:
    """The numbers of an array, exactly, in C order."""
    return [Fraction(float(number)) for number in np.asarray(array).ravel()]


def blur(
    psf: Any, data_shape: Shape, boundary: str = "constant", origin: Sequence[int] | None = None
) -> tuple[Shape, list[Row]]:
    """The shape of the unknown image, and a row for each blurred pixel (CNV.1)."""
    psf = np.asarray(psf)
    origin = tuple((s - 1) // 2 for s in psf.shape) if origin is None else tuple(origin)
    shape = data_shape
    if boundary == "valid":
        shape = tuple(m + s - 1 for m, s in zip(data_shape, psf.shape, strict=True))
        origin = tuple(s - 1 for s in psf.shape)
    rows = []
    for pixel in product(*map(range, data_shape)):
        row: Row = {}
        for sample in product(*map(range, psf.shape)):
            wanted = [i + o - j for i, o, j in zip(pixel, origin, sample, strict=True)]
            found = [inside(p, n, boundary) for p, n in zip(wanted, shape, strict=True)]
            known = [p for p in found if p is not None]
            if len(known) == len(found):
                at = _number(known, shape)
                row[at] = row.get(at, Fraction(0)) + Fraction(float(psf[sample]))
        rows.append(row)
    return shape, rows


def _number(index: Iterable[int], shape: Shape) -> int:
    number = 0
    for i, n in zip(index, shape, strict=True):
        number = number * n + i
    return number


def differences(shape: Shape) -> list[list[Row]]:
    """For each pixel the rows of its forward differences, along the axes on which it has a next neighbour (GRD.1)."""
    groups = []
    for pixel in product(*map(range, shape)):
        here, rows = _number(pixel, shape), []
        for axis, n in enumerate(shape):
            if pixel[axis] + 1 < n:
                there = here + prod(shape[axis + 1 :])
                rows.append({there: Fraction(1), here: Fraction(-1)})
        groups.append(rows)
    return groups


def identity(shape: Shape) -> list[Row]:
    """A row for each pixel."""
    return [{i: Fraction(1)} for i in range(prod(shape))]


def binned(rows: Sequence[Row], shape: Shape, factor: int) -> list[Row]:
    """The means of blocks of pixels, each of which is a row (SUB.3)."""
    means = []
    for block in product(*(range(n // factor) for n in shape)):
        mean: Row = {}
        for within in product(range(factor), repeat=len(shape)):
            pixel = [factor * b + w for b, w in zip(block, within, strict=True)]
            for at, coefficient in rows[_number(pixel, shape)].items():
                mean[at] = mean.get(at, Fraction(0)) + coefficient / factor ** len(shape)
        means.append(mean)
    return means


def each(phi: str, rows: Sequence[Row], data: Any, weight: Any = None, parameter: Any = 0.0, factor: Any = 1.0) -> Term:
    """A term of groups of one row."""
    n = len(rows)
    parameters = fractions(np.broadcast_to(np.asarray(parameter, dtype=np.float64).ravel(), n))
    weights = fractions(np.broadcast_to(np.asarray(1.0 if weight is None else weight, dtype=np.float64).ravel(), n))
    groups = [Group([row], [d], w, p) for row, d, w, p in zip(rows, fractions(data), weights, parameters, strict=True)]
    return Term(phi, groups, Fraction(factor))


def total_variation(shape: Shape, mu: float, epsilon: float) -> Term:
    """Smoothed, isotropic total variation (REG.3)."""
    groups = [
        Group(rows, [Fraction(0)] * len(rows), Fraction(1), Fraction(epsilon)) for rows in differences(shape) if rows
    ]
    return Term("length", groups, Fraction(mu))


def norm_and_gradient_norm(data: Any, psf: Any, mu: float, boundary: str = "constant") -> Definition:
    """The article's (ART.2)."""
    shape, rows = blur(psf, data.shape, boundary)
    slopes = [row for group in differences(shape) for row in group]
    misfit = Group(rows, fractions(data))
    gradient = Group(slopes, [Fraction(0)] * len(slopes))
    return Definition(
        shape, [Term("length", [misfit], Fraction(1), True), Term("length", [gradient], Fraction(mu), True)]
    )


def least_squares_tikhonov(
    data: Any, psf: Any, mu: float, of: str = "gradient", weight: Any = None, boundary: str = "constant"
) -> Definition:
    """Least squares with the squares of the pixels, or of their differences (RDY.1)."""
    shape, rows = blur(psf, data.shape, boundary)
    if of not in ("identity", "gradient"):
        raise ValueError(f"no definition of Tikhonov's functional of {of!r}")
    penalised = identity(shape) if of == "identity" else [row for group in differences(shape) for row in group]
    penalty = each("square", penalised, np.zeros(len(penalised)), factor=mu)
    strong = Fraction(mu) if of == "identity" else Fraction(0)
    return Definition(shape, [each("square", rows, data, weight), penalty], strong)


def least_squares_total_variation(
    data: Any, psf: Any, mu: float, epsilon: float, weight: Any = None, boundary: str = "constant"
) -> Definition:
    """Least squares with smoothed total variation (RDY.1)."""
    shape, rows = blur(psf, data.shape, boundary)
    return Definition(shape, [each("square", rows, data, weight), total_variation(shape, mu, epsilon)])


def robust_total_variation(
    data: Any, psf: Any, mu: float, delta: float, epsilon: float, weight: Any = None, boundary: str = "constant"
) -> Definition:
    """Pseudo-Huber, which is delta times a smoothed length, with smoothed total variation (RDY.1)."""
    shape, rows = blur(psf, data.shape, boundary)
    misfit = each("length", rows, data, weight, delta, factor=delta)
    return Definition(shape, [misfit, total_variation(shape, mu, epsilon)])


def least_squares_hessian_schatten(
    data: Any, psf: Any, mu: float, epsilon: float, boundary: str = "constant"
) -> Definition:
    """Least squares with the smoothed sizes of second differences (RDY.1, REG.4); along one axis alone."""
    shape, rows = blur(psf, data.shape, boundary)
    if len(shape) != 1:
        raise ValueError("the definition of Hessian-Schatten is for signals, of one axis")
    bends = [{i - 1: Fraction(1), i: Fraction(-2), i + 1: Fraction(1)} for i in range(1, shape[0] - 1)]
    penalty = each("length", bends, np.zeros(len(bends)), parameter=epsilon, factor=mu)
    return Definition(shape, [each("square", rows, data), penalty])


def poisson_total_variation(
    data: Any,
    psf: Any,
    mu: float,
    epsilon: float,
    background: Any = 0.0,
    weight: Any = None,
    boundary: str = "constant",
) -> Definition:
    """Photon counts with smoothed total variation (RDY.2)."""
    shape, rows = blur(psf, data.shape, boundary)
    return Definition(shape, [counts(rows, data, background, weight), total_variation(shape, mu, epsilon)])


def counts(rows: Sequence[Row], data: Any, background: Any, weight: Any = None) -> Term:
    """Kullback-Leibler divergence (POI.1): the groups' data is minus the background, their parameter the counts."""
    return each("count", rows, -np.broadcast_to(background, np.shape(data)), weight, data)


def poisson_entropy(
    data: Any, psf: Any, mu: float, prior: Any, background: Any = 0.0, boundary: str = "constant"
) -> Definition:
    """Photon counts with entropy relative to a prior (RDY.2)."""
    shape, rows = blur(psf, data.shape, boundary)
    entropy = each("entropy", identity(shape), np.zeros(prod(shape)), parameter=prior, factor=mu)
    return Definition(shape, [counts(rows, data, background), entropy])


def poisson_good_roughness(
    data: Any, psf: Any, mu: float, background: Any = 0.0, boundary: str = "constant"
) -> Definition:
    """Photon counts with Good's roughness, a sum over pairs of neighbours (RDY.2, REG.5)."""
    shape, rows = blur(psf, data.shape, boundary)
    pairs = [
        Group([{i: Fraction(1)} for i in sorted(row)], [Fraction(0)] * 2)
        for group in differences(shape)
        for row in group
    ]
    return Definition(shape, [counts(rows, data, background), Term("pair", pairs, Fraction(mu))])


def super_resolution(
    data: Any, psf: Any, mu: float, factor: int, epsilon: float, boundary: str = "reflect"
) -> Definition:
    """Least squares after blur and binning, with smoothed total variation (RDY.3)."""
    shape = tuple(factor * n for n in data.shape)
    rows = binned(blur(psf, shape, boundary)[1], shape, factor)
    return Definition(shape, [each("square", rows, data), total_variation(shape, mu, epsilon)])


def inpainting(data: Any, psf: Any, mu: float, mask: Any, epsilon: float, boundary: str = "reflect") -> Definition:
    """Least squares over the pixels that were measured, with smoothed total variation (RDY.3)."""
    shape, rows = blur(psf, data.shape, boundary)
    seen = np.asarray(mask, dtype=bool).ravel()
    kept = [row for row, is_seen in zip(rows, seen, strict=True) if is_seen]
    return Definition(shape, [each("square", kept, data.ravel()[seen]), total_variation(shape, mu, epsilon)])


MODELS: Mapping[str, Callable[..., Definition]] = {
    f"problems.{function.__name__}": function
    for function in (
        inpainting,
        least_squares_hessian_schatten,
        least_squares_tikhonov,
        least_squares_total_variation,
        norm_and_gradient_norm,
        poisson_entropy,
        poisson_good_roughness,
        poisson_total_variation,
        robust_total_variation,
        super_resolution,
    )
}
