"""Pointwise maps to positive numbers, by which an unconstrained solver keeps an image positive."""

from __future__ import annotations

from abc import abstractmethod

import numpy as np
from numpy.typing import ArrayLike

from refdeconv._arrays import Array, Shape, cast_scalar, real_array, real_number
from refdeconv._logarithm import log1p
from refdeconv.operators.pointwise_map import PointwiseMap, two_sided


class PositiveMap(PointwiseMap):
    """A pointwise map to positive numbers, with its inverse for starting values; a subclass defines `_invert`.

    Notes
    -----
    Derivation: derivations/operators/pointwise_map.md, PWM.1
    """

    @abstractmethod
    def _invert(self, x: Array) -> Array:
        """The z of positive x."""

    def inverse(self, x: ArrayLike, floor: float | None = None) -> Array:
        """The z whose map is x: the start of a solve in z, from an image.

        Parameters
        ----------
        x : array_like
            Real and finite, of this map's shape, > 0 where no `floor` is given.
        floor : float, optional
            Values below this number, > 0, are raised to it: a measured image has zeros, and noise below zero. A
            thousandth of the image's mean is a good choice; very small numbers start where the map is nearly flat.

        Returns
        -------
        ndarray
            Of the precision of x.

        Raises
        ------
        TypeError, ValueError
            If x or `floor` is not as described.
        """
        with np.errstate(over="ignore"):
            return self._invert(positive_values(x, floor, self.output_shape))


class Square(PositiveMap):
    """The square, ``z**2``: keeps an image non-negative, zero included.

    At ``z = 0`` the slope is zero: a pixel that starts at exactly zero never moves under a gradient, and a solve that
    starts at all zeros ends there. `inverse` therefore refuses zeros unless it is given a `floor`. Since z and -z give
    the same image, z = 0 is where the sign changes, not a bound that the solver feels.

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
    Derivation: derivations/operators/pointwise_map.md, PWM.3
    """

    def _map(self, z: Array) -> Array:
        return z * z

    def _slope(self, z: Array, x: Array) -> Array:
        return 2 * z

    def _bend(self, z: Array, x: Array) -> Array:
        return np.full_like(z, 2)

    def _invert(self, x: Array) -> Array:
        return np.sqrt(x)


class Exponential(PositiveMap):
    """The exponential, ``exp(z)``: keeps an image positive, and works on it in relative terms.

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
    In float64 it is infinite from z = 709.79 on (float32: 88.73), and below -745.1 (-103.9) it is zero. Derivation:
    derivations/operators/pointwise_map.md, PWM.4
    """

    def _map(self, z: Array) -> Array:
        return np.exp(z)

    def _slope(self, z: Array, x: Array) -> Array:
        return x.copy()

    def _bend(self, z: Array, x: Array) -> Array:
        return x

    def _invert(self, x: Array) -> Array:
        return np.log(x)


class Softplus(PositiveMap):
    """The soft positive part, ``log(1 + exp(s z)) / s``: positive, and nearly z where s z is large.

    Unlike the exponential it grows no faster than z; unlike the square it has no singular point.

    Parameters
    ----------
    shape : int or tuple of int
        Shape of input and output.
    sharpness : float
        s, > 0: the inverse of the width, in units of z, of the bend around zero. Default 1.

    Raises
    ------
    TypeError, ValueError
        If `shape` is not made of integers of at least 1, or `sharpness` is not a finite number > 0.

    Notes
    -----
    Derivation: derivations/operators/pointwise_map.md, PWM.5
    """

    sharpness: float

    def __init__(self, shape: int | tuple[int, ...], sharpness: float = 1.0) -> None:
        super().__init__(shape)
        self.sharpness = real_number(sharpness, "sharpness", minimum=0, exclusive=True)

    def _map(self, z: Array) -> Array:
        s = cast_scalar(self.sharpness, z)
        positive, decay = two_sided(s * z)
        return np.where(positive, z, z.dtype.type(0)) + log1p(decay) / s

    def _slope(self, z: Array, x: Array) -> Array:
        return -np.expm1(-cast_scalar(self.sharpness, z) * x)

    def _bend(self, z: Array, x: Array) -> Array:
        s = cast_scalar(self.sharpness, z)
        return s * self._slope(z, x) * np.exp(-s * x)

    def _invert(self, x: Array) -> Array:
        s = cast_scalar(self.sharpness, x)
        # log(exp(s x) - 1) / s, where x is small as it stands, and where it is large without its exponential.
        small = np.minimum(s * x, 1)
        large = np.maximum(s * x, 1)
        return np.where(s * x < 1, np.log(np.expm1(small)) / s, x + log1p(-np.exp(-large)) / s)

    def __repr__(self) -> str:
        return f"Softplus({self.input_shape}, sharpness={float(self.sharpness):.6g})"


def positive_values(x: ArrayLike, floor: float | None, shape: Shape) -> Array:
    """The x of an inverse map: real, finite, and positive, if need be by raising it to a floor."""
    values = real_array(x, "x", shape=shape)
    if floor is not None:
        lowest = cast_scalar(np.longdouble(real_number(floor, "floor", minimum=0, exclusive=True)), values)
        if lowest == 0:
            raise ValueError(f"floor must be > 0 in the precision of x, {values.dtype}, got {floor!r}")
        values = np.maximum(values, lowest)
    if (values <= 0).any():
        raise ValueError(
            f"x must be > 0, but {np.count_nonzero(values <= 0)} of its {values.size} values are not (the smallest is "
            f"{values.min()}); floor=number raises such values to a number"
        )
    return values
