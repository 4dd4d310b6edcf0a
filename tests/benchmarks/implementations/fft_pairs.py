"""The yardstick: the transforms of a gradient or a product by the textbook, by the backend that refdeconv uses.

Two pairs: forwards to blur, forwards again to correlate, and back after each, on the grid that holds the image and as
much padding as the PSF reaches, with the number of threads that refdeconv takes for it. With ducc0 all is written into
arrays that exist before (scipy.fft has no such argument: it may overwrite the spectrum); nothing is padded, multiplied
or cropped.
"""

import numpy as np
import scipy.fft

from refdeconv import _fft
from refdeconv._blocks import threads_for
from tests.benchmarks.tasks import Array, Task

from . import Made


def version() -> str:
    return _fft.BACKEND


def pair_with_scipy(grid: Array, spectrum: Array, threads: int) -> None:
    spectrum = scipy.fft.rfftn(grid, workers=threads)
    scipy.fft.irfftn(spectrum, grid.shape, workers=threads, overwrite_x=True)


def pair_with_ducc0(grid: Array, spectrum: Array, threads: int) -> None:
    import ducc0.fft as fft

    axes = tuple(range(grid.ndim))
    fft.r2c(grid, axes=axes, out=spectrum, nthreads=threads)
    fft.c2r(
        spectrum, axes=axes, lastsize=grid.shape[-1], forward=False, inorm=2, out=grid, nthreads=threads,
        allow_overwriting_input=True,
    )  # fmt: skip


def make(task: Task) -> Made:
    grid = np.random.default_rng(0).standard_normal(task.grid, np.float32).astype(task.dtype)
    spectrum = np.zeros((*grid.shape[:-1], grid.shape[-1] // 2 + 1), np.result_type(grid, np.complex64))
    pair = {"ducc0": pair_with_ducc0, "scipy": pair_with_scipy}[_fft.BACKEND]
    threads = threads_for(grid.nbytes)

    def two_pairs() -> None:
        for _ in range(2):
            pair(grid, spectrum, threads)

    return Made(lambda: (0.0, two_pairs()), two_pairs)
