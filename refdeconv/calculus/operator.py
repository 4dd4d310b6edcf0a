"""Linear operators and smooth maps, and the rules by which their adjoints, Jacobians and curvatures compose.

All objects are frozen: they can be shared between threads, and a change means a new object.
"""

from __future__ import annotations

from abc import abstractmethod
from math import prod
from typing import Any, final, overload

import numpy as np
import scipy.sparse.linalg
from numpy.typing import ArrayLike, DTypeLike

from refdeconv._arrays import Array, Shape, cast_scalar, image_shape, operand
from refdeconv._blocks import added, added_multiple, inner, owned
from refdeconv._scratch import scratch
from refdeconv.calculus.flat import apply_flat, as_flat_operator
from refdeconv.calculus.frozen import Frozen
from refdeconv.calculus.writing import fits, matches, parenthesised, scale_factor, times

_DENSE_LIMIT = 2**26  # entries of the largest matrix that to_dense builds: half a gigabyte in float64


class OutsideDomain(ValueError):  # noqa: N818 (it names where one is)
    """Raised by a map or a gradient where it is not defined; the value of a functional is infinite there."""


class Operator(Frozen):
    """A smooth map m from arrays of `input_shape` to arrays of `output_shape`.

    A subclass sets the two shapes and defines `forward`, `jacobian` and `curvature`. Maps compose: ``m @ n`` is m after
    n, and ``m + n``, ``m - n``, ``-m``, ``2.0 * m`` are what they say.

    Attributes
    ----------
    input_shape, output_shape : tuple of int
        Shapes of the arrays that `forward` takes and returns.

    Notes
    -----
    Derivation: derivations/calculus.md, CAL.2
    """

    _is_map = True

    input_shape: Shape
    output_shape: Shape

    @abstractmethod
    def forward(self, z: ArrayLike) -> Array:
        """m(z)."""

    @abstractmethod
    def jacobian(self, z: ArrayLike) -> LinearOperator:
        """The derivative m'(z), a linear operator v -> m'(z) v."""

    @abstractmethod
    def curvature(self, z: ArrayLike, w: ArrayLike) -> LinearOperator:
        """The Hessian of <w, m(z)> in z: the self-adjoint operator v -> sum_k w_k (hess m_k)(z) v."""

    def linearize(self, z: ArrayLike) -> tuple[Array, LinearOperator]:
        """The pair m(z), m'(z); a map whose two share work computes it once here."""
        return self.forward(z), self.jacobian(z)

    def __matmul__(self, other: Operator) -> Operator:
        """The composition self after other."""
        return _Composition(self, other) if fits(self, other) else NotImplemented

    def __add__(self, other: Operator) -> Operator:
        return _Sum(self, other) if matches(self, other) else NotImplemented

    def __sub__(self, other: Operator) -> Operator:
        return self.__add__(-other) if isinstance(other, Operator) else NotImplemented

    def __neg__(self) -> Operator:
        return self * -1.0

    def __mul__(self, scale: float) -> Operator:
        return _Multiple(scale_factor(scale), self)

    def __rmul__(self, scale: float) -> Operator:
        return self * scale

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.input_shape} -> {self.output_shape})"


