"""The Laplacian of an image: the sum of its second differences."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from refdeconv._arrays import Array, cast_scalar, choice, operand
from refdeconv.calculus import Symmetric
from refdeconv.operators.gradient import Gradient

BOUNDARIES = ("reflect", "constant", "wrap")


class Laplacian(Symmetric):
    """The sum of the central second differences along the axes of an image.

    ``forward(x)[i] = sum_a (x[i + e_a] - 2 x[i] + x[i - e_a]) / spacing[a]**2``, e_a the unit step along axis a, with
    the image continued beyond its edges as `boundary` says. It is its own adjoint.

    Parameters
    ----------
    shape : int or tuple of int
        Shape of the image.
    spacing : float or sequence of float
        Distance between neighbouring pixels, > 0: one number, or one for each of `axes`. Default 1.
    boundary : {'reflect', 'constant', 'wrap'}
        What lies beyond the edges, in scipy.ndimage's terms: the image mirrored about its edge (the pixel beyond equals
        the last one), zeros, or the image again, periodically.
    axes : sequence of int, optional
        The axes to sum over; all by default.

    Attributes
    ----------
    input_shape, output_shape : tuple of int
        `shape`

    Raises
    ------
    TypeError, ValueError
        If an argument is not as described; the message names it. The boundary 'mirror' of scipy.ndimage, about the
        centre of the last pixel, is not among those allowed: the Laplacian is not self-adjoint with it.

    Notes
    -----
    With D the `Gradient` of the same edges, it is ``-D.T @ D``, which for 'constant' lacks the difference across the
    near edge. The null space, for all axes, is the constant images; with 'constant', the zero image alone.

    Derivation: derivations/operators/laplacian.md, LAP.1, LAP.2, LAP.3
    """

    new_arrays = True

    spacing: tuple[float, ...]
    axes: tuple[int, ...]
    boundary: str
    _gradient: Gradient

    def __init__(
        self,
        shape: int | tuple[int, ...],
        spacing: float | Sequence[float] = 1.0,
        boundary: str = "reflect",
        *,
        axes: int | Sequence[int] | None = None,
    ) -> None:
        boundary = choice(boundary, "boundary", BOUNDARIES)
        gradient = Gradient(shape, spacing, axes, boundary)
        self.input_shape = gradient.input_shape
        self.output_shape = gradient.input_shape
        self.spacing = gradient.spacing
        self.axes = gradient.axes
        self.boundary = boundary
        self._gradient = gradient

    def forward(self, x: ArrayLike) -> Array:
        """The sum of the second differences."""
        x = operand(x, self.input_shape)
        laplacian = self._gradient.gram(x)
        if self.boundary == "constant":
            self._add_near_edges(laplacian, x)
        return np.negative(laplacian, out=laplacian)

    def _add_near_edges(self, negative_laplacian: Array, x: Array) -> None:
        """The differences from the zeros before the first pixels, which forward differences do not see (LAP.2)."""
        for axis, step in zip(self.axes, self.spacing, strict=True):
            first = (slice(None),) * axis + (slice(1),)
            negative_laplacian[first] += x[first] / cast_scalar(step, x) / cast_scalar(step, x)

    def __repr__(self) -> str:
        options = "" if set(self.spacing) == {1.0} else f", spacing={self.spacing}"
        if self.axes != tuple(range(len(self.input_shape))):
            options += f", axes={self.axes}"
        return f"Laplacian({self.input_shape}, boundary={self.boundary!r}{options})"
