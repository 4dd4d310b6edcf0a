"""Masked directions: the bounds of an error, and what is inside them, from as few of its inner products as possible."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtr  # of chi squared

from refdeconv.checks.faults.places import EVERYWHERE, Bounds, Box, Place, of_box, slab
from refdeconv.checks.measuring.evaluation import Stop

Array = NDArray[Any]
ErrorAlong = Callable[[Array], tuple[Any, float]]

MOST = 45  # directions
_GRAIN = 64
_FIRST = 2  # directions to know the size of the error by
_MORE = 5  # at most, where these do not show it far above the noise,
_FAR = 10  # so many times
_SMALLEST = 2.0**-12  # of the size of the error counts as nothing
_BAND = 0.1  # of its size counts as nothing in a band of frequencies, which a smooth error is never free of
_END = 0.15  # of the length of a box may be hidden at an end because its entries are small,
_ACCIDENT = 3e-3  # if that is so probable
_MISS = 1e-3  # probability that a part with 0.3 of the error is taken for empty
_FEWEST_LOOKS, _MOST_LOOKS = 2, 3
_BAND_LOOKS = 5
_DOUBTFUL = 0.02  # part of the noise in an error at an end that makes one look at it doubtful


class Probes:
    """An error e that is known by its inner products with directions.

    Directions have random signs and sizes uniform between 1/4 and 7/4: no single entry is then ever next to nothing, as
    it may be of Gaussian numbers, and two or many entries cancel hardly more often. Each is used again with other
    masks: <e, d> for the whole and <e, d m> for a part give the rest too.
    """

    def __init__(self, error_along: ErrorAlong, shape: tuple[int, ...], rng: np.random.Generator) -> None:
        self.error_along, self.shape, self.rng = error_along, shape, rng
        self.spent = 0
        self.directions: list[Array] = []
        self.totals: dict[int, tuple[float, float] | None] = {}
        self.size, self.ratio = 0.0, 1.0
        self.bounds = [(0, size) for size in shape]
        self.so_far: Place | None = None

    @property
    def known(self) -> Place | None:
        """The place as far as it is known: what was found inside the bounds, or the bounds as far as they are known."""
        place = of_box(self.bounds, self.shape)
        return self.so_far or (None if place is EVERYWHERE else place)

    @property
    def looks(self) -> int:
        """How many directions must agree that a part is empty."""
        wanted = math.log(_MISS) / math.log(min(2.7 * self.ratio, 0.5))
        return min(max(_FEWEST_LOOKS, math.ceil(wanted)), _MOST_LOOKS)

    @property
    def resolution(self) -> float:
        """The part of an even error that its noise hides."""
        return (3 * self.ratio) ** 2

    def begin(self) -> bool:
        """Look along whole directions until one shows the error; that will be the first."""
        seen: list[tuple[float, float]] = []
        for number in range(_MORE):
            reading = self.total(number)
            if reading is not None:
                seen.append(reading)
            if len(seen) >= _FIRST and any(abs(error) > _FAR * bound for error, bound in seen):
                break
        if not any(abs(error) > bound for error, bound in seen):
            return False
        clearest = sorted(self.totals, key=self._clarity, reverse=True)
        self.directions = [self.directions[number] for number in clearest]
        self.totals = dict(enumerate([self.totals[number] for number in clearest]))
        self.size = math.sqrt(sum(error**2 for error, _ in seen) / len(seen))
        self.ratio = max(_SMALLEST, min(1.0, float(np.median([bound for _, bound in seen])) / self.size))
        return True

    def _clarity(self, number: int) -> float:
        reading = self.totals[number]
        return -1.0 if reading is None else abs(reading[0])

    # Readings.

    def read(self, direction: Array) -> tuple[float, float] | None:
        """The error along a direction and what is nothing; None where it cannot be measured."""
        if self.spent >= MOST:
            raise Stop("enough directions")
        self.spent += 1
        try:
            error, bound = self.error_along(direction)
        except ArithmeticError:
            return None
        reading = float(error), float(bound)
        return reading if all(map(math.isfinite, reading)) else None

    def direction(self, number: int) -> Array:
        """One of the directions, made when it is first asked for."""
        while len(self.directions) <= number:
            sizes = self.rng.integers(_GRAIN // 4, 7 * _GRAIN // 4 + 1, self.shape) / _GRAIN
            self.directions.append(sizes * self.rng.choice([-1.0, 1.0], self.shape))
        return self.directions[number]

    def total(self, number: int) -> tuple[float, float] | None:
        """The reading of a whole direction."""
        if number not in self.totals:
            self.totals[number] = self.read(self.direction(number))
        return self.totals[number]

    def nothing(self, reading: tuple[float, float] | None, least: float = _SMALLEST) -> bool:
        """Whether a reading is only noise. One that there is not may be anything."""
        return reading is not None and abs(reading[0]) <= max(reading[1], least * self.size)

    def sees(self, number: int, mask: Array) -> bool:
        """Whether a direction, masked, sees anything."""
        return not self.nothing(self.read(self.direction(number) * mask))

    def empty(self, mask: Array) -> bool:
        """Whether a part is empty, by as many directions as the noise requires."""
        return not any(self.sees(number, mask) for number in range(self.looks))

    def depth(self, beyond: Callable[[int], Array], most: int) -> int:
        """The smallest number beyond which there is nothing: by one direction, and farther if others see more."""
        depth = 0
        for number in range(self.looks + 1):
            if depth < most and (depth == 0 or self.sees(number, beyond(depth))):
                depth += smallest(self._unseen(number, beyond, depth), most - depth)
        return depth

    def _unseen(self, number: int, beyond: Callable[[int], Array], start: int) -> Callable[[int], bool]:
        return lambda more: not self.sees(number, beyond(start + more))

    def split(self, mask: Array) -> tuple[bool, bool]:
        """Whether a part is empty, and whether the rest is, by as many directions as the noise requires."""
        return self._split(lambda direction: direction * mask, _SMALLEST, self.looks)

    def split_band(self, part: Callable[[Array], Array]) -> tuple[bool, bool]:
        """The same of a projection, where a tenth counts as nothing."""
        return self._split(part, _BAND, _BAND_LOOKS)

    def _split(self, part: Callable[[Array], Array], least: float, looks: int) -> tuple[bool, bool]:
        inside = outside = True
        for number in range(looks):
            reading = self.read(part(self.direction(number)))
            inside &= self.nothing(reading, least)
            outside = outside and self.nothing(_rest(self.total(number), reading), least)
            if not (inside or outside):
                break
        return inside, outside

    # The bounds.

    def box(self) -> Bounds:
        """The bounds of the error along each axis."""
        axes = [_Axis(size) for size in self.shape]
        self._look_at_ends(axes)
        if self._overlooks():
            self._confirm_ends(axes)
        for which, axis in enumerate(axes):
            self._bisect(which, axis)
            self._round(which)
        for number in range(1, self.looks + 1):
            outside = ~Box("region", tuple(self.bounds)).mask(self.shape)
            if not outside.any():
                break
            if self.sees(number, outside):
                self._grow(number)
                for which in range(len(self.shape)):
                    self._round(which)
        return tuple(self.bounds)

    def _near(self, size: int) -> int:
        """How far from an end the first look is: where the noise does not hide an even error."""
        return max(1, int(self.resolution * size))

    def _overlooks(self) -> bool:
        """Whether the first looks may well take the end of an even error for empty."""
        return any(self.ratio / math.sqrt(self._near(size) / size) > _DOUBTFUL for size in self.shape)

    def _look_at_ends(self, axes: list["_Axis"]) -> None:
        for number, axis in enumerate(axes):
            near = self._near(axis.size)
            for index in (near, axis.size - near):
                if axis.full_after < index < axis.empty_after:
                    self._look(number, axis, index)

    def _look(self, number: int, axis: "_Axis", index: int) -> None:
        """Along the first direction, before an index; that gives what is behind, too."""
        before = self.read(self.direction(0) * slab(self.shape, number, 0, index))
        axis.learn(index, self.nothing(before), self.nothing(_rest(self.total(0), before)))
        self.bounds[number] = (axis.empty_before, axis.empty_after)

    def _confirm_ends(self, axes: list["_Axis"]) -> None:
        """Look once more, along another direction, at all ends together that seem to be empty."""
        ends = [
            (axis, side, slab(self.shape, number, *((0, axis.empty_before), (axis.empty_after, axis.size))[side]))
            for number, axis in enumerate(axes)
            for side in (0, 1)
        ]
        some = np.logical_or.reduce([mask for _, _, mask in ends])
        if not some.any() or not self.sees(1, some):
            return
        for axis, side, mask in ends:
            if mask.any() and self.sees(1, mask):
                axis.unlearn(side)
        self.bounds = [(axis.empty_before, axis.empty_after) for axis in axes]
        self._look_at_ends(axes)

    def _bisect(self, number: int, axis: "_Axis") -> None:
        """The bounds along an axis, as far as the noise lets them be seen."""
        while True:
            hidden = max(1.0, self.resolution * (axis.empty_after - axis.empty_before))
            if axis.full_before - axis.empty_before > hidden:
                self._look(number, axis, (axis.full_before + axis.empty_before) // 2)
            elif axis.empty_after - axis.full_after > hidden:
                self._look(number, axis, (axis.empty_after + axis.full_after) // 2)
            else:
                return

    def _round(self, axis: int) -> None:
        """Take what the noise hides at an end as part of the error."""
        (low, high), size = self.bounds[axis], self.shape[axis]
        area = math.prod(b - a for a, b in self.bounds)
        limit = (2 * self.ratio) ** 2 * area  # of the sum of squares of entries of which the mean square is one

        def hidden(lacking: int) -> bool:
            entries = lacking * area // (high - low)
            accident = lacking <= _END * (high - low) and chdtr(entries, limit) > _ACCIDENT
            return bool(lacking <= self.resolution * (high - low) or (lacking > 0 and accident))

        self.bounds[axis] = (0 if hidden(low) else low, size if hidden(size - high) else high)

    def _grow(self, number: int) -> None:
        """Move the bounds outwards where a direction sees something beyond them."""
        for axis, size in enumerate(self.shape):
            low, high = self.bounds[axis]

            def below(more: int, axis: int = axis, low: int = low) -> bool:
                return not self.sees(number, slab(self.shape, axis, 0, low - more))

            def above(more: int, axis: int = axis, high: int = high, size: int = size) -> bool:
                return not self.sees(number, slab(self.shape, axis, high + more, size))

            if low > 0 and not below(0):
                low -= smallest(below, low)
            if high < size and not above(0):
                high += smallest(above, size - high)
            self.bounds[axis] = (low, high)


@dataclass
class _Axis:
    """What is known along an axis: before and after which index there is nothing, or something."""

    size: int
    empty_before: int = 0
    full_after: int = 0

    def __post_init__(self) -> None:
        self.full_before = self.empty_after = self.size

    def learn(self, index: int, nothing_before: bool, nothing_after: bool) -> None:
        """Of a look that contradicts earlier ones, keep those that saw something."""
        if not nothing_before:
            self.full_before = min(self.full_before, index)
        elif index < self.full_before:
            self.empty_before = max(self.empty_before, index)
        if not nothing_after:
            self.full_after = max(self.full_after, index)
        elif index > self.full_after:
            self.empty_after = min(self.empty_after, index)

    def unlearn(self, side: int) -> None:
        """There is something where it seemed to be empty."""
        if side == 0:
            self.full_before, self.empty_before = min(self.full_before, self.empty_before), 0
        else:
            self.full_after, self.empty_after = max(self.full_after, self.empty_after), self.size


def _rest(total: tuple[float, float] | None, part: tuple[float, float] | None) -> tuple[float, float] | None:
    """What is left of a reading, if a part of the same direction is taken away."""
    if total is None or part is None:
        return None
    return total[0] - part[0], math.hypot(total[1], part[1])


def smallest(enough: Callable[[int], bool], most: int) -> int:
    """The smallest number that is enough, where `most` is: by doubling, then bisection."""
    low, high = 0, 1
    while high < most and not enough(high):
        low, high = high, 2 * high
    high = min(high, most)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high