class LinearOperator(Operator):
    """A linear map A from arrays of `input_shape` to arrays of `output_shape`, with its adjoint.

    A subclass sets the two shapes and defines `forward` and `adjoint`. The adjoint is taken with respect to the plain
    sum of products: ``<A x, y> = <x, A.T y>`` for all real x and y. A real operator acts on the real and on the
    imaginary part of a complex array, each by itself.

    Attributes
    ----------
    input_shape, output_shape : tuple of int
        Shapes of the arrays that `forward` takes and returns.
    T : LinearOperator
        The adjoint as an operator of its own.

    Notes
    -----
    A linear operator is its own Jacobian, and its curvature is zero. Derivation: derivations/calculus.md, CAL.1
    """

    @abstractmethod
    def adjoint(self, y: ArrayLike) -> Array:
        """The adjoint A^T y: an array of `input_shape` from one of `output_shape`."""

    @property
    def T(self) -> LinearOperator:  # noqa: N802 (the name that numpy and scipy use)
        """The adjoint A^T as an operator of its own."""
        return _Adjoint(self)

    def jacobian(self, z: ArrayLike) -> LinearOperator:
        """A linear operator is its own derivative, at every z."""
        return self

    def curvature(self, z: ArrayLike, w: ArrayLike) -> LinearOperator:
        """A linear operator has no second derivative."""
        return Zero(self.input_shape, self.input_shape)

    def linearize(self, z: ArrayLike) -> tuple[Array, LinearOperator]:
        """The pair A z, A."""
        return self.forward(z), self

    def cut(self, rows: slice) -> Any:
        """What A does for some rows of the image alone, as a `LocalPart`, where it looks at few neighbouring rows.

        None, by default: A is applied as a whole.
        """
        return None

    def gram(self, x: ArrayLike) -> Array:
        """A^T A x; a subclass that can do the two in less than their sum does it here."""
        return self.adjoint(self.forward(x))

    def gram_and_square(self, x: ArrayLike) -> tuple[Array, Any]:
        """The pair A^T A x, |A x|^2, sharing their work."""
        y = self.forward(x)
        return self.adjoint(y), inner(y, y)

    def _forward_over(self, x: Array) -> Array:
        """A x, where it may be written over x. Asked only of those that give new arrays."""
        return self.forward(x)

    def _forward_into(self, x: Array, result: Array) -> Array:
        """A x, which may be written into an array. Asked only of those that give new arrays."""
        return self.forward(x)

    def _forward_onto(self, x: Array, total: Array, scale: Any = 1) -> Array:
        """A multiple of A x added to an array, which may be written to."""
        product = owned(self.forward(x), self)
        return added_multiple(total, product, cast_scalar(scale, product))

    def congruence(self, operator: LinearOperator) -> LinearOperator:
        """The operator J^T A J, for J the given operator: how the chain rule pulls a Hessian A back (CAL.6)."""
        return operator.T @ self @ operator

    @property
    def _writes_into(self) -> bool:
        """Whether it has a way of its own to write its result into an array."""
        return type(self)._forward_into is not LinearOperator._forward_into

    # What is made of linear operators alone is a linear operator again.

    @overload
    def __matmul__(self, other: LinearOperator) -> LinearOperator: ...
    @overload
    def __matmul__(self, other: Operator) -> Operator: ...
    def __matmul__(self, other: Operator) -> Operator:
        if isinstance(other, LinearOperator) and fits(self, other):
            return _LinearComposition(self, other)
        return super().__matmul__(other)

    @overload
    def __add__(self, other: LinearOperator) -> LinearOperator: ...
    @overload
    def __add__(self, other: Operator) -> Operator: ...
    def __add__(self, other: Operator) -> Operator:
        if isinstance(other, LinearOperator) and matches(self, other):
            if isinstance(self, Zero):
                return other
            return self if isinstance(other, Zero) else _LinearSum(self, other)
        return super().__add__(other)

    @overload
    def __sub__(self, other: LinearOperator) -> LinearOperator: ...
    @overload
    def __sub__(self, other: Operator) -> Operator: ...
    def __sub__(self, other: Operator) -> Operator:
        return super().__sub__(other)

    def __neg__(self) -> LinearOperator:
        return self * -1.0

    def __mul__(self, scale: float) -> LinearOperator:
        return _LinearMultiple(scale_factor(scale), self)

    def __rmul__(self, scale: float) -> LinearOperator:
        return self * scale

    def to_scipy(self, dtype: DTypeLike = np.float64) -> scipy.sparse.linalg.LinearOperator:
        """The same operator on flat vectors, for the solvers of scipy.sparse.linalg and PyLops.

        Parameters
        ----------
        dtype : dtype
            The dtype that solvers are told; each product keeps the precision of the vector that it is given.

        Returns
        -------
        scipy.sparse.linalg.LinearOperator
            Of shape ``(prod(output_shape), prod(input_shape))``; arrays are flattened in C order.
        """
        return scipy.sparse.linalg.LinearOperator(
            shape=(prod(self.output_shape), prod(self.input_shape)),
            matvec=lambda v: self.forward(np.reshape(v, self.input_shape)).reshape(-1),
            rmatvec=lambda v: self.adjoint(np.reshape(v, self.output_shape)).reshape(-1),
            dtype=np.dtype(dtype),
        )

    @staticmethod
    def from_scipy(op: Any, input_shape: int | tuple[int, ...], output_shape: int | tuple[int, ...]) -> LinearOperator:
        """An operator of this package from one of scipy's, a matrix, a sparse matrix, or a PyLops operator.

        Parameters
        ----------
        op : array, sparse array, scipy.sparse.linalg.LinearOperator, PyLops operator
            A real operator on flat vectors (C order), or anything that has ``shape``, ``matvec`` and ``rmatvec``.
        input_shape, output_shape : tuple of int
            The shapes of the arrays that the flat vectors stand for.

        Raises
        ------
        ValueError
            If the shapes do not have as many elements as the operator has columns and rows.
        TypeError
            If it is complex, has no adjoint (``rmatvec``), or is not an operator at all.
        """
        return _FromScipy(op, image_shape(input_shape, "input_shape"), image_shape(output_shape, "output_shape"))

    def to_dense(self, dtype: DTypeLike = np.float64) -> Array:
        """The matrix of the operator on flat vectors, column by column; for tiny operators.

        Raises
        ------
        ValueError
            If the matrix would have more than 2**26 entries.
        """
        rows, columns = prod(self.output_shape), prod(self.input_shape)
        if rows * columns > _DENSE_LIMIT:
            raise ValueError(
                f"{self!r} is too large to be written out: {rows} x {columns} entries, at most {_DENSE_LIMIT} are "
                "allowed; to_scipy() gives an operator that solvers accept"
            )
        dense = np.empty((rows, columns), dtype)
        unit = np.zeros(columns, dtype)
        for column in range(columns):
            unit[column] = 1
            dense[:, column] = self.forward(unit.reshape(self.input_shape)).reshape(-1)
            unit[column] = 0
        return dense


