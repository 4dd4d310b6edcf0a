"""Cases of the regularisers: images of one to three axes, spacings, edges and channels, and flat images."""

from __future__ import annotations

import numpy as np

from refdeconv.conformance.golden.case import Array, Case
from refdeconv.conformance.golden.cases.functionals import functional, zeros_at
from refdeconv.conformance.golden.cases.numbers import in_eighths, scattered, two_directions

V, M, C = (6,), (3, 4), (2, 3, 3)
TWO, THREE = np.array([0.75, 1.3]), np.array([1.5, 0.8, 1.1])  # spacings


def cases() -> list[Case]:
    """All of them."""
    return [*_norms(), *_total_variation(), *_second_order(), *_positive()]


def _norms() -> list[Case]:
    flat = np.full(M, 1.7)
    tikhonov, norm = "regularizers.tikhonov", "regularizers.gradient_norm"
    return [
        functional("tikhonov", tikhonov, scattered(V, 1), {"shape": V}),
        functional("tikhonov-gradient", tikhonov, scattered(M, 2), {"shape": M, "of": "gradient"}),
        functional(
            "tikhonov-gradient-wrap",
            tikhonov,
            scattered(M, 2),
            {"shape": M, "of": "gradient", "spacing": TWO, "boundary": "wrap"},
        ),
        functional(
            "tikhonov-laplacian-3d", tikhonov, scattered(C, 3), {"shape": C, "of": "laplacian", "spacing": THREE}
        ),
        functional(
            "tikhonov-laplacian-constant",
            tikhonov,
            scattered(M, 4),
            {"shape": M, "of": "laplacian", "boundary": "constant"},
        ),
        functional("gradient-norm", norm, scattered(M, 5), {"shape": M}),
        functional("gradient-norm-3d", norm, scattered(C, 6), {"shape": C, "spacing": THREE, "boundary": "constant"}),
        functional("gradient-norm-reflect", norm, scattered(V, 6), {"shape": V, "spacing": 0.6, "boundary": "reflect"}),
        functional(
            "gradient-norm-flat",
            norm,
            flat,
            {"shape": M},
            zeros_at(flat),
            "A flat image is the kink: the subgradient of least norm, and the zero operator.",
        ),
    ]


def _total_variation() -> list[Case]:
    tv, huber = "regularizers.total_variation", "regularizers.huber_total_variation"
    steps = np.array([[0.0, 0.0, 0.5, 0.5], [0.0, 0.0, 0.5, 0.5], [1.25, 1.25, 1.25, 1.25 + 1e-6]])
    ramp = np.array([0.5, 1.0, 1.25, 2.5, 2.5, 2.0])
    along, colours = in_eighths(two_directions(V)), (2, 3, 3)
    return [
        functional("total-variation", tv, scattered(M, 1), {"shape": M}, remark="Epsilon at its default."),
        functional("total-variation-1d", tv, scattered(V, 2), {"shape": V, "epsilon": 0.2, "spacing": 0.6}),
        functional(
            "total-variation-3d",
            tv,
            scattered(C, 3),
            {"shape": C, "epsilon": 0.2, "spacing": THREE, "boundary": "wrap"},
        ),
        functional(
            "total-variation-anisotropic",
            tv,
            scattered(M, 4),
            {"shape": M, "epsilon": 0.2, "isotropic": False, "spacing": TWO, "boundary": "constant"},
        ),
        functional(
            "total-variation-channels",
            tv,
            scattered(colours, 5),
            {"shape": colours, "epsilon": 0.2, "spacing": TWO, "channel_axis": -1},
        ),
        functional(
            "total-variation-channels-anisotropic",
            tv,
            scattered(colours, 6),
            {"shape": colours, "epsilon": 0.2, "isotropic": False, "channel_axis": 0},
        ),
        functional(
            "total-variation-flat",
            tv,
            np.full(M, 1.7),
            {"shape": M, "epsilon": 1e-6},
            remark="Smooth, also here: the gradient is zero, the Hessian that of half the squares over epsilon.",
        ),
        functional(
            "total-variation-black",
            tv,
            np.zeros(M),
            {"shape": M, "epsilon": 1e-12},
            remark="The same of an image of zeros, with next to no smoothing.",
        ),
        functional(
            "total-variation-steps",
            tv,
            steps,
            {"shape": M, "epsilon": 1e-9},
            remark="Flat regions between edges, with next to no smoothing.",
        ),
        functional("huber-total-variation", huber, scattered(M, 7), {"shape": M}, remark="Delta at its default."),
        functional(
            "huber-total-variation-3d",
            huber,
            scattered(C, 8),
            {"shape": C, "delta": 0.9, "spacing": THREE, "boundary": "constant"},
        ),
        functional(
            "huber-total-variation-channels",
            huber,
            scattered(colours, 9),
            {"shape": colours, "delta": 0.8, "isotropic": False, "channel_axis": 1, "boundary": "wrap"},
        ),
        functional(
            "huber-total-variation-at-delta",
            huber,
            ramp,
            {"shape": V, "delta": 0.5},
            {"hvp": np.stack([_inside(ramp, v) for v in along])},
            "Two differences are delta exactly: there the second derivative of the inner side is specified.",
            along,
        ),
    ]


