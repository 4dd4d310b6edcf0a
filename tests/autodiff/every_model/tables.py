"""Sums of pixels looked up by index: what every linear operator here is, written out as tables of integers."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

from tests.autodiff import Array
from tests.oracles import extended_index

Shape = tuple[int, ...]
Stencil = list[tuple[Array, float]]  # shifts, and the coefficient of each


class Table(NamedTuple):
    """The map ``y[i] = sum_t coefficient[i, t] x[index[i, t]]``, x flat and t the last axis."""

    index: Array
    coefficient: Array

    def __call__(self, xp: Any, x: Any) -> Any:
        terms = xp.constant(self.coefficient, x) * xp.take(xp.reshape(x, (-1,)), self.index)
        return xp.sum(terms, -1)


def window(places: Sequence[Array], shape: Shape, boundary: str) -> tuple[Array, Array]:
    """Which pixels each pixel of a result looks at, as indices of the flat image, and whether there is one at all.

    Along axis a, pixel i of the result looks at ``places[a][i]``, which may lie outside of the image; in all, at the
    product of these. Results have the shape of the result and one axis more.
    """
    ndim = len(shape)
    index, inside = np.zeros((1,) * 2 * ndim, int), np.ones((1,) * 2 * ndim, bool)
    for axis, (place, size) in enumerate(zip(places, shape, strict=True)):
        found = [extended_index(int(i), size, boundary) for i in place.ravel()]
        source = np.array([-1 if i is None else i for i in found])
        spread = [1] * 2 * ndim
        spread[axis], spread[ndim + axis] = place.shape
        source = source.reshape(spread)
        index, inside = index * size + np.maximum(source, 0), inside & (source >= 0)
    out = tuple(len(place) for place in places)
    return index.reshape((*out, -1)), inside.reshape((*out, -1))


def looked_up(places: Sequence[Array], shape: Shape, boundary: str = "constant", coefficient: Any = 1.0) -> Table:
    """The sum over these places, each times its coefficient; zero where there is no pixel."""
    index, inside = window(places, shape, boundary)
    return Table(index, inside * np.ravel(coefficient))


def blurring(shape: Shape, sizes: Shape, boundary: str, origin: Shape | None) -> list[Array]:
    """Where sample j of a PSF takes pixel i of a blurred image from: i + origin - j; with 'valid', i + k - 1 - j."""
    places = []
    for axis, (n, k) in enumerate(zip(shape, sizes, strict=True)):
        first, pixels = (k - 1, n - k + 1) if boundary == "valid" else (origin[axis] if origin else (k - 1) // 2, n)
        places.append(np.add.outer(np.arange(pixels), first - np.arange(k)))
    return places


def blur(psf: Array, shape: Shape, boundary: str, origin: Shape | None = None) -> Table:
    beyond = "constant" if boundary == "valid" else boundary  # with 'valid' nothing lies beyond
    return looked_up(blurring(shape, psf.shape, boundary, origin), shape, beyond, psf)


def stencil(shape: Shape, terms: Stencil, boundary: str) -> Table:
    """The map ``y[i] = sum of coefficient * x[i + shift]``; 'free': zero where one of these pixels does not exist."""
    tables = [
        window([np.arange(n)[:, None] + s for n, s in zip(shape, shift, strict=True)], shape, _beyond(boundary))
        for shift, _ in terms
    ]
    index, inside = (np.concatenate(parts, -1) for parts in zip(*tables, strict=True))
    if boundary == "free":
        inside = np.broadcast_to(inside.all(-1, keepdims=True), inside.shape)
    return Table(index, inside * np.array([coefficient for _, coefficient in terms]))


def _beyond(boundary: str) -> str:
    return "constant" if boundary == "free" else boundary


def stacked(tables: Iterable[Table]) -> Table:
    """Several tables as one, of which the results are stacked along a new first axis."""
    tables = list(tables)
    most = max(table.index.shape[-1] for table in tables)
    indices, coefficients = (
        np.stack([np.pad(part, [(0, 0)] * (part.ndim - 1) + [(0, most - part.shape[-1])]) for part in parts])
        for parts in zip(*tables, strict=True)
    )
    return Table(indices, coefficients)


def summed(tables: Iterable[Table]) -> Table:
    indices, coefficients = zip(*tables, strict=True)
    return Table(np.concatenate(indices, -1), np.concatenate(coefficients, -1))


def first_differences(shape: Shape, spacing: Sequence[float], axes: Sequence[int], boundary: str) -> Table:
    """``(x[i + e_a] - x[i]) / h_a`` for each axis a."""
    unit = np.eye(len(shape), dtype=int)
    return stacked(
        stencil(shape, [(unit[a], 1 / h), (0 * unit[a], -1 / h)], boundary) for a, h in zip(axes, spacing, strict=True)
    )


def laplacian(shape: Shape, spacing: Sequence[float], axes: Sequence[int], boundary: str) -> Table:
    """``sum_a (x[i + e_a] - 2 x[i] + x[i - e_a]) / h_a**2``."""
    return summed(_central(shape, a, h, boundary) for a, h in zip(axes, spacing, strict=True))


def _central(shape: Shape, axis: int, h: float, boundary: str) -> Table:
    e = np.eye(len(shape), dtype=int)[axis]
    return stencil(shape, [(e, h**-2), (0 * e, -2 * h**-2), (-e, h**-2)], boundary)


def second_differences(shape: Shape, spacing: Sequence[float], boundary: str) -> dict[tuple[int, int], Table]:
    """The entries (a, b) of the matrix at each pixel, a <= b: central on the diagonal, forward twice off it."""
    unit = np.eye(len(shape), dtype=int)
    entries = {}
    for a, h in enumerate(spacing):
        entries[a, a] = _central(shape, a, h, boundary)
        for b in range(a + 1, len(shape)):
            scale = 1 / (h * spacing[b])
            corners = [(unit[a] + unit[b], scale), (unit[a], -scale), (unit[b], -scale), (0 * unit[a], scale)]
            entries[a, b] = stencil(shape, corners, boundary)
    return entries


Definition = Callable[[Any, Any], Any]  # of a namespace and an array