@final
class Zero(LinearOperator):
    """The operator that maps everything to zero; adding it changes nothing.

    Parameters
    ----------
    input_shape, output_shape : tuple of int
        Shapes of the arrays that it takes and returns; ``()`` for numbers.

    Notes
    -----
    Derivation: derivations/calculus.md, CAL.1
    """

    new_arrays = True

    def __init__(self, input_shape: int | tuple[int, ...], output_shape: int | tuple[int, ...]) -> None:
        # Also of numbers, which have no axes: the norm of one has no curvature.
        self.input_shape = () if input_shape == () else image_shape(input_shape, "input_shape")
        self.output_shape = () if output_shape == () else image_shape(output_shape, "output_shape")

    def forward(self, x: ArrayLike) -> Array:
        """An array of zeros, in the dtype of x."""
        return np.zeros(self.output_shape, operand(x, self.input_shape).dtype)

    def adjoint(self, y: ArrayLike) -> Array:
        """An array of zeros, in the dtype of y."""
        return np.zeros(self.input_shape, operand(y, self.output_shape, "y").dtype)


# ---- The rules. Each is derived on the page derivations/calculus.md under the label that its class cites. ----


class _Composition(Operator):
    """m after n. Derivation: derivations/calculus.md, CAL.5"""

    def __init__(self, outer: Operator, inner: Operator) -> None:
        self.input_shape = inner.input_shape
        self.output_shape = outer.output_shape
        self.outer = outer
        self.inner = inner
        self.new_arrays = outer.new_arrays and inner.new_arrays
        self._keeps_nothing = outer._keeps_nothing and inner._keeps_nothing

    outer: Operator
    inner: Operator

    def forward(self, z: ArrayLike) -> Array:
        return self.outer.forward(self.inner.forward(z))

    def jacobian(self, z: ArrayLike) -> LinearOperator:
        return self.linearize(z)[1]

    def linearize(self, z: ArrayLike) -> tuple[Array, LinearOperator]:
        u, inner_jacobian = self.inner.linearize(z)
        value, outer_jacobian = self.outer.linearize(u)
        return value, outer_jacobian @ inner_jacobian

    def curvature(self, z: ArrayLike, w: ArrayLike) -> LinearOperator:
        u, jacobian = self.inner.linearize(z)
        pulled_back = self.outer.jacobian(u).adjoint(w)
        return jacobian.T @ self.outer.curvature(u, w) @ jacobian + self.inner.curvature(z, pulled_back)

    def __repr__(self) -> str:
        return f"{parenthesised(self.outer)} @ {parenthesised(self.inner)}"


class _Sum(Operator):
    """m + n. Derivation: derivations/calculus.md, CAL.5"""

    _is_sum = True
    new_arrays = True

    def __init__(self, left: Operator, right: Operator) -> None:
        self.input_shape = left.input_shape
        self.output_shape = left.output_shape
        self.left = left
        self.right = right

    left: Operator
    right: Operator

    def forward(self, z: ArrayLike) -> Array:
        z = operand(z, self.input_shape, "z")
        return added(owned(self.left.forward(z), self.left), self.right.forward(z))

    def jacobian(self, z: ArrayLike) -> LinearOperator:
        return self.left.jacobian(z) + self.right.jacobian(z)

    def curvature(self, z: ArrayLike, w: ArrayLike) -> LinearOperator:
        return self.left.curvature(z, w) + self.right.curvature(z, w)

    def __repr__(self) -> str:
        return f"{self.left!r} + {self.right!r}"


