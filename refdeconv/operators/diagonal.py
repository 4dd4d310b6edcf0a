"""Multiplication by fixed weights, pixel by pixel: a mask, a vignette, a flat field."""

from __future__ import annotations

from numpy.typing import ArrayLike

from refdeconv._arrays import Array, cast_like, operand, real_array
from refdeconv.calculus import Symmetric


class Diagonal(Symmetric):
    """Multiplication by pixel weights: ``forward(x) = weights * x``, and the adjoint is the same.

    Parameters
    ----------
    weights : array_like
        One real, finite weight a pixel, of any sign; its shape is the shape of input and output. Booleans make a mask.

    Raises
    ------
    TypeError, ValueError
        If `weights` is not a non-empty array of finite real numbers.

    Notes
    -----
    Derivation: derivations/operators/diagonal.md, DIA.1, DIA.2
    """

    new_arrays = True

    weights: Array

    def __init__(self, weights: ArrayLike) -> None:
        weights = real_array(weights, "weights")
        self.weights = weights
        self.input_shape = weights.shape
        self.output_shape = weights.shape

    def forward(self, x: ArrayLike) -> Array:
        """The product weights * x, pixel by pixel."""
        x = operand(x, self.input_shape)
        return cast_like(self.weights, x) * x

    def __repr__(self) -> str:
        return f"Diagonal({self.input_shape})"
