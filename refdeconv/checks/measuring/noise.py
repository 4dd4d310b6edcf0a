"""How much of a computed number is noise: the difference table of More and Wild, and what its estimate is worth."""

import math
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

Array = NDArray[Any]

# The probability that a report about right code has any WRONG in it, and the number of tests that it may have.
FALSE_ALARM = 1e-6
TESTS = 128
MISS = 1e-3

_AGREEING = 4.0  # estimates of three successive orders that differ by less are of the same noise
_FEW = 30.0  # degrees of freedom
_POOLED = 1.5  # levels that differ by more are of different noise
_MOST_FREEDOM = 200.0  # entries of one array are not independent


@dataclass(frozen=True)
class Noise:
    """A standard deviation, and of how many independent numbers it was estimated.

    Attributes
    ----------
    level : float
        Standard deviation of a single entry.
    freedom : float
        Degrees of freedom of the estimate.
    """

    level: float
    freedom: float

    @cached_property
    def factor(self) -> float:
        """How many times its level an error may be, before it is no accident.

        Notes
        -----
        Derivation: derivations/checks.md, CHE.3
        """
        # Student's t; from `special`, as `scipy.stats` takes long to import.
        return -float(special.stdtrit(self.freedom, FALSE_ALARM / TESTS / 2))

    def or_at_least(self, level: float) -> "Noise":
        """The larger of it and of a level that is known: where that is larger, nothing is left to be estimated.

        An estimate from few numbers that is of the order of the known level is taken to be of the same rounding.
        """
        if self.freedom < _FEW and self.level <= _AGREEING * level:
            return Noise(_AGREEING * level, _MOST_FREEDOM)
        return self if self.level >= level else Noise(level, _MOST_FREEDOM)

    def together(self, other: "Noise") -> "Noise":
        """Two estimates as one: pooled where both were measured and agree, else the larger."""
        small, large = sorted((self, other), key=lambda noise: noise.level)
        if large.level > _POOLED * small.level or small.freedom >= _MOST_FREEDOM:
            return large
        freedom = small.freedom + large.freedom
        level = math.sqrt((small.freedom * small.level**2 + large.freedom * large.level**2) / freedom)
        return Noise(level, freedom)


def difference_table(samples: Array) -> Noise:
    """The noise in samples at equally spaced points of a line, the first axis; further axes are entries of an array.

    The k-th differences of a smooth function vanish as its k-th derivative times the spacing to the power k; those of
    noise of standard deviation s have the variance ``s**2 (2k)!/(k!)**2``.

    Parameters
    ----------
    samples : ndarray
        At least four samples along the first axis.

    Returns
    -------
    Noise
        From the first order at which three successive estimates agree within a factor of four and the differences
        change their signs; if there is none, from the smallest estimate.

    Notes
    -----
    J. J. Moré and S. M. Wild, "Estimating computational noise", SIAM Journal on Scientific Computing 33, 2011.
    Derivation: derivations/checks.md, CHE.1, CHE.2
    """
    count = len(samples)
    table = np.asarray(samples).reshape(count, -1)
    squares, levels, changes = [], [], []
    for order in range(1, count):
        table = np.diff(table, axis=0)
        scale = math.factorial(order) ** 2 / math.factorial(2 * order)
        squares.append(np.mean(table**2, axis=0))
        levels.append(float(np.sqrt(scale * np.mean(squares[-1]))))
        changes.append(bool(np.any(np.signbit(table[1:]) != np.signbit(table[:-1]))))
    for order in range(1, count - 2):
        three = levels[order - 1 : order + 2]
        if changes[order - 1] and max(three) <= _AGREEING * min(three):
            break
    else:
        order = int(np.argmin(levels[: count - 2])) + 1
    return Noise(levels[order - 1], min(_freedom(count, order) * _effective(squares[order - 1]), _MOST_FREEDOM))


def _effective(squares: Array) -> float:
    """How many entries matter: few, where the noise of few is larger than that of all others."""
    largest = np.max(squares, initial=0.0)
    return float(np.sum(squares / largest) ** 2 / np.sum((squares / largest) ** 2)) if largest > 0 else len(squares)


@cache
def _freedom(count: int, order: int) -> float:
    """Degrees of freedom of the mean square of the differences of an order: tr(M)**2 / tr(M M) of its matrix M."""
    differences = np.diff(np.eye(count), n=order, axis=0)
    product = differences @ differences.T
    return float(np.trace(product) ** 2 / np.sum(product**2))


@cache
def least_normal(count: int, miss: float = MISS) -> float:
    """The size that the largest of so many normal numbers exceeds, but for a probability of a miss.

    Notes
    -----
    Derivation: derivations/checks.md, CHE.4
    """
    return float(special.ndtri(0.5 + 0.5 * miss ** (1 / count)))


def precision(samples: list[float], epsilon: float) -> float:
    """The unit roundoff of the numbers in which samples are held: float32 numbers in float64 have that of float32."""
    finite = np.array([sample for sample in samples if sample], np.float64)
    for dtype in (np.float16, np.float32):
        with np.errstate(over="ignore", under="ignore"):
            if len(finite) and np.finfo(dtype).eps > epsilon and np.array_equal(finite.astype(dtype), finite):
                return float(np.finfo(dtype).eps)
    return epsilon
