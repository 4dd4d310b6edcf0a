"""Newton's method for total variation, with a second set of unknowns: the directions of the differences."""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import scipy  # whose ndimage is loaded when it is used
from scipy.optimize import OptimizeResult

from refdeconv._arrays import Array, Shape, inner, norm
from refdeconv.calculus import Functional, LinearOperator
from refdeconv.calculus.functional import Composition, Multiple
from refdeconv.functionals import SmoothedGroupNorm
from refdeconv.hessians import SelfAdjoint
from refdeconv.solve.evaluations import Evaluations

OPTIONS = ("xtol", "maxiter")
_COARSE = np.dtype(np.float32)  # the precision of the products, if it can hold them
_LOOSEST = 0.1  # part of its residual that CG leaves of a Newton step at most; later the root of the gradient's fall
_DECREASE = 1e-4  # part of the decrease that the slope promises, with which the line search is content
_HALVINGS = 40
_NEIGHBOURS = 9  # pixels, along each axis, over which the diagonal of the other terms is averaged
_SMALLEST = 1e-3  # diagonal entries below this part of the largest are set to it


@dataclass
class Smoothed:
    """A term ``scale * SmoothedGroupNorm @ operator``, with its dual field: one vector of length <= 1 a group."""

    scale: float
    norm: SmoothedGroupNorm
    operator: LinearOperator
    dual: Any = 0.0
    unit: Any = field(default=None, init=False)
    divisor: Any = field(default=None, init=False)

    def linearize(self, x: Array) -> None:
        """Take the differences at x: what the Hessian and the next step of the dual field need."""
        u = self.operator.forward(x)
        length = np.sqrt(np.sum(u * u, axis=self.norm.axis, keepdims=True))
        self.divisor = np.hypot(length, length.dtype.type(self.norm.epsilon))
        self.unit = u / self.divisor

    def weights(self) -> Array:
        """Of each group, its weight over its divisor."""
        weight: Any = 1.0 if self.norm.weight is None else self.norm.weight
        return self.scale * (np.expand_dims(weight, self.norm.axis) if np.ndim(weight) else weight) / self.divisor

    def hessian(self, dtype: np.dtype[Any]) -> LinearOperator:
        """``A^T W A``, where W is the derivative of the gradient with the dual field in place of one unit field."""
        axis, weights = self.norm.axis, self.weights().astype(dtype)
        unit, dual = (np.broadcast_to(each, self.unit.shape).astype(dtype) for each in (self.unit, self.dual))

        def product(v: Array) -> Array:
            along, across = (np.sum(each * v, axis=axis, keepdims=True) for each in (unit, dual))
            return weights * (v - (along * dual + across * unit) / 2)

        A = self.operator
        return SelfAdjoint(A.input_shape, lambda v: A.adjoint(product(A.forward(v))))

    def move_dual(self, step: Array) -> None:
        """Take the dual field along: Newton's step of each group, as far as its length stays at most one."""
        axis = self.norm.axis
        du = self.operator.forward(step)
        along = np.sum(self.unit * du, axis=axis, keepdims=True)
        change = self.unit + (du - self.dual * along) / self.divisor - self.dual
        self.dual = self.dual + _feasible(self.dual, change, axis) * change


def _feasible(dual: Any, change: Array, axis: tuple[int, ...]) -> Array:
    """The largest step up to one with which ``dual + step * change`` stays within the unit ball, group by group."""
    a = np.sum(change * change, axis=axis, keepdims=True)
    b = np.sum(dual * change, axis=axis, keepdims=True)
    c = np.maximum(1 - np.sum(dual * dual + 0 * change, axis=axis, keepdims=True), 0)
    root = np.sqrt(b * b + a * c)
    # The positive root of a t**2 + 2 b t - c, in the form that cancels nothing.
    with np.errstate(divide="ignore", invalid="ignore"):
        t = np.where(b > 0, c / (b + root), (root - b) / a)
    return np.where(a > 0, np.minimum(1, 0.99 * t), 1)


def split(objective: Functional) -> tuple[list[Smoothed], list[Functional]]:
    """The objective's terms: those with a dual field, and the others."""
    smoothed: list[Smoothed] = []
    others: list[Functional] = []
    for term in objective.terms():
        found = _as_smoothed(term)
        if found is None:
            others.append(term)
        else:
            smoothed.append(found)
    return smoothed, others


def _as_smoothed(term: Functional) -> Smoothed | None:
    scale: float = 1.0
    operator: LinearOperator | None = None
    while not isinstance(term, SmoothedGroupNorm):
        if isinstance(term, Multiple):
            scale, term = scale * float(term.scale), term.functional
        elif isinstance(term, Composition) and isinstance(term.inner, LinearOperator):
            operator = term.inner if operator is None else term.inner @ operator
            term = term.outer
        else:
            return None
    return None if operator is None or scale <= 0 else Smoothed(scale, term, operator)


