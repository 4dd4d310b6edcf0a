"""Regularisers by their definitions: sums over the pixels of an image, of its differences to its neighbours.

Written part by part, as the functionals are; `parameters` are the keyword arguments of the public functions.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from mpmath import mp

from refdeconv.conformance.golden.definitions.arrays import (
    Exact,
    differences,
    exact,
    filled,
    indices,
    laplacian,
    number,
    second_differences,
)
from refdeconv.conformance.golden.definitions.functionals import (
    Definition,
    Parameters,
    Parts,
    huber_length,
    nuclear,
    parameter,
    rounded_length,
    size_of,
    value_of,
)


def tikhonov(parameters: Parameters, x: Exact) -> Iterator[Any]:
    """Sum of (A x)**2 / 2, A by its name `of`: the identity, the differences D, or the Laplacian."""
    of, spacing, boundary = parameters.get("of", "identity"), parameters.get("spacing", 1), parameters.get("boundary")
    if of == "gradient":
        seen = differences(x, spacing, boundary=free(boundary or "free"))
    elif of == "laplacian":
        seen = laplacian(x, spacing, boundary or "reflect")
    else:
        seen = x
    for t in seen.flat:
        yield t**2 / 2


def gradient_norm(parameters: Parameters, x: Exact) -> Iterator[Any]:
    """sqrt(sum((D x)**2) / 2), D the forward differences along all axes."""
    yield mp.sqrt(mp.fsum(t**2 for t in first_differences(parameters, x).flat) / 2)


def total_variation(parameters: Parameters, x: Exact) -> Iterator[Any]:
    """Sum over pixels of sqrt(|D x|**2 + epsilon**2) - epsilon, |D x| the length of the differences at a pixel.

    Where isotropic is False, each axis on its own. With a channel axis, D is along the others, and |D x| the length of
    the differences of all channels together.
    """
    epsilon = number(parameters.get("epsilon", 1e-3))
    for square in squared_lengths(parameters, x):
        yield from rounded_length(square, epsilon)


def huber_total_variation(parameters: Parameters, x: Exact) -> Iterator[Any]:
    """Sum over pixels of |D x|**2 / (2 delta) where |D x| <= delta, |D x| - delta / 2 beyond; as total_variation."""
    delta = number(parameters.get("delta", 1e-3))
    for square in squared_lengths(parameters, x):
        yield from huber_length(mp.sqrt(square), delta)


def hessian_norm(parameters: Parameters, x: Exact) -> Iterator[Any]:
    """Sum over pixels of sqrt(|H x|**2 + epsilon**2) - epsilon, |H x| the Frobenius norm of the second differences."""
    epsilon, field = number(parameters.get("epsilon", 1e-3)), second(parameters, x)
    for i in indices(x.shape):
        yield from rounded_length(mp.fsum(entry[i] ** 2 for entry in field), epsilon)


def hessian_schatten(parameters: Parameters, x: Exact) -> Iterator[Any]:
    """Sum of sqrt(l**2 + epsilon**2) - epsilon, l the eigenvalues of the matrix of second differences at each pixel."""
    epsilon = number(parameters.get("epsilon", 1e-3))
    yield from nuclear(second(parameters, x), epsilon, exact(np.ones(x.shape)))


def good_roughness(parameters: Parameters, x: Exact) -> Iterator[Any]:
    """Sum of 4 * (D sqrt(x))**2, D the forward differences along all axes."""
    for t in first_differences(parameters, filled(x.shape, lambda i: mp.sqrt(x[i]))).flat:
        yield 4 * t**2


def entropy(parameters: Parameters, x: Exact) -> Iterator[Any]:
    """Sum of x * log(x / prior) - x + prior."""
    prior = parameter(parameters, "prior", 1, x.shape)
    for i in indices(x.shape):
        yield from (x[i] * mp.log(x[i] / prior[i]), -x[i], prior[i])


def smoothed_l1(parameters: Parameters, x: Exact) -> Iterator[Any]:
    """Sum of sqrt(x**2 + epsilon**2) - epsilon."""
    epsilon = number(parameters.get("epsilon", 1e-3))
    for t in x.flat:
        yield from rounded_length(t**2, epsilon)


def free(boundary: str) -> str:
    """For forward differences, a mirrored image is one without anything beyond its edges."""
    return "free" if boundary == "reflect" else boundary


def first_differences(parameters: Parameters, x: Exact, axes: Any = None) -> Exact:
    """D x."""
    return differences(x, parameters.get("spacing", 1), axes, free(parameters.get("boundary", "free")))


def second(parameters: Parameters, x: Exact) -> Exact:
    """H x."""
    return second_differences(x, parameters.get("spacing", 1), parameters.get("boundary", "free"))


def squared_lengths(parameters: Parameters, x: Exact) -> Iterator[Any]:
    """The squares of what total variation adds up: of a pixel's differences together, or of each on its own.

    Channels are not differentiated along, and always together.
    """
    channels = parameters.get("channel_axis")
    channels = None if channels is None else channels % x.ndim
    slopes = first_differences(parameters, x, [axis for axis in range(x.ndim) if axis != channels])
    squares: dict[tuple[int, ...], list[Any]] = {}
    for i in indices(slopes.shape):
        group = tuple(0 if channels is not None and axis == channels + 1 else n for axis, n in enumerate(i))
        if parameters.get("isotropic", True):
            group = group[1:]
        squares.setdefault(group, []).append(slopes[i] ** 2)
    return (mp.fsum(members) for members in squares.values())


PARTS: dict[str, Parts] = {
    "regularizers.entropy": entropy,
    "regularizers.good_roughness": good_roughness,
    "regularizers.gradient_norm": gradient_norm,
    "regularizers.hessian_norm": hessian_norm,
    "regularizers.hessian_schatten": hessian_schatten,
    "regularizers.huber_total_variation": huber_total_variation,
    "regularizers.smoothed_l1": smoothed_l1,
    "regularizers.tikhonov": tikhonov,
    "regularizers.total_variation": total_variation,
}

DEFINITIONS: dict[str, Definition] = {name: value_of(parts) for name, parts in PARTS.items()}
SIZES: dict[str, Definition] = {name: size_of(parts) for name, parts in PARTS.items()}
