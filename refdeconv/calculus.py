"""Linear operators, smooth maps and functionals, and the rules by which their derivatives compose.

Three kinds, one calculus: a `LinearOperator` A with its adjoint, an `Operator` m with its Jacobian and curvature, a
`Functional` f with its gradient and Hessian. They are composed as they are written (``A @ B``, ``f @ A``, ``f @ m``,
``f + g``, ``2.0 * f``, ``A.T``), and each rule of composition stands once, in the private classes at the end of this
file. Nothing here knows of images.

All objects are frozen: they can be shared between threads, and a change means a new object.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import FrozenInstanceError, dataclass
from functools import partial
from math import prod
from typing import Any, NoReturn, final, overload

import numpy as np
import scipy.sparse.linalg
from numpy.typing import ArrayLike, DTypeLike

from refdeconv._arrays import Array, Shape, cast_scalar, image_shape, operand, real_number

_DENSE_LIMIT = 2**26  # entries of the largest matrix that to_dense builds: half a gigabyte in float64


class Frozen:
    """An object whose fields are set once, in its constructor, by `_freeze`."""

    # numpy arrays and scalars on the left of `*`, `+` or `@` then leave the operation to this package.
    __array_ufunc__ = None

    def _freeze(self, **fields: Any) -> None:
        vars(self).update(fields)

    def __setattr__(self, name: str, value: Any) -> NoReturn:
        raise FrozenInstanceError(f"cannot set {name!r}: a {type(self).__name__} is frozen, make a new one instead")

    def __delattr__(self, name: str) -> NoReturn:
        raise FrozenInstanceError(f"cannot delete {name!r}: a {type(self).__name__} is frozen")


class Operator(Frozen, ABC):
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
        return _Composition(self, other) if _fits(self, other) else NotImplemented

    def __add__(self, other: Operator) -> Operator:
        return _Sum(self, other) if _matches(self, other) else NotImplemented

    def __sub__(self, other: Operator) -> Operator:
        return self.__add__(-other) if isinstance(other, Operator) else NotImplemented

    def __neg__(self) -> Operator:
        return self * -1.0

    def __mul__(self, scale: float) -> Operator:
        return _Multiple(_factor(scale), self)

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

    def gram(self, x: ArrayLike) -> Array:
        """A^T A x; a subclass that can do the two in less than their sum does it here."""
        return self.adjoint(self.forward(x))

    def congruence(self, operator: LinearOperator) -> LinearOperator:
        """The operator J^T A J, for J the given operator: how the chain rule pulls a Hessian A back (CAL.6)."""
        return operator.T @ self @ operator

    # What is made of linear operators alone is a linear operator again.

    @overload
    def __matmul__(self, other: LinearOperator) -> LinearOperator: ...
    @overload
    def __matmul__(self, other: Operator) -> Operator: ...
    def __matmul__(self, other: Operator) -> Operator:
        if isinstance(other, LinearOperator) and _fits(self, other):
            return _LinearComposition(self, other)
        return super().__matmul__(other)

    @overload
    def __add__(self, other: LinearOperator) -> LinearOperator: ...
    @overload
    def __add__(self, other: Operator) -> Operator: ...
    def __add__(self, other: Operator) -> Operator:
        if isinstance(other, LinearOperator) and _matches(self, other):
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
        return _LinearMultiple(_factor(scale), self)

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

    Notes
    -----
    Derivation: derivations/calculus.md, CAL.1
    """

    def __init__(self, input_shape: int | tuple[int, ...], output_shape: int | tuple[int, ...]) -> None:
        self._freeze(
            input_shape=image_shape(input_shape, "input_shape"), output_shape=image_shape(output_shape, "output_shape")
        )

    def forward(self, x: ArrayLike) -> Array:
        """An array of zeros, in the dtype of x."""
        return np.zeros(self.output_shape, operand(x, self.input_shape).dtype)

    def adjoint(self, y: ArrayLike) -> Array:
        """An array of zeros, in the dtype of y."""
        return np.zeros(self.input_shape, operand(y, self.output_shape, "y").dtype)


