"""Forward differences along the axes of an image: the discrete gradient."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from refdeconv import _blocks
from refdeconv._arrays import Array, axis_index, cast_scalar, choice, image_shape, number_or_more, operand, real_number
from refdeconv.calculus import LinearOperator, LocalPart

BOUNDARIES = ("free", "reflect", "constant", "wrap")


class Gradient(LinearOperator):
    """Forward differences along some axes of an image.

    ``forward(x)[a, ..., i, ...] = (x[..., i + 1, ...] - x[..., i, ...]) / spacing[a]`` along axis ``axes[a]``; for the
    last i, `boundary` says what x is beyond the edge. The adjoint is the negative divergence.

    Parameters
    ----------
    shape : int or tuple of int
        Shape of the image.
    spacing : float or sequence of float
        Distance between neighbouring pixels, > 0: one number, or one for each of `axes`. Default 1.
    axes : sequence of int, optional
        The axes to differentiate along; all by default.
    boundary : {'free', 'reflect', 'constant', 'wrap'}
        What lies beyond the far edge. 'free': nothing is said of it, and the last difference is 0. 'reflect': the image
        again, mirrored about its edge, so that the pixel beyond equals the last one: for forward differences the same
        as 'free' (and as 'nearest' would be), and kept under that name. 'constant': zero, and the last difference is
        ``-x[n - 1] / spacing``. 'wrap': the first pixel.

    Attributes
    ----------
    input_shape : tuple of int
        `shape`
    output_shape : tuple of int
        ``(len(axes), *shape)``
    boundary : str
        'free', 'constant' or 'wrap'.

    Raises
    ------
    TypeError, ValueError
        If a size, an axis, a spacing or the boundary is not allowed, an axis is named twice, or there are not as many
        spacings as axes.

    Notes
    -----
    The null space, for all axes, is the constant images; with 'constant' it is the zero image alone. At the near edge
    nothing is ever needed from outside, so that 'constant' does not penalise a step there.

    Derivation: derivations/operators/gradient.md, GRD.1, GRD.2, GRD.3, GRD.4, GRD.5
    """

    new_arrays = True

    spacing: tuple[float, ...]
    axes: tuple[int, ...]
    boundary: str

    def __init__(
        self,
        shape: int | tuple[int, ...],
        spacing: float | Sequence[float] = 1.0,
        axes: int | Sequence[int] | None = None,
        boundary: str = "free",
    ) -> None:
        shape = image_shape(shape)
        axes = number_or_more(axes)
        named = range(len(shape)) if axes is None else axes if isinstance(axes, Iterable) else (axes,)
        axes = tuple(axis_index(axis, len(shape), "each of axes") for axis in named)
        if not axes or len(set(axes)) < len(axes):
            raise ValueError(f"axes must name at least one axis, and none twice, got {axes}")
        steps, boundary = checked_spacing(spacing, len(axes)), choice(boundary, "boundary", BOUNDARIES)
        self.input_shape = shape
        self.output_shape = (len(axes), *shape)
        self.spacing = steps
        self.axes = axes
        self.boundary = "free" if boundary == "reflect" else boundary

    def forward(self, x: ArrayLike) -> Array:
        """The differences along each axis, stacked along a new first axis."""
        x = np.ascontiguousarray(operand(x, self.input_shape))
        differences = np.empty(self.output_shape, x.dtype)
        for difference, axis, step in zip(differences, self.axes, self.spacing, strict=True):
            _difference(x, axis, difference)
            if self._has_beyond(axis):
                difference[_ends(axis)[1]] = self._across_edge(x, axis)
            if step != 1:
                difference /= cast_scalar(step, x)
        return differences

    def adjoint(self, y: ArrayLike) -> Array:
        """The negative divergence of y: each difference goes back to the two pixels that it was taken of."""
        y = operand(y, self.output_shape, "y")
        divergence = np.empty(self.input_shape, y.dtype)
        for number, (component, axis, step) in enumerate(zip(y, self.axes, self.spacing, strict=True)):
            flow = _divided(component, step)
            _give_back(divergence, flow, axis, onto=number > 0)
            if self._has_beyond(axis):
                self._give_back(divergence, flow[_ends(axis)[1]], axis)
        return divergence

    def gram(self, x: ArrayLike) -> Array:
        """The negative Laplacian: the adjoint after the forward, block by block."""
        return self._in_one_pass(x, squared=False)[0]

    def gram_and_square(self, x: ArrayLike) -> tuple[Array, Any]:
        """The pair D^T D x, |D x|^2, in one pass."""
        return self._in_one_pass(x, squared=True)

    def _in_one_pass(self, x: ArrayLike, squared: bool) -> tuple[Array, Any]:
        """The pair; zero for the square, where it is not asked for."""
        x = np.ascontiguousarray(operand(x, self.input_shape))
        gram = np.empty(x.shape, x.dtype)
        rows = _blocks.blocks(x.shape) if self.boundary == "free" else [slice(0, len(x))]
        squares = _blocks.each(lambda block: self._gram_of_rows(x, block, gram[block], squared), rows, x.nbytes)
        return gram, _blocks.total(squares)

    def _gram_of_rows(self, x: Array, rows: slice, gram: Array, squared: bool) -> Any:
        """Write some rows of D^T D x; return the sum of squares of the differences at these rows, if asked (GRD.6)."""
        square = x.dtype.type(0)
        for number, (axis, step) in enumerate(zip(self.axes, self.spacing, strict=True)):
            if axis == 0 and self.boundary == "free":
                flow, before = _flow_of_rows(x, rows), 1
            else:
                flow, before = np.empty(gram.shape, x.dtype), 0
                _difference(x[rows], axis, flow)
                if self._has_beyond(axis):
                    flow[_ends(axis)[1]] = self._across_edge(x, axis)
            if step != 1:
                flow /= cast_scalar(step, x)
            if squared:
                square += _blocks.inner(flow[before:], flow[before:])
            if step != 1:
                flow /= cast_scalar(step, x)  # not by the square, which may overflow
            if before and number == 0:
                np.subtract(flow[:-1], flow[1:], out=gram)
            elif before:
                gram += flow[:-1]
                gram -= flow[1:]
            else:
                _give_back(gram, flow, axis, onto=number > 0)
                if self._has_beyond(axis):
                    self._give_back(gram, flow[_ends(axis)[1]], axis)
        return square

    def cut(self, rows: slice) -> LocalPart | None:
        """The differences of some rows, which need the row after these too; not where the edges are joined or zero."""
        if self.boundary != "free":
            return None
        size, *others = self.input_shape
        if 0 not in self.axes or rows.stop == size:
            part = Gradient((rows.stop - rows.start, *others), self.spacing, self.axes)
            return LocalPart(rows, part, 1)
        return LocalPart(slice(rows.start, rows.stop + 1), _GradientOfRows(self, rows.stop - rows.start), 1)

    def _has_beyond(self, axis: int) -> bool:
        """Whether the differences across the far edge can be other than zero."""
        return self.boundary == "constant" or (self.boundary == "wrap" and self.input_shape[axis] > 1)

    def _across_edge(self, x: Array, axis: int) -> Array:
        """What lies beyond the far edge, minus the last pixel (GRD.4)."""
        first, last = _ends(axis)
        return x[first] - x[last] if self.boundary == "wrap" else -x[last]

    def _give_back(self, result: Array, flow: Array, axis: int) -> None:
        """Add the adjoint of `_across_edge` (GRD.5)."""
        first, last = _ends(axis)
        result[last] -= flow
        if self.boundary == "wrap":
            result[first] += flow

    def __repr__(self) -> str:
        options = "" if set(self.spacing) == {1.0} else f", spacing={self.spacing}"
        if self.axes != tuple(range(len(self.input_shape))):
            options += f", axes={self.axes}"
        if self.boundary != "free":
            options += f", boundary={self.boundary!r}"
        return f"Gradient({self.input_shape}{options})"


class _GradientOfRows(LinearOperator):
    """The differences of some rows of an image, from these and the row after them.

    Derivation: derivations/operators/gradient.md, GRD.6
    """

    new_arrays = True

    def __init__(self, whole: Gradient, rows: int) -> None:
        others = whole.input_shape[1:]
        self.input_shape = (rows + 1, *others)
        self.output_shape = (len(whole.axes), rows, *others)
        self._steps = tuple(zip(whole.axes, whole.spacing, strict=True))

    _steps: tuple[tuple[int, float], ...]

    def forward(self, x: ArrayLike) -> Array:
        x = np.ascontiguousarray(operand(x, self.input_shape))
        differences = np.empty(self.output_shape, x.dtype)
        for difference, (axis, step) in zip(differences, self._steps, strict=True):
            if axis == 0:
                np.subtract(x[1:], x[:-1], out=difference)
            else:
                _difference(x[:-1], axis, difference)
            if step != 1:
                difference /= cast_scalar(step, x)
        return differences

    def adjoint(self, y: ArrayLike) -> Array:
        y = operand(y, self.output_shape, "y")
        divergence = np.empty(self.input_shape, y.dtype)
        if self._steps[0][0] != 0:
            divergence[-1] = 0
        for number, (component, (axis, step)) in enumerate(zip(y, self._steps, strict=True)):
            if axis != 0:
                _give_back(divergence[:-1], _divided(component, step), axis, onto=number > 0)
                continue
            flow = component if step == 1 else component / cast_scalar(step, y)
            if number == 0:
                divergence[0], divergence[-1] = -flow[0], flow[-1]
                np.subtract(flow[:-1], flow[1:], out=divergence[1:-1])
            else:
                divergence[1:] += flow
                divergence[:-1] -= flow
        return divergence


def checked_spacing(spacing: float | Sequence[float], axes: int) -> tuple[float, ...]:
    """A distance between pixels for each of so many axes, checked as an argument of this name."""
    spacing = number_or_more(spacing)
    steps = tuple(spacing) if isinstance(spacing, Sequence | np.ndarray) else (spacing,) * axes
    if len(steps) != axes:
        raise ValueError(f"spacing needs one number, or one for each of the {axes} axes, got {len(steps)}")
    return tuple(real_number(step, "spacing", minimum=0, exclusive=True) for step in steps)


# A next neighbour along an axis is a fixed distance away in memory: whole passes over flat arrays, with the edge set
# right, are several times faster than row by row.


def _difference(x: Array, axis: int, difference: Array) -> None:
    """Each pixel's next neighbour minus itself, zero at the far edge, of contiguous arrays."""
    away, pixels = math.prod(x.shape[axis + 1 :]), x.reshape(-1)
    np.subtract(pixels[away:], pixels[:-away], out=difference.reshape(-1)[:-away])
    difference[_ends(axis)[1]] = 0


