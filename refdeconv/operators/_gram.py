"""The adjoint of a convolution after the convolution, at the cost of one transform and back instead of two.

Were nothing cut off between the two, they would be one convolution, with the autocorrelation of the PSF. What is cut
off are few rows beyond the edges, whose share is computed on narrow strips and taken away (CNV.7).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

import numpy as np

from refdeconv import _blocks, _fft
from refdeconv._arrays import Array, Shape, read_only
from refdeconv._scratch import scratch

_NARROW = 4  # times the reach of the PSF that an image must have along each axis, for the strips to be worth it

_Where = tuple[slice, ...]


@dataclass(frozen=True)
class _Strip:
    """The pixels near one edge, and what of a convolution of these lies beyond it.

    Attributes
    ----------
    pixels : tuple of slice
        The strip, in the image.
    seen : tuple of slice
        Where its convolution counts, on the grid of the transform.
    spectrum : ndarray
        Of the PSF's samples that lead from the strip beyond the edge.
    grid : tuple of int
        Shape of the transform.
    """

    pixels: _Where
    seen: _Where
    spectrum: Array
    grid: Shape

    def take(self, x: Array, result: Array, workers: int | None) -> None:
        """Take what the strip sees beyond the edge, and back, from the result."""
        strip = x[self.pixels]
        inside = tuple(map(slice, strip.shape))
        grid = np.zeros(self.grid, x.dtype)  # small
        grid[inside] = strip
        spectrum = self.spectrum.astype(np.result_type(x.dtype, np.complex64), copy=False)
        blurred = _fft.multiply_spectrum(grid, spectrum, workers=workers, overwrite=True)
        seen = np.zeros(self.grid, x.dtype)
        seen[self.seen] = blurred[self.seen]
        back = _fft.multiply_spectrum(seen, spectrum, conjugate=True, workers=workers, overwrite=True)
        result[self.pixels] -= back[inside]


class NearlyToeplitz:
    """``x -> K^T K x``, where K convolves an image with a PSF and cuts off what lies beyond it.

    Parameters
    ----------
    psf : ndarray
        In float64.
    shape : tuple of int
        Of the image.
    before, after : tuple of int
        Along each axis, how many of the ``n + k - 1`` pixels that the convolution of n pixels with k samples reaches
        are cut off at its beginning and at its end.
    periodic : bool
        Whether the image goes on periodically instead, and nothing is cut off. The PSF is then no larger than it.

    Notes
    -----
    Derivation: derivations/operators/convolution.md, CNV.7
    """

    def __init__(self, psf: Array, shape: Shape, before: Shape, after: Shape, *, periodic: bool = False) -> None:
        self.shape = shape
        reached = tuple(n + k - 1 for n, k in zip(shape, psf.shape, strict=True))
        self.grid = shape if periodic else _fft.fast_shape(reached)
        transform = _fft.spectrum(_at_start(psf, self.grid))
        double = read_only(transform.real**2 + transform.imag**2)
        self._powers = {np.dtype(np.float64): double, np.dtype(np.float32): read_only(double.astype(np.float32))}
        widths = tuple(zip(before, after, strict=True))
        self._strips = [
            strip
            for axis in range(len(shape))
            for first in (True, False)
            if (strip := _strip(psf, shape, widths, axis, first)) is not None
        ]

    @property
    def cost(self) -> int:
        """Pixels that are transformed: once those of the image's grid, twice those of the strips'."""
        return prod(self.grid) + 2 * sum(prod(strip.grid) for strip in self._strips)

    def __call__(self, x: Array, workers: int | None) -> Array:
        """The product, for a real x of float64 or float32."""
        inside = tuple(map(slice, self.shape))
        result = np.empty(self.shape, x.dtype)
        with scratch(self.grid, x.dtype) as grid:
            _blocks.pixelwise(_copy, x, grid[inside])
            for axis, size in enumerate(self.shape):
                grid[(slice(None),) * axis + (slice(size, None),)] = 0
            product = _fft.multiply_spectrum(grid, self._powers[x.dtype], workers=workers, overwrite=True)
            _blocks.pixelwise(_copy, product[inside], result)
        for strip in self._strips:
            strip.take(x, result, workers)
        return result


def is_narrow(psf: Shape, shape: Shape) -> bool:
    """Whether a PSF is so much smaller than the image that this way is the shorter one."""
    return all(_NARROW * (k - 1) <= n for k, n in zip(psf, shape, strict=True))


def _strip(psf: Array, shape: Shape, widths: tuple[tuple[int, int], ...], axis: int, first: bool) -> _Strip | None:
    """The strip at one edge: along the axes before this one, what is seen is what is kept; along those after, all."""
    width = widths[axis][0 if first else 1]
    if width == 0:
        return None
    pixels, seen, grid, samples = [], [], [], []
    for other, (n, k, (before, after)) in enumerate(zip(shape, psf.shape, widths, strict=True)):
        if other != axis:
            pixels.append(slice(None))
            seen.append(slice(before, n + k - 1 - after) if other < axis else slice(0, n + k - 1))
            grid.append(n + k - 1)
            samples.append(slice(None))
        else:  # beyond the first edge the first samples lead, beyond the last edge the last ones
            pixels.append(slice(0, width) if first else slice(n - width, n))
            seen.append(slice(0, width) if first else slice(width - 1, 2 * width - 1))
            grid.append(2 * width - 1)
            samples.append(slice(0, width) if first else slice(k - width, k))
    fast = _fft.fast_shape(tuple(grid))
    spectrum = read_only(_fft.spectrum(_at_start(psf[tuple(samples)], fast)))
    return _Strip(tuple(pixels), tuple(seen), spectrum, fast)


def _at_start(array: Array, grid: Shape) -> Array:
    result = np.zeros(grid)
    result[tuple(map(slice, array.shape))] = array
    return result


def _copy(x: Array, place: Array) -> None:
    place[...] = x