class Functional(Frozen):
    """A function f from arrays to numbers, with its gradient and its Hessian.

    A subclass sets `input_shape` and defines either `value`, `gradient` and `hessian`, or, where these share work, `at`
    alone; everything else follows. Functionals compose: ``f @ A`` is f after the operator A, and ``f + g``, ``f - g``,
    ``-f``, ``2.0 * f`` are what they say.

    Attributes
    ----------
    input_shape : tuple of int or None
        The shape of the arrays that f takes; None where any shape will do.

    Notes
    -----
    Derivation: derivations/calculus.md, CAL.3
    """

    input_shape: Shape | None

    def __init_subclass__(cls) -> None:
        """Refuse a subclass that leaves something undefined."""
        missing = {name for name in ("value", "gradient", "hessian") if getattr(cls, name) is getattr(Functional, name)}
        if missing and cls.at is Functional.at:
            raise TypeError(f"{cls.__name__} must define value, gradient and hessian, or at")

    def value(self, u: ArrayLike) -> Any:
        """f(u), a scalar of u's dtype (complex for complex u, which is what the complex step needs)."""
        return self.at(u).value()

    def gradient(self, u: ArrayLike) -> Array:
        """The gradient of f at u, an array like u; at a kink, the subgradient that the class documents."""
        return self.at(u).gradient()

    def hessian(self, u: ArrayLike) -> LinearOperator:
        """The self-adjoint Hessian of f at u; what depends on u alone is computed here, once for all products."""
        return self.at(u).hessian()

    def at(self, u: ArrayLike) -> Expansion:
        """Value, gradient and Hessian at one point, sharing their work (for ``f @ A``: one forward pass of A)."""
        return Expansion(partial(self.value, u), partial(self.gradient, u), partial(self.hessian, u))

    def value_and_gradient(self, u: ArrayLike) -> tuple[Any, Array]:
        """The pair f(u), grad f(u), sharing their work."""
        here = self.at(u)
        return here.value(), here.gradient()

    def hvp(self, u: ArrayLike, v: ArrayLike) -> Array:
        """The Hessian-vector product (hess f)(u) v; for many v at one u, take ``hessian(u)`` once and apply it."""
        return self.hessian(u).forward(v)

    def __matmul__(self, other: Operator) -> Functional:
        """The composition f after an operator or map."""
        return _FunctionalComposition(self, other) if _fits(self, other) else NotImplemented

    def __add__(self, other: Functional) -> Functional:
        if not isinstance(other, Functional):
            return NotImplemented
        if None not in (self.input_shape, other.input_shape) and self.input_shape != other.input_shape:
            raise ValueError(
                f"cannot add {self!r}, which takes arrays of shape {self.input_shape}, "
                f"and {other!r}, which takes arrays of shape {other.input_shape}"
            )
        return _FunctionalSum(self, other)

    def __radd__(self, other: Any) -> Functional:
        # sum([f, g, h]) starts from the integer 0.
        return self if isinstance(other, int) and other == 0 else NotImplemented

    def __sub__(self, other: Functional) -> Functional:
        return self.__add__(-other) if isinstance(other, Functional) else NotImplemented

    def __neg__(self) -> Functional:
        return self * -1.0

    def __mul__(self, scale: float) -> Functional:
        return _FunctionalMultiple(_factor(scale), self)

    def __rmul__(self, scale: float) -> Functional:
        return self * scale

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


@dataclass(frozen=True)
class Expansion:
    """A functional seen from one point: value, gradient and Hessian there, each computed when it is asked for.

    What depends on the point alone (the forward pass of the operators below) was computed when the expansion was made,
    and the three share it. Nothing is cached: asking twice computes twice.

    Attributes
    ----------
    value : callable
        () -> f(u)
    gradient : callable
        () -> grad f(u)
    hessian : callable
        () -> hess f(u), a self-adjoint `LinearOperator`

    Notes
    -----
    Derivation: derivations/calculus.md, CAL.4
    """

    value: Callable[[], Any]
    gradient: Callable[[], Array]
    hessian: Callable[[], LinearOperator]


# ---- The rules. Each is derived on the page derivations/calculus.md under the label that its class cites. ----


class _FunctionalComposition(Functional):
    """f @ m. Derivation: derivations/calculus.md, CAL.4"""

    def __init__(self, outer: Functional, inner: Operator) -> None:
        self._freeze(input_shape=inner.input_shape, outer=outer, inner=inner)

    outer: Functional
    inner: Operator

    def at(self, z: ArrayLike) -> Expansion:
        u, jacobian = self.inner.linearize(z)
        f = self.outer.at(u)
        return Expansion(
            f.value,
            lambda: jacobian.adjoint(f.gradient()),
            lambda: self._hessian(z, jacobian, f),
        )

    def _hessian(self, z: ArrayLike, jacobian: LinearOperator, f: Expansion) -> LinearOperator:
        gauss_newton = f.hessian().congruence(jacobian)
        if isinstance(self.inner, LinearOperator):  # no curvature, so no need for the gradient that would weight it
            return gauss_newton
        return gauss_newton + self.inner.curvature(z, f.gradient())

    def __repr__(self) -> str:
        return f"{_parenthesised(self.outer)} @ {_parenthesised(self.inner)}"


