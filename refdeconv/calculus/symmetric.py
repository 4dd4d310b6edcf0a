"""Linear operators that are their own adjoints."""

from __future__ import annotations

from numpy.typing import ArrayLike

from refdeconv._arrays import Array, operand
from refdeconv.calculus.operator import LinearOperator


class Symmetric(LinearOperator):
    """A linear operator A with ``A.T = A``: a subclass sets the two shapes, which are equal, and defines `forward`.

    Notes
    -----
    Derivation: derivations/calculus.md, CAL.1
    """

    def adjoint(self, y: ArrayLike) -> Array:
        """A y: the operator is its own adjoint."""
        return self.forward(operand(y, self.output_shape, "y"))

    @property
    def T(self) -> LinearOperator:  # noqa: N802
        """The operator itself."""
        return self
