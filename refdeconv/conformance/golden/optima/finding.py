"""Minimisers to some 30 digits: the package's solver, then Newton's method with gradients in interval arithmetic.

Nothing here is trusted: what is found is proven afterwards.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from refdeconv import problems
from refdeconv.calculus import Functional
from refdeconv.conformance.golden.optima.certificates import expansion
from refdeconv.conformance.golden.optima.definitions import Definition, Shape
from refdeconv.conformance.golden.optima.intervals import context, lower, upper
from refdeconv.solve import minimize

Array = NDArray[Any]
_STEPS = 60


def objective(model: str, parameters: Mapping[str, Any]) -> Functional:
    """The package's objective, by its public name below `refdeconv`."""
    made: Functional = getattr(problems, model.removeprefix("problems."))(**parameters)
    return made


def start(model: str, shape: Shape, parameters: Mapping[str, Any]) -> Array:
    """An image of the right shape inside the domain: the data's mean, and a little more that is not constant."""
    mean = float(np.mean(parameters["data"]))
    return mean + 0.01 * np.random.default_rng(0).uniform(size=shape)


def minimiser(problem: Definition, begin: Array, functional: Functional) -> list[Fraction]:
    """The minimiser, exact to some 30 digits, in multiples of ``2**-120``."""
    x = [_rounded(Fraction(float(pixel))) for pixel in minimize(functional, begin).x.ravel()]
    iv = context()
    before = np.inf
    for _ in range(_STEPS):
        _, gradient, hessian = expansion(iv, problem, x)
        g = np.array([float(entry.mid) for entry in gradient])
        size = float(np.linalg.norm(g))
        if size < 1e-33 or (size < 1e-28 and size >= before):
            break
        before = size
        H = np.array([[float(hessian[max(i, j)][min(i, j)].mid) for j in range(len(x))] for i in range(len(x))])
        step = np.linalg.solve(H, g / size)
        x = _moved(problem, x, step, size)
    return x


def _moved(problem: Definition, x: Sequence[Fraction], step: Array, size: float) -> list[Fraction]:
    length = Fraction(size)
    return [_rounded(pixel - length * Fraction(float(change))) for pixel, change in zip(x, step, strict=True)]


def least_eigenvalue(problem: Definition, x: Sequence[Fraction]) -> float:
    """The Hessian's, about."""
    iv = context()
    hessian = expansion(iv, problem, x)[2]
    H = [[float(hessian[max(i, j)][min(i, j)].mid) for j in range(len(x))] for i in range(len(x))]
    return float(np.linalg.eigvalsh(np.array(H))[0])


def split(x: Sequence[Fraction], shape: Shape) -> tuple[Array, Array]:
    """The nearest float64 numbers, and what remains as float32, which may lose what is below 1e-24 of them."""
    high = np.array([float(pixel) for pixel in x])
    low = np.array([float(pixel - Fraction(float(h))) for pixel, h in zip(x, high, strict=True)], np.float32)
    return high.reshape(shape), low.reshape(shape)


def _rounded(number: Fraction, bits: int = 120) -> Fraction:
    return Fraction(round(number * (1 << bits)), 1 << bits)


def middle(interval: Any) -> Fraction:
    """The middle of an interval, exactly."""
    return (lower(interval) + upper(interval)) / 2