def _flow_of_rows(x: Array, rows: slice) -> Array:
    """The differences along the first axis at some rows, and at the row before these; zero beyond the edges."""
    first, last = max(rows.start - 1, 0), min(rows.stop, len(x) - 1)
    flow = np.empty((rows.stop - rows.start + 1, *x.shape[1:]), x.dtype)
    inside = flow[first - rows.start + 1 : last - rows.start + 1]
    np.subtract(x[first + 1 : last + 1], x[first:last], out=inside)
    flow[: first - rows.start + 1] = 0
    flow[last - rows.start + 1 :] = 0
    return flow


def _give_back(result: Array, flow: Array, axis: int, *, onto: bool) -> None:
    """Write the adjoint of `_difference`, or add it, of contiguous arrays; flow at the far edge counts for nothing."""
    away, edge = math.prod(result.shape[axis + 1 :]), _ends(axis)[1]
    if flow[edge].any():
        flow = flow.copy()
        flow[edge] = 0
    pixels, flows = result.reshape(-1), flow.reshape(-1)
    if onto:
        pixels[away:] += flows[:-away]
        pixels -= flows
    else:
        np.negative(flows[:away], out=pixels[:away])
        np.subtract(flows[:-away], flows[away:], out=pixels[away:])


def _divided(component: Array, step: float) -> Array:
    """A component divided by the distance between pixels, as a contiguous array: the same, where it can be."""
    return np.ascontiguousarray(component if step == 1 else component / cast_scalar(step, component))


def _ends(axis: int) -> tuple[tuple[slice, ...], tuple[slice, ...]]:
    """Indices of the first and of the last pixels along the axis."""
    before = (slice(None),) * axis
    return (*before, slice(1)), (*before, slice(-1, None))
