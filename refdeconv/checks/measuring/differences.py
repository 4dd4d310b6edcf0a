"""Derivatives along a line from values on both sides, and how far they may be off: noise, truncation, a kink."""

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from refdeconv.checks.measuring.evaluation import norm

Array = NDArray[Any]

_GROWTH = 1.5
_SLACK = 1.01  # a subgradient may be at the very end of what the slopes on both sides allow
_LONGEST = 4  # steps that are extrapolated together


@dataclass(frozen=True)
class Slope:
    """What is left of a derivative after what the candidate claims is taken away, and the bound on its error.

    Attributes
    ----------
    residual : ndarray
        The difference quotient minus the claimed derivative, extrapolated to step zero: 0-d, or an array.
    noise : float
        Bound on what noise makes of it, at the level of a report's false alarms.
    truncation : float
        Bound on what the extrapolation left.
    jump : float
        Half the difference of the slopes on both sides, where the steps do not show it to vanish: how far any
        subgradient may be from their mean.
    jump_limit : float
        How large `jump` may be, where noise leaves it open.
    step : float
        The largest step used, in units of the point.
    finest : float
        The smallest step used.
    order : int
        Of the differences, 2 for plain central ones; 0 for the complex step.
    """

    residual: Array
    noise: float
    truncation: float
    jump: float
    jump_limit: float
    step: float
    finest: float
    order: int

    @property
    def size(self) -> float:
        """The norm of the residual."""
        return float(norm(self.residual))

    @property
    def bound(self) -> float:
        """What a right derivative does not exceed."""
        return self.noise + self.truncation + self.jump

    @property
    def disagrees(self) -> bool:
        """Whether the residual is beyond the bound."""
        return self.size > self.bound


@dataclass
class Ladder:
    """Remainders of the first-order expansion at steps on both sides, from large to small; made longer as needed.

    Attributes
    ----------
    claim : ndarray
        What the remainders lack: the derivative as the candidate has it.
    """

    claim: Array
    steps: list[float] = field(default_factory=list)
    odd: list[Array] = field(default_factory=list)  # (R(t) - R(-t)) / 2t: the error of the slope
    even: list[Array] = field(default_factory=list)  # (R(t) + R(-t)) / t: difference of the slopes on both sides
    noise: list[float] = field(default_factory=list)  # level of that in `odd`, as a norm

    def add(self, step: float, plus: Array, minus: Array, noise: float) -> None:
        """A step with the remainders on both sides and the level of the noise in each."""
        at = int(np.searchsorted(-np.array(self.steps), -step))
        self.steps.insert(at, step)
        self.odd.insert(at, (plus - minus) / (2 * step))
        self.even.insert(at, (plus + minus) / step)
        self.noise.insert(at, noise / (np.sqrt(2.0) * step))

    def slopes(self, factor: float) -> list[Slope]:
        """The slope from every run of successive steps, each with its bound.

        Notes
        -----
        Derivation: derivations/checks.md, CHE.5, CHE.6
        """
        count = len(self.steps)
        found = []
        for first in range(count):
            for last in range(first, min(count, first + _LONGEST)):
                if first == last == count - 1:
                    continue  # nothing to compare the smallest step with
                found.append(self._slope(first, last, factor))
        return found

    def best(self, factor: float) -> Slope | None:
        """The slope with the smallest bound; None of fewer than two steps."""
        return min(self.slopes(factor), key=lambda slope: slope.bound - slope.jump + slope.jump_limit, default=None)

    def extrapolated(self) -> tuple[Array, float]:
        """The extrapolation of all steps, and the level of its noise."""
        return self._extrapolated(0, len(self.steps) - 1)

    def runs(self, length: int) -> list[tuple[Array, float, list[float]]]:
        """The extrapolation of every run of so many successive steps, the level of its noise, and the steps."""
        starts = range(len(self.steps) - length + 1)
        return [(*self._extrapolated(i, i + length - 1), self.steps[i : i + length]) for i in starts]

    def pairs(self) -> list[tuple[Array, float, float, float]]:
        """The extrapolation of each pair of successive steps, the level of its noise, and the two steps."""
        runs = [(*self._extrapolated(i, i + 1), i) for i in range(len(self.steps) - 1)]
        return [(value, noise, self.steps[i], self.steps[i + 1]) for value, noise, i in runs]

    def _slope(self, first: int, last: int, factor: float) -> Slope:
        value, noise = self._extrapolated(first, last)
        neighbours = [(first + 1, min(last + 1, len(self.steps) - 1))] if first == last else []
        if last > first:
            neighbours = [(first + 1, last), (first, last - 1)]
        truncation = max(float(norm(value - self._extrapolated(*other)[0])) for other in neighbours)
        truncation *= 2 if first == last else 1  # (1 - r**2) of the error shows, with the ratio r of the steps
        if self.grows(last, factor):
            truncation = np.inf
        jump, jump_noise = self._jump(first, min(last + 1, len(self.steps) - 1))
        return Slope(
            residual=value,
            noise=factor * noise,
            truncation=truncation,
            jump=_SLACK * jump + factor * jump_noise if jump > factor * jump_noise else 0.0,
            jump_limit=_SLACK * jump + factor * jump_noise,
            step=self.steps[first],
            finest=self.steps[last],
            order=2 * (last - first + 1),
        )

    def grows(self, index: int, factor: float) -> bool:
        """Whether the quotient is larger at the next smaller step: it is of a kink, or of one that is smoothed finely.

        At the smallest step, whether it has grown up to there.
        """
        index = min(index, len(self.steps) - 2)
        if index < 0:
            return False
        larger, smaller = (float(norm(self.odd[i] + self.claim)) for i in (index, index + 1))
        return smaller > _GROWTH * larger + factor * (self.noise[index] + self.noise[index + 1])

    def _extrapolated(self, first: int, last: int) -> tuple[Array, float]:
        """The polynomial in the square of the step through the quotients, at zero, and the level of its noise."""
        squares = [step * step for step in self.steps[first : last + 1]]
        weights = [math.prod(other / (other - own) for other in squares if other != own) for own in squares]
        value = sum(weight * odd for weight, odd in zip(weights, self.odd[first : last + 1], strict=True))
        noise = float(np.hypot.reduce(np.multiply(weights, self.noise[first : last + 1])))
        return np.asarray(value), noise

    def _jump(self, first: int, last: int) -> tuple[float, float]:
        """Half the difference of the slopes at step zero: c/2 in c + a t + b t**3, and the level of its noise."""
        nodes = np.arange(max(first, last - 2), last + 1)
        steps = np.array([self.steps[i] for i in nodes])
        powers = np.array([0, 1, 3])[: len(nodes)]
        scaled = steps / steps[0]
        weights = np.linalg.solve((scaled[:, None] ** powers).T, np.eye(len(nodes))[0])
        value = sum(weight * self.even[i] for weight, i in zip(weights, nodes, strict=True))
        each = np.array([weight * self.noise[i] for weight, i in zip(weights, nodes, strict=True)])
        noise = float(np.hypot(np.hypot.reduce(each), np.sqrt(2.0) * np.sum(each)))  # the value at the point is in all
        return float(norm(np.asarray(value))) / 2, noise
