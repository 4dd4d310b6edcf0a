"""What an argument may be: conversion and checking of arrays, shapes and numbers, in one place.

Everything in the package agrees on dtypes through this module: float32, float64 and longdouble are kept (and their
complex counterparts, which the complex step needs), float16 becomes float32, integers and bool become float64, and any
other kind is refused. Parameters are cast to the precision of the array they meet, so that float32 stays float32.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

Array = NDArray[Any]
Shape = tuple[int, ...]

_BLOCK = 1024
_SHORTEST_ROW = 96  # pixels: rows as long as that are as good as blocks,
_LONGEST_ROW = 4 * _BLOCK  # up to here, beyond which BLAS might share out each
_KEPT = frozenset(map(np.dtype, (np.float32, np.float64, np.longdouble, np.complex64, np.complex128, np.clongdouble)))


def operand(x: ArrayLike, shape: Shape | None, name: str = "x") -> Array:
    """The array that a formula is applied to: real or complex, of the given shape (None: any)."""
    if type(x) is np.ndarray and x.dtype in _KEPT and x.dtype.isnative and x.flags.aligned:
        array = x
    else:
        array = _numeric(x, name)
    if shape is not None and array.shape != shape:
        raise ValueError(f"{name} has shape {array.shape}, expected {shape}")
    if array.size == 0:
        raise ValueError(f"{name} is empty: it has shape {array.shape}")
    return array


def real_array(x: ArrayLike, name: str, *, shape: Shape | None = None) -> Array:
    """A parameter that is an array: real, finite, not empty; a read-only copy, so that nobody can change it later."""
    array = operand(x, shape, name)
    if array.dtype.kind == "c":
        raise TypeError(f"{name} must be real, got dtype {array.dtype}")
    finite = np.isfinite(array)
    if not finite.all():
        raise ValueError(
            f"{name} must be finite, but {array.size - np.count_nonzero(finite)} of its {array.size} values are NaN or "
            f"infinite (the first at index {tuple(map(int, np.argwhere(~finite)[0]))})"
        )
    return read_only(array.copy(order="C"))


def read_only(array: Array) -> Array:
    """The same array, marked read-only."""
    array.setflags(write=False)
    return array


def _numeric(x: ArrayLike, name: str) -> Array:
    if np.ma.isMaskedArray(x) and np.ma.getmaskarray(x).any():
        raise ValueError(
            f"{name} is a masked array with {np.ma.count_masked(x)} masked entries: "  # type: ignore[no-untyped-call]
            "fill them first (for example with .filled(value))"
        )
    try:
        array = np.asarray(x)
    except ValueError as error:
        raise ValueError(f"{name} is not an array of numbers: {error}") from None
    if array.dtype.kind in "biu":
        return array.astype(np.float64)
    if array.dtype == np.float16:
        return array.astype(np.float32)
    native = array.dtype.newbyteorder("=")
    if native not in _KEPT:
        raise TypeError(f"{name} must hold numbers (bool, integers, floats), got dtype {array.dtype}")
    return np.require(array, native, "A")  # as a field of a packed record is not, which ducc0 refuses


def real_dtype(dtype: DTypeLike) -> np.dtype[Any]:
    """The real dtype of the same precision: float32 for complex64, and so on."""
    return np.empty(0, dtype).real.dtype


def cast_like(parameter: Array, x: Array) -> Array:
    """The parameter in the precision of x: a float64 PSF or weight never turns float32 data into float64."""
    return parameter if parameter.dtype == x.dtype else parameter.astype(real_dtype(x.dtype), copy=False)


def in_precision_of(z: Array, w: Array) -> Array:
    """The weights w in the precision of z; complex weights, those of a complex step, as they are."""
    return w if w.dtype.kind == "c" else cast_like(w, z)


def cast_scalar(scale: Any, x: Any) -> Any:
    """A number in the precision of x, where it would otherwise decide the dtype of the product."""
    return real_dtype(x.dtype).type(scale) if isinstance(scale, np.floating) else scale


def positive_like(parameter: Any, x: Array) -> Any:
    """A positive number or array in the precision of x, where float32 would otherwise make zero or infinity of it."""
    limits = np.finfo(x.dtype)
    return np.clip(np.asarray(parameter), limits.tiny, limits.max).astype(limits.dtype)


def inner(a: Array, b: Array, *, shared: bool = False) -> Any:
    """The inner product of the whole package: the plain sum of products, without conjugation.

    Summed in blocks, or rows, and these pairwise, so that rounding grows with the logarithm of the size. The blocks are
    small enough for BLAS to leave them to one thread: to wake another costs more than it gives. Where several threads
    share the work, it is done by einsum: of those that call vecdot, all but one wait.
    """
    if a.dtype.kind == "c" or a.shape != b.shape:
        return np.sum(a * b)
    contiguous = a.flags.c_contiguous and b.flags.c_contiguous
    if a.ndim > 1 and a.shape[-1] <= _LONGEST_ROW and not (contiguous and (shared or a.shape[-1] < _SHORTEST_ROW)):
        return np.add.reduce(np.vecdot(a, b), axis=None)
    if not contiguous:
        return np.sum(a * b)
    a, b = a.reshape(-1), b.reshape(-1)
    whole = a.size - a.size % _BLOCK
    pair = a[:whole].reshape(-1, _BLOCK), b[:whole].reshape(-1, _BLOCK)
    blocks = np.einsum("ij,ij->i", *pair) if shared else np.vecdot(*pair)
    return np.add.reduce(blocks) + np.dot(a[whole:], b[whole:])


def norm(a: Array) -> Any:
    """The Euclidean norm, as numpy's, but without the threads that BLAS would wake for it."""
    return np.sqrt(inner(a, a))


