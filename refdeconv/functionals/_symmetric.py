"""Fields of small symmetric matrices: how they are stored, and their eigenvectors, for all pixels at once.

A field of d x d matrices, d = 1, 2 or 3, is an array of shape ``(d * (d + 1) // 2, *shape)``: the upper triangle of
the matrix at each pixel, row by row, the entries off the diagonal multiplied by the root of two. So the inner product
of two fields is that of their matrices. Written out, matrices have shape ``(d, d, *shape)``.
"""

from itertools import combinations, combinations_with_replacement

import numpy as np

from refdeconv._arrays import Array

DIMENSIONS = {1: 1, 3: 2, 6: 3}  # entries of a field -> rows of its matrices

_SWEEPS = 20  # of Jacobi rotations at most; three to six are usual, as the convergence is quadratic


def upper_triangle(d: int) -> list[tuple[int, int]]:
    """Row and column of the entries of a field, in their order."""
    return list(combinations_with_replacement(range(d), 2))


def matrices(field: Array) -> Array:
    """The symmetric matrices of a field, written out."""
    d = DIMENSIONS[len(field)]
    root = np.sqrt(field.real.dtype.type(2))
    full = np.empty((d, d, *field.shape[1:]), field.dtype)
    for entry, (i, j) in zip(field, upper_triangle(d), strict=True):
        full[i, j] = full[j, i] = entry if i == j else entry / root
    return full


def field_of(full: Array) -> Array:
    """The field that stores symmetric matrices."""
    root = np.sqrt(full.real.dtype.type(2))
    return np.stack([full[i, j] if i == j else full[i, j] * root for i, j in upper_triangle(len(full))])


def eigen(field: Array) -> tuple[Array, Array]:
    """Eigenvalues, ``(d, *shape)``, and eigenvectors, ``[:, i]`` the i-th, of a real field, by Jacobi rotations.

    In any precision, which LAPACK is not, and no square of an entry is formed that could overflow.

    Notes
    -----
    Derivation: derivations/functionals/schatten.md, SCH.5
    """
    full = matrices(field)
    d = len(full)
    vectors = np.zeros_like(full)
    vectors[range(d), range(d)] = 1
    planes = list(combinations(range(d), 2))
    for _ in range(_SWEEPS):
        if _is_diagonal(full, planes):
            break
        for p, q in planes:
            _rotate(full, vectors, p, q)
    return full[range(d), range(d)], vectors


def _is_diagonal(full: Array, planes: list[tuple[int, int]]) -> bool:
    """Whether what is left off the diagonals would be lost in rounding."""
    if not planes:
        return True
    largest = np.max(np.abs(full), axis=(0, 1))
    left = np.max([np.abs(full[p, q]) for p, q in planes], axis=0)
    return bool(np.all(left <= np.finfo(full.dtype).eps / 8 * largest))


def _rotate(full: Array, vectors: Array, p: int, q: int) -> None:
    """Turn the plane of axes p and q, in place, so that entry (p, q) vanishes: by the smaller of the two angles."""
    gap, twice = full[q, q] - full[p, p], 2 * full[p, q]
    hypotenuse = np.abs(gap) + np.hypot(gap, twice)
    tangent = np.divide(
        np.where(gap < 0, -twice, twice), hypotenuse, out=np.zeros_like(hypotenuse), where=hypotenuse > 0
    )
    cosine = 1 / np.sqrt(1 + tangent * tangent)
    sine = tangent * cosine
    full[p, p], full[q, q] = full[p, p] - tangent * full[p, q], full[q, q] + tangent * full[p, q]
    full[p, q] = full[q, p] = 0
    for r in set(range(len(full))) - {p, q}:
        full[r, p], full[r, q] = cosine * full[r, p] - sine * full[r, q], sine * full[r, p] + cosine * full[r, q]
        full[p, r], full[q, r] = full[r, p], full[r, q]
    before, after = vectors[:, p], vectors[:, q]
    vectors[:, p], vectors[:, q] = cosine * before - sine * after, sine * before + cosine * after


def eigenmatrices(vectors: Array) -> Array:
    """The symmetric products of pairs of eigenvectors, as fields: an orthonormal basis, ``[:, k]`` the k-th.

    A matrix has in it, as its field of coefficients, what it is in the basis of the eigenvectors.

    Notes
    -----
    Derivation: derivations/functionals/schatten.md, SCH.4
    """
    root = np.sqrt(vectors.dtype.type(2))
    basis = []
    for i, j in upper_triangle(len(vectors)):
        product = vectors[:, None, i] * vectors[None, :, j]
        basis.append(field_of(product if i == j else (product + product.swapaxes(0, 1)) / root))
    return np.stack(basis, axis=1)


def coefficients(basis: Array, field: Array) -> Array:
    """The coefficients of a field in an orthonormal basis."""
    return np.einsum("ab...,a...->b...", basis, field)


def expansion(basis: Array, coefficient: Array) -> Array:
    """The field that has these coefficients."""
    return np.einsum("ab...,b...->a...", basis, coefficient)


def multiply(left: Array, right: Array) -> Array:
    """The product of the matrices at each pixel."""
    return np.einsum("ij...,jk...->ik...", left, right)