class _Multiple(Operator):
    """c m. Derivation: derivations/calculus.md, CAL.5"""

    new_arrays = True

    def __init__(self, scale: float, operator: Operator) -> None:
        self.input_shape = operator.input_shape
        self.output_shape = operator.output_shape
        self.scale = scale
        self.operator = operator

    scale: float
    operator: Operator

    def forward(self, z: ArrayLike) -> Array:
        return times(self.scale, self.operator.forward(z))

    def jacobian(self, z: ArrayLike) -> LinearOperator:
        return self.scale * self.operator.jacobian(z)

    def curvature(self, z: ArrayLike, w: ArrayLike) -> LinearOperator:
        return self.scale * self.operator.curvature(z, w)

    def __repr__(self) -> str:
        return f"{float(self.scale):.6g} * {parenthesised(self.operator)}"


class _LinearComposition(LinearOperator, _Composition):
    """A B, whose adjoint is B^T A^T. Derivation: derivations/calculus.md, CAL.1"""

    outer: LinearOperator
    inner: LinearOperator

    def forward(self, z: ArrayLike) -> Array:
        if not self.new_arrays:
            return self.outer.forward(self.inner.forward(z))
        if not (self.outer._keeps_nothing and self.inner._writes_into):
            return self.outer._forward_over(self.inner.forward(z))
        z = operand(z, self.input_shape, "z")
        with scratch(self.inner.output_shape, z.dtype) as between:
            result = self.outer._forward_over(self.inner._forward_into(z, between))
            return result.copy() if np.may_share_memory(result, between) else result

    def _forward_over(self, x: Array) -> Array:
        return self.outer._forward_over(self.inner._forward_over(x)) if self.new_arrays else self.forward(x)

    def adjoint(self, y: ArrayLike) -> Array:
        return self.inner.adjoint(self.outer.adjoint(y))

    def gram(self, x: ArrayLike) -> Array:
        return self.inner.adjoint(self.outer.gram(self.inner.forward(x)))


class _LinearSum(LinearOperator, _Sum):
    """A + B, whose adjoint is A^T + B^T. Derivation: derivations/calculus.md, CAL.1"""

    new_arrays = True

    left: LinearOperator
    right: LinearOperator

    def forward(self, z: ArrayLike) -> Array:
        z = operand(z, self.input_shape, "z")
        return self.right._forward_onto(z, owned(self.left.forward(z), self.left))

    def adjoint(self, y: ArrayLike) -> Array:
        y = operand(y, self.output_shape, "y")
        return added(owned(self.left.adjoint(y), self.left), self.right.adjoint(y))


class _LinearMultiple(LinearOperator, _Multiple):
    """c A, whose adjoint is c A^T. Derivation: derivations/calculus.md, CAL.1"""

    new_arrays = True

    operator: LinearOperator

    def _forward_onto(self, x: Array, total: Array, scale: Any = 1) -> Array:
        if scale != 1:
            return super()._forward_onto(x, total, scale)
        return self.operator._forward_onto(x, total, self.scale)

    def adjoint(self, y: ArrayLike) -> Array:
        return times(self.scale, self.operator.adjoint(y))

    def congruence(self, operator: LinearOperator) -> LinearOperator:
        return self.scale * self.operator.congruence(operator)


class _Adjoint(LinearOperator):
    """A^T, whose adjoint is A. Derivation: derivations/calculus.md, CAL.1"""

    def __init__(self, operator: LinearOperator) -> None:
        self.input_shape = operator.output_shape
        self.output_shape = operator.input_shape
        self.operator = operator
        self.new_arrays = operator.new_arrays
        self._keeps_nothing = operator._keeps_nothing

    operator: LinearOperator

    def forward(self, x: ArrayLike) -> Array:
        return self.operator.adjoint(x)

    def adjoint(self, y: ArrayLike) -> Array:
        return self.operator.forward(y)

    @property
    def T(self) -> LinearOperator:  # noqa: N802
        return self.operator

    def __repr__(self) -> str:
        return f"{parenthesised(self.operator)}.T"


class _FromScipy(LinearOperator):
    """An operator on flat vectors, given its shapes back."""

    def __init__(self, op: Any, input_shape: Shape, output_shape: Shape) -> None:
        flat = as_flat_operator(op, input_shape, output_shape)
        self.input_shape = input_shape
        self.output_shape = output_shape
        self._flat = flat

    _flat: Any

    def forward(self, x: ArrayLike) -> Array:
        return apply_flat(self._flat.matvec, operand(x, self.input_shape), self.output_shape)

    def adjoint(self, y: ArrayLike) -> Array:
        return apply_flat(self._flat.rmatvec, operand(y, self.output_shape, "y"), self.input_shape)
