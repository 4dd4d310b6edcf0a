"""Some pixels of an image, or sums over blocks of them: coarse detectors and missing pixels."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import numpy as np
from numpy.typing import ArrayLike

from refdeconv._arrays import Array, Shape, image_shape, operand, read_only, whole_number
from refdeconv.calculus import LinearOperator


class Subsampling(LinearOperator):
    """Every step-th pixel along each axis: ``forward(x)[i] = x[offset + step * i]``.

    The adjoint puts the values back where they were taken, with zeros between them.

    Parameters
    ----------
    shape : int or tuple of int
        Shape of the image.
    step : int or sequence of int
        Distance between the pixels that are kept, >= 1: one number, or one for each axis.
    offset : int or sequence of int
        Index of the first pixel that is kept, inside the image: one number, or one for each axis. Default 0.

    Attributes
    ----------
    input_shape : tuple of int
        `shape`
    output_shape : tuple of int
        ``ceil((n - offset) / step)`` along an axis of n pixels.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as described; the message names it.

    Notes
    -----
    Derivation: derivations/operators/sampling.md, SUB.1, SUB.2
    """

    new_arrays = True

    step: Shape
    offset: Shape

    def __init__(
        self, shape: int | tuple[int, ...], step: int | Sequence[int], offset: int | Sequence[int] = 0
    ) -> None:
        shape = image_shape(shape)
        step, offset = _per_axis(step, "step", len(shape), 1), _per_axis(offset, "offset", len(shape), 0)
        if any(first >= size for first, size in zip(offset, shape, strict=True)):
            raise ValueError(f"offset must lie inside the image of shape {shape}, got {offset}")
        self.input_shape = shape
        self.output_shape = tuple(len(range(o, n, s)) for o, n, s in zip(offset, shape, step, strict=True))
        self.step = step
        self.offset = offset

    @property
    def _kept(self) -> tuple[slice, ...]:
        return tuple(slice(first, None, step) for first, step in zip(self.offset, self.step, strict=True))

    def forward(self, x: ArrayLike) -> Array:
        """The pixels that are kept."""
        return operand(x, self.input_shape)[self._kept].copy()

    def adjoint(self, y: ArrayLike) -> Array:
        """An image with y at the pixels that are kept, and zero at the others."""
        y = operand(y, self.output_shape, "y")
        image = np.zeros(self.input_shape, y.dtype)
        image[self._kept] = y
        return image

    def gram(self, x: ArrayLike) -> Array:
        """The image, with the pixels that are not kept set to zero."""
        return self.adjoint(operand(x, self.input_shape)[self._kept])

    def __repr__(self) -> str:
        return f"Subsampling({self.input_shape}, step={self.step}, offset={self.offset})"


class Binning(LinearOperator):
    """Means, or sums, over blocks of neighbouring pixels, as a detector of larger pixels takes them.

    ``forward(x)[i] = c * sum_j x[size * i + j]``, the sum over the pixels j of a block, with c one divided by their
    number for means, and 1 for sums. The adjoint spreads each value, times c, over its block.

    Parameters
    ----------
    shape : int or tuple of int
        Shape of the image.
    size : int or sequence of int
        Size of the blocks, >= 1: one number, or one for each axis. It must divide the size of the image: an incomplete
        block would be neither a mean nor a sum like the others, and pixels left out would be data lost silently. Crop
        the image to whole blocks, or choose the unknown image to fit.
    mean : bool
        Means (default), or sums.

    Attributes
    ----------
    input_shape : tuple of int
        `shape`
    output_shape : tuple of int
        ``n // size`` along an axis of n pixels.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as described, or the blocks do not fill the image; the message names it.

    Notes
    -----
    Derivation: derivations/operators/sampling.md, SUB.3, SUB.4
    """

    new_arrays = True

    size: Shape
    mean: bool

    def __init__(self, shape: int | tuple[int, ...], size: int | Sequence[int], mean: bool = True) -> None:
        shape = image_shape(shape)
        size = _per_axis(size, "size", len(shape), 1)
        if any(n % block for n, block in zip(shape, size, strict=True)):
            fitting = tuple(n - n % block for n, block in zip(shape, size, strict=True))
            raise ValueError(
                f"size {size} does not divide the image of shape {shape}; whole blocks would cover {fitting} of it"
            )
        if not isinstance(mean, bool | np.bool_):
            raise TypeError(f"mean must be True or False, got {mean!r}")
        self.input_shape = shape
        self.output_shape = tuple(n // block for n, block in zip(shape, size, strict=True))
        self.size = size
        self.mean = bool(mean)

    def forward(self, x: ArrayLike) -> Array:
        """The mean or sum of each block."""
        blocks = operand(x, self.input_shape).reshape(self._blocks)
        sums: Array = blocks.sum(axis=tuple(range(1, blocks.ndim, 2)))
        return self._scaled(sums)

    def adjoint(self, y: ArrayLike) -> Array:
        """Each value at all pixels of its block, divided by their number for means."""
        y = operand(y, self.output_shape, "y")
        image = np.empty(self.input_shape, y.dtype)
        image.reshape(self._blocks)[...] = np.expand_dims(self._scaled(y), tuple(range(1, 2 * y.ndim, 2)))
        return image

    @property
    def _blocks(self) -> Shape:
        """The image's shape with each axis split in two: which block, and where in it."""
        return tuple(part for pair in zip(self.output_shape, self.size, strict=True) for part in pair)

    def _scaled(self, y: Array) -> Array:
        return y / prod(self.size) if self.mean else y

    def __repr__(self) -> str:
        return f"Binning({self.input_shape}, size={self.size}, mean={self.mean})"


