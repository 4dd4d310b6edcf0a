"""Softmax: any array made non-negative and of sum one, as a point spread function is."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from refdeconv._arrays import Array, image_shape, in_precision_of, inner, operand
from refdeconv.calculus import LinearOperator, Operator
from refdeconv.hessians import SelfAdjoint
from refdeconv.operators.positive_map import positive_values


class Softmax(Operator):
    """The map ``x = exp(z) / sum(exp(z))``: positive numbers of sum one, such as a point spread function.

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
    Adding a number to all of z changes nothing: constants are the null space of the Jacobian and of the curvature.
    Derivation: derivations/operators/softmax.md, SMX.1, SMX.2, SMX.3
    """

    def __init__(self, shape: int | tuple[int, ...]) -> None:
        shape = image_shape(shape)
        self.input_shape = shape
        self.output_shape = shape

    def forward(self, z: ArrayLike) -> Array:
        """Exponentials of z, divided by their sum."""
        z = operand(z, self.input_shape, "z")
        with np.errstate(over="ignore"):  # a difference beyond the precision is an exponential of zero
            exponentials = np.exp(z - z.real.max())
        return exponentials / np.sum(exponentials)

    def jacobian(self, z: ArrayLike) -> LinearOperator:
        """The operator ``v -> x (v - <x, v>)``, self-adjoint."""
        return self.linearize(z)[1]

    def linearize(self, z: ArrayLike) -> tuple[Array, LinearOperator]:
        """The pair of the two, which share the exponentials."""
        x = self.forward(z)
        kept = x.copy()
        return x, SelfAdjoint(x.shape, lambda v: _tilt(in_precision_of(v, kept), v), new_arrays=True)

    def curvature(self, z: ArrayLike, w: ArrayLike) -> LinearOperator:
        """The operator ``v -> d (w - <x, w>) - x <d, w>`` for ``d = x (v - <x, v>)``, self-adjoint."""
        x = self.forward(z)
        w = in_precision_of(x, operand(w, self.output_shape, "w"))
        centred = _deviation(x, w)

        def apply(v: Array) -> Array:
            weights, deviation = in_precision_of(v, x), in_precision_of(v, centred)
            tilted = _tilt(weights, v)
            return tilted * deviation - weights * inner(tilted, deviation)

        return SelfAdjoint(x.shape, apply, new_arrays=True)

    def inverse(self, x: ArrayLike, floor: float | None = None) -> Array:
        """The z of mean zero whose map is x / sum(x): the start of a solve in z, from a point spread function.

        Parameters
        ----------
        x : array_like
            Real and finite, of this map's shape, > 0 where no `floor` is given; it need not sum to one.
        floor : float, optional
            Values below this number, > 0, are raised to it. A thousandth of the largest value is a good choice: samples
            much smaller than the others hardly move.

        Returns
        -------
        ndarray
            Of the precision of x.

        Raises
        ------
        TypeError, ValueError
            If x or `floor` is not as described.

        Notes
        -----
        Derivation: derivations/operators/softmax.md, SMX.4
        """
        z = np.log(positive_values(x, floor, self.output_shape))
        return z - np.mean(z)

    def __repr__(self) -> str:
        return f"Softmax({self.input_shape})"


def _tilt(x: Array, v: Array) -> Array:
    """The product x (v - <x, v>): the change of x when z changes by v."""
    return x * _deviation(x, v)


def _deviation(x: Array, v: Array) -> Array:
    """V less its mean with the weights x, taken from v at the largest weight, which may be close to one."""
    from_largest = v - v.reshape(-1)[np.argmax(x.real)]
    return from_largest - inner(x, from_largest)