def real_number(x: Any, name: str, *, minimum: float | None = None, exclusive: bool = False) -> Any:
    """A finite real number, as float (a longdouble is kept), optionally at least, or above, a minimum."""
    bound = "" if minimum is None else f" {'>' if exclusive else '>='} {minimum:g}"
    # A complex or bool number here is nearly always a mistake, and float() would accept the latter silently.
    scalar = np.asarray(None if np.ma.isMaskedArray(x) else x)
    if scalar.ndim != 0 or scalar.dtype.kind not in "iuf":
        raise TypeError(f"{name} must be a real number{bound}, got {x!r}")
    number = np.longdouble(x) if scalar.dtype == np.longdouble else float(x)
    if not np.isfinite(number):
        raise ValueError(f"{name} must be a finite number{bound}, got {x!r}")
    if minimum is not None and (number < minimum or (exclusive and number == minimum)):
        raise ValueError(f"{name} must be{bound}, got {x!r}")
    return number


def whole_number(x: Any, name: str) -> int:
    """An integer that is not a bool."""
    if isinstance(x, bool | np.bool_) or not isinstance(x, int | np.integer):
        raise TypeError(f"{name} must be an integer, got {x!r}")
    return int(x)


def number_or_more(values: Any) -> Any:
    """The same, but an array without axes is the number in it."""
    return values[()] if isinstance(values, np.ndarray) and values.ndim == 0 else values


def whole_numbers(values: Any, name: str, axes: int) -> tuple[int, ...]:
    """An integer for each of some axes; a single one counts for all."""
    values = number_or_more(values)
    each = tuple(values) if isinstance(values, Iterable) else (values,) * axes
    if len(each) != axes:
        raise ValueError(f"{name} needs one number, or one for each of the {axes} axes, got {values!r}")
    return tuple(whole_number(value, f"each number in {name}") for value in each)


def image_shape(shape: int | Sequence[int], name: str = "shape") -> Shape:
    """A shape with at least one axis, each of at least one pixel; a single integer means one axis."""
    shape = number_or_more(shape)
    sizes = shape if isinstance(shape, Iterable) else (shape,)
    result = tuple(whole_number(size, f"each size in {name}") for size in sizes)
    if not result or min(result) < 1:
        raise ValueError(f"{name} needs at least one axis and sizes of at least 1, got {shape!r}")
    return result


def axis_index(axis: Any, ndim: int, name: str) -> int:
    """A valid axis, counted from the front."""
    index = whole_number(axis, name)
    if not -ndim <= index < ndim:
        raise ValueError(f"{name} must be between {-ndim} and {ndim - 1} for an array of {ndim} axes, got {axis!r}")
    return index % ndim


def choice(value: Any, name: str, allowed: Sequence[str]) -> str:
    """One of a few names; a near miss is answered with the name that was probably meant."""
    if isinstance(value, str) and value in allowed:
        return value
    folded = {option.lower(): option for option in allowed}
    near = difflib.get_close_matches(str(value).lower(), folded, n=1)
    hint = f"did you mean {folded[near[0]]!r}? " if near else ""
    raise ValueError(f"unknown {name} {value!r}: {hint}Allowed: {', '.join(map(repr, allowed))}")
