"""Random numbers for cases, the same on every machine and with every version of Python and numpy."""

from __future__ import annotations

from random import Random
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


class Draw:
    """Numbers drawn from a seed, usually the name of the case that they are for: of 53 bits."""

    def __init__(self, seed: str) -> None:
        self.seed = seed
        self._random = Random(seed)

    def uniform(self, shape: int | tuple[int, ...], low: float = -1.0, high: float = 1.0) -> Array:
        """An array of float64 numbers between two bounds."""
        size = int(np.prod(shape))
        numbers = np.array([self._random.random() for _ in range(size)], dtype=np.float64)
        return (low + (high - low) * numbers).reshape(shape)

    def mask(self, shape: tuple[int, ...]) -> Array:
        """An array of booleans, some true and some not, the last pixel true."""
        found = self.uniform(shape) > 0
        found[(-1,) * found.ndim] = True
        return found
