"""Cases of the functionals: random points with parameters away from their defaults, and the singular places.

What is specified where there is no derivative stands on the derivation pages: L2N.2 and L2N.3 (zeros at the kink),
HUB.3 and GHU.2 (the inner second derivative at the joint). Numbers there are such that the products are exact.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from refdeconv.conformance.golden.case import Array, Case
from refdeconv.conformance.golden.cases.numbers import in_eighths, scattered, two_directions

V, M, C = (5,), (3, 4), (2, 3, 2)  # a vector, a matrix and a cube


def functional(
    name: str,
    model: str,
    point: Array,
    parameters: Mapping[str, Any] | None = None,
    specified: Mapping[str, Array] | None = None,
    remark: str = "",
    directions: Array | None = None,
) -> Case:
    """A case of a functional, by default with two directions of its own."""
    if directions is None:
        directions = two_directions(point.shape, len(name))
    return Case(
        name, "functional", model, parameters or {}, point, directions, specified=specified or {}, remark=remark
    )


def cases() -> list[Case]:
    """All of them."""
    return [*_norms(), *_robust(), *_joints(), *_counts(), *_detectors(), *_densities(), *_groups(), *_matrices()]


def _norms() -> list[Case]:
    mask = scattered(M, 3, 0.2, 2)
    mask[1, 2] = mask[2, 0] = 0
    variance = scattered(C, 4, 0.3, 3)
    data = scattered(M, 2)
    near = np.round(data, 2)
    near[1, 1] += 1e-9
    return [
        functional("least-squares", "LeastSquares", scattered(V, 1)),
        functional("least-squares-weight-2d", "LeastSquares", scattered(M, 1), {"data": data, "weight": mask}),
        functional("least-squares-one-weight", "LeastSquares", scattered(M, 7), {"data": data, "weight": 2.3}),
        functional(
            "least-squares-variance-3d",
            "LeastSquares",
            scattered(C, 1),
            {"data": scattered(C, 2), "variance": variance},
        ),
        functional("l2-norm", "L2Norm", scattered(C, 1)),
        functional("l2-norm-data-2d", "L2Norm", scattered(M, 1), {"data": data}),
        functional(
            "l2-norm-at-the-data",
            "L2Norm",
            data,
            {"data": data},
            zeros_at(data),
            "At the kink: the subgradient of least norm, and the zero operator.",
        ),
        functional(
            "l2-norm-beside-the-data",
            "L2Norm",
            near,
            {"data": np.round(data, 2)},
            remark="One pixel is off by 1e-9: along it the norm is an absolute value, across it bends by 1e9.",
        ),
        functional(
            "l2-norm-one-pixel", "L2Norm", np.array([0.7]), {"data": np.array([1.2])}, remark="An absolute value."
        ),
        functional(
            "l2-norm-huge",
            "L2Norm",
            1e200 * scattered(M, 8),
            remark="The squares overflow in double precision, the norm does not.",
        ),
    ]


def zeros_at(point: Array) -> dict[str, Array]:
    """Gradient and products of a kink where both are zero."""
    return {"gradient": np.zeros(point.shape), "hvp": np.zeros((2, *point.shape))}


def _robust() -> list[Case]:
    data, weight = scattered(M, 2), scattered(M, 3, 0.2, 2)
    weight[0, 1] = 0
    given = {"data": data, "weight": weight}
    wide = np.array([0.0, 3e-9, -0.02, 1.5, -4e8])
    sizes = {"PseudoHuber": "delta", "SmoothedL1": "epsilon", "Huber": "delta", "LogCosh": "delta", "Cauchy": "scale"}
    names = {
        "PseudoHuber": "pseudo-huber",
        "SmoothedL1": "smoothed-l1",
        "Huber": "huber",
        "LogCosh": "log-cosh",
        "Cauchy": "cauchy",
    }
    found = []
    for seed, (model, size) in enumerate(sizes.items()):
        point = scattered(V, 11 + seed, -3, 3)
        found.append(functional(names[model], model, point, remark="All parameters at their defaults."))
        found.append(functional(f"{names[model]}-weight-2d", model, scattered(M, 21 + seed), {**given, size: 0.35}))
    far = np.array([900.0, -1200.0, 0.4, -0.3])
    return [
        *found,
        functional("student-t", "StudentT", scattered(V, 17, -3, 3), remark="All parameters at their defaults."),
        functional("student-t-data-2d", "StudentT", scattered(M, 19), {**given, "scale": 0.35, "degrees": 2.5}),
        functional("student-t-weight-3d", "StudentT", scattered(C, 18), {"scale": 0.35, "degrees": 1.5, "weight": 0.7}),
        functional(
            "smoothed-l1-tiny-epsilon",
            "SmoothedL1",
            wide,
            {"epsilon": 1e-12},
            remark="At a residual of zero the second derivative is 1e12.",
        ),
        functional("pseudo-huber-far", "PseudoHuber", wide, {"delta": 0.5}, remark="Residuals from 0 to 1e9 delta."),
        functional("log-cosh-far", "LogCosh", far, {"delta": 0.5}, remark="cosh overflows, its logarithm does not."),
        functional("cauchy-far", "Cauchy", wide, {"scale": 0.5}, remark="Residuals from 0 to 1e9 scales."),
    ]


def _joints() -> list[Case]:
    point, data, weight = (
        np.array([0.75, -0.25, 1.0, -1.5, 0.25]),
        np.full(5, 0.25),
        np.array([1.5, 2.0, 1.0, 3.0, 0.5]),
    )
    along, field = in_eighths(two_directions(point.shape)), np.ones((4, 3))
    field[:, 1], field[:, 2] = 0.25, 2  # groups of length 2 (the joint), 1/2, and 4
    across = in_eighths(two_directions(field.shape))
    return [
        functional(
            "huber-at-delta",
            "Huber",
            point,
            {"data": data, "delta": 0.5, "weight": weight},
            {"hvp": weight * (np.abs(point - data) <= 0.5) * along},
            "Two residuals are delta exactly: there the second derivative of the inner side is specified.",
            along,
        ),
        functional(
            "group-huber-at-delta",
            "GroupHuber",
            field,
            {"delta": 2.0},
            {"hvp": np.stack([_at_joint(v) for v in across])},
            "One group is of length delta exactly: there the second derivative of the inner side is specified.",
            across,
        ),
    ]


def _at_joint(v: Array) -> Array:
    """The products: v / delta up to the joint, and beyond it what is across the group, over its length of 4."""
    product = v / 2
    product[:, 2] = (v[:, 2] - v[:, 2].mean()) / 4
    return product


def _counts() -> list[Case]:
    counts = np.round(scattered(M, 2, 0, 9), 0)
    counts[0, 2] = counts[2, 1] = 0
    weight = scattered(M, 3, 0.2, 2)
    weight[1, 0] = 0
    background, u = scattered(M, 4, 0.1, 1), scattered(M, 1, 0.3, 8)
    tiny = np.array([1e-12, 0.0, 3e-5, 2.0, 0.7])
    around = np.array([0.5, 0.499, 0.0, -1.3, 2.5, 0.2])
    beside = np.array([3.0, 7.0 * (1 + 1e-9), 2.0, 0.4])
    return [
        functional("poisson", "Poisson", scattered(V, 1, 0.3, 4), {"data": np.array([2.0, 0.0, 1.0, 4.5, 3.0])}),
        functional("poisson-background-2d", "Poisson", u, {"data": counts, "background": 0.7}),
        functional("poisson-weight-2d", "Poisson", u, {"data": counts, "background": background, "weight": weight}),
        functional(
            "poisson-3d",
            "Poisson",
            scattered(C, 6, 20, 400),
            {"data": np.round(scattered(C, 7, 0, 300)), "weight": 0.5},
        ),
        functional(
            "poisson-dark",
            "Poisson",
            tiny,
            {"data": np.array([1e-3, 0.0, 0.0, 1.0, 0.0])},
            remark="A model of 1e-12 where something was counted, and of 0 where nothing was: there the slope is one.",
        ),
        functional(
            "poisson-beside-the-data",
            "Poisson",
            beside,
            {"data": np.array([3.0, 7.0, 5.0, 0.0])},
            remark="At one count exactly, and 1e-9 beside another.",
        ),
        functional(
            "poisson-threshold",
            "Poisson",
            around,
            {"data": np.array([2.0, 3.0, 0.0, 1.0, 4.0, 6.0]), "threshold": 0.5},
            remark="At the threshold, just below it, at zero, below zero, and above.",
        ),
        functional(
            "poisson-threshold-above",
            "Poisson",
            np.array([0.3, 0.05, 1.2, 0.7]),
            {"data": np.array([2.0, 1.0, 3.0, 0.0]), "threshold": 0.9},
            remark="Below the threshold, but above zero, where the divergence itself is defined, too.",
        ),
        functional(
            "poisson-threshold-background",
            "Poisson",
            around - 0.25,
            {
                "data": np.array([2.0, 3.0, 0.0, 1.0, 4.0, 0.0]),
                "background": np.array([0.25, 0.1, 0.3, 0.2, 0.4, 0.1]),
                "threshold": 0.4,
                "weight": np.array([1.0, 0.5, 2.0, 0.3, 0.0, 1.2]),
            },
        ),
    ]


def _detectors() -> list[Case]:
    data = scattered(M, 2, -3, 20)
    whole = {
        "data": data,
        "gain": scattered(M, 3, 0.5, 2.5),
        "read_noise": scattered(M, 4, 0.8, 2),
        "background": scattered(M, 5, 0.1, 1),
        "weight": scattered(M, 6, 0.2, 2),
    }
    line = {"data": np.array([2.3, -0.4, 7.1, 0.0, 4.2])}
    u = scattered(V, 9, 0.2, 6)
    clipped = {"data": np.array([-2.5, -0.4, 7.1, 0.0, 4.2]), "gain": 1.6, "read_noise": 0.3}
    negative = np.array([-0.3, 0.2, 3.0, -0.05, 1.4])
    return [
        functional("poisson-gaussian", "PoissonGaussian", u, line, remark="All but the data at their defaults."),
        functional("poisson-gaussian-2d", "PoissonGaussian", scattered(M, 1, 0.2, 9), whole),
        functional(
            "poisson-gaussian-3d",
            "PoissonGaussian",
            scattered(C, 1, 0.2, 9),
            {"data": scattered(C, 2, -1, 9), "gain": 2.2, "read_noise": 1.7, "background": 0.4},
        ),
        functional("anscombe", "Anscombe", u, line, remark="All but the data at their defaults."),
        functional("anscombe-2d", "Anscombe", scattered(M, 1, 0.2, 9), whole),
        functional(
            "anscombe-clipped",
            "Anscombe",
            negative,
            clipped,
            remark="The root's argument is negative for one of the data, and counts as zero; models below zero.",
        ),
    ]


def _densities() -> list[Case]:
    weight = scattered(M, 3, 0.2, 2)
    weight[2, 3] = 0
    prior = scattered(M, 4, 0.5, 3)
    dark = np.array([1e-12, 3e-7, 0.02, 1.0, 40.0])
    return [
        functional("entropy", "Entropy", scattered(V, 1, 0.1, 4), {"prior": 1.3}),
        functional("entropy-prior-2d", "Entropy", scattered(M, 1, 0.1, 4), {"prior": prior, "weight": weight}),
        functional(
            "entropy-dark", "Entropy", dark, {"prior": 0.6}, remark="Near zero, where the slope is without bound."
        ),
        functional(
            "entropy-beside-the-prior",
            "Entropy",
            np.array([0.6, 0.6 + 1e-9, 2.0, 0.1]),
            {"prior": 0.6},
            remark="At the minimum, and 1e-9 beside it.",
        ),
    ]


def _groups() -> list[Case]:
    field = scattered((2, 3, 4), 1)
    field[:, 1, 2] = 0
    weight = scattered((3, 4), 2, 0.2, 2)
    weight[0, 3] = 0
    flat = np.zeros((2, 5))
    flat[:, 1], flat[:, 3] = (0.3, -0.8), (1e-7, 2e-7)
    return [
        functional("smoothed-group-norm", "SmoothedGroupNorm", field, {"epsilon": 1e-3}, remark="One group is zero."),
        functional(
            "smoothed-group-norm-weight",
            "SmoothedGroupNorm",
            scattered((2, 3, 4), 3),
            {"epsilon": 0.3, "weight": weight},
        ),
        functional(
            "smoothed-group-norm-two-axes",
            "SmoothedGroupNorm",
            scattered((2, 4, 3), 4),
            {"epsilon": 0.3, "axis": (0, 2), "weight": np.array([0.5, 1.2, 2.0, 0.9])},
        ),
        functional("smoothed-group-norm-each", "SmoothedGroupNorm", scattered(M, 5), {"epsilon": 0.2, "axis": ()}),
        functional(
            "smoothed-group-norm-tiny-epsilon",
            "SmoothedGroupNorm",
            flat,
            {"epsilon": 1e-12},
            remark="Groups of zeros, with a second derivative of 1e12, among others.",
        ),
        functional("group-huber", "GroupHuber", scattered((2, 3, 4), 6), {"delta": 0.9}),
        functional("group-huber-square", "GroupHuber", scattered((3, 3), 8), {"delta": 0.8, "axis": 1}),
        functional(
            "group-huber-last-axis",
            "GroupHuber",
            scattered((4, 3), 7),
            {"delta": 0.8, "axis": -1, "weight": np.array([0.5, 1.2, 2.0, 0.0])},
        ),
    ]


def _matrices() -> list[Case]:
    plane = scattered((3, 2, 2), 1)
    plane[:, 0, 1] = (0.7, 0.0, 0.7)  # equal eigenvalues
    plane[:, 1, 0] = 0
    space = scattered((6, 3), 2)
    space[:, 1] = (0.4, 0.0, 0.0, 0.4, 0.0, 0.4)
    return [
        functional("smoothed-nuclear-norm-1d", "SmoothedNuclearNorm", scattered((1, 4), 3), {"epsilon": 0.2}),
        functional("smoothed-nuclear-norm-one-matrix", "SmoothedNuclearNorm", scattered(3, 6), {"epsilon": 0.2}),
        functional(
            "smoothed-nuclear-norm-2d",
            "SmoothedNuclearNorm",
            plane,
            {"weight": np.array([[0.5, 1.2], [2.0, 0.9]])},
            remark="One matrix is zero, another a multiple of the identity; epsilon at its default.",
        ),
        functional(
            "smoothed-nuclear-norm-3d",
            "SmoothedNuclearNorm",
            space,
            {"epsilon": 0.3, "weight": np.array([0.5, 1.2, 0.8])},
            remark="One matrix is a multiple of the identity.",
        ),
        functional(
            "smoothed-nuclear-norm-masked",
            "SmoothedNuclearNorm",
            scattered((3, 5), 4),
            {"epsilon": 1e-9, "weight": np.array([0.5, 0.0, 0.8, 1.0, 2.0])},
        ),
    ]