class _FunctionalSum(Functional):
    """f + g. Derivation: derivations/calculus.md, CAL.3"""

    def __init__(self, left: Functional, right: Functional) -> None:
        shape = right.input_shape if left.input_shape is None else left.input_shape
        self._freeze(input_shape=shape, left=left, right=right)

    left: Functional
    right: Functional

    def at(self, u: ArrayLike) -> Expansion:
        f, g = self.left.at(u), self.right.at(u)
        return Expansion(
            lambda: f.value() + g.value(),
            lambda: f.gradient() + g.gradient(),
            lambda: f.hessian() + g.hessian(),
        )

    def __repr__(self) -> str:
        return f"{self.left!r} + {self.right!r}"


class _FunctionalMultiple(Functional):
    """c f. Derivation: derivations/calculus.md, CAL.3"""

    def __init__(self, scale: float, functional: Functional) -> None:
        self._freeze(input_shape=functional.input_shape, scale=scale, functional=functional)

    scale: float
    functional: Functional

    def at(self, u: ArrayLike) -> Expansion:
        f = self.functional.at(u)
        return Expansion(
            lambda: _times(self.scale, f.value()),
            lambda: _times(self.scale, f.gradient()),
            lambda: self.scale * f.hessian(),
        )

    def __repr__(self) -> str:
        return f"{float(self.scale):.6g} * {_parenthesised(self.functional)}"


class _Composition(Operator):
    """m after n. Derivation: derivations/calculus.md, CAL.5"""

    def __init__(self, outer: Operator, inner: Operator) -> None:
        self._freeze(input_shape=inner.input_shape, output_shape=outer.output_shape, outer=outer, inner=inner)

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
        return f"{_parenthesised(self.outer)} @ {_parenthesised(self.inner)}"


class _Sum(Operator):
    """m + n. Derivation: derivations/calculus.md, CAL.5"""

    def __init__(self, left: Operator, right: Operator) -> None:
        self._freeze(input_shape=left.input_shape, output_shape=left.output_shape, left=left, right=right)

    left: Operator
    right: Operator

    def forward(self, z: ArrayLike) -> Array:
        return self.left.forward(z) + self.right.forward(z)

    def jacobian(self, z: ArrayLike) -> LinearOperator:
        return self.left.jacobian(z) + self.right.jacobian(z)

    def curvature(self, z: ArrayLike, w: ArrayLike) -> LinearOperator:
        return self.left.curvature(z, w) + self.right.curvature(z, w)

    def __repr__(self) -> str:
        return f"{self.left!r} + {self.right!r}"


class _Multiple(Operator):
    """c m. Derivation: derivations/calculus.md, CAL.5"""

    def __init__(self, scale: float, operator: Operator) -> None:
        self._freeze(
            input_shape=operator.input_shape, output_shape=operator.output_shape, scale=scale, operator=operator
        )

    scale: float
    operator: Operator

    def forward(self, z: ArrayLike) -> Array:
        return _times(self.scale, self.operator.forward(z))

    def jacobian(self, z: ArrayLike) -> LinearOperator:
        return self.scale * self.operator.jacobian(z)

    def curvature(self, z: ArrayLike, w: ArrayLike) -> LinearOperator:
        return self.scale * self.operator.curvature(z, w)

    def __repr__(self) -> str:
        return f"{float(self.scale):.6g} * {_parenthesised(self.operator)}"


class _LinearComposition(LinearOperator, _Composition):
    """A B, whose adjoint is B^T A^T. Derivation: derivations/calculus.md, CAL.1"""

    outer: LinearOperator
    inner: LinearOperator

    def adjoint(self, y: ArrayLike) -> Array:
        return self.inner.adjoint(self.outer.adjoint(y))

    def gram(self, x: ArrayLike) -> Array:
        return self.inner.adjoint(self.outer.gram(self.inner.forward(x)))


class _LinearSum(LinearOperator, _Sum):
    """A + B, whose adjoint is A^T + B^T. Derivation: derivations/calculus.md, CAL.1"""

    left: LinearOperator
    right: LinearOperator

    def adjoint(self, y: ArrayLike) -> Array:
        return self.left.adjoint(y) + self.right.adjoint(y)


class _LinearMultiple(LinearOperator, _Multiple):
    """c A, whose adjoint is c A^T. Derivation: derivations/calculus.md, CAL.1"""

    operator: LinearOperator

    def adjoint(self, y: ArrayLike) -> Array:
        return _times(self.scale, self.operator.adjoint(y))

    def congruence(self, operator: LinearOperator) -> LinearOperator:
        return self.scale * self.operator.congruence(operator)


