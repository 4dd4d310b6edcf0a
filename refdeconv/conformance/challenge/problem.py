"""What a challenge is about: a problem by its name, with numbers drawn from a seed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import prod
from typing import Any

import numpy as np

from refdeconv._arrays import Array, Shape, choice, image_shape, whole_number
from refdeconv.conformance.challenge import draws
from refdeconv.operators import Convolution
from refdeconv.operators.convolution import BOUNDARIES

OBJECTIVE = ("value", "gradient", "hvp", "forward", "adjoint")  # forward and adjoint are those of its blur
OPERATOR = ("forward", "adjoint")
PRECISIONS = ("double", "single")
LEAST, MOST = 3, 2**18  # pixels along an axis, and in all
SEEDS = 2**63  # and more are refused

_PSF_SIZES: Mapping[int, Shape] = {1: (4,), 2: (5, 4), 3: (3, 4, 2)}  # odd and even
_COUNTS = 40.0  # photons in a bright pixel
_SUM = 1.2  # of the PSF, about: it is not one, so that nobody can divide by it unnoticed
_GRID = 2.0**10  # steps to one of the coarse part of a PSF
_DARK = 5  # each such pixel counted nothing


@dataclass(frozen=True)
class Base:
    """What is the same for all boundaries: what it is, which functions it has, what else it depends on."""

    title: str
    functions: tuple[str, ...] = OBJECTIVE
    parameters: Mapping[str, float] = field(default_factory=dict)
    arrays: tuple[str, ...] = ("psf", "data")
    counts: bool = False  # data are photon counts, and images positive

    @property
    def blurs(self) -> bool:
        """Whether there is a PSF, so that there are boundaries to choose from."""
        return "psf" in self.arrays


BASES: Mapping[str, Base] = {
    "article": Base("the article's: norm of the residual + mu * norm of the differences", parameters={"mu": 0.2}),
    "least-squares-tikhonov": Base(
        "weighted least squares + mu * half the squares of the differences",
        parameters={"mu": 0.3},
        arrays=("psf", "data", "weight"),
    ),
    "least-squares-total-variation": Base(
        "weighted least squares + mu * smoothed total variation",
        parameters={"mu": 0.3, "epsilon": 0.07},
        arrays=("psf", "data", "weight"),
    ),
    "robust-total-variation": Base(
        "weighted pseudo-Huber + mu * smoothed total variation",
        parameters={"mu": 0.3, "delta": 0.35, "epsilon": 0.07},
        arrays=("psf", "data", "weight"),
    ),
    "poisson-total-variation": Base(
        "Kullback-Leibler divergence of counts + mu * smoothed total variation",
        parameters={"mu": 0.3, "background": 2.6, "epsilon": 1.3},
        counts=True,
    ),
    "convolution": Base("convolution with a PSF, and its adjoint", functions=OPERATOR, arrays=("psf",)),
    "differences": Base("forward differences along all axes, and their adjoint", functions=OPERATOR, arrays=()),
}
NAMES = (
    *BASES,
    *(f"{name}-{edge}" for name, base in BASES.items() if base.blurs for edge in BOUNDARIES if edge != "constant"),
)


@dataclass(frozen=True, eq=False)
class Problem:
    """One problem with its numbers.

    Attributes
    ----------
    name, base, boundary : str
        ``base`` is a key of `BASES`; the name is that, and where the boundary is not 'constant', a hyphen and it.
    shape : tuple of int
        Of the unknown image.
    precision : {'double', 'single'}
        In single precision, all numbers are ones of float32.
    parameters : mapping of str to float
        Such as mu.
    arrays : mapping of str to array
        float64: psf, data, weight, as far as there are any.
    functions : tuple of str
        What is asked for.
    """

    name: str
    base: str
    boundary: str
    shape: Shape
    precision: str
    parameters: Mapping[str, float]
    arrays: Mapping[str, Array]
    functions: tuple[str, ...]

    @property
    def about(self) -> Base:
        """What it is, in general."""
        return BASES[self.base]

    @property
    def data_shape(self) -> Shape:
        """Of what forward returns."""
        if self.base == "differences":
            return (len(self.shape), *self.shape)
        psf = self.arrays["psf"].shape
        return data_shape(self.shape, psf, self.boundary)

    @property
    def origin(self) -> Shape:
        """The index of the PSF sample that multiplies the pixel itself."""
        return tuple((size - 1) // 2 for size in self.arrays["psf"].shape)

    def answer_shape(self, function: str) -> Shape:
        """Of what a function returns."""
        return {"value": (), "forward": self.data_shape}.get(function, self.shape)

    def point_shape(self, function: str) -> Shape:
        """Of what a function is applied to."""
        return self.data_shape if function == "adjoint" else self.shape


def data_shape(shape: Shape, psf: Shape, boundary: str) -> Shape:
    """The shape of the blurred image."""
    return tuple(n - k + 1 for n, k in zip(shape, psf, strict=True)) if boundary == "valid" else shape


def parsed(name: str) -> tuple[str, str]:
    """A problem's base and boundary; ValueError, with what was probably meant, where there is no such problem."""
    choice(name, "problem", NAMES)
    for boundary in BOUNDARIES:
        if name.removesuffix(f"-{boundary}") in BASES and name.endswith(f"-{boundary}"):
            return name.removesuffix(f"-{boundary}"), boundary
    return name, "constant"


