"""The identity, the simplest linear operator."""

from __future__ import annotations

from numpy.typing import ArrayLike

from refdeconv._arrays import Array, image_shape, operand
from refdeconv.calculus import Symmetric


class Identity(Symmetric):
    """The identity on arrays of one shape: ``forward(x) = adjoint(x) = x``.

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
    Both directions return a copy, so that a result never shares memory with what it was computed from.
    Derivation: derivations/operators/identity.md, IDN.1, IDN.2
    """

    new_arrays = True

    def __init__(self, shape: int | tuple[int, ...]) -> None:
        shape = image_shape(shape)
        self.input_shape = shape
        self.output_shape = shape

    def forward(self, x: ArrayLike) -> Array:
        """A copy of x."""
        return operand(x, self.input_shape).copy()

    def __repr__(self) -> str:
        return f"Identity({self.input_shape})"
