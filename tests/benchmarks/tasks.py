"""What is evaluated: two objectives, in numbers that every implementation makes for itself from the same seed.

(a) ``article``: ``sqrt(sum((K x - d)**2) / 2) + mu sqrt(sum((D x)**2) / 2)``

(b) ``poisson-tv``: ``sum(u - d log(u)) + mu sum(sqrt(abs(D x)**2 + epsilon**2) - epsilon)`` with ``u = K x + b``

K is the convolution with an asymmetric PSF, zeros beyond the edges; D are the forward differences.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.fft
from numpy.typing import NDArray

Array = NDArray[Any]

MU, EPSILON, BACKGROUND = 0.2, 0.05, 0.5


@dataclass(frozen=True)
class Task:
    """One objective, of one size.

    Attributes
    ----------
    objective : str
        'article' or 'poisson-tv'.
    shape : tuple of int
        Of the image.
    dtype : str
        'float64' or 'float32'.
    width : int
        Samples of the PSF along each axis.
    product : bool
        Whether the PSF is a product of one for each axis, as the article's is.
    """

    objective: str
    shape: tuple[int, ...]
    dtype: str
    width: int
    product: bool = True

    @property
    def words(self) -> str:
        """The PSF, in words."""
        return f"{self.width}" if self.product else f"{self.width}, no product"

    @property
    def grid(self) -> tuple[int, ...]:
        """Of the transforms: as much padding as the PSF reaches, then a fast size."""
        reach = self.width - 1 - self.origin
        last = len(self.shape) - 1
        return tuple(
            scipy.fft.next_fast_len(size + max(self.origin, reach), real=axis == last)
            for axis, size in enumerate(self.shape)
        )

    @property
    def origin(self) -> int:
        """The sample of the PSF that multiplies the pixel itself, on each axis."""
        return (self.width - 1) // 2

    def psf(self) -> Array:
        """Positive, of sum one, without symmetry, in float64."""
        rng = np.random.default_rng(1)
        if self.product:
            psf = math.prod(np.ix_(*(rng.random(self.width) + 0.1 for _ in self.shape)))
        else:
            psf = rng.random((self.width,) * len(self.shape)) + 0.1
        return psf / psf.sum()

    @property
    def even_grid(self) -> tuple[int, ...]:
        """A grid whose last size is even."""
        *sizes, last = self.grid
        while last % 2:
            last = scipy.fft.next_fast_len(last + 1, real=True)
        return (*sizes, last)

    def placed_psf(self, shape: tuple[int, ...] | None = None) -> Array:
        """The PSF around index 0 of a periodic grid (`grid`), in the task's precision."""
        grid = np.zeros(shape or self.grid)
        grid[tuple(slice(0, self.width) for _ in self.shape)] = self.psf()
        return np.roll(grid, [-self.origin] * len(self.shape), range(len(self.shape))).astype(self.dtype)

    def arrays(self) -> tuple[Array, Array, Array]:
        """Data, point and direction; the point and the data of (b) are positive."""
        rng = np.random.default_rng(2)
        data, x, v = (rng.standard_normal(self.shape, np.float32).astype(self.dtype) for _ in range(3))
        if self.objective == "poisson-tv":
            data, x = np.floor(5 * np.abs(data)), np.abs(x) + self.real(0.5)
        return data, x, v

    def real(self, number: float) -> Any:
        """A number in the task's precision."""
        return np.dtype(self.dtype).type(number)


class ArticleTask(Task):
    """The article's own problem: its image, PSF and start."""

    def __init__(self) -> None:
        super().__init__("article", (171, 171), "float64", 13)

    def psf(self) -> Array:
        """The article's."""
        return self._problem().psf

    def arrays(self) -> tuple[Array, Array, Array]:
        """The blurred image, the start, and any direction."""
        start = self._problem().start(0)
        return self._problem().blurred.copy(), start, start

    def _problem(self) -> Any:
        import refdeconv as rd

        return rd.problems.article(mu=MU)
