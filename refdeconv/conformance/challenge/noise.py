"""The right answers, and how far from them rounding may bring an implementation in the challenge's precision."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from refdeconv._arrays import Array
from refdeconv.conformance.challenge.models import Answer, size_of_terms, truth
from refdeconv.conformance.challenge.problem import Problem

_DRAWS = 3
_LEAST, _GROWTH = 50.0, 4.0  # roundings of the size of one that an implementation may add up


@dataclass(frozen=True, eq=False)
class Right:
    """What is right for a call.

    Attributes
    ----------
    answer : array
        longdouble.
    bound : float
        The norm of the largest error that rounding may make, by CHA.2.
    size : float
        The norm of the answer; where that is zero, of the point.
    """

    answer: Array
    bound: float
    size: float


class Reference:
    """The right answers to a problem, and their bounds, each computed once.

    Parameters
    ----------
    problem : Problem
        The problem.
    arrays : mapping of str to array
        Those that calls name.

    Notes
    -----
    Derivation: derivations/conformance/challenge.md, CHA.1, CHA.2
    """

    def __init__(self, problem: Problem, arrays: Mapping[str, Array]) -> None:
        self.problem, self.arrays = problem, arrays
        self.epsilon = float(np.finfo(np.float32 if problem.precision == "single" else np.float64).eps)
        self._truth = truth(problem)
        self._moved: list[tuple[Answer, dict[str, Array]]] = []
        rng = np.random.default_rng(0)
        for _ in range(_DRAWS):
            near = {name: self._near(array, rng) for name, array in arrays.items()}
            moved = {name: self._near(array, rng) for name, array in problem.arrays.items()}
            numbers = {
                name: float(number * (1 + self.epsilon * rng.standard_normal()))
                for name, number in problem.parameters.items()
            }
            self._moved.append((truth(replace(problem, arrays=moved, parameters=numbers)), near))
        self._known: dict[tuple[str, str, str], Right] = {}
        self._quick: dict[tuple[str, str, str], Array] = {}

    def right(self, function: str, point: str, direction: str = "") -> Right:
        """The answer of a function at a point, and along a direction."""
        key = (function, point, direction)
        if key not in self._known:
            self._known[key] = self._right(*key)
        return self._known[key]

    def quick(self, function: str, point: str, direction: str = "") -> Array:
        """The same answer in float64, without a bound."""
        key = (function, point, direction)
        if key not in self._quick:
            x, v = self.arrays[point], self.arrays[direction] if direction else None
            self._quick[key] = np.asarray(self._truth(function, x, v))
        return self._quick[key]

    def _right(self, function: str, point: str, direction: str) -> Right:
        x, v = self.arrays[point], self.arrays[direction] if direction else None
        answer = self._at(self._truth, function, x, v)
        double = self.quick(function, point, direction).astype(np.longdouble)
        coarser = self.epsilon / float(np.finfo(np.float64).eps)
        squares = [(coarser * size_of(double - answer)) ** 2]
        for moved, near in self._moved:
            other = self._at(moved, function, near[point], near[direction] if direction else None)
            squares.append(size_of(other - answer) ** 2)
        level = math.sqrt(sum(squares) / _DRAWS)
        terms = size_of_terms(self.problem, function, x, v)
        level = math.hypot(level, self.epsilon * (size_of(answer) + terms) / 2)
        size = size_of(answer) or size_of(x) or 1.0
        return Right(answer, (_LEAST + _GROWTH * math.sqrt(x.size)) * level, size)

    @staticmethod
    def _at(answer: Answer, function: str, x: Array, v: Array | None) -> Array:
        long = x.astype(np.longdouble), None if v is None else v.astype(np.longdouble)
        return np.asarray(answer(function, *long), np.longdouble)

    def _near(self, array: Array, rng: np.random.Generator) -> Array:
        """Each entry moved by about a rounding; zeros stay. Kept in longdouble, where they may be finer."""
        noise: Any = self.epsilon * rng.standard_normal(array.shape)
        return np.asarray(array.astype(np.longdouble) * (1 + noise.astype(np.longdouble)))


def size_of(array: Array) -> float:
    """The norm, of arrays of any size."""
    largest = float(np.max(np.abs(array))) if array.size else 0.0
    if largest == 0 or not math.isfinite(largest):
        return largest
    return largest * float(np.sqrt(np.sum((np.asarray(array, np.longdouble) / largest) ** 2)))
