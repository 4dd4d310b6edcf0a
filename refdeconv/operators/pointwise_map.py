"""Smooth maps that act on each pixel by itself: what all of them share, and the square root."""

from __future__ import annotations

from abc import abstractmethod

import numpy as np
from numpy.typing import ArrayLike

from refdeconv._arrays import Array, cast_scalar, image_shape, in_precision_of, operand, real_number
from refdeconv.calculus import LinearOperator, Operator, OutsideDomain
from refdeconv.hessians import Multiplication


class PointwiseMap(Operator):
    """A function p of one number applied to every pixel, ``forward(z) = p(z)``.

    A subclass defines `_map`, `_slope` and `_bend`: p and its first and second derivative, analytic in a complex z. The
    derivatives are given x = p(z) besides z, since they are often cheaper, or more accurate, in terms of it.

    Parameters
    ----------
    shape : int or tuple of int
        Shape of input and output.

    Raises
    ------
    TypeError, ValueError
        If `shape` is not made of integers of at least 1.

    Notes
    -----
    Where p(z) is too large for the precision it is infinite, without a warning. Derivation:
    derivations/operators/pointwise_map.md, PWM.1, PWM.2
    """

    def __init__(self, shape: int | tuple[int, ...]) -> None:
        shape = image_shape(shape)
        self.input_shape = shape
        self.output_shape = shape

    @abstractmethod
    def _map(self, z: Array) -> Array:
        """The function, pixel by pixel; a new array."""

    @abstractmethod
    def _slope(self, z: Array, x: Array) -> Array:
        """Its first derivative at z, where it is x; a new array."""

    @abstractmethod
    def _bend(self, z: Array, x: Array) -> Array:
        """Its second derivative at z, where it is x."""

    def forward(self, z: ArrayLike) -> Array:
        """The function of each pixel."""
        with np.errstate(over="ignore"):
            return self._map(operand(z, self.input_shape, "z"))

    def jacobian(self, z: ArrayLike) -> LinearOperator:
        """Multiplication by the slopes, pixel by pixel."""
        return self.linearize(z)[1]

    def linearize(self, z: ArrayLike) -> tuple[Array, LinearOperator]:
        """The pair p(z), p'(z)."""
        z = operand(z, self.input_shape, "z")
        with np.errstate(over="ignore", divide="ignore"):
            x = self._map(z)
            return x, Multiplication(self._slope(z, x))

    def curvature(self, z: ArrayLike, w: ArrayLike) -> LinearOperator:
        """Multiplication by the second derivatives, weighted by w."""
        z, w = operand(z, self.input_shape, "z"), operand(w, self.output_shape, "w")
        with np.errstate(over="ignore", divide="ignore"):
            return Multiplication(self._bend(z, self._map(z)) * in_precision_of(z, w))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.input_shape})"


class SquareRoot(PointwiseMap):
    """The square root, ``sqrt(z + epsilon)``: Good's roughness of an image u is ``||D sqrt(u)||**2``.

    Parameters
    ----------
    shape : int or tuple of int
        Shape of input and output.
    epsilon : float
        Added to every pixel, >= 0. Default 0; with a positive number, pixels of zero have a derivative, too.

    Raises
    ------
    TypeError, ValueError
        If `shape` is not made of integers of at least 1, or `epsilon` is not a finite number >= 0; in `forward`, if
        ``z + epsilon`` is negative somewhere; in `jacobian`, `linearize` and `curvature`, if it is negative or zero,
        where the derivative is infinite.

    Notes
    -----
    A map has no infinite value by which a solver could be turned back from the edge of the domain, as functionals
    have; so compose it with one that keeps its argument positive, such as ``SquareRoot(shape) @ Exponential(shape)``.
    Derivation: derivations/operators/pointwise_map.md, PWM.7
    """

    epsilon: float

    def __init__(self, shape: int | tuple[int, ...], epsilon: float = 0.0) -> None:
        super().__init__(shape)
        self.epsilon = real_number(epsilon, "epsilon", minimum=0)

    def _map(self, z: Array) -> Array:
        shifted = z + cast_scalar(self.epsilon, z)
        if (shifted.real < 0).any():
            raise OutsideDomain(f"{self!r} is defined where z + epsilon >= 0, the smallest z is {z.real.min()}")
        return np.sqrt(shifted)

    def _slope(self, z: Array, x: Array) -> Array:
        return 0.5 / self._not_at_zero(x)

    def _bend(self, z: Array, x: Array) -> Array:
        return -0.25 / self._not_at_zero(x) ** 3

    def _not_at_zero(self, x: Array) -> Array:
        if (x == 0).any():
            raise OutsideDomain(f"{self!r} has no derivative where z + epsilon = 0: keep it positive, or raise epsilon")
        return x

    def __repr__(self) -> str:
        return f"SquareRoot({self.input_shape}" + (f", epsilon={float(self.epsilon):.6g})" if self.epsilon else ")")


def two_sided(t: Array) -> tuple[Array, Array]:
    """Where t is positive, and exp(-|t|), which never overflows; for complex t, the sign is that of its real part."""
    positive = t.real > 0
    return positive, np.exp(np.where(positive, -t, t))
