"""Cases where there is no derivative, at the edge of a domain, and outside of it, where a value is infinite.

What is specified stands on the derivation pages: ENT.1 and ENT.2 (at zero the value is the prior, and the slope minus
infinity) and PWM.7 (of a root, zero and an infinite slope; outside, an error); the domains of counts in the statements
of POI.1, PGN.1 and ANS.1: outside of a domain a value is infinite, and there is no gradient (PTW.1).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from refdeconv.conformance.golden.case import Answer, Array, Case
from refdeconv.conformance.golden.cases.numbers import two_directions

EDGE: Mapping[str, Answer] = {"gradient": "raises", "hvp": "raises"}
OUTSIDE: Mapping[str, Answer] = {"value": "infinite", **EDGE}
NO_SLOPE: Mapping[str, Answer] = {"jvp": "raises", "vjp": "raises", "curvature": "raises"}


def cases() -> list[Case]:
    """All of them."""
    return [*_edges(), *_outside(), *_roots()]


def _functional(
    name: str, model: str, point: Array, parameters: Mapping[str, Any], specified: Mapping[str, Answer], remark: str
) -> Case:
    directions = two_directions(point.shape)
    return Case(name, "functional", model, parameters, point, directions, specified=specified, remark=remark)


def _edges() -> list[Case]:
    zero = "A pixel of zero: the slope is infinite there, so that there is no gradient; the value is finite."
    dark = np.array([[2.0, 0.0, 0.3], [1.5, 4.0, 0.7]])
    return [
        _functional("entropy-at-zero", "Entropy", dark, {"prior": 0.6}, EDGE, zero),
        _functional("entropy-all-zero", "Entropy", np.zeros(3), {"prior": np.array([0.5, 2.0, 1.25])}, EDGE, zero),
        _functional("good-roughness-at-zero", "regularizers.good_roughness", dark, {"shape": (2, 3)}, EDGE, zero),
        _functional("good-roughness-all-zero", "regularizers.good_roughness", np.zeros(4), {"shape": (4,)}, EDGE, zero),
    ]


def _outside() -> list[Case]:
    def outside(name: str, model: str, point: Array, remark: str, **parameters: Any) -> Case:
        return _functional(name, model, point, parameters, OUTSIDE, remark)

    counts = np.array([3.0, 0.0, 1.0])
    below = np.array([2.0, 1.0, -0.5])
    negative = "A pixel below zero, outside of the domain."
    return [
        outside("poisson-outside", "Poisson", below, negative, data=counts),
        outside(
            "poisson-nothing-expected",
            "Poisson",
            np.array([0.0, 1.0, 2.0]),
            "Nothing is expected where three were counted.",
            data=counts,
        ),
        outside(
            "poisson-outside-background",
            "Poisson",
            below,
            "The pixel is below minus its background.",
            data=counts,
            background=np.array([0.5, 0.5, 0.25]),
        ),
        outside(
            "poisson-gaussian-outside",
            "PoissonGaussian",
            below,
            "The variance gain**2 u + read_noise**2 is negative.",
            data=counts,
            gain=2.0,
            read_noise=1.25,
        ),
        outside("anscombe-outside", "Anscombe", below, "The root's argument is negative.", data=counts),
        outside("entropy-outside", "Entropy", below, negative, prior=0.6),
        outside("good-roughness-outside", "regularizers.good_roughness", below, negative, shape=(3,)),
    ]


def _roots() -> list[Case]:
    def root(name: str, point: list[float], remark: str, specified: Mapping[str, Any], **parameters: float) -> Case:
        z, weights = np.array(point), np.array([0.5, -1.25, 2.0])
        given = {"shape": (3,), **parameters}
        return Case(name, "map", "SquareRoot", given, z, two_directions(z.shape), weights, specified, remark)

    edge = "The root of zero is zero, and its slope infinite: there is no Jacobian."
    roots = np.array([0.0, 1.5, 1.0])
    return [
        root("square-root-at-zero", [2.0, 0.0, 0.3], edge, NO_SLOPE),
        root("square-root-at-minus-epsilon", [-0.25, 2.0, 0.75], edge, {"forward": roots, **NO_SLOPE}, epsilon=0.25),
        root(
            "square-root-outside",
            [-0.5, 2.0, 0.75],
            "Below minus epsilon there is no root.",
            {"forward": "raises", **NO_SLOPE},
            epsilon=0.25,
        ),
    ]
