"""Numbers for cases: scattered, but of a few decimals and by a formula, so that anyone can write them down again."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from refdeconv.conformance.golden.case import Array

_PRIME = 10007


def scattered(shape: int | Sequence[int], seed: int, low: float = -1.0, high: float = 1.0, decimals: int = 3) -> Array:
    """Numbers between low and high in C order, rounded to decimals.

    The k-th is ``low + (high - low) * q / 10007``, with ``q = (k + 31 * seed + 1)**3 mod 10007``.
    """
    sizes = (shape,) if isinstance(shape, int) else tuple(shape)
    k = np.arange(int(np.prod(sizes)), dtype=np.int64) + 31 * seed + 1
    fractions = (k**3 % _PRIME) / _PRIME
    return np.round(low + (high - low) * fractions, decimals).reshape(sizes)


def two_directions(shape: Sequence[int], seed: int = 0) -> Array:
    """Two directions, along which no entry is zero."""
    return np.stack([scattered(shape, 5 + seed), scattered(shape, 6 + seed, 0.25, 1.75)])


def in_eighths(numbers: Array) -> Array:
    """The numbers rounded to multiples of 1/8, so that little arithmetic with them is exact in floating point."""
    return np.round(8 * numbers) / 8


def psf_of(shape: int | Sequence[int], seed: int) -> Array:
    """A point spread function without symmetry, of sum one to its three decimals."""
    raw = scattered(shape, seed, 0.1, 1.0)
    psf = np.round(raw / raw.sum(), 3)
    psf.flat[0] = np.round(psf.flat[0] + 1 - psf.sum(), 3)
    return psf
