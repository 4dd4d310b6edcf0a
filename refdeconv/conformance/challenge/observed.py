"""The answers of one function beside the right ones."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from refdeconv._arrays import Array
from refdeconv.conformance.challenge.noise import Right, size_of
from refdeconv.conformance.challenge.probes import Call


@dataclass(frozen=True, eq=False)
class Observed:
    """What was answered by a function, in the order of its calls.

    Attributes
    ----------
    function : str
        Which.
    calls : tuple of Call
        Its calls.
    given : tuple of array
        The answers, longdouble.
    right : tuple of Right
        What they should be.
    """

    function: str
    calls: tuple[Call, ...]
    given: tuple[Array, ...]
    right: tuple[Right, ...]

    @cached_property
    def sizes(self) -> tuple[float, ...]:
        """What errors are relative to: the norms of the right answers."""
        return tuple(right.size for right in self.right)

    @cached_property
    def errors(self) -> tuple[float, ...]:
        """Relative to the sizes."""
        triples = zip(self.given, self.right, self.sizes, strict=True)
        return tuple(size_of(g - r.answer) / size for g, r, size in triples)

    @cached_property
    def bounds(self) -> tuple[float, ...]:
        """Relative to the sizes."""
        return tuple(r.bound / size for r, size in zip(self.right, self.sizes, strict=True))

    @cached_property
    def wrong(self) -> tuple[int, ...]:
        """The indices of answers that are further off than rounding may be."""
        pairs = enumerate(zip(self.errors, self.bounds, strict=True))
        return tuple(i for i, (error, bound) in pairs if not error <= bound)

    @cached_property
    def excess(self) -> float:
        """The largest error over its bound."""
        return max(
            e / b if b > 0 else (0.0 if e == 0 else np.inf) for e, b in zip(self.errors, self.bounds, strict=True)
        )

    @cached_property
    def answers(self) -> Array:
        """All answers in one row, each over its size, in float64."""
        return self.row(list(self.given))

    @cached_property
    def lacking(self) -> Array:
        """All that is missing to the right answers, in the same order."""
        return self.row([r.answer - g for r, g in zip(self.right, self.given, strict=True)])

    def row(self, arrays: list[Array]) -> Array:
        """An array for each call, each over the size of its right answer, in one row."""
        scaled = [np.ravel(np.asarray(array, np.longdouble) / s) for array, s in zip(arrays, self.sizes, strict=True)]
        return np.concatenate(scaled).astype(np.float64)

    def part(self, indices: tuple[int, ...]) -> Observed:
        """Some of the calls."""
        return Observed(
            self.function,
            tuple(self.calls[i] for i in indices),
            tuple(self.given[i] for i in indices),
            tuple(self.right[i] for i in indices),
        )
