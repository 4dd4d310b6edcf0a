"""The objective as scipy sees it: functions of flat vectors, which share work, count, and remember the best point."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from scipy.optimize import OptimizeResult

from refdeconv._arrays import Array, Shape, inner, norm
from refdeconv._blocks import owned
from refdeconv.calculus import Expansion, Functional, LinearOperator, OutsideDomain
from refdeconv.solve.outcome import FALLEN
from refdeconv.solve.preconditioning import PRODUCTS, cosine_preconditioner

Callback = Callable[..., object]

# Hessian products that a solve takes before it looks for better variables: most of the easy ones end within these.
UNCONDITIONED = 20
# Steps below the tolerance, one after the other, that end a solve whose gradient has not fallen.
SHORT_STEPS = 4
# Part of the tolerance that a gradient, relative to the start's, may have to count as none.
STATIONARY = 0.1

_SAMPLES = 64  # entries of a vector by which it is told from others


class Iterate(NamedTuple):
    """One line of a solve's history: where it stood after an iteration (the first: at the start)."""

    value: float
    gradient_norm: float
    hessian_products: int


class Stopped(Exception):  # noqa: N818 (not an error: it ends scipy's loop, and the best point is returned)
    """Ends a solve from within, for a reason that `outcome.describe` knows."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Vector(np.ndarray[Any, Any]):
    """A gradient or product for scipy, whose inner products with other vectors are those of `inner`.

    scipy would leave them to a threaded BLAS. A second thread gains little there, and on a busy machine, where each
    waits for the other to get a core, it makes a solve several times slower.
    """

    def __array_function__(self, function: Any, types: Any, arguments: Any, options: Any) -> Any:
        """Numpy's function, except for the inner product of two vectors."""
        if function is np.dot and not options:
            left, right = map(np.asarray, arguments)
            if left.ndim == right.ndim == 1 and left.shape == right.shape:
                return inner(left, right)
        return super().__array_function__(function, types, arguments, options)


