"""How much of a ball lies in each pixel of a grid, exactly, in one, two and three dimensions."""

import functools
import itertools
from collections.abc import Sequence

import numpy as np

from refdeconv._arrays import Array
from refdeconv.psf._window import along


def ball_in_pixels(edges: Sequence[Array], radius: float) -> Array:
    """A multiple of the measure of the ball about 0 in each pixel of the grid with these edges along its axes.

    Notes
    -----
    Derivation: derivations/psf/optics.md, PSF.7, PSF.8
    """
    ndim = len(edges)
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
        scaled = [along(edge / radius, axis, ndim) for axis, edge in enumerate(edges)]
    # The ball of radius 0 is the limit of small ones: an edge through its centre halves it.
    scaled = [np.clip(np.nan_to_num(edge, nan=0.0), -1, 1) for edge in scaled]
    measure = _from_centre(scaled)
    for axis in range(ndim):
        measure = np.diff(measure, axis=axis)
    nearest, farthest = _distances(edges, np.minimum), _distances(edges, np.maximum)
    cut = np.where(nearest < radius, np.maximum(measure, 0), 0) if radius > 0 else measure
    if radius <= 1:
        return cut
    with np.errstate(over="ignore", invalid="ignore"):  # for radii that no pixel edge reaches
        return np.where(farthest <= radius, 1.0, np.minimum(cut * np.float64(radius) ** ndim, 1.0))


def _distances(edges: Sequence[Array], choose: np.ufunc) -> Array:
    """The distance from 0 of the nearest or the farthest point of each pixel."""
    squares: Array = np.zeros((1,) * len(edges))
    for axis, edge in enumerate(edges):
        reach = choose(np.abs(edge[:-1]), np.abs(edge[1:]))
        if choose is np.minimum:
            reach = np.where((edge[:-1] <= 0) & (edge[1:] >= 0), 0, reach)
        squares = squares + along(np.square(reach), axis, len(edges))
    return np.sqrt(squares)


def _from_centre(corner: Sequence[Array]) -> Array:
    """The unit ball's measure in the box between 0 and the corner, odd in each of its coordinates (PSF.7)."""
    measure: Array = np.zeros(())
    for taken in itertools.product((False, True), repeat=len(corner)):
        part = [np.abs(c) if beyond else np.zeros((1,) * c.ndim) for c, beyond in zip(corner, taken, strict=True)]
        measure = measure + (-1) ** sum(taken) * _beyond(np.ones(()), part)
    return functools.reduce(np.multiply, map(np.sign, corner), measure)


def _beyond(square: Array, corner: Sequence[Array]) -> Array:
    """The measure of what of the ball lies beyond the corner, ``x_k > a_k >= 0`` for all k (PSF.8).

    By the divergence theorem the sum over the faces of distance and measure, divided by the dimension; the ball is
    given by the square of its radius, since its sections by planes are balls in turn.
    """
    if len(corner) == 1:
        return np.maximum(_root(square) - corner[0], 0)
    left = square - sum(np.square(c) for c in corner)
    curved = _arc(square, *corner) * square if len(corner) == 2 else _patch(square, corner, left)
    flat = [c * _beyond(square - np.square(c), _without(corner, k)) for k, c in enumerate(corner)]
    return np.where(left > 0, (curved - sum(flat)) / len(corner), 0)


def _arc(square: Array, a: Array, b: Array) -> Array:
    """The angle of the part of the circle beyond the lines x = a and y = b."""
    x, y = _root(square - np.square(b)), _root(square - np.square(a))
    return np.arctan2(np.maximum(x * y - a * b, 0), a * x + b * y)


def _patch(square: Array, corner: Sequence[Array], left: Array) -> Array:
    """The radius times the area of the part of the sphere beyond three planes, by the theorem of Gauss and Bonnet."""
    radius = _root(square)
    others = [_without(corner, k) for k in range(3)]
    angles = [np.arctan2(radius * _root(left + np.square(c)), a * b) for c, (a, b) in zip(corner, others, strict=True)]
    arcs = [c * _arc(square - np.square(c), *other) for c, other in zip(corner, others, strict=True)]
    return square * (radius * (sum(angles) - np.pi) - sum(arcs))


def _without(corner: Sequence[Array], k: int) -> list[Array]:
    return [c for j, c in enumerate(corner) if j != k]


def _root(square: Array) -> Array:
    return np.sqrt(np.maximum(square, 0))
