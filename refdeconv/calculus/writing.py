"""What is written with ``@``, ``+`` and ``*``: whether it makes sense, with errors that say why not."""

from __future__ import annotations

from typing import Any

import numpy as np

from refdeconv._arrays import cast_scalar, real_number
from refdeconv.calculus.frozen import Frozen


def times(scale: Any, x: Any) -> Any:
    """The product, in the precision of x."""
    return cast_scalar(scale, x) * x


def scale_factor(scale: Any) -> Any:
    """The factor of a multiple, checked."""
    if isinstance(scale, Frozen):
        raise TypeError(f"cannot multiply by {scale!r}: `*` takes a number; composition is written `@`")
    if np.ndim(scale) > 0:
        raise TypeError("cannot multiply by an array: `*` takes a number; for weights, compose with Diagonal(weights)")
    return real_number(scale, "the factor of `*`")


def fits(outer: Any, inner_operator: Any) -> bool:
    """Whether outer @ inner_operator makes sense; an error that says why, where the reason is worth saying."""
    if isinstance(inner_operator, np.ndarray):
        method = "forward" if outer._is_map else "value"
        raise TypeError(f"`@` composes; to apply {outer!r} to an array, write .{method}(array)")
    if isinstance(inner_operator, Frozen) and not inner_operator._is_map:
        raise TypeError(f"cannot compose {outer!r} @ {inner_operator!r}: a functional can only stand leftmost")
    if not getattr(inner_operator, "_is_map", False):
        return False
    if outer.input_shape is not None and outer.input_shape != inner_operator.output_shape:
        raise ValueError(
            f"cannot compose {outer!r}, which takes arrays of shape {outer.input_shape}, "
            f"with {inner_operator!r}, which returns arrays of shape {inner_operator.output_shape}"
        )
    return True


def matches(left: Any, right: Any) -> bool:
    """Whether left + right makes sense; an error where both are operators, of different shapes."""
    if not getattr(right, "_is_map", False):
        return False
    if (left.input_shape, left.output_shape) != (right.input_shape, right.output_shape):
        raise ValueError(
            f"cannot add {left!r}, which maps {left.input_shape} to {left.output_shape}, "
            f"and {right!r}, which maps {right.input_shape} to {right.output_shape}"
        )
    return True


def parenthesised(part: Any) -> str:
    """The repr of a factor, in parentheses where it is a sum."""
    return f"({part!r})" if getattr(part, "_is_sum", False) else repr(part)
