"""Cases of the ready-made problems: every boundary, PSFs without symmetry of odd and even sizes, some beyond the image.

What is specified at the kinks of the article's objective is the sum of the subgradients of least norm of its two terms
(ART.5): the derivatives of the term that has some.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from refdeconv.conformance.golden.case import Array, Case
from refdeconv.conformance.golden.cases.functionals import functional, zeros_at
from refdeconv.conformance.golden.cases.numbers import in_eighths, psf_of, scattered, two_directions
from refdeconv.conformance.golden.cases.operators import BOUNDARIES

M = (4, 3)
ARTICLE = "problems.norm_and_gradient_norm"


def problem(
    name: str,
    model: str,
    shape: tuple[int, ...],
    psf_shape: tuple[int, ...],
    options: Mapping[str, Any],
    remark: str = "",
) -> Case:
    """A case of a problem with data of the shape, all positive, at an image of numbers between 0.3 and 3."""
    seed = len(name)
    parameters = {"data": scattered(shape, seed, 0.5, 4), "psf": psf_of(psf_shape, seed + 1), **options}
    unknown = shape
    if options.get("boundary") == "valid":
        unknown = tuple(n + k - 1 for n, k in zip(shape, psf_shape, strict=True))
    if "factor" in options:
        unknown = tuple(options["factor"] * n for n in shape)
    point = scattered(unknown, seed + 2, 0.3, 3)
    return functional(name, f"problems.{model}", point, parameters, remark=remark)


def cases() -> list[Case]:
    """All of them."""
    return [*_norms(), *_kinks(), *_gaussian(), *_counts(), *_sampled(), *_blind(), *_named(), *_edges()]


def _norms() -> list[Case]:
    model = "norm_and_gradient_norm"
    image = scattered((5, 4), 3, 0, 1)
    return [
        problem("norms-psf-beyond-the-image", model, M, (2, 5), {}, "The PSF is larger than the image along an axis."),
        problem("norms-wrap-1d", model, (7,), (4,), {"mu": 0.7, "boundary": "wrap"}),
        problem("norms-reflect-3d", model, (2, 3, 3), (3, 2, 2), {"mu": 0.3, "boundary": "reflect"}),
        problem("norms-mirror-origin", model, M, (3, 4), {"boundary": "mirror", "origin": (2, 0)}),
        problem("norms-nearest", model, (3, 5), (5, 2), {"boundary": "nearest"}, "The PSF is larger than the image."),
        problem("norms-valid", model, (3, 4), (2, 3), {"mu": 1.1, "boundary": "valid"}),
        functional(
            "article",
            "problems.article",
            scattered((5, 4), 5, -0.2, 0.2),
            {"image": image, "psf": psf_of((3, 4), 4)},
            remark="Small; mu at its default. The data are the image after the blur.",
        ),
        functional(
            "article-1d",
            "problems.article",
            scattered(6, 6),
            {"image": scattered(6, 7, 0, 1), "psf": psf_of(3, 8), "mu": 0.05},
        ),
    ]


def _kinks() -> list[Case]:
    """Where one term of the article's objective, or both, have no derivative.

    Sizes and numbers are such that the blurs and all that is specified are exact in float64: the image that fits has
    axes of 2 and 4 pixels, for FFTs without rounding.
    """
    flat, fitting, zero = np.full(M, 1.25), np.array([[3.0, 2.0, 5.0, 5.0], [0.0, 3.0, 4.0, 4.0]]), np.zeros(M)
    residual = np.array([[1.0, -1.0, 0.0], [0.0, 1.0, 1.0], [-1.0, 0.0, 1.0], [1.0, 0.0, -1.0]])  # of norm sqrt(8)
    wide, square = np.array([[2.0, 1.0, 1.0], [1.0, 2.0, 1.0]]) / 8, np.array([[2.0, 1.0], [1.0, 0.0]]) / 4
    some, others = in_eighths(two_directions(M)), in_eighths(two_directions(fitting.shape))
    return [
        functional(
            "norms-flat-image",
            ARTICLE,
            flat,
            {"data": flat - residual, "psf": wide, "boundary": "wrap"},
            {
                "gradient": _periodic(residual, wide, -1) / 4,
                "hvp": np.stack([_bent(v, residual, wide) for v in some]),
            },
            "All differences are zero: of the regulariser the subgradient of least norm, and no Hessian.",
            some,
        ),
        functional(
            "norms-zero-residual",
            ARTICLE,
            fitting,
            {"data": _periodic(fitting, square), "psf": square, "mu": 0.25, "boundary": "wrap"},
            {
                "gradient": 0.25 * _gathered(_differences(fitting)) / 8,
                "hvp": np.stack([0.25 * _turned(v, fitting) for v in others]),
            },
            "The residual is zero: of the data term the subgradient of least norm, and no Hessian.",
            others,
        ),
        functional(
            "norms-zero",
            ARTICLE,
            zero,
            {"data": zero, "psf": psf_of((3, 2), 5)},
            zeros_at(zero),
            "Residual and differences are zero.",
        ),
    ]


def _periodic(x: Array, psf: Array, sign: int = 1) -> Array:
    """The periodic blur, sum_j psf[j] x[i + origin - j], or for the sign -1 its adjoint."""
    origin = [(k - 1) // 2 for k in psf.shape]
    shifts = ((j, [sign * (a - o) for a, o in zip(j, origin, strict=True)]) for j in np.ndindex(*psf.shape))
    return np.sum([psf[j] * np.roll(x, shift, (0, 1)) for j, shift in shifts], axis=0)


def _bent(v: Array, r: Array, psf: Array) -> Array:
    """K^T (K v - r <r, K v> / |r|^2) / (sqrt(2) |r|) for |r|^2 = 8."""
    seen = _periodic(v, psf)
    return _periodic(seen - r * (np.sum(r * seen) / 8), psf, -1) / 4


def _differences(x: Array) -> list[Array]:
    return [np.diff(x, axis=0), np.diff(x, axis=1)]


def _gathered(y: list[Array]) -> Array:
    """The transposed differences."""
    rows, columns = (np.pad(flow, [(1, 1) if axis == a else (0, 0) for axis in (0, 1)]) for a, flow in enumerate(y))
    return -np.diff(rows, axis=0) - np.diff(columns, axis=1)


def _turned(v: Array, x: Array) -> Array:
    """D^T (D v - D x <D x, D v> / |D x|^2) / (sqrt(2) |D x|) for |D x|^2 = 32."""
    slopes, changes = _differences(x), _differences(v)
    share = sum(float(np.sum(a * b)) for a, b in zip(slopes, changes, strict=True)) / 32
    return _gathered([b - a * share for a, b in zip(slopes, changes, strict=True)]) / 8


def _gaussian() -> list[Case]:
    weight = scattered(M, 3, 0.2, 2)
    weight[1, 2] = weight[3, 0] = 0
    tikhonov, tv = "least_squares_tikhonov", "least_squares_total_variation"
    robust, schatten = "robust_total_variation", "least_squares_hessian_schatten"
    return [
        problem("least-squares-tikhonov", tikhonov, M, (3, 2), {"mu": 0.4}, "Differences, as by default."),
        problem(
            "least-squares-tikhonov-laplacian",
            tikhonov,
            M,
            (2, 4),
            {"mu": 0.4, "of": "laplacian", "weight": weight, "boundary": "reflect"},
        ),
        problem(
            "least-squares-tikhonov-valid", tikhonov, (3, 2), (2, 4), {"mu": 0.4, "of": "identity", "boundary": "valid"}
        ),
        problem("least-squares-tv", tv, M, (5, 2), {"mu": 0.4}, "Epsilon is a hundredth of the data's range."),
        problem(
            "least-squares-tv-weight", tv, M, (3, 2), {"mu": 0.4, "epsilon": 0.15, "weight": weight, "origin": (0, 1)}
        ),
        problem("least-squares-tv-valid-1d", tv, (6,), (4,), {"mu": 0.4, "epsilon": 0.15, "boundary": "valid"}),
        problem("least-squares-tv-wrap-3d", tv, (2, 3, 3), (3, 2, 2), {"mu": 0.4, "epsilon": 0.2, "boundary": "wrap"}),
        problem("robust-tv", robust, M, (2, 3), {"mu": 0.4}, "Delta and epsilon are a hundredth of the data's range."),
        problem(
            "robust-tv-weight",
            robust,
            M,
            (3, 4),
            {"mu": 0.4, "delta": 0.6, "epsilon": 0.2, "weight": weight, "boundary": "nearest"},
        ),
        problem(
            "least-squares-schatten", schatten, M, (2, 3), {"mu": 0.4}, "Epsilon is a hundredth of the data's range."
        ),
        problem(
            "least-squares-schatten-3d",
            schatten,
            (2, 3, 2),
            (2, 1, 3),
            {"mu": 0.4, "epsilon": 0.3, "weight": 0.6, "boundary": "mirror"},
        ),
    ]


def _counts() -> list[Case]:
    tv, good, entropy = "poisson_total_variation", "poisson_good_roughness", "poisson_entropy"
    weight = scattered(M, 3, 0.2, 2)
    weight[0, 1] = 0
    counts = np.round(scattered(M, 5, 0, 6))
    counts[0, 0] = counts[2, 1] = 0
    background = scattered(M, 6, 0.1, 0.5)
    return [
        problem("poisson-tv", tv, M, (3, 2), {"mu": 0.4}, "Epsilon is a hundredth of the data's range."),
        problem(
            "poisson-tv-counts",
            tv,
            M,
            (2, 4),
            {
                "mu": 0.4,
                "data": counts,
                "background": background,
                "weight": weight,
                "epsilon": 0.2,
                "boundary": "reflect",
            },
            "Counts of zero among the data.",
        ),
        problem(
            "poisson-tv-valid", tv, (3, 2), (3, 2), {"mu": 0.4, "background": 0.2, "epsilon": 0.2, "boundary": "valid"}
        ),
        problem("poisson-good", good, M, (2, 3), {"mu": 0.4}),
        problem("poisson-good-3d", good, (2, 3, 2), (3, 2, 1), {"mu": 0.4, "background": 0.2, "boundary": "mirror"}),
        problem("poisson-entropy", entropy, M, (3, 4), {"mu": 0.4}, "The prior is the data's mean."),
        problem(
            "poisson-entropy-prior",
            entropy,
            M,
            (3, 2),
            {"mu": 0.4, "prior": scattered(M, 8, 0.5, 3), "background": 0.3, "weight": 1.7, "boundary": "nearest"},
        ),
    ]


def _sampled() -> list[Case]:
    mask = scattered(M, 4) > -0.3
    damaged = scattered(M, 5, 0.5, 4)
    damaged[~mask] = 99.0
    return [
        problem("super-resolution", "super_resolution", (2, 3), (3, 2), {"mu": 0.3, "factor": 2}, "Reflected edges."),
        problem(
            "super-resolution-1d",
            "super_resolution",
            (3,),
            (4,),
            {"mu": 0.3, "factor": 3, "epsilon": 0.2, "boundary": "constant"},
        ),
        problem(
            "inpainting",
            "inpainting",
            M,
            (2, 3),
            {"mu": 0.3, "data": damaged, "mask": mask},
            "Epsilon is a hundredth of the range of the data that were measured.",
        ),
        problem(
            "inpainting-valid",
            "inpainting",
            M,
            (2, 2),
            {"mu": 0.3, "data": damaged, "mask": mask, "epsilon": 0.2, "boundary": "valid"},
        ),
    ]


def blind(name: str, shape: tuple[int, ...], psf_shape: tuple[int, ...], options: Mapping[str, Any]) -> Case:
    """A case of the problem in which the PSF is unknown, too."""
    image, psf = scattered(shape, 3, 0.4, 1.6), scattered(psf_shape, 4)
    parameters = {"data": scattered(shape, 2, 0.5, 4), "psf_shape": psf_shape, **options}
    point = np.concatenate([image.ravel(), psf.ravel()])
    return functional(name, "problems.blind", point, parameters, remark="Packed: the image's variables, the PSF's.")


def _blind() -> list[Case]:
    return [
        blind("blind", M, (2, 3), {"mu": 0.3}),
        blind(
            "blind-reflect-origin", (3, 4), (4, 2), {"mu": 0.3, "epsilon": 0.2, "boundary": "reflect", "origin": (0, 1)}
        ),
        blind("blind-wrap-1d", (6,), (3,), {"mu": 0.3, "epsilon": 0.2, "boundary": "wrap"}),
    ]


# Each name once: data term, regulariser, boundary, constraint.
NAMED: list[tuple[str, str, str, dict[str, Any]]] = [
    ("l2-norm", "gradient-norm", "constant", {}),
    ("least-squares", "tikhonov", "wrap", {"bounds": np.array([0.0, 5.0])}),
    ("poisson", "total-variation", "reflect", {"positivity": "square"}),
    ("poisson-gaussian", "tikhonov-laplacian", "mirror", {"positivity": "exponential"}),
    ("anscombe", "anisotropic-total-variation", "nearest", {"positivity": "softplus"}),
    ("pseudo-huber", "huber-total-variation", "valid", {}),
    ("huber", "hessian-norm", "constant", {}),
    ("log-cosh", "hessian-schatten", "wrap", {}),
    ("smoothed-l1", "good-roughness", "reflect", {}),
    ("cauchy", "entropy", "mirror", {"positivity": "exponential"}),
    ("student-t", "smoothed-l1", "nearest", {}),
    ("least-squares", "tikhonov-gradient", "valid", {"positivity": "softplus"}),
]


def _named() -> list[Case]:
    named = [
        problem(
            f"by-name-{fidelity}-{regularizer}",
            "by_name",
            (3, 3) if boundary == "valid" else M,
            (3, 2),
            {"mu": 0.3, "fidelity": fidelity, "regularizer": regularizer, "boundary": boundary, **constraint},
        )
        for fidelity, regularizer, boundary, constraint in NAMED
    ]
    data, weight = scattered(M, 41, 0.5, 4), scattered(M, 42, 0.2, 2)
    data[2, 1], weight[2, 1] = 99, 0
    masked = {
        "data": data,
        "fidelity": "pseudo-huber",
        "fidelity_options": {"weight": weight},
        "regularizer": "entropy",
    }
    counts = {
        "fidelity": "poisson",
        "fidelity_options": {"background": 0.3, "threshold": 0.1},
        "regularizer": "total-variation",
        "regularizer_options": {"epsilon": 0.2, "spacing": np.array([0.75, 1.3]), "boundary": "wrap"},
    }
    return [
        *named,
        problem("by-name-defaults", "by_name", M, (2, 3), {}, "The article's objective."),
        problem("by-name-masked", "by_name", M, (2, 3), masked, "Delta and prior do not see the pixel of weight zero."),
        problem("by-name-options", "by_name", M, (3, 2), counts),
    ]


# Each problem with a blur, as it is called in names, and what it is given beside mu, the boundary and the origin.
_PRESENT = np.array([True, False, True, True, True])
EDGES: dict[str, dict[str, Any]] = {
    "norm_and_gradient_norm": {},
    "least_squares_tikhonov": {"of": "identity"},
    "least_squares_total_variation": {"epsilon": 0.3},
    "least_squares_hessian_schatten": {"epsilon": 0.3},
    "robust_total_variation": {"delta": 0.5, "epsilon": 0.3},
    "poisson_total_variation": {"epsilon": 0.3, "background": 0.2},
    "poisson_good_roughness": {"weight": 1.7},
    "poisson_entropy": {"prior": 1.2},
    "super_resolution": {"epsilon": 0.3, "factor": 2},
    "inpainting": {"epsilon": 0.3, "mask": _PRESENT},
    "by_name": {"fidelity": "poisson", "regularizer": "good-roughness"},
}


def _edges() -> list[Case]:
    """Every problem with every boundary, for a PSF that reaches far beyond one edge of five pixels."""
    remark = "Each pixel sees up to three others on one side."
    found = []
    for boundary in BOUNDARIES:
        options: dict[str, Any] = {"mu": 0.3, "boundary": boundary}
        if boundary != "valid":  # which has no origin
            options["origin"] = (BOUNDARIES.index(boundary) % 2) * 3  # the first sample of four, or the last
            found.append(blind(f"blind-edges-{boundary}", (5,), (4,), {**options, "epsilon": 0.3}))
        for model, rest in EDGES.items():
            if (model, boundary) != ("super_resolution", "valid"):  # whose blur keeps the shape
                name = f"{model.replace('_', '-')}-edges-{boundary}"
                found.append(problem(name, model, (5,), (4,), {**options, **rest}, remark))
    return found
