"""What is asked of an implementation: a sequence of calls, in an order in which usual mistakes with state show.

A point comes back after others; the Hessian product is asked for where neither value nor gradient has been; a gradient
follows a value at another point; points differ in one pixel, by much or by a millionth, or by less than float32 can
hold, or have the same sum, norm, first and last entry, so that a cache with a wrong key is found. x1, y1 and d1 have
few digits: sums of them and of their squares are exact in any order, and the same for a rearranged array.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod

import numpy as np

from refdeconv._arrays import Array, Shape
from refdeconv.conformance.challenge import draws
from refdeconv.conformance.challenge.problem import Problem, rounded, scene, typical

_HIDDEN = 2.0**-28  # of a number: float32 does not see it
_DOUBLE_ONLY = ("x10", "y7")
_SLIGHTLY = 1 + 2.0**-20  # so little that a point would pass for the one before

# One call a word: the function's letter, the point, and the direction of a Hessian product.
_LETTERS = {"v": "value", "g": "gradient", "h": "hvp", "f": "forward", "a": "adjoint"}
_SEQUENCE = """
    v:x1 g:x1 h:x1:d1 f:x1 a:y1
    v:x2 g:x1 g:x2 f:x1
    h:x3:d1 h:x3:d2 v:x3 g:x3 f:x3
    v:x1 h:x1:d1 g:x1 a:y2 a:y1
    f:x1 g:x4 v:x4 h:x4:d1 f:x4 a:y6
    h:x2:d2 h:x2:d1 v:x2
    v:x5 g:x5 h:x5:d3 h:x5:d4 f:x5
    a:y3 f:x2 a:y4 f:first a:first_y f:last a:last_y f:centre a:centre_y f:edge a:edge_y f:ones a:ones_y
    v:x6 g:x6 h:x6:d2 f:x6
    v:x7 g:x7 h:x7:d2 f:x7
    h:x1:d5 h:x2:x1 g:x1 g:x1 v:x8 g:x8 h:x8:d1 f:x8
    v:x1 v:x9 g:x1 g:x9 h:x1:d1 h:x9:d1 f:x1 f:x9 a:y1 a:y5
    v:x1 v:x10 g:x1 g:x10 h:x1:d1 h:x10:d1 f:x1 f:x10 a:y1 a:y7
    v:x11 g:x11 h:x11:d2 f:x11 h:x1:d1 h:x1:d6
    v:x2 v:x2 h:x3:d1 f:x1 a:y1 g:x3 v:x1
"""


@dataclass(frozen=True)
class Call:
    """One call: the function, the name of its point and of its direction (of a Hessian product, else empty)."""

    number: int
    function: str
    point: str
    direction: str = ""

    @property
    def answer(self) -> str:
        """The name of the answer's file, without its ending."""
        return f"answers/{self.number:03}"

    def __str__(self) -> str:
        return f"call {self.number:03}"


@dataclass(frozen=True, eq=False)
class Probe:
    """An array to be asked at, and what is special about it."""

    array: Array
    about: str


def sequence(problem: Problem) -> tuple[Call, ...]:
    """The calls, in the order in which they are to be made."""
    found: list[Call] = []
    for word in _SEQUENCE.split():
        letter, point, *direction = word.split(":")
        if problem.precision == "single" and point in _DOUBLE_ONLY:
            continue
        if _LETTERS[letter] in problem.functions:
            found.append(Call(len(found) + 1, _LETTERS[letter], point, *direction))
    return tuple(found)


def probes(problem: Problem, seed: int) -> dict[str, Probe]:
    """The arrays that the calls name."""
    made = _points(problem, seed) | _directions(problem.shape, seed) | _data(problem.data_shape, seed)
    asked = {name for call in sequence(problem) for name in (call.point, call.direction) if name}
    return {
        name: Probe(rounded(probe.array, problem.precision), probe.about)
        for name, probe in made.items()
        if name in asked
    }


