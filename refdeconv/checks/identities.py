"""How far derivatives and adjoints are from the identities that define them, relative to norms, at random points.

The complex step has no subtraction and so no step size to choose: its error is that of rounding alone. It needs
functions that accept complex arrays and are analytic in them.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

# So small that its square vanishes beside anything, and far from underflow in every precision: 2**-60 in float32.
_STEP_EXPONENT = {np.dtype(np.float32): -60}


def gradient_error(
    value: Callable[[Array], Any],
    gradient: Callable[[Array], Array],
    x: Array,
    *,
    directions: int = 8,
    rng: np.random.Generator | None = None,
) -> float:
    """A gradient against its value: the largest ``|Im f(x + ihv)/h - <g, v>| / (||g|| ||v||)`` over random v.

    Parameters
    ----------
    value : callable
        x -> f(x), for real and complex x, analytic.
    gradient : callable
        x -> grad f(x)
    x : ndarray
        The point, real; its dtype is the precision under test.
    directions : int
        Number of directions, Gaussian.
    rng : numpy.random.Generator, optional
        Where the directions come from. Default: seed 0.

    Returns
    -------
    float
        Of the order of the precision's epsilon for a right gradient; infinite where the imaginary part is lost, or the
        gradient has another shape.

    Notes
    -----
    Derivation: derivations/checks/identities.md, CHK.1
    """
    x, rng = _checked(x, directions, rng)
    exact = np.asarray(gradient(x))
    if exact.shape != x.shape:
        return float("inf")
    worst = 0.0
    for direction in _directions(x, directions, rng):
        stepped, step = _complex_step(x, direction)
        slope = np.asarray(value(stepped))
        if slope.dtype.kind != "c":
            return float("inf")
        error = abs(slope.imag / step - np.sum(exact * direction))
        worst = max(worst, _relative(error, _norm(exact) * _norm(direction)))
    return worst


def hvp_error(
    gradient: Callable[[Array], Array],
    hvp: Callable[[Array, Array], Array],
    x: Array,
    *,
    directions: int = 8,
    rng: np.random.Generator | None = None,
) -> float:
    """A Hessian product against its gradient: the largest ``||Im g(x + ihv)/h - H v|| / ||H v||`` over random v.

    Parameters
    ----------
    gradient : callable
        x -> grad f(x), for real and complex x, analytic.
    hvp : callable
        (x, v) -> (hess f)(x) v
    x, directions, rng
        As in `gradient_error`.

    Returns
    -------
    float
        As in `gradient_error`.

    Notes
    -----
    Derivation: derivations/checks/identities.md, CHK.2
    """
    x, rng = _checked(x, directions, rng)
    worst = 0.0
    for direction in _directions(x, directions, rng):
        stepped, step = _complex_step(x, direction)
        slope, product = np.asarray(gradient(stepped)), np.asarray(hvp(x, direction))
        if slope.dtype.kind != "c" or slope.shape != x.shape or product.shape != x.shape:
            return float("inf")
        worst = max(worst, _relative(_norm(slope.imag / step - product), _norm(product)))
    return worst


def hvp_symmetry_error(
    hvp: Callable[[Array, Array], Array],
    x: Array,
    *,
    directions: int = 8,
    rng: np.random.Generator | None = None,
) -> float:
    """The largest ``|<H v, w> - <v, H w>| / (||H v|| ||w|| + ||v|| ||H w||)`` over pairs of random directions.

    Parameters
    ----------
    hvp : callable
        (x, v) -> (hess f)(x) v
    x, directions, rng
        As in `gradient_error`.

    Returns
    -------
    float
        Of the order of the precision's epsilon for a symmetric Hessian.

    Notes
    -----
    Derivation: derivations/checks/identities.md, CHK.3
    """
    x, rng = _checked(x, directions, rng)
    return adjoint_error(
        lambda v: hvp(x, v), lambda w: hvp(x, w), x.shape, x.shape, dtype=x.dtype, directions=directions, rng=rng
    )


def adjoint_error(
    forward: Callable[[Array], Array],
    adjoint: Callable[[Array], Array],
    input_shape: Sequence[int],
    output_shape: Sequence[int],
    *,
    dtype: Any = np.float64,
    directions: int = 8,
    rng: np.random.Generator | None = None,
) -> float:
    """The largest ``|<A x, y> - <x, A^T y>| / (||A x|| ||y|| + ||x|| ||A^T y||)`` over random x and y (the dot test).

    Parameters
    ----------
    forward, adjoint : callable
        x -> A x and y -> A^T y.
    input_shape, output_shape : sequence of int
        Shapes of x and y.
    dtype : dtype
        The precision under test.
    directions, rng
        As in `gradient_error`.

    Returns
    -------
    float
        Of the order of the precision's epsilon for a right adjoint; never divided by the inner product, which cancels.

    Notes
    -----
    Derivation: derivations/checks/identities.md, CHK.3
    """
    _, rng = _checked(np.zeros(1, dtype), directions, rng)
    worst = 0.0
    for _ in range(directions):
        x, y = (np.asarray(rng.standard_normal(tuple(shape))).astype(dtype) for shape in (input_shape, output_shape))
        ax, aty = np.asarray(forward(x)), np.asarray(adjoint(y))
        if ax.shape != y.shape or aty.shape != x.shape:
            return float("inf")
        scale = _norm(ax) * _norm(y) + _norm(x) * _norm(aty)
        worst = max(worst, _relative(abs(np.sum(ax * y) - np.sum(x * aty)), scale))
    return worst


def _checked(x: Any, directions: int, rng: np.random.Generator | None) -> tuple[Array, np.random.Generator]:
    """The point as an array of a native float dtype, and a generator."""
    if directions < 1:
        raise ValueError(f"directions must be >= 1, got {directions}")
    point = np.asarray(x)
    if point.dtype.kind not in "biuf":
        raise TypeError(f"x must be real, got dtype {point.dtype}")
    kept = point.dtype.kind == "f" and point.dtype.itemsize >= 4
    point = point.astype(point.dtype.newbyteorder("=") if kept else np.float64)
    return point, np.random.default_rng(0) if rng is None else rng


def _norm(array: Array) -> Any:
    """The Euclidean norm, without overflow or underflow of the squares."""
    largest = np.max(np.abs(array))
    if largest == 0 or not np.isfinite(largest):
        return largest
    return largest * np.linalg.norm(array / largest)


def _directions(x: Array, count: int, rng: np.random.Generator) -> list[Array]:
    return [np.asarray(rng.standard_normal(x.shape)).astype(x.dtype) for _ in range(count)]


def _complex_step(x: Array, direction: Array) -> tuple[Array, Any]:
    """The point x + ihv, with h a power of two in proportion to x, so that the objective's scale does not matter."""
    size = float(np.max(np.abs(x)) or 1)
    exponent = _STEP_EXPONENT.get(x.dtype, -200) + int(np.round(np.log2(size)))
    step = x.dtype.type(2.0) ** exponent
    return x + 1j * (step * direction), step


def _relative(error: Any, scale: Any) -> float:
    """The error relative to a scale; zero if both are, infinite if only the scale is, or if either is NaN."""
    if error == 0 and scale == 0:
        return 0.0
    ratio = float(error / scale) if scale > 0 else float("inf")
    return ratio if ratio == ratio else float("inf")