class Selection(LinearOperator):
    """The pixels where a mask is true, as a vector: the others are missing, and their values never looked at.

    The adjoint puts the values back where they were taken, and zero where pixels are missing.

    Parameters
    ----------
    mask : array_like of bool
        True where a pixel is kept; at least one is.

    Attributes
    ----------
    input_shape : tuple of int
        The mask's shape.
    output_shape : tuple of int
        The number of pixels kept; they are in the order of the image's memory (C order), as in ``x[mask]``.

    Raises
    ------
    TypeError, ValueError
        If `mask` is not an array of booleans, or nowhere true.

    Notes
    -----
    Derivation: derivations/operators/sampling.md, SUB.5, SUB.6
    """

    new_arrays = True

    mask: Array

    def __init__(self, mask: ArrayLike) -> None:
        found = np.array(mask, order="C")
        if found.dtype != np.bool_ or found.ndim == 0:
            raise TypeError(f"mask must be an array of booleans, got {found.ndim} axes of dtype {found.dtype}")
        if not found.any():
            raise ValueError(f"mask must be true somewhere, got {found.size} pixels, none of them true")
        self.input_shape = found.shape
        self.output_shape = (int(np.count_nonzero(found)),)
        self.mask = read_only(found)

    def forward(self, x: ArrayLike) -> Array:
        """The pixels that are kept, as a vector."""
        return operand(x, self.input_shape)[self.mask]

    def adjoint(self, y: ArrayLike) -> Array:
        """An image with y at the pixels that are kept, and zero at the others."""
        y = operand(y, self.output_shape, "y")
        image = np.zeros(self.input_shape, y.dtype)
        image[self.mask] = y
        return image

    def gram(self, x: ArrayLike) -> Array:
        """The image, with the missing pixels set to zero."""
        x = operand(x, self.input_shape)
        return np.where(self.mask, x, x.dtype.type(0))

    def __repr__(self) -> str:
        return f"Selection({self.output_shape[0]} of the pixels of {self.input_shape})"


def _per_axis(number: int | Sequence[int], name: str, ndim: int, minimum: int) -> Shape:
    """One integer for each axis, each at least a minimum."""
    numbers = tuple(number) if isinstance(number, Sequence | np.ndarray) else (number,) * ndim
    if len(numbers) != ndim:
        raise ValueError(f"{name} needs one integer, or one for each of the {ndim} axes, got {number!r}")
    result = tuple(whole_number(each, name) for each in numbers)
    if min(result) < minimum:
        raise ValueError(f"{name} must be >= {minimum}, got {number!r}")
    return result