def _inside(ramp: Array, v: Array) -> Array:
    """The transposed differences of those differences of v that count, over delta = 1/2."""
    flow = np.where(np.abs(np.diff(ramp)) <= 0.5, np.diff(v), 0) * 2
    return np.concatenate([[0.0], flow]) - np.concatenate([flow, [0.0]])


def _second_order() -> list[Case]:
    norm, schatten = "regularizers.hessian_norm", "regularizers.hessian_schatten"
    plane = 0.5 * np.arange(3)[:, np.newaxis] - 0.25 * np.arange(4) + 1.0
    return [
        functional("hessian-norm", norm, scattered(M, 1), {"shape": M}, remark="Epsilon at its default."),
        functional(
            "hessian-norm-3d", norm, scattered(C, 2), {"shape": C, "epsilon": 0.3, "spacing": THREE, "boundary": "wrap"}
        ),
        functional(
            "hessian-norm-plane",
            norm,
            plane,
            {"shape": M, "epsilon": 1e-9},
            remark="Second differences of zero, with next to no smoothing.",
        ),
        functional("hessian-schatten", schatten, scattered(M, 3), {"shape": M}, remark="Epsilon at its default."),
        functional(
            "hessian-schatten-1d", schatten, scattered(V, 4), {"shape": V, "epsilon": 0.3, "boundary": "constant"}
        ),
        functional(
            "hessian-schatten-2d-wrap",
            schatten,
            scattered((4, 3), 5),
            {"shape": (4, 3), "epsilon": 0.3, "spacing": TWO, "boundary": "wrap"},
        ),
        functional(
            "hessian-schatten-3d",
            schatten,
            scattered((2, 3, 2), 6),
            {"shape": (2, 3, 2), "epsilon": 0.3, "spacing": THREE, "boundary": "reflect"},
        ),
        functional(
            "hessian-schatten-plane",
            schatten,
            plane,
            {"shape": M, "epsilon": 1e-9},
            remark="Second differences of zero: all eigenvalues equal, with next to no smoothing.",
        ),
    ]


def _positive() -> list[Case]:
    good, entropy, l1 = "regularizers.good_roughness", "regularizers.entropy", "regularizers.smoothed_l1"
    dark = scattered(M, 3, 0.2, 2)
    dark[1, 1], dark[0, 3] = 1e-8, 1e-5
    stars = scattered(M, 6)
    stars[0, 1] = stars[2, 2] = 0
    return [
        functional("good-roughness", good, scattered(M, 1, 0.2, 2), {"shape": M}),
        functional(
            "good-roughness-3d",
            good,
            scattered(C, 2, 0.2, 2),
            {"shape": C, "spacing": THREE, "boundary": "constant"},
        ),
        functional(
            "good-roughness-dark", good, dark, {"shape": M}, remark="Near zero, where the slope is without bound."
        ),
        functional("entropy-flat-prior", entropy, scattered(M, 4, 0.2, 2), {"prior": 0.8, "shape": M}),
        functional("entropy-prior-image", entropy, scattered(C, 5, 0.2, 2), {"prior": scattered(C, 6, 0.5, 3)}),
        functional("smoothed-l1-stars", l1, stars, {"shape": M}, remark="Pixels of zero; epsilon at its default."),
        functional("smoothed-l1-3d", l1, scattered(C, 7), {"shape": C, "epsilon": 0.3}),
    ]
