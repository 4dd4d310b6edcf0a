"""The models that refdeconv and the four frameworks are held against each other on, and random problems of each."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import DTypeLike

import refdeconv as rd

from . import Array, Program

Shape = tuple[int, ...]

# Of each framework, by the name of its package, the end of its modules' names: article_..., models_...
FRAMEWORKS = {"autograd": "autograd", "tensorflow": "tensorflow", "torch": "pytorch", "jax": "jax"}


class Problem(NamedTuple):
    """A random problem of a model; its arrays come from the seed, so that a failing example shrinks to small sizes."""

    model: str
    shape: Shape  # of the data
    psf_shape: Shape
    mu: float
    epsilon: float
    seed: int


class Posed(NamedTuple):
    """A problem with its numbers: the parameters of the objective, and where to evaluate it."""

    problem: Problem
    parameters: Mapping[str, Any]
    x: Array
    v: Array

    @property
    def model(self) -> str:
        return self.problem.model


@dataclass(frozen=True)
class Model:
    """What it is, how refdeconv writes it, and which function of a framework's module writes it there."""

    title: str
    ours: Callable[..., rd.Functional]
    function: str
    options: Mapping[str, Any] = field(default_factory=dict)
    module: str = "models"
    needs: tuple[str, ...] = ("data", "psf", "mu", "epsilon", "weight")
    ndim: int = 2

    def theirs(self, module: ModuleType, posed: Posed, dtype: DTypeLike) -> Program:
        return getattr(module, self.function)(*posed.parameters.values(), **self.options, dtype=dtype)


def _least_squares(boundary: str = "constant") -> Callable[..., rd.Functional]:
    return lambda data, psf, mu, epsilon, weight: rd.problems.least_squares_total_variation(
        data, psf, mu, epsilon=epsilon, weight=weight, boundary=boundary
    )


def _poisson(positive: Callable[[Shape], rd.Operator]) -> Callable[..., rd.Functional]:
    return lambda data, psf, mu, epsilon, weight, background: (
        rd.problems.poisson_total_variation(data, psf, mu, epsilon=epsilon, weight=weight, background=background)
        @ positive(data.shape)
    )


_POISSON = ("data", "psf", "mu", "epsilon", "weight", "background")

MODELS = {
    "article": Model(
        "the article's: norm of the residual + norm of the gradient",
        rd.problems.norm_and_gradient_norm,
        "objective",
        module="article",
        needs=("data", "psf", "mu"),
    ),
    "least-squares-tv": Model("least squares + smoothed TV", _least_squares(), "least_squares_tv"),
    "poisson-tv-square": Model(
        "Poisson + smoothed TV, image = square",
        _poisson(rd.Square),
        "poisson_tv",
        {"positivity": "square"},
        needs=_POISSON,
    ),
    "poisson-tv-softplus": Model(
        "Poisson + smoothed TV, image = softplus",
        _poisson(rd.Softplus),
        "poisson_tv",
        {"positivity": "softplus"},
        needs=_POISSON,
    ),
    "reflect": Model(
        "least squares + smoothed TV, reflect boundary",
        _least_squares("reflect"),
        "least_squares_tv",
        {"boundary": "reflect"},
    ),
    "valid": Model(
        "least squares + smoothed TV, valid boundary",
        _least_squares("valid"),
        "least_squares_tv",
        {"boundary": "valid"},
    ),
    "blind": Model(
        "blind: least squares + smoothed TV, image = square, PSF = softmax",
        lambda data, psf_shape, mu, epsilon: rd.problems.blind(data, psf_shape, mu, epsilon=epsilon),
        "blind",
        needs=("data", "psf_shape", "mu", "epsilon"),
    ),
    "three-dimensional": Model("3-D: least squares + smoothed TV", _least_squares(), "least_squares_tv", ndim=3),
}


def posed(problem: Problem) -> Posed:
    """The numbers of a problem, all of them also in float32, so that both precisions are asked the same."""
    random = np.random.default_rng(problem.seed)
    shape, psf_shape = problem.shape, problem.psf_shape
    is_poisson = problem.model.startswith("poisson")
    unknown = {
        "valid": tuple(n + k - 1 for n, k in zip(shape, psf_shape, strict=True)),
        "blind": (int(np.prod(shape) + np.prod(psf_shape)),),
    }.get(problem.model, shape)
    everything = {
        "data": random.integers(0, 40, shape).astype(float) if is_poisson else _short(random.standard_normal(shape)),
        # Without symmetry. An expected count must be positive; elsewhere a PSF may also have negative samples.
        "psf": _short(random.uniform(0.01, 1, psf_shape) if is_poisson else random.standard_normal(psf_shape)),
        "psf_shape": psf_shape,
        "mu": problem.mu,
        "epsilon": problem.epsilon,
        "weight": _short(random.uniform(0, 2, shape) * (random.random(shape) < 0.9)),  # some pixels are masked
        "background": _short(random.uniform(0.5, 3, shape)),
    }
    x, v = _short(random.standard_normal((2, *unknown)))
    return Posed(problem, {name: everything[name] for name in MODELS[problem.model].needs}, x, v)


def _short(numbers: Array) -> Array:
    """Numbers that are short to write and the same in every precision."""
    return np.round(numbers * 256) / 256 + 0.0
