"""Operators of others on flat vectors, given the shapes of arrays."""

from collections.abc import Callable
from math import prod
from typing import Any

import numpy as np
import scipy.sparse.linalg
from numpy.typing import ArrayLike

from refdeconv._arrays import Array, Shape, operand
from refdeconv.calculus.operator import LinearOperator


class FromScipy(LinearOperator):
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
    flat = x.reshape(-1)
    result = np.asarray(product(flat)).reshape(shape).astype(x.dtype, copy=False)
    return result.copy() if np.may_share_memory(result, flat) else result  # as where op is scipy's identity
