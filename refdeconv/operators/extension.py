"""Continuation of an image beyond its edges, and its adjoint: folding back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import ArrayLike

from refdeconv._arrays import Array, Shape, choice, image_shape, operand, whole_numbers
from refdeconv.calculus import LinearOperator

BOUNDARIES = ("constant", "wrap", "reflect", "mirror", "nearest")

# A stretch of pixels beyond an edge, and what it copies: as many pixels, in order or reverse, or always the same one.
_Stretch = tuple[slice, slice | int]


class Extension(LinearOperator):
    """An image continued beyond its edges.

    ``forward(x)[i] = x[s(i - before)]`` along each axis, where s is the identity inside the image, and outside, with
    ``abcd`` for an image of four pixels (scipy.ndimage's names):

    ========== ======================== =====================================================
    boundary   extended                 is
    ========== ======================== =====================================================
    constant   ``0000 | abcd | 0000``   zeros
    wrap       ``abcd | abcd | abcd``   the image again, periodically
    reflect    ``dcba | abcd | dcba``   its mirror image, the edge between two pixels
    mirror     ``.dcb | abcd | cba.``   its mirror image, the edge on the last pixel
    nearest    ``aaaa | abcd | dddd``   the nearest pixel
    ========== ======================== =====================================================

    Parameters
    ----------
    shape : int or tuple of int
        Shape of the image.
    before, after : int or sequence of int
        Number of pixels, >= 0, to add before the first and after the last pixel: one number, or one for each axis. They
        may exceed the size of the image; it is then repeated or reflected as often as needed.
    boundary : {'constant', 'wrap', 'reflect', 'mirror', 'nearest'}
        What lies beyond the edges.

    Attributes
    ----------
    input_shape : tuple of int
        `shape`
    output_shape : tuple of int
        ``before + shape + after``

    Raises
    ------
    TypeError, ValueError
        If an argument is not as described; the message names it.

    Notes
    -----
    The adjoint folds: each pixel beyond the edge is added to the one that it was copied from. Derivation:
    derivations/operators/extension.md, EXT.1, EXT.2
    """

    new_arrays = True

    before: Shape
    after: Shape
    boundary: str
    _inside: tuple[slice, ...]
    _stretches: tuple[tuple[_Stretch, ...], ...]

    def __init__(
        self,
        shape: int | tuple[int, ...],
        before: int | Sequence[int],
        after: int | Sequence[int],
        boundary: str,
    ) -> None:
        shape = image_shape(shape)
        before, after = _widths(before, "before", len(shape)), _widths(after, "after", len(shape))
        boundary = choice(boundary, "boundary", BOUNDARIES)
        axes = tuple(zip(shape, before, after, strict=True))
        self.input_shape = shape
        self.output_shape = tuple(map(sum, axes))
        self.before = before
        self.after = after
        self.boundary = boundary
        self._inside = tuple(slice(b, b + n) for n, b, _ in axes)
        self._stretches = tuple(tuple(_stretches(n, b, a, boundary)) for n, b, a in axes)

    def forward(self, x: ArrayLike) -> Array:
        """The extended image."""
        x = operand(x, self.input_shape)
        extended = np.zeros(self.output_shape, x.dtype)
        self.fill(extended, x)
        return extended

    def adjoint(self, y: ArrayLike) -> Array:
        """The folded image: what stands beyond the edges is given back to the pixels that it would be copied from."""
        return np.ascontiguousarray(self.fold(operand(y, self.output_shape, "y").copy()))

    def fill(self, extended: Array, x: Array) -> None:
        """Write the extended image into an array of `output_shape` that holds zeros; x is not checked."""
        extended[self._inside] = x
        for axis, stretches in enumerate(self._stretches):
            pixels = self._lines(extended, axis)
            for beyond, copied in stretches:
                pixels[beyond] = pixels[copied]

    def fold(self, extended: Array) -> Array:
        """The adjoint at an array that is overwritten, and not checked; the result is a view of it."""
        for axis, stretches in reversed(tuple(enumerate(self._stretches))):
            pixels = self._lines(extended, axis)
            for beyond, copied in stretches:
                pixels[copied] += pixels[beyond] if isinstance(copied, slice) else pixels[beyond].sum(axis=0)
        return extended[self._inside]

    def _lines(self, extended: Array, axis: int) -> Array:
        """The part that is extended along the axes before this one, and not after, with this axis first: a view."""
        return np.moveaxis(extended[(slice(None),) * (axis + 1) + self._inside[axis + 1 :]], axis, 0)

    def __repr__(self) -> str:
        return f"Extension({self.input_shape} -> {self.output_shape}, {self.boundary!r})"


def _widths(widths: int | Sequence[int], name: str, axes: int) -> Shape:
    numbers = whole_numbers(widths, name, axes)
    if min(numbers) < 0:
        raise ValueError(f"{name} must not be negative, got {widths!r}")
    return numbers


def _stretches(size: int, before: int, after: int, boundary: str) -> Iterator[_Stretch]:
    """What is copied where along one axis, in indices of the extended image."""
    if boundary == "constant":
        return
    copied = copied_pixel(np.arange(-before, size + after), size, boundary) + before
    steps = np.diff(copied)
    for first, end in ((0, before), (before + size, len(copied))):
        while first < end:
            step = int(steps[first]) if end - first > 1 and abs(steps[first]) <= 1 else 1
            last = first
            while last + 1 < end and steps[last] == step:
                last += 1
            yield slice(first, last + 1), _span(int(copied[first]), int(copied[last]), step)
            first = last + 1


def copied_pixel(index: Array, size: int, boundary: str) -> Array:
    """The pixel that stands at an index, inside the image or beyond it (EXT.1)."""
    if boundary == "wrap":
        return index % size
    if boundary == "nearest":
        return np.clip(index, 0, size - 1)
    period, turn = (2 * size, 1) if boundary == "reflect" else (max(2 * size - 2, 1), 0)
    return np.minimum(index % period, period - turn - index % period)


def _span(first: int, last: int, step: int) -> slice | int:
    """The indices from first to last, both included."""
    if step == 0:
        return first
    stop = last + step
    return slice(first, stop if stop >= 0 else None, step)
