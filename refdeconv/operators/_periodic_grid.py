"""How a convolution is laid out on a periodic grid, axis by axis: what is extended, and where the PSF's samples go."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from refdeconv import _fft
from refdeconv._arrays import Array, Shape


@dataclass(frozen=True)
class Axis:
    """The layout along one axis: CNV.4 to CNV.6 on derivations/operators/convolution.md.

    Attributes
    ----------
    samples : ndarray of int
        The samples of the PSF that matter.
    shifts : ndarray of int
        How far each of them moves the grid; modulo the period, where it is placed.
    before, after : int
        Pixels that the image is extended by.
    size : int
        The least size of the grid.
    exact : bool
        Whether it must be that size: the period of the image beyond its edges.
    """

    samples: Array
    shifts: Array
    before: int = 0
    after: int = 0
    size: int = 0
    exact: bool = False

    @classmethod
    def of(cls, boundary: str, pixels: int, psf: int, origin: int) -> Self:
        """For an image of so many pixels, and a PSF of so many samples with its origin at this index."""
        samples = np.arange(psf)
        distances = samples - origin
        match boundary:
            case "wrap":
                return cls(samples, distances, size=pixels, exact=True)
            case "valid":
                return cls(samples, distances - distances[-1], size=pixels)
            case "constant":
                near = np.flatnonzero(np.abs(distances) < pixels)  # no other sample leads from a pixel to a pixel
                return cls(samples[near], distances[near], size=pixels + int(np.abs(distances[near]).max()))
            case "nearest":
                distances = np.clip(distances, 1 - pixels, pixels - 1)  # from there on, always the pixel at the edge
            case _:
                period = 2 * pixels if boundary == "reflect" else max(2 * pixels - 2, 1)
                if pixels + psf - 1 >= period:  # a whole period is shorter than what the PSF reaches
                    return cls(samples, distances, after=period - pixels, size=period, exact=True)
        before, after = int(distances[-1]), int(-distances[0])
        return cls(samples, distances - before, before, after, pixels + before + after)


def fft_shape(axes: tuple[Axis, ...]) -> Shape:
    """The periods: the smallest fast sizes, where there is a choice."""
    fast = _fft.fast_shape(tuple(axis.size for axis in axes))
    return tuple(axis.size if axis.exact else size for axis, size in zip(axes, fast, strict=True))


def placed(psf: Array, axes: tuple[Axis, ...], grid: Shape) -> Array:
    """The PSF on the periodic grid; samples that fall on one another are added."""
    result = np.zeros(grid, psf.dtype)
    places = [axis.shifts % period for axis, period in zip(axes, grid, strict=True)]
    np.add.at(result, np.ix_(*places), psf[np.ix_(*(axis.samples for axis in axes))])
    return result
