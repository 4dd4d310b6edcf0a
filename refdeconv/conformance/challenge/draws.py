"""Random numbers from a seed, by a formula that is the same in every version of everything.

A challenge is written by one machine and made again by another that judges it: all its numbers must be the same bits.
NumPy's generators promise no such thing. These are SHAKE-256 of the seed and a word, and but sums, products and square
roots of float64 follow, which IEEE 754 defines to the last bit.
"""

from __future__ import annotations

import hashlib
from math import prod

import numpy as np

from refdeconv._arrays import Array, Shape

STEPS = 64  # of "coarse" numbers to one: sums of them, and of their squares, are exact in any order
_ROOT_OF_THREE = 1.7320508075688772


def words(seed: int, what: str, shape: Shape) -> Array:
    """Whole numbers below 2**64."""
    count = prod(shape)
    digest = hashlib.shake_256(f"refdeconv challenge, {seed}, {what}".encode()).digest(8 * count)
    return np.frombuffer(digest, "<u8").astype(np.uint64).reshape(shape)


def uniform(seed: int, what: str, shape: Shape, low: float, high: float) -> Array:
    """Numbers in between, with all digits that float64 has."""
    return low + (high - low) * (np.right_shift(words(seed, what, shape), np.uint64(11)).astype(np.float64) * 2.0**-53)


def noise(seed: int, what: str, shape: Shape) -> Array:
    """Mean 0, variance 1, nearly normal: the sum of four uniform numbers."""
    a, b, c, d = uniform(seed, what, (4, *shape), -1.0, 1.0)
    return np.asarray(((a + b) + (c + d)) * (_ROOT_OF_THREE / 2))


def coarse(seed: int, what: str, shape: Shape, low: int, high: int) -> Array:
    """Multiples of 1 / STEPS, from low / STEPS up to, but not including, high / STEPS."""
    whole = np.remainder(words(seed, what, shape), np.uint64(high - low)).astype(np.float64)
    return np.asarray((whole + low) / STEPS)
