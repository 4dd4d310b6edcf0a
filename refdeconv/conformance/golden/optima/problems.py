"""Which convex problems have a certified optimum, and their data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
FULL_SIZE = "article-full-size"


@dataclass(frozen=True, eq=False)
class Convex:
    """A problem by its name, the public name of its model below `refdeconv`, and that one's arguments."""

    name: str
    model: str
    parameters: Mapping[str, Any]


def _psf(*shape: int, seed: int) -> Array:
    """An asymmetric PSF of sum one, up to rounding."""
    samples = np.random.default_rng(seed).uniform(0.2, 1, shape)
    samples[(0,) * len(shape)] += 1
    return np.asarray(samples / samples.sum())


def _data(*shape: int, seed: int, least: float = 0.0) -> Array:
    """A scene of two levels and a ramp, with noise; its numbers have few digits, so that they are easily read."""
    rng = np.random.default_rng(seed)
    grids = np.meshgrid(*(np.linspace(0, 1, n) for n in shape), indexing="ij")
    scene = 0.3 * grids[0] + (sum(grids) > 0.5 * len(shape))
    return np.asarray(np.round(least + scene + 0.1 * rng.standard_normal(shape), 3))


def _counts(*shape: int, seed: int) -> Array:
    rng = np.random.default_rng(seed)
    return np.asarray(rng.poisson(3 + 12 * np.abs(_data(*shape, seed=seed))), dtype=np.float64)


def small() -> list[Convex]:
    """The problems of at most 64 unknowns: every convex model, every boundary, one to three axes."""
    weight = np.round(np.random.default_rng(40).uniform(0.5, 2, (8, 7)), 3)
    mask = np.random.default_rng(41).uniform(size=(7, 8)) > 0.3
    background = np.round(np.random.default_rng(42).uniform(0.5, 1, (7, 6)), 3)

    def problem(name: str, model: str, data: Array, psf: Array, mu: float, **more: Any) -> Convex:
        return Convex(name, f"problems.{model}", {"data": data, "psf": psf, "mu": mu, **more})

    return [
        problem("article-2d", "norm_and_gradient_norm", _data(9, 7, seed=1), _psf(3, 4, seed=1), 0.2),
        problem(
            "article-3d-wrap",
            "norm_and_gradient_norm",
            _data(4, 3, 5, seed=2),
            _psf(2, 3, 2, seed=2),
            0.3,
            boundary="wrap",
        ),
        problem(
            "tikhonov-weighted-2d",
            "least_squares_tikhonov",
            _data(8, 7, seed=3),
            _psf(4, 3, seed=3),
            0.05,
            of="identity",
            weight=weight,
        ),
        problem(
            "tikhonov-gradient-mirror-2d",
            "least_squares_tikhonov",
            _data(9, 3, seed=4),
            _psf(3, 5, seed=4),
            0.1,
            boundary="mirror",
        ),
        problem(
            "total-variation-wrap-1d",
            "least_squares_total_variation",
            _data(40, seed=5),
            _psf(5, seed=5),
            0.05,
            epsilon=0.02,
            boundary="wrap",
        ),
        problem(
            "total-variation-reflect-2d",
            "least_squares_total_variation",
            _data(7, 8, seed=6),
            _psf(4, 3, seed=6),
            0.05,
            epsilon=0.02,
            boundary="reflect",
        ),
        problem(
            "total-variation-valid-2d",
            "least_squares_total_variation",
            _data(5, 6, seed=7),
            _psf(4, 2, seed=7),
            0.03,
            epsilon=0.05,
            boundary="valid",
        ),
        problem(
            "hessian-schatten-nearest-1d",
            "least_squares_hessian_schatten",
            _data(32, seed=8),
            _psf(4, seed=8),
            0.05,
            epsilon=0.02,
            boundary="nearest",
        ),
        problem(
            "robust-nearest-2d",
            "robust_total_variation",
            _data(8, 6, seed=9),
            _psf(3, 4, seed=9),
            0.02,
            delta=0.15,
            epsilon=0.03,
            boundary="nearest",
        ),
        problem(
            "poisson-background-2d",
            "poisson_total_variation",
            _counts(7, 6, seed=20),
            _psf(3, 2, seed=10),
            0.1,
            epsilon=0.2,
            background=background,
        ),
        problem(
            "poisson-reflect-3d",
            "poisson_total_variation",
            _counts(3, 4, 4, seed=11),
            _psf(2, 3, 2, seed=11),
            0.2,
            epsilon=0.3,
            background=2.0,
            boundary="reflect",
        ),
        problem(
            "poisson-valid-1d",
            "poisson_total_variation",
            _counts(20, seed=12),
            _psf(4, seed=12),
            0.1,
            epsilon=0.2,
            background=1.0,
            boundary="valid",
        ),
        problem(
            "poisson-entropy-2d",
            "poisson_entropy",
            _counts(6, 7, seed=13),
            _psf(4, 3, seed=13),
            0.2,
            prior=8.0,
            background=0.5,
            boundary="mirror",
        ),
        problem(
            "poisson-roughness-2d",
            "poisson_good_roughness",
            _counts(6, 5, seed=14),
            _psf(2, 3, seed=14),
            0.1,
            background=0.5,
            boundary="reflect",
        ),
        problem(
            "super-resolution-2d",
            "super_resolution",
            _data(3, 4, seed=15),
            _psf(4, 3, seed=15),
            0.01,
            factor=2,
            epsilon=0.05,
        ),
        problem(
            "inpainting-2d", "inpainting", _data(7, 8, seed=16), _psf(3, 2, seed=16), 0.02, mask=mask, epsilon=0.03
        ),
    ]


def full_size() -> Convex:
    """The article's problem as it is: 171 x 171 pixels, a PSF of 13 x 13."""
    from refdeconv.problems import article

    problem = article()
    parameters = {"data": np.array(problem.blurred), "psf": np.array(problem.psf), "mu": 0.2}
    return Convex(FULL_SIZE, "problems.norm_and_gradient_norm", parameters)
