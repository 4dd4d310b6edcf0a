"""Several arrays as one flat vector, so that a solver can treat them as one unknown: an image and its PSF."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from math import prod

import numpy as np
from numpy.typing import ArrayLike

from refdeconv._arrays import Array, Shape, axis_index, image_shape, operand
from refdeconv.calculus import LinearOperator, Operator, Zero
from refdeconv.calculus.frozen import Frozen

_Shapes = Iterable[int | tuple[int, ...]]


class Packing(Frozen):
    """How arrays of some shapes stand in one flat vector: one after the other, each in C order.

    Parameters
    ----------
    shapes : sequence of int or tuple of int
        The shape of each array, at least one.

    Attributes
    ----------
    shapes : tuple of tuple of int
    size : int
        Length of the vector.

    Raises
    ------
    TypeError, ValueError
        If `shapes` is empty, or one of them is not made of integers of at least 1.

    Notes
    -----
    Derivation: derivations/operators/packing.md, PAK.1
    """

    shapes: tuple[Shape, ...]
    size: int

    def __init__(self, shapes: _Shapes) -> None:
        if not isinstance(shapes, Iterable):
            raise TypeError(f"shapes must be a sequence of shapes, one for each array, got {shapes!r}")
        self.shapes = tuple(image_shape(shape, "each of shapes") for shape in shapes)
        if not self.shapes:
            raise ValueError("shapes must hold at least one shape, got none")
        self.size = sum(map(prod, self.shapes))

    def pack(self, *arrays: ArrayLike) -> Array:
        """The vector of these arrays, a copy; one array for each of `shapes`."""
        if len(arrays) != len(self.shapes):
            raise ValueError(f"pack takes {len(self.shapes)} arrays, of the shapes {self.shapes}, got {len(arrays)}")
        parts = enumerate(zip(arrays, self.shapes, strict=True))
        return np.concatenate([operand(a, shape, f"array {index}").reshape(-1) for index, (a, shape) in parts])

    def unpack(self, z: ArrayLike) -> tuple[Array, ...]:
        """The arrays that stand in a vector, as copies."""
        return tuple(part.copy() for part in self.views(operand(z, (self.size,), "z")))

    def views(self, z: Array) -> Iterator[Array]:
        """The arrays that stand in a vector, where they stand."""
        end = 0
        for shape in self.shapes:
            start, end = end, end + prod(shape)
            yield z[start:end].reshape(shape)

    def block(self, index: int) -> Block:
        """The operator that selects one of the arrays."""
        return Block(self.shapes, index)

    def __repr__(self) -> str:
        return f"Packing({list(self.shapes)})"


class Block(LinearOperator):
    """One array out of a packed vector: ``forward(z) = unpack(z)[index]``; the adjoint puts zeros elsewhere.

    Parameters
    ----------
    shapes : sequence of int or tuple of int
        The shapes of all arrays in the vector, in order.
    index : int
        Which one; negative numbers count from the end.

    Attributes
    ----------
    packing : Packing
    index : int

    Raises
    ------
    TypeError, ValueError
        If `shapes` is not made of shapes, or `index` does not name one of them.

    Notes
    -----
    Derivation: derivations/operators/packing.md, PAK.1
    """

    new_arrays = True

    packing: Packing
    index: int

    def __init__(self, shapes: _Shapes, index: int) -> None:
        packing = Packing(shapes)
        self.packing = packing
        self.index = axis_index(index, len(packing.shapes), "index")
        self.input_shape = (packing.size,)
        self.output_shape = packing.shapes[self.index]

    def forward(self, x: ArrayLike) -> Array:
        """The selected array, a copy."""
        return self._select(operand(x, self.input_shape)).copy()

    def adjoint(self, y: ArrayLike) -> Array:
        """The vector of zeros with y in its place."""
        y = operand(y, self.output_shape, "y")
        packed = np.zeros(self.input_shape, y.dtype)
        self._select(packed)[...] = y
        return packed

    def _select(self, packed: Array) -> Array:
        return list(self.packing.views(packed))[self.index]

    def __repr__(self) -> str:
        return f"Block({list(self.packing.shapes)}, {self.index})"


class Parallel(Operator):
    """Several maps side by side, each on its own block of a packed vector: packed in, packed out.

    Parameters
    ----------
    *operators : Operator
        One map for each block, at least one; for linear operators alone, `BlockDiagonal` is a linear operator again.

    Attributes
    ----------
    operators : tuple of Operator
    inputs, outputs : Packing
        How the arrays that the maps take and return stand in the two vectors.

    Raises
    ------
    TypeError, ValueError
        If there is no operator, or one is not an operator.

    Notes
    -----
    Derivation: derivations/operators/packing.md, PAK.2
    """

    operators: Sequence[Operator]
    inputs: Packing
    outputs: Packing

    def __init__(self, *operators: Operator) -> None:
        if not operators:
            raise ValueError(f"{type(self).__name__} needs at least one operator, got none")
        for operator in operators:
            if not isinstance(operator, Operator):
                raise TypeError(f"operators must be operators, got {operator!r}")
        self.operators = operators
        self.inputs = Packing([operator.input_shape for operator in operators])
        self.outputs = Packing([operator.output_shape for operator in operators])
        self.input_shape = (self.inputs.size,)
        self.output_shape = (self.outputs.size,)

    def forward(self, z: ArrayLike) -> Array:
        """The maps of all blocks, packed."""
        return self.outputs.pack(*(m.forward(part) for m, part in self._with(self.inputs, z, "z")))

    def jacobian(self, z: ArrayLike) -> LinearOperator:
        """The Jacobians of all blocks, side by side."""
        return BlockDiagonal(*(m.jacobian(part) for m, part in self._with(self.inputs, z, "z")))

    def linearize(self, z: ArrayLike) -> tuple[Array, LinearOperator]:
        """The pair of the two, by that of each block."""
        values, jacobians = zip(*(m.linearize(part) for m, part in self._with(self.inputs, z, "z")), strict=True)
        return self.outputs.pack(*values), BlockDiagonal(*jacobians)

    def curvature(self, z: ArrayLike, w: ArrayLike) -> LinearOperator:
        """The curvatures of all blocks, each with its part of the weights, side by side."""
        weights = self.outputs.views(operand(w, self.output_shape, "w"))
        parts = zip(self._with(self.inputs, z, "z"), weights, strict=True)
        blocks = [m.curvature(part, weight) for (m, part), weight in parts]
        if all(isinstance(block, Zero) for block in blocks):
            return Zero(self.input_shape, self.input_shape)
        return BlockDiagonal(*blocks)

    def _with(self, packing: Packing, z: ArrayLike, name: str) -> Iterator[tuple[Operator, Array]]:
        """Each operator with its block of a packed vector."""
        return zip(self.operators, packing.views(operand(z, (packing.size,), name)), strict=True)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(map(repr, self.operators))})"


class BlockDiagonal(LinearOperator, Parallel):
    """Several linear operators side by side, each on its own block of a packed vector: a block diagonal matrix.

    Parameters
    ----------
    *operators : LinearOperator
        One operator for each block, at least one.

    Attributes
    ----------
    operators : tuple of LinearOperator
    inputs, outputs : Packing
        How the arrays that the operators take and return stand in the two vectors.

    Raises
    ------
    TypeError, ValueError
        If there is no operator, or one is not a linear operator.

    Notes
    -----
    Derivation: derivations/operators/packing.md, PAK.3
    """

    new_arrays = True

    operators: Sequence[LinearOperator]

    def __init__(self, *operators: LinearOperator) -> None:
        for operator in operators:
            if not isinstance(operator, LinearOperator):
                raise TypeError(f"operators must be linear operators, got {operator!r}: for maps there is Parallel")
        super().__init__(*operators)

    def adjoint(self, y: ArrayLike) -> Array:
        """The adjoints of all blocks, packed."""
        parts = self.outputs.views(operand(y, self.output_shape, "y"))
        return self.inputs.pack(*(a.adjoint(part) for a, part in zip(self.operators, parts, strict=True)))

    def gram(self, x: ArrayLike) -> Array:
        """The Gram operators of all blocks, packed."""
        parts = self.inputs.views(operand(x, self.input_shape))
        return self.inputs.pack(*(a.gram(part) for a, part in zip(self.operators, parts, strict=True)))
