"""What a framework loses in smoothed norms and in their second derivatives, computed for each draw.

A smoothed absolute value, ``sqrt(r**2 + epsilon**2) - epsilon``, is to a framework the difference that it says. Where
every r is small beside epsilon, little of the two terms is left: ``r**2 / (2 * epsilon)``.

The second derivative of ``sqrt(r**2 + epsilon**2)``, ``epsilon**2 / s**3``, is to a framework the difference
``1 / s - r**2 / s**3``. Where every r is large beside epsilon, little of the two terms is left, and the rounding of
these counts in it as many times as they are larger: a million times at r = 1 with an epsilon of 1e-3.

refdeconv computes what is left, not the differences; `test_cancelling` asks mpmath.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

import refdeconv as rd
from refdeconv.calculus import LinearOperator
from tests.autodiff import Array

# A draw whose terms are more than so many times what they leave is drawn again: in float32 their rounding alone would
# be most of the tolerance, 1e-5.
LIMIT = 64

# What is drawn all the same: these are nothing else.
CANCELLING = {
    "SmoothedL1 by default": "the second derivative epsilon**2 / s**3, s**2 = r**2 + epsilon**2, is computed as "
    "1 / s - r**2 / s**3: it loses the digits of (r / epsilon)**2, which is a million at r = 1"
}


def cancellation(f: Any, x: Array, v: Array) -> float:
    """How many times the terms of the HVP are larger than what they leave, both multiplied by v; 1 if they add.

    Of a smoothed norm, also after a linear operator; of anything else it is not asked.
    """
    outer, y, dy = without_operator(f, x, v)
    return ratio(outer, *TERMS[type(outer)](outer, y, dy)) if type(outer) in TERMS else 1.0


def cancellation_of_value(f: Any, x: Array) -> float:
    """How many times the roots, in all, are larger than what the subtraction of epsilon from each leaves of them."""
    outer, y = without_operator(f, x)
    if type(outer) not in SIZES:
        return 1.0
    r = SIZES[type(outer)](outer, y)
    s = np.hypot(r, outer.epsilon)
    return ratio(outer, s, r * (r / (s + outer.epsilon)))


def without_operator(f: Any, *points: Array) -> tuple[Any, ...]:
    """Of a functional after a linear operator, the functional and the operator's results."""
    if isinstance(getattr(f, "inner", None), LinearOperator):
        return f.outer, *map(f.inner.forward, points)
    return f, *points


def ratio(f: Any, larger: Array, left: Array) -> float:
    """Of the weighted sums; 1 where nothing is left."""
    weight = 1 if f.weight is None else f.weight
    whole, rest = np.sum(weight * larger), np.sum(weight * left)
    return float(whole / rest) if rest else 1.0


Terms = tuple[Array, Array]  # at each pixel: the larger of the terms, and what is left


def of_residual(f: rd.SmoothedL1, u: Array, du: Array) -> Terms:
    """``v**2 / s`` and ``epsilon**2 v**2 / s**3``."""
    s = np.hypot(residual(f, u), f.epsilon)
    return du**2 / s, (f.epsilon / s) ** 2 * du**2 / s


def of_length(f: rd.SmoothedGroupNorm, y: Array, dy: Array) -> Terms:
    """``|v|**2 / s`` and ``(|v|**2 - (y.v / s)**2) / s``: what is across y is left whole."""
    square, along, size = (np.sum(a, axis=f.axis) for a in (y * y, y * dy, dy * dy))
    s = np.sqrt(square + float(f.epsilon) ** 2)
    return size / s, (size - (along / s) ** 2) / s


def of_eigenvalues(f: rd.SmoothedNuclearNorm, y: Array, dy: Array) -> Terms:
    """In the eigenvectors' basis, entry by entry, the terms of ``epsilon**2 + s_i s_j - l_i l_j`` (SCH.3)."""
    values, vectors = np.linalg.eigh(matrices(y))
    square = (np.swapaxes(vectors, -1, -2) @ matrices(dy) @ vectors) ** 2
    s = np.hypot(values, f.epsilon)
    li, lj, si, sj = values[..., None], values[..., None, :], s[..., None], s[..., None, :]
    left = (f.epsilon**2 - li * lj) / (si * sj) + 1
    return np.sum(2 * square / (si + sj), (-2, -1)), np.sum(left * square / (si + sj), (-2, -1))


TERMS: dict[type, Callable[[Any, Array, Array], Terms]] = {
    rd.SmoothedL1: of_residual,
    rd.SmoothedGroupNorm: of_length,
    rd.SmoothedNuclearNorm: of_eigenvalues,
}


def residual(f: rd.SmoothedL1, u: Array) -> Array:
    return u if f.data is None else u - f.data


# What is smoothed: r in the root of r**2 + epsilon**2, at each pixel, those of several eigenvalues along a first axis.
SIZES: dict[type, Callable[[Any, Array], Array]] = {
    rd.SmoothedL1: residual,
    rd.SmoothedGroupNorm: lambda f, y: np.sqrt(np.sum(y * y, axis=f.axis)),
    rd.SmoothedNuclearNorm: lambda f, y: np.moveaxis(np.linalg.eigvalsh(matrices(y)), -1, 0),
}


def matrices(field: Array) -> Array:
    """Of shape ``(*shape, d, d)``; the field has the upper triangles, off the diagonal times the root of two."""
    d = {1: 1, 3: 2, 6: 3}[len(field)]
    full = np.empty((*field.shape[1:], d, d))
    for entry, i, j in zip(field, *np.triu_indices(d), strict=True):
        full[..., i, j] = full[..., j, i] = entry if i == j else entry / np.sqrt(2)
    return full