class _Adjoint(LinearOperator):
    """A^T, whose adjoint is A. Derivation: derivations/calculus.md, CAL.1"""

    def __init__(self, operator: LinearOperator) -> None:
        self._freeze(input_shape=operator.output_shape, output_shape=operator.input_shape, operator=operator)

    operator: LinearOperator

    def forward(self, x: ArrayLike) -> Array:
        return self.operator.adjoint(x)

    def adjoint(self, y: ArrayLike) -> Array:
        return self.operator.forward(y)

    @property
    def T(self) -> LinearOperator:  # noqa: N802
        return self.operator

    def __repr__(self) -> str:
        return f"{_parenthesised(self.operator)}.T"


class _FromScipy(LinearOperator):
    """An operator on flat vectors, given its shapes back."""

    def __init__(self, op: Any, input_shape: Shape, output_shape: Shape) -> None:
        flat = scipy.sparse.linalg.aslinearoperator(op)
        if flat.shape != (prod(output_shape), prod(input_shape)):
            raise ValueError(
                f"op has shape {flat.shape}, but output_shape {output_shape} and input_shape {input_shape} "
                f"have {prod(output_shape)} and {prod(input_shape)} elements"
            )
        if np.dtype(flat.dtype).kind == "c":
            raise TypeError(f"op must be real, got dtype {flat.dtype}")
        try:
            flat.rmatvec(np.zeros(flat.shape[0], flat.dtype))
        except (NotImplementedError, TypeError, AttributeError) as error:
            raise TypeError("op has no adjoint: give it an rmatvec") from error
        self._freeze(input_shape=input_shape, output_shape=output_shape, _flat=flat)

    _flat: Any

    def forward(self, x: ArrayLike) -> Array:
        return _apply_flat(self._flat.matvec, operand(x, self.input_shape), self.output_shape)

    def adjoint(self, y: ArrayLike) -> Array:
        return _apply_flat(self._flat.rmatvec, operand(y, self.output_shape, "y"), self.input_shape)


def _apply_flat(product: Callable[[Array], Array], x: Array, shape: Shape) -> Array:
    if x.dtype.kind == "c":
        return _apply_flat(product, x.real, shape) + 1j * _apply_flat(product, x.imag, shape)
    return np.asarray(product(x.reshape(-1))).reshape(shape).astype(x.dtype, copy=False)


def _times(scale: Any, x: Any) -> Any:
    return cast_scalar(scale, x) * x


def _factor(scale: Any) -> Any:
    if isinstance(scale, Operator | Functional):
        raise TypeError(f"cannot multiply by {scale!r}: `*` takes a number; composition is written `@`")
    if np.ndim(scale) > 0:
        raise TypeError("cannot multiply by an array: `*` takes a number; for weights, compose with Diagonal(weights)")
    return real_number(scale, "the factor of `*`")


def _fits(outer: Operator | Functional, inner_operator: object) -> bool:
    """Whether outer @ inner_operator makes sense; an error that says why, where the reason is worth saying."""
    if isinstance(inner_operator, np.ndarray):
        method = "forward" if isinstance(outer, Operator) else "value"
        raise TypeError(f"`@` composes; to apply {outer!r} to an array, write .{method}(array)")
    if isinstance(inner_operator, Functional):
        raise TypeError(f"cannot compose {outer!r} @ {inner_operator!r}: a functional can only stand leftmost")
    if not isinstance(inner_operator, Operator):
        return False
    if outer.input_shape is not None and outer.input_shape != inner_operator.output_shape:
        raise ValueError(
            f"cannot compose {outer!r}, which takes arrays of shape {outer.input_shape}, "
            f"with {inner_operator!r}, which returns arrays of shape {inner_operator.output_shape}"
        )
    return True


def _matches(left: Operator, right: object) -> bool:
    """Whether left + right makes sense; an error where both are operators, of different shapes."""
    if not isinstance(right, Operator):
        return False
    if (left.input_shape, left.output_shape) != (right.input_shape, right.output_shape):
        raise ValueError(
            f"cannot add {left!r}, which maps {left.input_shape} to {left.output_shape}, "
            f"and {right!r}, which maps {right.input_shape} to {right.output_shape}"
        )
    return True


def _parenthesised(part: Operator | Functional) -> str:
    """The repr of a factor, in parentheses where it is a sum."""
    return f"({part!r})" if isinstance(part, _Sum | _FunctionalSum) else repr(part)


__all__ = ["Expansion", "Functional", "LinearOperator", "Operator", "Zero"]
