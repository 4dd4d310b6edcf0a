"""Multiplication by fixed weights, pixel by pixel: a mask, a vignette, a flat field."""

from __future__ import annotations

from numpy.typing import ArrayLike

from refdeconv._arrays import Array, real_array
from refdeconv.hessians import Multiplication


class Diagonal(Multiplication):
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

    weights: Array

    def __init__(self, weights: ArrayLike) -> None:
        weights = real_array(weights, "weights")
        super().__init__(weights)
        self.weights = weights

    def __repr__(self) -> str:
        return f"Diagonal({self.input_shape})"
