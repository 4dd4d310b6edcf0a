"""Maps of an error: its bounds and what is inside them, above the noise."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtri  # of chi squared

from refdeconv.checks.faults.places import Bounds, Place
from refdeconv.checks.faults.probes import smallest

Array = NDArray[Any]
Part = Callable[[Array], Array]

_FALSE = 1e-3  # probability that any entry of a map without error is taken for one with an error
_LEAST = 4.0  # times its noise an error of an entry is at least
_REST = 1e-2  # of the squared error may lie outside of the place, and its density there be of that inside
_SMALL = 1e-4  # of the largest squared error counts as none
_END = 0.15  # of the length of a box may be hidden by accident at an end


class Maps:
    """An error of which maps are known."""

    def __init__(self, maps: Array, noise: Array) -> None:
        self.maps, self.noise = maps, noise
        self.so_far: Place | None = None
        count, shape = len(maps), maps.shape[1:]
        mean = np.mean(maps**2, axis=0)
        least = max(_LEAST**2, float(chdtri(count, _FALSE / math.prod(shape))) / count)
        seen = (mean > least * noise**2) & (mean > _SMALL * mean.max(initial=0))
        self.energy = np.where(seen, mean, 0.0)
        self.threshold = max(least * float(np.mean(noise**2)), _SMALL * float(mean.max(initial=0)))

    def box(self) -> Bounds:
        """The bounds of what is above the noise, and at an end of a few entries that may be below it by accident."""
        bounds = [(int(index.min()), int(index.max()) + 1) for index in np.nonzero(self.energy)]
        for axis, size in enumerate(self.energy.shape):
            low, high = bounds[axis]
            area = math.prod(b - a for a, b in bounds)
            below = min(1.0, math.sqrt(self.threshold * area / np.sum(self.energy)))  # probability of a single entry
            slice_of = area // (high - low)
            hidden = [
                0 < lacking <= _END * (high - low) and below ** (lacking * slice_of) > _FALSE
                for lacking in (low, size - high)
            ]
            bounds[axis] = (0 if hidden[0] else low, size if hidden[1] else high)
        return tuple(bounds)

    def split(self, mask: Array) -> tuple[bool, bool]:
        """Whether the energy inside is next to nothing, and whether that outside is."""
        return self.empty(mask), self.empty(~mask)

    def empty(self, mask: Array) -> bool:
        """Whether the energy inside is at most a hundredth of that of as many entries on the average."""
        limit = _REST * float(np.sum(self.energy)) * np.sum(mask) / mask.size
        return bool(np.sum(self.energy[mask]) <= limit)

    def depth(self, beyond: Callable[[int], Array], most: int) -> int:
        """The smallest number beyond which there is next to nothing."""
        return smallest(lambda number: self.empty(beyond(number)), most)

    def split_band(self, part: Part) -> tuple[bool, bool]:
        """The same of a projection, noise taken away."""
        kept = np.array([part(array) for array in self.maps])
        trial = np.random.default_rng(0).standard_normal(self.noise.shape) * self.noise
        of_noise = part(trial)
        energies = [
            float(np.sum(piece**2) - len(self.maps) * np.sum(other**2))
            for piece, other in ((kept, of_noise), (self.maps - kept, trial - of_noise))
        ]
        total = sum(max(energy, 0.0) for energy in energies)
        return energies[0] <= _REST * total, energies[1] <= _REST * total
