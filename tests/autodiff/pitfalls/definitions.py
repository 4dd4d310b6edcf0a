"""The definitions of the examples, for mpmath, and the same functions in refdeconv."""

from typing import Any

import mpmath
import numpy as np

import refdeconv as rd
from tests.autodiff import Array


def root(x: Any) -> Any:
    return mpmath.sqrt(sum(each**2 for each in x))


def rounded(x: Any, epsilon: Any) -> Any:
    return sum(mpmath.sqrt(each**2 + epsilon**2) - epsilon for each in x)


def total_variation(x: Any, epsilon: Any) -> Any:
    """Of a 3 x 3 image."""
    image = [x[3 * row : 3 * row + 3] for row in range(3)]
    return sum(
        mpmath.sqrt((image[i + 1][j] - image[i][j]) ** 2 + (image[i][j + 1] - image[i][j]) ** 2 + epsilon**2) - epsilon
        for i in range(2)
        for j in range(2)
    )


def poisson(x: Any, d: Any) -> Any:
    return sum(u - each + (each * mpmath.log(each / u) if each else 0) for u, each in zip(x, d, strict=True))


def masked_poisson(x: Any, d: Any, mask: Any) -> Any:
    return sum(u - each * mpmath.log(u) for u, each, use in zip(x, d, mask, strict=True) if use)


def eigenvalues(x: Any, epsilon: Any) -> Any:
    """Of a symmetric 2 x 2 matrix, by their sum and product."""
    a, b, c, d = x
    mean, half = (a + d) / 2, mpmath.sqrt(((a - d) / 2) ** 2 + ((b + c) / 2) ** 2)
    return rounded([mean + half, mean - half], epsilon)


def triangle(matrix: Array) -> Array:
    """As SmoothedNuclearNorm takes it."""
    return np.array([matrix[0, 0], np.sqrt(2) * matrix[0, 1], matrix[1, 1]])


def matrix(packed: Array) -> Array:
    """And back."""
    return np.array([[packed[0], packed[1] / np.sqrt(2)], [packed[1] / np.sqrt(2), packed[2]]])


def corner_total_variation(epsilon: float) -> rd.Functional:
    """Over the pixels that have both differences, as the frameworks' version here."""
    weight = np.zeros((3, 3))
    weight[:2, :2] = 1
    return rd.SmoothedGroupNorm(epsilon, weight=weight) @ rd.Gradient((3, 3))


class SumOf(rd.Functional):
    """The sum of the entries: a linear functional, to differentiate a map through."""

    input_shape = None

    def __init__(self, weight: Array) -> None:
        self.weight = weight

    def at(self, u: Any) -> rd.Expansion:
        shape = np.shape(u)
        return rd.Expansion(
            lambda: np.sum(self.weight * u), lambda: self.weight * np.ones(shape), lambda: rd.Zero(shape, shape)
        )


def softplus_sum() -> rd.Functional:
    return SumOf(np.ones(5)) @ rd.Softplus(5)


def softplus_definition(x: Any) -> Any:
    return sum(mpmath.log1p(mpmath.exp(each)) for each in x)