def _points(problem: Problem, seed: int) -> dict[str, Probe]:
    """Images. Of counts, positive ones but for a pixel; never constant, where the article's objective has a kink."""
    shape, size = problem.shape, typical(problem)
    x1 = size * scene(shape, seed, "x1")
    positive = problem.about.counts
    x2 = size * draws.uniform(seed, "x2", shape, 0.1, 1.5) if positive else size * draws.noise(seed, "x2", shape)
    below = np.indices(shape)[0] * 2 < shape[0]
    step = np.where(below, 0.25, 0.75)
    step.ravel()[0] = 0.5  # so that it is no mirror image of itself
    dark = np.where(below, 0.0, x1)
    dark.ravel()[0] = -size / draws.STEPS
    return {
        "x1": Probe(x1, "an image"),
        "x2": Probe(x2, "noise"),
        "x3": Probe(_changed(x1, 2 * x1.size // 3), "x1 with one pixel changed"),
        "x4": Probe(_rearranged(x1), "x1 rearranged: the same sum, norm, first and last entry"),
        "x5": Probe(size * step, "a step"),
        "x6": Probe(x1 * 16, "x1 times 16"),
        "x7": Probe(x1 / 16, "x1 over 16"),
        "x8": Probe(_changed(x1, 1), "x1 with another pixel changed"),
        "x9": Probe(_changed(x1, x1.size // 2, _SLIGHTLY), "x1 with one pixel changed by a millionth"),
        "x10": Probe(_hidden(x1), "x1 changed by less than single precision can hold"),
        "x11": Probe(dark, "x1 with a dark half, and a pixel a little below zero"),
    } | _units(shape, "")


def _changed(image: Array, index: int, factor: float = 1.25) -> Array:
    changed = image.copy()
    changed.ravel()[index] *= factor
    return changed


def _signed(seed: int, what: str, shape: Shape) -> Array:
    """Of few digits, of both signs, and never zero."""
    return 2 * draws.coarse(seed, what, shape, -50, 50) + 1 / draws.STEPS


def _rearranged(array: Array) -> Array:
    """All but the first and last entry in the opposite order."""
    row = array.ravel()
    return np.concatenate([row[:1], row[1:-1][::-1], row[-1:]]).reshape(array.shape) if array.size > 1 else array


def _hidden(array: Array) -> Array:
    signs = np.where(np.arange(array.size) % 3 == 1, -1.0, 1.0).reshape(array.shape)
    return np.asarray(array * (1 + _HIDDEN * signs))


def _directions(shape: Shape, seed: int) -> dict[str, Probe]:
    d1, d2 = _signed(seed, "d1", shape), draws.noise(seed, "d2", shape)
    return {
        "d1": Probe(d1, "a direction"),
        "d2": Probe(d2, "another direction"),
        "d3": Probe(_unit(shape, tuple(n // 2 for n in shape)), "1 in the centre, else 0"),
        "d4": Probe(_unit(shape, tuple(n - 1 for n in shape)), "1 in the last corner, else 0"),
        "d5": Probe(d1 * 2.0**20, "d1 times 2**20"),
        "d6": Probe(_rearranged(d1), "d1 rearranged: the same sum, norm, first and last entry"),
    }


def _data(shape: Shape, seed: int) -> dict[str, Probe]:
    y1 = _signed(seed, "y1", shape)
    return {
        "y1": Probe(y1, "noise, in the shape of what forward returns"),
        "y2": Probe(_changed(y1, y1.size // 2), "y1 with one entry changed"),
        "y3": Probe(y1 * 2.0**20, "y1 times 2**20"),
        "y4": Probe(y1 * 2.0**-20, "y1 over 2**20"),
        "y5": Probe(_changed(y1, y1.size // 2, _SLIGHTLY), "y1 with one entry changed by a millionth"),
        "y6": Probe(_rearranged(y1), "y1 rearranged: the same sum, norm, first and last entry"),
        "y7": Probe(_hidden(y1), "y1 changed by less than single precision can hold"),
    } | _units(shape, "_y")


def _units(shape: Shape, suffix: str) -> dict[str, Probe]:
    places: Mapping[str, Shape] = {
        "first": (0,) * len(shape),
        "last": tuple(n - 1 for n in shape),
        "centre": tuple(n // 2 for n in shape),
        "edge": (*(n // 2 for n in shape[:-1]), 0),
    }
    units = {f"{name}{suffix}": Probe(_unit(shape, at), f"1 at {at}, else 0") for name, at in places.items()}
    return units | {f"ones{suffix}": Probe(np.ones(shape), "1 everywhere")}


def _unit(shape: Shape, at: Shape) -> Array:
    unit = np.zeros(prod(shape)).reshape(shape)
    unit[at] = 1.0
    return unit
