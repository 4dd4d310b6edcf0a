"""An affine map: a linear operator, and something added that does not depend on the image."""

from __future__ import annotations

from numpy.typing import ArrayLike

from refdeconv._arrays import Array, cast_like, real_array
from refdeconv.calculus import LinearOperator, Operator, Zero


class Affine(Operator):
    """The map ``z -> A z + b``: a linear operator and an offset, such as a blur and a known background.

    Parameters
    ----------
    operator : LinearOperator
        A
    offset : array_like
        b: real and finite, of A's output shape.

    Raises
    ------
    TypeError, ValueError
        If `operator` is not a linear operator, or `offset` is not an array of finite real numbers of its output shape.

    Notes
    -----
    Its Jacobian is A, at every z, and its curvature is zero.

    Derivation: derivations/operators/affine.md, AFF.1, AFF.2
    """

    operator: LinearOperator
    offset: Array

    def __init__(self, operator: LinearOperator, offset: ArrayLike) -> None:
        if not isinstance(operator, LinearOperator):
            raise TypeError(f"operator must be a LinearOperator, got {operator!r}")
        self.input_shape = operator.input_shape
        self.output_shape = operator.output_shape
        self.operator = operator
        self.offset = real_array(offset, "offset", shape=operator.output_shape)

    def forward(self, z: ArrayLike) -> Array:
        """A z + b."""
        image = self.operator.forward(z)
        return image + cast_like(self.offset, image)

    def jacobian(self, z: ArrayLike) -> LinearOperator:
        """The linear part A, at every z."""
        return self.operator

    def curvature(self, z: ArrayLike, w: ArrayLike) -> LinearOperator:
        """Zero: an affine map has no second derivative."""
        return Zero(self.input_shape, self.input_shape)

    def __repr__(self) -> str:
        return f"Affine({self.operator!r}, offset)"
