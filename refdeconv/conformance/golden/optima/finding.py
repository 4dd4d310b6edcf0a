"""Minimisers to some 25 digits, by Newton's method. Nothing here is trusted: what is found is proven afterwards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from refdeconv.conformance.golden.optima.certificates import expansion
from refdeconv.conformance.golden.optima.definitions import Definition, Shape
from refdeconv.conformance.golden.optima.intervals import context

Array = NDArray[Any]
_STEPS, _BITS = 20, 120


def start(shape: Shape, parameters: Mapping[str, Any]) -> Array:
    """Where a solver begins, inside the domain: the data's mean, and a little more that is not constant."""
    return float(np.mean(parameters["data"])) + 0.01 * np.random.default_rng(0).uniform(size=shape)


def minimiser(problem: Definition, begin: Array) -> list[Fraction]:
    """The minimiser, in multiples of ``2**-120``, from what a solver found, by Newton's method with halved steps."""
    x, best = [Fraction(float(pixel)) for pixel in begin.ravel()], np.inf
    for _ in range(_STEPS):
        value, g, H = _floats(problem, x)
        size = float(np.linalg.norm(g))
        if size < 1e-20 and size >= best:
            return x
        best = min(best, size)
        step = np.linalg.solve(H, g / size)
        x = _descended(problem, x, step, Fraction(size), value)
    return x


def _descended(problem: Definition, x: list[Fraction], step: Array, length: Fraction, value: Any) -> list[Fraction]:
    for _ in range(_STEPS):
        there = [_rounded(pixel - length * Fraction(float(change))) for pixel, change in zip(x, step, strict=True)]
        try:
            if expansion(context(), problem, there, with_hessian=False)[0].mid <= value:
                return there
        except (ValueError, ArithmeticError):
            pass  # outside the domain
        length /= 2
    return x


def _floats(problem: Definition, x: Sequence[Fraction]) -> tuple[Any, Array, Array]:
    value, gradient, hessian = expansion(context(), problem, x)
    n = range(len(x))
    H = np.array([[float(hessian[max(i, j)][min(i, j)].mid) for j in n] for i in n])
    return value.mid, np.array([float(entry.mid) for entry in gradient]), H


def least_eigenvalue(problem: Definition, x: Sequence[Fraction]) -> float:
    """The Hessian's, about."""
    return float(np.linalg.eigvalsh(_floats(problem, x)[2])[0])


def split(x: Sequence[Fraction], shape: Shape) -> tuple[Array, Array]:
    """The nearest float64 numbers, and what remains as float32."""
    high = np.array([float(pixel) for pixel in x])
    low = np.array([float(pixel - Fraction(float(h))) for pixel, h in zip(x, high, strict=True)], np.float32)
    return high.reshape(shape), low.reshape(shape)


def _rounded(number: Fraction) -> Fraction:
    return Fraction(round(number * (1 << _BITS)), 1 << _BITS)
