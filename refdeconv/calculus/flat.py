"""Other libraries' operators, which act on flat vectors."""

from collections.abc import Callable
from math import prod
from typing import Any

import numpy as np
import scipy.sparse.linalg

from refdeconv._arrays import Array, Shape


def as_flat_operator(op: Any, input_shape: Shape, output_shape: Shape) -> Any:
    """The view that scipy has of an operator, after the checks that `LinearOperator.from_scipy` promises."""
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
    return flat


def apply_flat(product: Callable[[Array], Array], x: Array, shape: Shape) -> Array:
    """A product with a flat vector, as a new array of the given shape in the dtype of x."""
    if x.dtype.kind == "c":
        return apply_flat(product, x.real, shape) + 1j * apply_flat(product, x.imag, shape)
    flat = x.reshape(-1)
    result = np.asarray(product(flat)).reshape(shape).astype(x.dtype, copy=False)
    return result.copy() if np.may_share_memory(result, flat) else result  # as where op is scipy's identity
