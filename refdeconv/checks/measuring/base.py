"""What a candidate gives at the point itself: values, whether they repeat, their noise and their precision."""

import math
import sys
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from refdeconv.checks.measuring.directions import gaussian
from refdeconv.checks.measuring.evaluation import Evaluator, Stop, inner, norm, same
from refdeconv.checks.measuring.noise import Noise, difference_table, precision
from refdeconv.checks.report import Finding, Verdict

Array = NDArray[Any]

_VALUES, _GRADIENTS = 10, 6  # points of the difference tables
_SPACING = 2.0**10  # of these points, in units of the precision
_STATIONARY = 1e-6  # a gradient smaller than this part of what it is nearby counts as zero
_UNRESOLVED, _NEXT_TO_NOTHING = 0.1, 1e-3
_TRIALS, _STRIDE = 6, 40  # of lengths at zero; powers of two by which they differ where nothing is seen
_REPEATS = 12  # all in order by chance: less than one time in a hundred million
_NOISE_ONLY, _NO_FUNCTION = 1e-4, 0.1  # relative spread of results at one point


class Base:
    """Values and gradients at the point and just beside it.

    Attributes
    ----------
    value, gradient
        In units; None where there is no finite one.
    value_noise, gradient_noise : Noise
        By difference tables.
    value_precision, gradient_precision : float
        Unit roundoff of the numbers that come back.
    product_noise : float
        Level of the noise in an entry of a Hessian product, once it is known.
    """

    def __init__(self, evaluator: Evaluator) -> None:
        self.evaluator = evaluator
        self.value: float | None = None
        self.gradient: Array | None = None
        self.value_noise = self.gradient_noise = Noise(0.0, 1.0)
        self.value_precision = self.gradient_precision = evaluator.epsilon
        self.product_noise = 0.0
        self.samples: list[tuple[Array, Array]] = []
        self.unresolved = False  # whether the gradient is another one already at the next points of the table
        self._nearby: float | None = None

    def look(self, units: tuple[int, int] | None = None) -> None:
        """Value and gradient at the point; from them, the units, unless these are given."""
        given, x = self.evaluator.candidate.given, self.evaluator.x
        value = self.evaluator.value(x) if "value" in given else None
        gradient = self.evaluator.gradient(x) if "gradient" in given else None
        before = self.evaluator.b
        raw = None if gradient is None else np.ldexp(gradient, -before)
        if units is None:
            if value and not x.any() and not (raw is not None and raw.any()):
                self.evaluator.b = self._length(value)
            self.evaluator.set_units(value or 0.0, raw)
        else:
            self.evaluator.a, self.evaluator.b = units
        self.value = None if value is None else math.ldexp(value, -self.evaluator.a)
        self.gradient = None if raw is None else np.ldexp(raw, self.evaluator.b - self.evaluator.a)
        self.evaluator.settled = True

    def _length(self, value: float) -> int:
        """The exponent of a length over which the value changes by its own size: at zero, nothing else tells a unit."""
        direction, power = gaussian(self.evaluator.x.shape, np.random.default_rng(1)), 0
        for _ in range(_TRIALS):
            self.evaluator.b = power
            there = self.evaluator.value(self.evaluator.displaced(1.0, direction)[0])
            change = math.inf if there is None else abs(there - value)
            if change == 0 or math.isinf(change):
                power += -_STRIDE if change else _STRIDE
                continue
            power += round(math.log2(abs(value) / change) / 2)  # as if it grew with the square
        return power

    def measure_noise(self, rng: np.random.Generator) -> None:
        """Difference tables of value and gradient, at points so close that the functions are smooth between them.

        All of them are on one side of the point, where there may be a kink.
        """
        evaluator = self.evaluator
        direction = gaussian(evaluator.x.shape, rng)
        spacing = _SPACING * evaluator.epsilon
        if self.gradient is not None:
            points = [evaluator.displaced((index + 1) * spacing, direction)[0] for index in range(_GRADIENTS)]
            self._measure_gradient(points)
        for wider in (1.0, 2.0**10, 2.0**20):
            if self.value is None:
                break
            points_of_value = [evaluator.displaced((i + 1) * spacing * wider, direction) for i in range(_VALUES)]
            if self._measure_value(points_of_value):
                break

    def _measure_value(self, points: list[tuple[Array, Array]]) -> bool:
        """The noise of the value; false where most of the values are the same, being rounded coarsely."""
        assert self.value is not None
        values, remainders = [], []
        for point, displacement in points:
            value = self.evaluator.value(point)
            if value is None:
                continue
            slope = 0.0 if self.gradient is None else float(inner(self.gradient, displacement))
            values.append(value)
            remainders.append(value - self.value - slope)
        unscaled = [math.ldexp(v, self.evaluator.a) for v in values]
        self.value_precision = max(precision(unscaled, self.evaluator.epsilon), sys.float_info.epsilon)
        found = difference_table(np.array(remainders)) if len(remainders) >= 4 else Noise(0.0, 1.0)
        self.value_noise = found.or_at_least(0.5 * self.value_precision * abs(self.value))
        self.unresolved |= self._bends([self.value, *values])
        return len(set(values)) > len(values) / 2

    def _bends(self, values: list[float]) -> bool:
        """Whether the values to one side of the point are far from a line already at the first points of the table."""
        changes = np.diff(values[:3])
        bend = abs(float(np.diff(changes)[0])) if len(changes) == 2 else 0.0
        noise = 100 * self.value_noise.factor * self.value_noise.level
        return bend > max(_UNRESOLVED * float(np.sum(np.abs(changes))), noise)

    def _measure_gradient(self, points: list[Array]) -> None:
        assert self.gradient is not None
        self.samples = []
        for point in points:
            gradient = self.evaluator.gradient(point)
            if gradient is not None:
                self.samples.append((point, gradient))
        stack = np.array([gradient for _, gradient in self.samples])
        changes = [float(norm(after - before)) for before, after in pairwise(stack)]
        size = max(float(norm(self.gradient)), _NEXT_TO_NOTHING * abs(self.value or 0.0))
        self.unresolved = bool(changes) and max(changes) > _UNRESOLVED * size > 0
        back = self.evaluator.a - self.evaluator.b
        some = np.ldexp(self.gradient.ravel()[:4096], back)
        self.gradient_precision = precision([float(entry) for entry in some], self.evaluator.epsilon)
        found = difference_table(stack) if len(stack) >= 4 else Noise(0.0, 1.0)
        rounding = 0.25 * self.gradient_precision * float(norm(self.gradient)) / math.sqrt(self.gradient.size)
        self.gradient_noise = found.or_at_least(rounding)

    def noise_of_complex_residuals(
        self, residual: Callable[[Array, Array], Array | None], points: int = _GRADIENTS
    ) -> Noise | None:
        """The noise in residuals of complex steps, from those at the points of the gradient's table."""
        found = [residual(point, gradient) for point, gradient in self.samples[:points]]
        if len(found) < 4 or any(entry is None for entry in found):
            return None
        return difference_table(np.array(found))

    def gradient_scale(self, step: float) -> tuple[float, str]:
        """The gradient's norm; where that is next to nothing, its change over a step, or the value."""
        size = 0.0 if self.gradient is None else float(norm(self.gradient))
        if size > 2.0**-10:
            return size, ""
        if self._nearby is None:
            self._nearby = self._change_of_gradient(step)
        if size > _STATIONARY * self._nearby and size > 0:
            return size, ""
        if self._nearby > 0:
            return self._nearby, "the gradient's change over a step, as it is next to zero here"
        return abs(self.value or 0.0), "the value over the size of the point, as the gradient is zero"

    def _change_of_gradient(self, step: float) -> float:
        direction = gaussian(self.evaluator.x.shape, np.random.default_rng(1))
        try:
            nearby = self.evaluator.gradient(self.evaluator.displaced(step, direction)[0])
        except Stop:
            return 0.0
        return 0.0 if nearby is None or self.gradient is None else float(norm(nearby - self.gradient))