def _sample(flat: Array) -> Array:
    return flat[:: max(1, flat.size // _SAMPLES)].copy()


@dataclass
class Point:
    """What has been computed at one x so far; value, gradient and Hessian share the expansion's forward pass."""

    flat: Array
    x: Array
    expansion: Expansion | None
    value: Any = None
    gradient: Array | None = None
    hessian: LinearOperator | None = None
    flat_gradient: Array | None = None

    def __post_init__(self) -> None:
        self.move_to(self.flat)

    def move_to(self, flat: Array) -> None:
        """Make it the point at another vector, in other variables."""
        self.flat, self.flat_gradient = flat, None
        # A few entries tell most other points apart, and tell that a vector was changed by the one who gave it.
        self.sample = _sample(flat)

    def is_at(self, flat: Array) -> bool:
        """Whether it is the point at a vector."""
        return bool((self.sample == _sample(flat)).all()) and np.array_equal(self.flat, flat)

    def rest(self) -> None:
        """Give back what is large and can be computed again: another point is looked at now."""
        self.hessian = self.flat_gradient = None
        if self.value is not None and self.gradient is not None:
            self.expansion = None

    def retire(self) -> None:
        """Give back the vector as well: nobody asks for it by this any more."""
        self.expansion = self.hessian = self.flat_gradient = None
        self.flat = np.empty(0)


class Evaluations:
    """The objective on flat vectors, for one solve.

    A solver asks for value, gradient and products at the same x in separate calls, and comes back to the last iterate
    after a rejected trial: the last two points are kept, so that each forward pass is made once. The solver works in
    units of `unit_x` and `unit_value`, powers of two, so that nothing is rounded, and, once `change_variables` has been
    called, in variables in which the Hessian is close to the identity; what is kept and shown here is in the
    objective's own. Not to be shared by threads; the objective may be.
    """

    def __init__(
        self,
        objective: Functional,
        shape: Shape,
        dtype: np.dtype[Any],
        *,
        callback: Callback | None,
        wants_result: bool,
        max_seconds: float | None,
        max_cg_iterations: int,
        truncate_cg: bool,
        change_before: int,
    ) -> None:
        self.objective, self.shape, self.dtype = objective, shape, dtype
        self._callback, self._wants_result = callback, wants_result
        self._max_seconds, self.max_cg, self._truncate_cg = max_seconds, max_cg_iterations, truncate_cg
        self._change_before = change_before
        self.started = time.perf_counter()
        self.unit_x = self.unit_value = 1.0
        self.values = self.gradients = self.hessian_products = self.truncated = self.nan_values = 0
        self.history: list[Iterate] = []
        self.best: Point | None = None
        self.last: Point
        self.best_value: Any = np.inf
        self._points: list[Point] = []
        self._products_before = 0
        self._origin = np.zeros(())
        self._preconditioner: LinearOperator | None = None
        self._smallest_change = 0.0
        self._short_steps = 0

    # What scipy calls.

    def value_of_copy(self, flat: Array) -> Any:
        """f(x), at a vector that is handed over: the one who asks does not change it any more."""
        return self._value_for_solver(self.point(flat, copy=False))

    def value(self, flat: Array) -> Any:
        """f(x)."""
        return self._value_for_solver(self.point(flat))

    def _value_for_solver(self, point: Point) -> Any:
        value = self.value_at(point)
        if np.isnan(value):
            if not self.history:
                raise Stopped("nan")
            # A trial step so long that something overflowed: the line search comes back from infinity.
            self.nan_values += 1
            return np.inf
        if value == -np.inf:
            raise Stopped("unbounded")
        if value < self.best_value or self.best is None:
            self.best, self.best_value = point, value
        return (value if self.dtype == np.longdouble else float(value)) / self.unit_value

    def gradient(self, flat: Array) -> Array:
        """The gradient of f at x, flat."""
        point = self.point(flat)
        # A trial step outside the domain has no gradient; NaN makes the line search come back.
        if not self.value_at(point) < np.inf:
            return np.full(flat.shape, np.nan, flat.dtype)
        if point.flat_gradient is None:
            try:
                gradient = self.gradient_at(point)
            except OutsideDomain:  # at its very edge: the value is finite there, the slope is not
                return np.full(flat.shape, np.nan, flat.dtype)
            if not np.isfinite(gradient).all():
                raise Stopped("nan")
            point.flat_gradient = self._flat(gradient, self.dtype)  # kept in the image's precision, in half the memory
        return point.flat_gradient.astype(flat.dtype)

    def hessian_product(self, flat: Array, direction: Array) -> Array:
        """The Hessian of f at x times v, flat."""
        self._check_clock()
        taken = self.hessian_products - self._products_before
        if taken >= self.max_cg or (self._may_change and taken >= UNCONDITIONED):
            if not self._truncate_cg:
                raise Stopped("inner")
            # Newton-CG takes zero curvature as the end of its inner loop, and steps along what it has found so far.
            self.truncated += taken >= self.max_cg
            return np.zeros_like(direction)
        hessian = self.hessian_at(self.point(flat))
        product = owned(hessian.forward(self._direction(np.asarray(direction))), hessian)
        self.hessian_products += 1
        if not np.isfinite(product).all():
            raise Stopped("nan" if np.isfinite(direction).all() else "step")
        return self._flat(product, flat.dtype, overwrite=True)

    def count_product(self) -> None:
        """One more product, by a solver that makes its own."""
        self._check_clock()
        self.hessian_products += 1

    def iteration(self, flat: Array) -> None:
        """The end of an iteration at x: the history grows, the user's callback is told."""
        before, iterate = self.last, self.record(flat)
        self._keep_only(self.last)
        self._products_before = self.hessian_products
        if self._callback is not None:
            self._tell(self._callback, self.last.x, iterate)
        if self._preconditioner is not None:
            if self._has_settled(np.mean(np.abs(self.last.x - before.x)), iterate.gradient_norm):
                raise Stopped("converged")
        elif self._may_change and self.hessian_products >= UNCONDITIONED:
            raise Stopped("change")

    def _has_settled(self, change: Any, gradient_norm: float) -> bool:
        """Whether the steps have become small: scipy's own test, but one short step alone does not end the solve."""
        self._short_steps = self._short_steps + 1 if change <= self._smallest_change * self.unit_x else 0
        relative = gradient_norm / self.history[0].gradient_norm
        # Where a map flattens out (exp far below zero), variables move on for ever while nothing changes any more.
        nothing_left = relative <= STATIONARY * self._smallest_change
        return nothing_left or self._short_steps >= (1 if relative <= FALLEN else SHORT_STEPS)

    def _tell(self, callback: Callback, x: Array, iterate: Iterate) -> None:
        try:
            if self._wants_result:
                callback(
                    intermediate_result=OptimizeResult(
                        x=x.copy(),
                        fun=iterate.value,
                        nit=len(self.history) - 1,
                        seconds=self.seconds,
                        **iterate._asdict(),
                    )
                )
            else:
                callback(x.copy())
        except StopIteration:
            raise Stopped("callback") from None

    # What minimize asks.

    @property
    def iterations(self) -> int:
        """The iterations so far."""
        return len(self.history) - 1

    @property
    def _may_change(self) -> bool:
        """Whether the solve may still go on in other variables."""
        return self.iterations < self._change_before

    @property
    def seconds(self) -> float:
        """Time since the solve began."""
        return time.perf_counter() - self.started

    def image(self, flat: Array) -> Array:
        """The image at a flat vector of the solver's."""
        change = self._direction(flat)
        return change if self._preconditioner is None else self._origin + change

    def _direction(self, flat: Array) -> Array:
        """The change of the image that a change of the solver's vector makes."""
        image = flat.reshape(self.shape).astype(self.dtype, copy=self.unit_x != 1)
        if self.unit_x != 1:
            image *= self.unit_x
        return image if self._preconditioner is None else self._preconditioner.forward(image)

    def point(self, flat: Array, *, copy: bool = True) -> Point:
        """The point at x, new or among the last two; without a copy, the vector is nobody else's."""
        for point in reversed(self._points):
            if point.is_at(flat):
                return point
        self._check_clock()
        if not np.isfinite(flat).all():
            raise Stopped("step")
        if self._points:
            self._keep_only(self._points[-1])
            self._points[-1].rest()
        flat = flat.copy() if copy else flat  # scipy changes its vectors in place
        image = self.image(flat)
        point = Point(flat, image, self.objective.at(image))
        self._points.append(point)
        return point

    def _keep_only(self, kept: Point) -> None:
        """Nobody comes back to the points before: they are a large part of the memory."""
        for point in self._points:
            if point is not kept:
                point.retire()
        self._points = [kept]

    def lift_limits(self) -> None:
        """From here on nothing stops an evaluation: what is left is to say what was reached."""
        self._max_seconds = None

    def value_at(self, point: Point) -> Any:
        """The objective's value at a point, counted when it is computed."""
        if point.value is None:
            self.values += 1
            value = self._expansion_at(point).value()
            if np.ndim(value) != 0 or np.asarray(value).dtype.kind not in "iuf":
                raise TypeError(f"the objective's value must be a real number, got {value!r}")
            point.value = value
        return point.value

    def gradient_at(self, point: Point) -> Array:
        """Its gradient there, counted when it is computed."""
        if point.gradient is None:
            self.gradients += 1
            gradient = self._expansion_at(point).gradient()
            if np.shape(gradient) != self.shape or np.iscomplexobj(gradient):
                found = f"{type(gradient).__name__} of shape {np.shape(gradient)}, dtype {np.asarray(gradient).dtype}"
                raise TypeError(f"the objective's gradient must be a real array of shape {self.shape}, got a {found}")
            point.gradient = np.asarray(gradient)
        return point.gradient

    def apply_hessian(self, point: Point, direction: Array) -> Array:
        """One product with its Hessian there."""
        return self.hessian_at(point).forward(direction)

    def hessian_at(self, point: Point) -> LinearOperator:
        """Its Hessian there."""
        if point.hessian is None:
            hessian = self._expansion_at(point).hessian()
            point.rest()
            point.hessian = hessian
        return point.hessian

    def _expansion_at(self, point: Point) -> Expansion:
        """Its expansion there, anew if it was given back."""
        return self.objective.at(point.x) if point.expansion is None else point.expansion

    def terms_gradient_norm(self, point: Point) -> float | None:
        """The sum of the norms of the gradients of the objective's terms; None if it has but one."""
        terms = self.objective.terms()
        return sum(float(norm(term.gradient(point.x))) for term in terms) if len(terms) > 1 else None

    def curvature_along_gradient(self, point: Point) -> float:
        """The inner product <g, H g>, in the solver's units."""
        gradient = self.gradient_at(point)
        curvature = inner(gradient, self.apply_hessian(point, gradient))
        return float(curvature) * self.unit_x**4 / self.unit_value**3

    def record(self, flat: Array) -> Iterate:
        """Add x to the history."""
        self.value(flat), self.gradient(flat)  # which stop the solve where they are not finite
        self.last = point = self.point(flat)
        gradient_norm = float(norm(self.gradient_at(point)))
        self.history.append(Iterate(float(self.value_at(point)), gradient_norm, self.hessian_products))
        return self.history[-1]

    def set_units(self, scale: float) -> Array:
        """Work from here on in units of x's size and of the gradient's at the start; returns the start in them."""
        self.unit_x = 2.0 ** round(math.log2(scale))
        self.unit_value = 2.0 ** round(math.log2(self.history[0].gradient_norm * self.unit_x))
        self._points.clear()
        return self.last.flat / self.unit_x

    def change_variables(self, smallest_change: float) -> Array:
        """Go on from the last iterate in variables in which the Hessian there is closer to the identity (SOL.5).

        Returns the iterate in them: zero. From here on, an iteration that changes the image by no more than
        `smallest_change` a pixel, on average and in the solver's units, ends the solve as converged; that is scipy's
        own test, which would apply it to the new variables.
        """
        self._change_before = 0
        point = self.last
        preconditioner = cosine_preconditioner(self.hessian_at(point), self.dtype)
        self.hessian_products += PRODUCTS
        self._products_before = self.hessian_products
        self._smallest_change = smallest_change
        self._preconditioner, self._origin = preconditioner, point.x
        shape, dtype = point.flat.shape, point.flat.dtype
        point.move_to(np.zeros(shape, dtype))
        self._points = [point]
        return np.zeros(shape, dtype)  # which takes no memory until it is written to, as a copy would

    def _flat(self, image: Array, dtype: np.dtype[Any], *, overwrite: bool = False) -> Array:
        """A gradient, or the product of the Hessian and an image in the objective's units, as the solver's vector."""
        unit = self.unit_x / self.unit_value
        if self._preconditioner is not None:
            image = owned(self._preconditioner.adjoint(image), self._preconditioner)
        if unit != 1:
            overwrite = (overwrite or self._preconditioner is not None) and image.dtype == self.dtype
            image = np.multiply(image, unit, out=image if overwrite else None)
        return image.reshape(-1).astype(dtype, copy=False).view(Vector)

    def _check_clock(self) -> None:
        if self._max_seconds is not None and self.seconds > self._max_seconds:
            raise Stopped("seconds")
