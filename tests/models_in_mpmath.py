"""Regularisers and whole objectives by their definitions: plain sums over pixels in mpmath, without the package.

A pixel beyond the edges is looked up by `oracles.extended_index`, so that a blur is a double loop and nothing else.
"""

import itertools

import mpmath
import numpy as np

from tests.oracles import extended_index


def shifted(index, *axes):
    """The index one pixel further along each of the axes."""
    return tuple(i + axes.count(axis) for axis, i in enumerate(index))


def inside(index, shape):
    return all(0 <= i < n for i, n in zip(index, shape, strict=True))


def first_difference(x, index, axis, spacing):
    """Forward, and zero at the far edge."""
    after = shifted(index, axis)
    return (x[after] - x[index]) / spacing[axis] if inside(after, x.shape) else mpmath.mpf(0)


def second_difference(x, index, a, b, spacing):
    """Central along one axis, forward along two; zero where a pixel is missing."""
    if a == b:
        before = tuple(i - (axis == a) for axis, i in enumerate(index))
        after = shifted(index, a)
        if not (inside(before, x.shape) and inside(after, x.shape)):
            return mpmath.mpf(0)
        return (x[after] - 2 * x[index] + x[before]) / spacing[a] ** 2
    if not inside(shifted(index, a, b), x.shape):
        return mpmath.mpf(0)
    corner = x[shifted(index, a, b)] - x[shifted(index, a)] - x[shifted(index, b)] + x[index]
    return corner / (spacing[a] * spacing[b])


def lengths(x, spacing, axes=None):
    """The squared length of the gradient at each pixel."""
    axes = range(x.ndim) if axes is None else axes
    for index in np.ndindex(*x.shape):
        yield sum(first_difference(x, index, axis, spacing) ** 2 for axis in axes)


def smooth(square, epsilon):
    return mpmath.sqrt(square + epsilon**2) - epsilon


def huber(length, delta):
    return length**2 / (2 * delta) if length <= delta else length - delta / 2


def laplacian(x, index, spacing):
    """Of the image mirrored about its edges."""
    total = mpmath.mpf(0)
    for axis, h in enumerate(spacing):
        for step in (-1, 1):
            neighbour = tuple(i + step * (a == axis) for a, i in enumerate(index))
            if inside(neighbour, x.shape):
                total += (x[neighbour] - x[index]) / h**2
    return total


def matrix(x, index, spacing):
    return mpmath.matrix(
        [[second_difference(x, index, min(a, b), max(a, b), spacing) for b in range(x.ndim)] for a in range(x.ndim)]
    )


def frobenius(x, spacing, epsilon):
    pairs = list(itertools.product(range(x.ndim), repeat=2))
    return sum(smooth(sum(matrix(x, i, spacing)[p] ** 2 for p in pairs), epsilon) for i in np.ndindex(*x.shape))


def nuclear(x, spacing, epsilon):
    """By the eigenvalues of the matrix at each pixel."""
    return sum(
        smooth(eigenvalue**2, epsilon)
        for index in np.ndindex(*x.shape)
        for eigenvalue in mpmath.eigsy(matrix(x, index, spacing), eigvals_only=True)
    )


def good(x, spacing):
    roots = np.array([mpmath.sqrt(t) for t in x.ravel()], dtype=object).reshape(x.shape)
    return 4 * sum(lengths(roots, spacing))


def blurred(x, psf, shape, boundary, origin):
    """sum_j psf[j] x[i + origin - j] at each pixel i of the data."""
    result = np.full(shape, mpmath.mpf(0), dtype=object)
    for pixel in np.ndindex(*shape):
        for sample in np.ndindex(*psf.shape):
            if boundary == "valid":
                source = tuple(i + k - 1 - j for i, k, j in zip(pixel, psf.shape, sample, strict=True))
            else:
                source = tuple(
                    extended_index(i + o - j, n, boundary)
                    for i, o, j, n in zip(pixel, origin, sample, x.shape, strict=True)
                )
            if None not in source:
                result[pixel] += mpmath.mpf(float(psf[sample])) * x[source]
    return result