def primal_dual_newton(
    evaluations: Evaluations, flat: Array, smallest_change: float, maxiter: int, max_cg_iterations: int
) -> OptimizeResult:
    """Minimise by Newton steps of image and dual fields, each solved by CG with products in float32.

    Parameters
    ----------
    evaluations : Evaluations
        The objective; one of its terms at least is a `SmoothedGroupNorm` of a linear operator.
    flat : ndarray
        The start.
    smallest_change : float
        A step that changes the image by no more than that a pixel, on average, ends the solve.
    maxiter, max_cg_iterations : int
        Limits of the Newton steps, and of the products of one.

    Returns
    -------
    OptimizeResult
        With `x`, `success`, `message` and `status`, as scipy's.

    Notes
    -----
    Derivation: derivations/solve.md, SOL.6, SOL.7
    """
    smoothed, others = split(evaluations.objective)
    smallest = np.inf
    for _ in range(maxiter):
        point = evaluations.point(flat)
        gradient = evaluations.gradient_at(point)
        size = float(norm(gradient))
        if size == 0:
            return _ended(flat, True)
        for term in smoothed:
            term.linearize(point.x)
        tolerance = min(_LOOSEST, (size / evaluations.history[0].gradient_norm) ** 0.5)
        step = _newton_step(evaluations, point.x, gradient / size, smoothed, others, tolerance, max_cg_iterations)
        step *= size
        slope = float(inner(gradient, step))
        # Values tell nothing any more below their rounding; gradients do, for as long as they fall.
        at_floor = -slope <= _rounding(evaluations, flat)
        t = 0.0 if at_floor and size > smallest / 2 else _line_search(evaluations, flat, step, slope)
        if t == 0:
            return _ended(flat, False)
        smallest = min(smallest, size)
        for term in smoothed:
            term.move_dual(step)
        flat = flat + t * step.reshape(-1)
        evaluations.iteration(flat)
        if t == 1 and np.mean(np.abs(step)) <= smallest_change:
            return _ended(flat, True)
    return OptimizeResult(x=flat, success=False, message="Maximum number of iterations has been exceeded.", status=1)


def _ended(flat: Array, success: bool) -> OptimizeResult:
    message = "Optimization terminated successfully." if success else "No step lowers the value."
    return OptimizeResult(x=flat, success=success, message=message, status=0 if success else 2)


def _newton_step(
    evaluations: Evaluations,
    x: Array,
    gradient: Array,
    smoothed: list[Smoothed],
    others: list[Functional],
    tolerance: float,
    most: int,
) -> Array:
    """The step that the linear system gives: its products in float32, and in x's precision if that is too coarse."""
    for dtype in dict.fromkeys((_COARSE, x.dtype)):
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            coarse = x.astype(dtype)
            data_terms = [term.hessian(coarse) for term in others]
            tv_terms = [term.hessian(dtype) for term in smoothed]
            diagonal = _diagonal(evaluations, data_terms, tv_terms, x.shape, dtype)
            if not 1e-30 < diagonal.max() < 1e30:
                continue
            step = _conjugate_gradients(
                evaluations, [*data_terms, *tv_terms], -gradient.astype(dtype), 1 / diagonal, tolerance, most
            )
        if np.isfinite(step).all():
            return step.astype(x.dtype)
    return -gradient


def _diagonal(
    evaluations: Evaluations,
    data_terms: list[LinearOperator],
    tv_terms: list[LinearOperator],
    shape: Shape,
    dtype: np.dtype[Any],
) -> Array:
    """The diagonal of the Hessian, pixel by pixel, by products with random signs (SOL.7)."""
    rng = np.random.default_rng(0)
    total = np.zeros(shape, dtype)
    for hessian in data_terms:
        evaluations.count_product()
        signs = _signs(rng, shape, dtype)
        total += np.abs(scipy.ndimage.uniform_filter(signs * hessian.forward(signs), _NEIGHBOURS, mode="reflect"))
    for hessian in tv_terms:
        for corner in np.ndindex(*(min(2, size) for size in shape)):
            evaluations.count_product()
            here = tuple(slice(first, None, 2) for first in corner)
            signs = np.zeros(shape, dtype)
            signs[here] = _signs(rng, signs[here].shape, dtype)
            total[here] += np.abs(signs * hessian.forward(signs))[here]
    return np.maximum(total, dtype.type(_SMALLEST) * total.max())


def _signs(rng: np.random.Generator, shape: Shape, dtype: np.dtype[Any]) -> Array:
    return rng.integers(0, 2, shape, np.int8).astype(dtype) * 2 - 1


def _conjugate_gradients(
    evaluations: Evaluations, hessians: list[LinearOperator], r: Array, inverse: Array, tolerance: float, most: int
) -> Array:
    """An approximate solution of ``H z = r``, by CG with the inverse of the diagonal as preconditioner."""
    z, p = np.zeros_like(r), inverse * r
    square = first = inner(r, p)
    for _ in range(most):
        evaluations.count_product()
        product = functools.reduce(np.add, (hessian.forward(p) for hessian in hessians))
        curvature = inner(p, product)
        if not curvature > 0:
            return z if z.any() else p
        step = r.dtype.type(square / curvature)
        z += step * p
        r = r - step * product
        y = inverse * r
        before, square = square, inner(r, y)
        if square <= tolerance**2 * first:
            return z
        p *= r.dtype.type(square / before)
        p += y
    evaluations.truncated += 1
    return z


def _line_search(evaluations: Evaluations, flat: Array, step: Array, slope: float) -> float:
    """A part of the step, 1 or halved as often as it takes, that lowers the value; zero if none does."""
    value, t = evaluations.value(flat), 1.0
    rounding = _rounding(evaluations, flat)
    for _ in range(_HALVINGS):
        if evaluations.value(flat + t * step.reshape(-1)) <= value + _DECREASE * t * slope + rounding:
            return t
        t /= 2
    return 0.0


def _rounding(evaluations: Evaluations, flat: Array) -> float:
    """What a difference of values may be off by, in the objective's own units."""
    return float(4 * np.finfo(evaluations.dtype).eps * abs(evaluations.value(flat)))