def determinism(evaluator: Evaluator, calls: dict[str, Callable[[], Any]], first: dict[str, Any]) -> Finding:
    """Whether the same argument gives the same result, bit by bit; if not, whether that is noise or a state."""
    before, worst, verdicts, notes = evaluator.spent, 0.0, [Verdict.PASS], []
    for name, call in calls.items():
        again = call()
        if again is None or same(again, first[name]):
            continue
        results = [first[name], again] + [call() for _ in range(_REPEATS - 2)]
        stack = np.array([np.ravel(result) for result in results if result is not None])
        size = float(norm(stack[0])) or float(norm(stack)) or 1.0
        spread = float(norm(stack - stack.mean(0))) / math.sqrt(len(stack)) / size
        worst = max(worst, spread)
        verdict, note = _irregularity(name, stack, spread)
        verdicts.append(verdict)
        notes.append(note)
    return Finding(
        "determinism",
        Verdict.of(verdicts),
        worst,
        0.0,
        "each function called again at the point",
        "",
        "; ".join(notes),
        evaluator.spent - before,
    )


def _irregularity(name: str, stack: Array, spread: float) -> tuple[Verdict, str]:
    """What results that differ at one point look like."""
    if all(same(row, stack[1]) for row in stack[1:]):
        return Verdict.WRONG, f"{name} gives another result at its first call than later: it keeps a state"
    along = np.diff(stack @ np.random.default_rng(2).standard_normal(stack.shape[1]))
    if np.all(along > 0) or np.all(along < 0):
        return Verdict.WRONG, f"{name} drifts from call to call at the same point: it keeps a state"
    if spread > _NO_FUNCTION:
        return Verdict.WRONG, f"{name} is no function of its argument: results at one point differ by {spread:.1e}"
    text = f"{name} is not reproducible: results at one point differ by {spread:.1e} of their size"
    if spread > _NOISE_ONLY:
        return Verdict.INCONCLUSIVE, f"{text}; noise"
    return Verdict.PASS, f"{text}; taken as noise"