def drawn(
    name: str,
    shape: int | tuple[int, ...] = (13, 10),
    seed: int = 0,
    *,
    precision: str = "double",
    functions: tuple[str, ...] | None = None,
) -> Problem:
    """A problem with random numbers: a lopsided PSF, odd and even, noisy data, weights that are not one.

    Parameters
    ----------
    name : str
        One of `NAMES`.
    shape : int or tuple of int
        Of the unknown image, 1-D to 3-D, at least 3 pixels along each axis.
    seed : int
        Of the numbers, >= 0 and less than 2**63.
    precision : {'double', 'single'}
        Of the implementation that is challenged.
    functions : tuple of str, optional
        Those to be asked for; default: all that the problem has.

    Returns
    -------
    Problem

    Raises
    ------
    TypeError, ValueError
        If an argument is not as described.
    """
    base, boundary = parsed(name)
    about, shape = BASES[base], image_shape(shape)
    if len(shape) not in _PSF_SIZES or min(shape) < LEAST or prod(shape) > MOST:
        raise ValueError(
            f"shape must have 1 to 3 axes, at least {LEAST} pixels along each and at most {MOST} in all, got {shape}"
        )
    if not 0 <= whole_number(seed, "seed") < SEEDS:
        raise ValueError(f"seed must be >= 0 and less than 2**63, got {_short(seed)}")
    choice(precision, "precision", PRECISIONS)
    asked = about.functions if functions is None else functions
    for function in asked:
        choice(function, f"function of {base}", about.functions)
    if not asked or len(set(asked)) < len(asked):
        raise ValueError(f"functions must be at least one, and each once, got {', '.join(asked) or 'none'}")
    arrays = _arrays(about, shape, boundary, seed) if about.blurs else {}
    return Problem(
        name,
        base,
        boundary,
        shape,
        precision,
        {key: float(rounded(np.float64(number), precision)) for key, number in about.parameters.items()},
        {key: rounded(array, precision) for key, array in arrays.items()},
        tuple(function for function in about.functions if function in asked),
    )


def rounded(array: Any, precision: str) -> Any:
    """Numbers of float64; in single precision, those that float32 has too."""
    return array.astype(np.float32).astype(np.float64) if precision == "single" else array


def _short(number: int) -> str:
    return str(number) if abs(number) < 10**20 else "one of more than 20 digits"


def _arrays(about: Base, shape: Shape, boundary: str, seed: int) -> dict[str, Array]:
    """All that the seed says, to the last bit.

    The coarse part of the PSF and the scene have few digits, so that their convolution is known exactly, whatever
    transform was used: it is a multiple of the product of their steps. What is added then has all digits.
    """
    sizes = tuple(min(k, n) for k, n in zip(_PSF_SIZES[len(shape)], shape, strict=True))
    shares = draws.coarse(seed, "psf", sizes, 13, 128) ** 2
    coarse = np.round(_GRID * _SUM * shares / shares.sum()) / _GRID
    found = {"psf": coarse + draws.uniform(seed, "digits of the psf", sizes, 0.5, 1.5) / (8 * _GRID)}
    if "data" not in about.arrays:
        return found
    steps = draws.STEPS * _GRID
    blurred = np.round(steps * Convolution(coarse, shape, boundary).forward(scene(shape, seed))) / steps
    noise = draws.noise(seed, "data", blurred.shape)
    if about.counts:
        counts = np.maximum(np.floor(_COUNTS * blurred + np.sqrt(_COUNTS * np.maximum(blurred, 0)) * noise), 0)
        counts.ravel()[_DARK // 2 :: _DARK] = 0
        found["data"] = counts
    else:
        found["data"] = blurred + 0.05 * noise
    if "weight" in about.arrays:
        found["weight"] = draws.uniform(seed, "weight", blurred.shape, 0.5, 2.0)
    return found


def scene(shape: Shape, seed: int, what: str = "scene") -> Array:
    """A positive image, of few digits: a step and texture."""
    bright = np.indices(shape).sum(0) * 2 > sum(shape) - len(shape)
    return np.asarray(draws.coarse(seed, what, shape, 13, 39) + 0.5 * bright)


def typical(problem: Problem) -> float:
    """The brightness of its images."""
    return _COUNTS if problem.about.counts else 1.0
