"""Second differences of an image: the discrete Hessian matrix at each pixel."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from refdeconv._arrays import Array, cast_scalar, choice, image_shape, operand, real_dtype
from refdeconv.calculus import LinearOperator
from refdeconv.operators.gradient import Gradient, checked_spacing
from refdeconv.operators.laplacian import Laplacian

BOUNDARIES = ("free", "reflect", "constant", "wrap")


class SecondDifferences(LinearOperator):
    """The symmetric matrix of second differences at each pixel, its entries stacked along a new first axis.

    The upper triangle, row by row: (0, 0), (0, 1), ..., (0, d - 1), (1, 1), ... for d axes. With e_a the unit step
    along axis a and h its spacing, the diagonal entries are central, ``(x[i + e_a] - 2 x[i] + x[i - e_a]) / h_a**2``,
    and the others the forward difference of a forward difference, **times the square root of two**,
    ``sqrt(2) (x[i + e_a + e_b] - x[i + e_a] - x[i + e_b] + x[i]) / (h_a h_b)``. So the sum of the squares of what is
    stacked is the squared Frobenius norm of the matrix, in which these entries stand twice.

    Parameters
    ----------
    shape : int or tuple of int
        Shape of the image, of d axes.
    spacing : float or sequence of float
        Distance between neighbouring pixels, > 0: one number, or one for each axis. Default 1.
    boundary : {'free', 'reflect', 'constant', 'wrap'}
        What lies beyond the edges. 'free': nothing is said of it, and a difference that would need a pixel there is 0.
        'reflect': the image mirrored about its edge (the pixel beyond equals the last one). 'constant': zeros. 'wrap':
        the image again, periodically.

    Attributes
    ----------
    input_shape : tuple of int
        `shape`
    output_shape : tuple of int
        ``(d * (d + 1) // 2, *shape)``

    Raises
    ------
    TypeError, ValueError
        If an argument is not as described; the message names it.

    Notes
    -----
    The null space for 'free' is the affine images, ``c + sum_a g_a i_a``; for 'reflect' and 'wrap' the constant ones;
    for 'constant' the zero image alone. For 'reflect' and 'wrap' the Gram operator is the square of the `Laplacian`.
    The mixed entries look one way: where the image is mirrored, they move by a pixel.

    Derivation: derivations/operators/second_differences.md, SEC.1, SEC.2, SEC.3, SEC.4
    """

    new_arrays = True

    spacing: tuple[float, ...]
    boundary: str
    _firsts: tuple[Gradient, ...]
    _seconds: tuple[Laplacian, ...]
    _laplacian: Laplacian

    def __init__(
        self, shape: int | tuple[int, ...], spacing: float | Sequence[float] = 1.0, boundary: str = "free"
    ) -> None:
        shape, boundary = image_shape(shape), choice(boundary, "boundary", BOUNDARIES)
        ndim = len(shape)
        steps = checked_spacing(spacing, ndim)
        # Where nothing lies beyond the edges, they are cleared after (or, in the adjoint, before) mirrored differences.
        beyond = "reflect" if boundary == "free" else boundary
        self.input_shape = shape
        self.output_shape = (ndim * (ndim + 1) // 2, *shape)
        self.spacing = steps
        self.boundary = boundary
        self._firsts = tuple(Gradient(shape, step, axis, beyond) for axis, step in enumerate(steps))
        self._seconds = tuple(Laplacian(shape, step, beyond, axes=axis) for axis, step in enumerate(steps))
        self._laplacian = Laplacian(shape, steps, beyond)

    def forward(self, x: ArrayLike) -> Array:
        """The entries of the upper triangle, stacked along a new first axis."""
        x = operand(x, self.input_shape)
        entries = np.empty(self.output_shape, x.dtype)
        rows = self._rows(entries)
        for axis, row in enumerate(rows):
            row[0] = self._seconds[axis].forward(x)
            self._clear_free_edges(row[0], axis)
            if len(row) > 1:
                along = _root_two(x) * self._firsts[axis].forward(x)[0]
                for entry, first in zip(row[1:], self._firsts[axis + 1 :], strict=True):
                    entry[...] = first.forward(along)[0]
        return entries

    def adjoint(self, y: ArrayLike) -> Array:
        """What was gathered into each entry, given back to the pixels that it came from."""
        y = operand(y, self.output_shape, "y")
        image = np.zeros(self.input_shape, y.dtype)
        for axis, row in enumerate(self._rows(y)):
            diagonal = row[0].copy()
            self._clear_free_edges(diagonal, axis)
            image += self._seconds[axis].adjoint(diagonal)
            if len(row) > 1:
                along = np.zeros_like(y[:1])
                for entry, first in zip(row[1:], self._firsts[axis + 1 :], strict=True):
                    along[0] += first.adjoint(entry[np.newaxis])
                image += _root_two(y) * self._firsts[axis].adjoint(along)
        return image

    def gram(self, x: ArrayLike) -> Array:
        """The adjoint after the forward: by the Laplacian, applied twice, where it serves (SEC.4)."""
        if self.boundary == "constant" or (self.boundary == "free" and 2 in self.input_shape):
            return super().gram(x)  # on a free axis of two pixels the two would cancel, and leave their rounding
        x = operand(x, self.input_shape)
        image = self._laplacian.forward(self._laplacian.forward(x))
        if self.boundary == "free":
            self._subtract_edges(image, x)
        return image

    def _rows(self, entries: Array) -> list[Array]:
        """Views of the entries, split into the rows of the upper triangle."""
        ndim = len(self.input_shape)
        lengths = range(ndim, 0, -1)
        return np.split(entries, np.cumsum(lengths)[:-1])

    def _clear_free_edges(self, entry: Array, axis: int) -> None:
        if self.boundary == "free":
            before = (slice(None),) * axis
            entry[(*before, slice(1))] = 0
            entry[(*before, slice(-1, None))] = 0

    def _subtract_edges(self, image: Array, x: Array) -> None:
        """Take out of the squared mirrored differences those that a free edge has not (SEC.4)."""
        for axis, step in enumerate(self.spacing):
            if self.input_shape[axis] > 1:
                pixels, result, h = np.moveaxis(x, axis, 0), np.moveaxis(image, axis, 0), cast_scalar(step, x)
                for edge, inside in ((0, 1), (-1, -2)):
                    flow = (pixels[edge] - pixels[inside]) / h / h / h / h
                    result[edge] -= flow
                    result[inside] += flow

    def __repr__(self) -> str:
        options = "" if set(self.spacing) == {1.0} else f", spacing={self.spacing}"
        return f"SecondDifferences({self.input_shape}, boundary={self.boundary!r}{options})"


def _root_two(x: Array) -> Any:
    """The square root of two in the precision of x."""
    return np.sqrt(real_dtype(x.dtype).type(2))
