"""The floor: the transforms that a gradient or a product cannot do without, by the backend that refdeconv uses.

Two pairs: forwards to blur, forwards again to correlate, and back after each; arrays exist before, nothing is padded,
multiplied or cropped.
"""

import numpy as np

from refdeconv import _fft
from tests.benchmarks.tasks import Task

from . import Made


def version() -> str:
    return _fft.BACKEND


def make(task: Task) -> Made:
    grid = np.random.default_rng(0).standard_normal(task.grid).astype(task.dtype)

    def two_pairs() -> tuple[float, np.ndarray]:
        for _ in range(2):
            _fft.pair(grid)
        return 0.0, grid

    return Made(two_pairs, lambda: two_pairs()[1])
