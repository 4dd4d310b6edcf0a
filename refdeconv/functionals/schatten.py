"""The nuclear norm of a field of symmetric matrices, smoothed: of second differences, a regulariser of slopes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from refdeconv._arrays import Array, cast_like, operand
from refdeconv.calculus import Expansion, Functional, LinearOperator
from refdeconv.functionals._symmetric import (
    DIMENSIONS,
    coefficients,
    eigen,
    eigenmatrices,
    expansion,
    field_of,
    matrices,
    multiply,
    upper_triangle,
)
from refdeconv.functionals.group_norm import representable, smoothing_length, spread_weight, without_weightless
from refdeconv.functionals.pointwise import checked_data_and_weight
from refdeconv.hessians import SelfAdjoint

_STEPS = 200  # of a contraction at most; two where the imaginary part is a complex step


class SmoothedNuclearNorm(Functional):
    """The sum over pixels of the smoothed nuclear norm of a symmetric matrix, a Schatten norm with p = 1.

    ``f(u) = sum(weight * sum_i (sqrt(l_i**2 + epsilon**2) - epsilon))``, with l_i the eigenvalues of the d x d matrix
    that u stores at a pixel. Of the second differences of an image it is the Hessian-Schatten regulariser: it favours
    images that are piecewise linear, not piecewise constant, and does not change when the axes are rotated.

    u has shape ``(d * (d + 1) // 2, *shape)`` for d = 1, 2 or 3: the upper triangle row by row, ``(0, 0), (0, 1), ...,
    (1, 1), ...``, the entries off the diagonal multiplied by the root of two, so that the sum of squares of u is that
    of all entries of the matrices.

    Parameters
    ----------
    epsilon : float
        Size of an eigenvalue, > 0, below which it counts as small: the square of one well below it is divided by
        ``2 * epsilon``, the absolute value of one well above it is kept, but for `epsilon`. Default 1e-3.
    weight : float or array_like, optional
        Weight of each pixel, >= 0: one number, or an array of u's shape without its first axis. A pixel of weight zero
        counts for nothing, whatever stands there. Default 1.

    Raises
    ------
    TypeError, ValueError
        If `epsilon` is not a number > 0, or `weight` not made of finite numbers >= 0.

    Notes
    -----
    Strictly convex and smooth, also where eigenvalues are equal or zero. Complex u, for the complex step, must be
    nearer to the real numbers than about `epsilon`. Derivation: derivations/functionals/schatten.md, SCH.1, SCH.2,
    SCH.3
    """

    new_arrays = True

    epsilon: float
    weight: Array | None

    def __init__(self, epsilon: float = 1e-3, weight: ArrayLike | None = None) -> None:
        self.epsilon = smoothing_length(epsilon)
        self.weight = checked_data_and_weight(None, weight)[1]
        self.input_shape = None  # the weights do not say how many entries a matrix has

    def at(self, u: ArrayLike) -> Expansion:
        """All three from the eigenvectors of the real part, in whose basis the matrices are almost diagonal."""
        u = operand(u, None, "u")
        if u.ndim == 0 or len(u) not in DIMENSIONS:
            raise ValueError(f"the first axis of u must be of size 1, 3 or 6 (a triangle of a matrix), got {u.shape}")
        weight = spread_weight(self.weight, u.shape[1:], u)
        u = without_weightless(u, weight)
        values, vectors = eigen(u.real)
        basis = eigenmatrices(vectors)
        epsilon = representable(self.epsilon, u)
        spectral: _Diagonal = _Diagonal(values, epsilon)
        if u.dtype.kind == "c":
            spectral = _AlmostDiagonal(values, epsilon, 1j * matrices(coefficients(basis, u.imag)))
        return Expansion(
            lambda: np.sum(weight * spectral.value()),
            lambda: weight * expansion(basis, spectral.gradient()),
            lambda: _hessian(basis, spectral.hessian(), weight),
        )

    def __repr__(self) -> str:
        return f"SmoothedNuclearNorm(epsilon={float(self.epsilon):.6g}{'' if self.weight is None else ', weight'})"


def _hessian(basis: Array, multiply_coefficients: Callable[[Array], Array], weight: Array) -> LinearOperator:
    """The Hessian of each pixel, in the basis of the eigenmatrices."""

    def product(v: Array) -> Array:
        e = cast_like(basis, v)
        result = expansion(e, multiply_coefficients(coefficients(e, v)))
        return result * cast_like(weight, v)

    return SelfAdjoint(basis.shape[1:], product, new_arrays=True)


class _Diagonal:
    """Value, gradient and Hessian at real diagonal matrices, given by their eigenvalues l, of shape ``(d, *shape)``.

    With ``s = sqrt(l**2 + epsilon**2)``. Derivation: derivations/functionals/schatten.md, SCH.2, SCH.3
    """

    def __init__(self, values: Array, epsilon: Any) -> None:
        self.values = values
        self.epsilon = epsilon
        self.roots = np.hypot(values, epsilon)
        self.sums = self.roots[:, None] + self.roots[None, :]

    def value(self) -> Array:
        """Per pixel, without the cancellation in s - epsilon."""
        return np.sum(self.values * (self.values / (self.roots + self.epsilon)), axis=0)

    def gradient(self) -> Array:
        """The diagonal matrices l / s, as a field."""
        slopes = self.values / self.roots
        return np.stack([slopes[i] if i == j else np.zeros_like(slopes[i]) for i, j in upper_triangle(len(slopes))])

    def hessian(self) -> Callable[[Array], Array]:
        """Multiplication of each entry (i, j) by its own factor, positive and without cancellation.

        The factor is ``2 * sin((a_i + a_j) / 2)**2 / (s_i + s_j)``, with a the angle of the point (l, epsilon).
        """
        larger = np.sqrt((1 + np.abs(self.values) / self.roots) / 2)
        smaller = self.epsilon / self.roots / (2 * larger)
        cosine, sine = np.where(self.values < 0, (smaller, larger), (larger, smaller))  # of half the angle
        factors = np.stack(
            [
                2 * (sine[i] * cosine[j] + cosine[i] * sine[j]) ** 2 / self.sums[i, j]
                for i, j in upper_triangle(len(sine))
            ]
        )
        return lambda c: cast_like(factors, c) * c


class _AlmostDiagonal(_Diagonal):
    """The same at complex symmetric matrices A near real diagonal ones: what the complex step needs.

    Nothing of the real formulas is used but the diagonals to start from: the root S and the gradient G are found from
    the equations that define them, ``S @ S = A @ A + epsilon**2`` and ``G @ S = A``, and the products of the Hessian
    from the differentials of these. Derivation: derivations/functionals/schatten.md, SCH.6

    Parameters
    ----------
    values : ndarray
        The real diagonals, of shape ``(d, *shape)``.
    epsilon : float
        As in the norm.
    rest : ndarray
        What A is beyond the real diagonals, of shape ``(d, d, *shape)``.
    """

    def __init__(self, values: Array, epsilon: Any, rest: Array) -> None:
        super().__init__(values, epsilon)
        self.rest = rest
        square = (values[:, None] + values[None, :]) * rest + multiply(rest, rest)
        self.root_rest = _settle(lambda c: (square - multiply(c, c)) / self.sums, square / self.sums)

    def value(self) -> Array:
        """The trace of S - epsilon."""
        return super().value() + np.einsum("ii...->...", self.root_rest)

    def gradient(self) -> Array:
        """G, as a field."""
        slopes = self.values / self.roots
        # rest - slopes * root_rest, with root_rest by the equation that it solves, so that its two terms, almost equal
        # where the eigenvalues are large beside epsilon, are subtracted on paper (SCH.6).
        squares = multiply(self.rest, self.rest) - multiply(self.root_rest, self.root_rest)
        numerator = self._complement() * self.rest - slopes[:, None] * squares / self.sums
        return super().gradient() + field_of(self._divided(numerator))

    def _complement(self) -> Array:
        """``1 - l_i (l_i + l_j) / (s_i (s_i + s_j))``, as a quotient of positive numbers."""
        li, lj, si, sj = self.values[:, None], self.values[None, :], self.roots[:, None], self.roots[None, :]
        square = self.epsilon * self.epsilon
        same_sign = square * (1 + (li * li + lj * lj + square) / (si * sj + np.abs(li * lj)))
        return np.where(li * lj > 0, same_sign, square + si * sj - li * lj) / (si * self.sums)

    def hessian(self) -> Callable[[Array], Array]:
        """The differential dG along W, from ``S dS + dS S = A W + W A`` and ``dG S = W - G dS``."""
        full, gradient = self.rest.copy(), matrices(self.gradient())
        diagonal = range(len(full))
        full[diagonal, diagonal] += self.values

        def product(coefficient: Array) -> Array:
            w = matrices(coefficient)
            square = multiply(full, w) + multiply(w, full)
            c = self.root_rest
            root = _settle(lambda x: (square - multiply(c, x) - multiply(x, c)) / self.sums, square / self.sums)
            return field_of(self._divided(w - multiply(gradient, root)))

        return product

    def _divided(self, numerator: Array) -> Array:
        """The matrix x with x @ S = numerator."""
        return _settle(lambda x: (numerator - multiply(x, self.root_rest)) / self.roots, numerator / self.roots)


def _settle(step: Callable[[Array], Array], start: Array) -> Array:
    """The fixed point of a contraction of matrices, to rounding."""
    x = start
    for _ in range(_STEPS):
        with np.errstate(over="ignore", invalid="ignore"):  # where it does not contract
            before, x = x, step(x)
        change, size = (np.max(np.abs(part), axis=(0, 1)) for part in (x - before, x))
        if not np.isfinite(size).all():
            break
        if np.all(change <= 4 * np.finfo(x.dtype).eps * size):
            return x
    raise ValueError("the imaginary part of u is too large for epsilon: a complex u must be almost real")
