"""Arrays of exact numbers, what lies beyond their edges, and the sums over neighbours that definitions are made of.

Every number here is an mpmath number in an object array, and every operation a loop over pixels: slow, and plain. The
float64 numbers of a case are taken as they are, exactly; parameters that are exact numbers already are kept, so that a
definition can also be evaluated at parameters that are no float64 numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import product
from typing import Any

import numpy as np
from mpmath import mp, mpf
from numpy.typing import NDArray

from refdeconv.conformance.golden.edges import inside

Exact = NDArray[Any]
Index = tuple[int, ...]

DIGITS = 50  # of every result


def exact(values: Any) -> Exact:
    """The numbers as exact ones in an object array: a new one."""
    given = np.asarray(values, dtype=object)
    return filled(given.shape, lambda index: number(given[index]))


def number(value: Any) -> Any:
    """One number as an exact one."""
    return value if isinstance(value, mpf) else mpf(float(value))


def filled(shape: Sequence[int], formula: Callable[[Index], Any]) -> Exact:
    """The object array with formula(index) at each index."""
    result = np.empty(tuple(shape), dtype=object)
    for index in indices(shape):
        result[index] = formula(index)
    return result


def indices(shape: Sequence[int]) -> Iterator[Index]:
    """All indices of an array, in C order."""
    return product(*map(range, shape))


def zeros(shape: Sequence[int]) -> Exact:
    """An array of exact zeros."""
    return filled(shape, lambda index: mpf(0))


def total(values: Any) -> Any:
    """The sum of all numbers of an array, or of a sequence."""
    return mp.fsum(values.flat if isinstance(values, np.ndarray) else values)


def inner(a: Exact, b: Exact) -> Any:
    """The plain sum of products of two arrays."""
    return mp.fsum(s * t for s, t in zip(a.flat, b.flat, strict=True))


def shape_of(shape: int | Sequence[int]) -> Index:
    """A shape as a tuple; one number is one axis."""
    return (int(shape),) if isinstance(shape, int | np.integer) else tuple(map(int, shape))


def for_each(value: Any, count: int) -> tuple[Any, ...]:
    """A sequence of so many values as a tuple; one number counts for all."""
    return tuple(value) if isinstance(value, Sequence | np.ndarray) else (value,) * count


def pixel(x: Exact, index: Sequence[int], boundary: str) -> Any:
    """The image continued beyond its edges, at any index."""
    place = [inside(i, n, boundary) for i, n in zip(index, x.shape, strict=True)]
    return mpf(0) if None in place else x[tuple(place)]


def origin_of(origin: int | Sequence[int] | None, sizes: Sequence[int]) -> Index:
    """Index of the PSF sample that multiplies the pixel itself: (k - 1) // 2 along an axis of k samples, or as given.

    A negative one counts from the end.
    """
    if origin is None:
        return tuple((k - 1) // 2 for k in sizes)
    return tuple(int(o) % k for o, k in zip(for_each(origin, len(sizes)), sizes, strict=True))


def blur(x: Exact, psf: Exact, boundary: str = "constant", origin: int | Sequence[int] | None = None) -> Exact:
    """The convolution, pixel by pixel: sum_j psf[j] x[i + origin - j], x continued beyond its edges as `boundary` says.

    With 'valid', sum_j psf[j] x[i + k - 1 - j], at the n - k + 1 pixels where that lies inside, k the PSF's size.
    """
    if boundary == "valid":
        shape: Sequence[int] = [n - k + 1 for n, k in zip(x.shape, psf.shape, strict=True)]
        shift: Sequence[int] = [k - 1 for k in psf.shape]
    else:
        shape, shift = x.shape, origin_of(origin, psf.shape)
    samples = [(j, psf[j]) for j in indices(psf.shape)]

    def at(i: Index) -> Any:
        terms = ((s, pixel(x, [a + o - b for a, o, b in zip(i, shift, j, strict=True)], boundary)) for j, s in samples)
        return mp.fsum(s * value for s, value in terms)

    return filled(shape, at)


def moved(index: Index, axis: int, by: int = 1) -> Index:
    """The index some pixels further along an axis."""
    return (*index[:axis], index[axis] + by, *index[axis + 1 :])


def differences(x: Exact, spacing: Any = 1, axes: Any = None, boundary: str = "free") -> Exact:
    """Forward differences, stacked along a new first axis: (x[i + e_a] - x[i]) / spacing[a] along each of the axes.

    Across the far edge the pixel beyond is what `boundary` says; with 'free' the difference is zero there.
    """
    named = range(x.ndim) if axes is None else for_each(axes, 1)
    along = [axis % x.ndim for axis in named]
    steps = [number(step) for step in for_each(spacing, len(along))]

    def at(index: Index) -> Any:
        axis, i = along[index[0]], index[1:]
        if boundary == "free" and i[axis] == x.shape[axis] - 1:
            return mpf(0)
        return (pixel(x, moved(i, axis), boundary) - x[i]) / steps[index[0]]

    return filled((len(along), *x.shape), at)


def central(x: Exact, i: Index, axis: int, step: Any, boundary: str) -> Any:
    """The second difference at a pixel along an axis; with 'free', zero at the edges."""
    if boundary == "free" and i[axis] in (0, x.shape[axis] - 1):
        return mpf(0)
    before, after = (pixel(x, moved(i, axis, by), boundary) for by in (-1, 1))
    return (after - 2 * x[i] + before) / step**2


def laplacian(x: Exact, spacing: Any = 1, boundary: str = "reflect", axes: Any = None) -> Exact:
    """The sum of the second differences along the axes."""
    named = range(x.ndim) if axes is None else for_each(axes, 1)
    along = [axis % x.ndim for axis in named]
    steps = [number(step) for step in for_each(spacing, len(along))]
    pairs = list(zip(along, steps, strict=True))
    return filled(x.shape, lambda i: mp.fsum(central(x, i, axis, step, boundary) for axis, step in pairs))


def second_differences(x: Exact, spacing: Any = 1, boundary: str = "free") -> Exact:
    """The upper triangle of the matrix of second differences, stacked along a new first axis, row by row.

    Diagonal entries are central, the others sqrt(2) times the forward difference along b of that along a. With 'free',
    what would need a pixel beyond the edges is zero.
    """
    steps = [number(step) for step in for_each(spacing, x.ndim)]
    entries = [(a, b) for a in range(x.ndim) for b in range(a, x.ndim)]

    def at(index: Index) -> Any:
        (a, b), i = entries[index[0]], index[1:]
        if a == b:
            return central(x, i, a, steps[a], boundary)
        if boundary == "free" and (i[a] == x.shape[a] - 1 or i[b] == x.shape[b] - 1):
            return mpf(0)
        both, one, other = moved(moved(i, a), b), moved(i, a), moved(i, b)
        value = pixel(x, both, boundary) - pixel(x, one, boundary) - pixel(x, other, boundary) + x[i]
        return mp.sqrt(2) * value / (steps[a] * steps[b])

    return filled((len(entries), *x.shape), at)
