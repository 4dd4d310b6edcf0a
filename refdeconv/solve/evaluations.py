"""The objective as scipy sees it: functions of flat vectors, which share work, count, and remember the best point."""

import math
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from scipy.optimize import OptimizeResult

from refdeconv._arrays import Array, Shape, inner
from refdeconv.calculus import Expansion, Functional, LinearOperator

Callback = Callable[..., object]


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


@dataclass
class Point:
    """What has been computed at one x so far; value, gradient and Hessian share the expansion's forward pass."""

    flat: Array
    x: Array
    expansion: Expansion
    value: Any = None
    gradient: Array | None = None
    hessian: LinearOperator | None = None


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


class Evaluations:
    """The objective on flat vectors, for one solve.

    A solver asks for value, gradient and products at the same x in separate calls, and comes back to the last iterate
    after a rejected trial: the last two points are kept, so that each forward pass is made once. The solver works in
    units of `unit_x` and `unit_value`, powers of two, so that nothing is rounded; what is kept and shown here is in the
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
    ) -> None:
        self.objective, self.shape, self.dtype = objective, shape, dtype
        self._callback, self._wants_result = callback, wants_result
        self._max_seconds, self._max_cg, self._truncate_cg = max_seconds, max_cg_iterations, truncate_cg
        self.started = time.perf_counter()
        self.unit_x = self.unit_value = 1.0
        self.values = self.gradients = self.hessian_products = self.truncated = 0
        self.history: list[Iterate] = []
        self.best: Point | None = None
        self.best_value: Any = np.inf
        self._points: deque[Point] = deque(maxlen=2)
        self._products_before = 0

    # What scipy calls.

    def value(self, flat: Array) -> Any:
        """f(x)."""
        point = self.point(flat)
        value = self.value_at(point)
        if np.isnan(value):
            raise Stopped("nan")
        if value == -np.inf:
            raise Stopped("unbounded")
        if value < self.best_value or self.best is None:
            self.best, self.best_value = point, value
        return (value if self.dtype == np.longdouble else float(value)) / self.unit_value

    def gradient(self, flat: Array) -> Array:
        """The gradient of f at x, flat."""
        point = self.point(flat)
        # A trial step outside the domain has no gradient; NaN makes the line search come back.
        if self.value_at(point) == np.inf:
            return np.full(flat.shape, np.nan, flat.dtype)
        gradient = self.gradient_at(point)
        if not np.isfinite(gradient).all():
            raise Stopped("nan")
        return self._flat(gradient, flat.dtype)

    def hessian_product(self, flat: Array, direction: Array) -> Array:
        """The Hessian of f at x times v, flat."""
        self._check_clock()
        if self.hessian_products - self._products_before >= self._max_cg:
            if not self._truncate_cg:
                raise Stopped("inner")
            # Newton-CG takes zero curvature as the end of its inner loop, and steps along what it has found so far.
            self.truncated += 1
            return np.zeros_like(direction)
        product = self.apply_hessian(self.point(flat), self.image(np.asarray(direction)))
        self.hessian_products += 1
        if not np.isfinite(product).all():
            raise Stopped("nan" if np.isfinite(direction).all() else "step")
        return self._flat(product, flat.dtype)

    def iteration(self, flat: Array) -> None:
        """The end of an iteration at x: the history grows, the user's callback is told."""
        iterate = self.record(flat)
        self._products_before = self.hessian_products
        if self._callback is None:
            return
        image = self.image(flat).copy()
        try:
            if self._wants_result:
                self._callback(
                    intermediate_result=OptimizeResult(
                        x=image, fun=iterate.value, nit=len(self.history) - 1, seconds=self.seconds, **iterate._asdict()
                    )
                )
            else:
                self._callback(image)
        except StopIteration:
            raise Stopped("callback") from None

    # What minimize asks.

    @property
    def seconds(self) -> float:
        """Time since the solve began."""
        return time.perf_counter() - self.started

    def image(self, flat: Array) -> Array:
        """The flat vector, in the solver's units, as an image in the objective's own."""
        image = flat.reshape(self.shape)
        return (image if self.unit_x == 1 else image * self.unit_x).astype(self.dtype, copy=False)

    def point(self, flat: Array) -> Point:
        """The point at x, new or among the last two."""
        for point in reversed(self._points):
            if np.array_equal(point.flat, flat):
                return point
        self._check_clock()
        if not np.isfinite(flat).all():
            raise Stopped("step")
        flat = flat.copy()  # scipy changes its vectors in place
        image = self.image(flat)
        point = Point(flat, image, self.objective.at(image))
        self._points.append(point)
        return point

    def lift_limits(self) -> None:
        """From here on nothing stops an evaluation: what is left is to say what was reached."""
        self._max_seconds = None

    def value_at(self, point: Point) -> Any:
        """The objective's value at a point, counted when it is computed."""
        if point.value is None:
            self.values += 1
            value = point.expansion.value()
            if np.ndim(value) != 0 or np.asarray(value).dtype.kind not in "iuf":
                raise TypeError(f"the objective's value must be a real number, got {value!r}")
            point.value = value
        return point.value

    def gradient_at(self, point: Point) -> Array:
        """Its gradient there, counted when it is computed."""
        if point.gradient is None:
            self.gradients += 1
            gradient = point.expansion.gradient()
            if np.shape(gradient) != self.shape or np.iscomplexobj(gradient):
                found = f"{type(gradient).__name__} of shape {np.shape(gradient)}, dtype {np.asarray(gradient).dtype}"
                raise TypeError(f"the objective's gradient must be a real array of shape {self.shape}, got a {found}")
            point.gradient = np.asarray(gradient)
        return point.gradient

    def apply_hessian(self, point: Point, direction: Array) -> Array:
        """One product with its Hessian there."""
        if point.hessian is None:
            point.hessian = point.expansion.hessian()
        return point.hessian.forward(direction)

    def terms_gradient_norm(self, point: Point) -> float | None:
        """The sum of the norms of the gradients of the objective's terms; None if it has but one."""
        terms = self.objective.terms()
        return sum(float(np.linalg.norm(term.gradient(point.x))) for term in terms) if len(terms) > 1 else None

    def curvature_along_gradient(self, point: Point) -> float:
        """The inner product <g, H g>, in the solver's units."""
        gradient = self.gradient_at(point)
        curvature = inner(gradient, self.apply_hessian(point, gradient))
        return float(curvature) * self.unit_x**4 / self.unit_value**3

    def record(self, flat: Array) -> Iterate:
        """Add x to the history."""
        self.value(flat), self.gradient(flat)  # which stop the solve where they are not finite
        point = self.point(flat)
        gradient_norm = float(np.linalg.norm(self.gradient_at(point)))
        self.history.append(Iterate(float(self.value_at(point)), gradient_norm, self.hessian_products))
        return self.history[-1]

    def set_units(self, flat: Array, scale: float) -> Array:
        """Work from here on in units of x's size and of the gradient's at the start; returns the start in them."""
        self.unit_x = 2.0 ** round(math.log2(scale))
        self.unit_value = 2.0 ** round(math.log2(self.history[0].gradient_norm * self.unit_x))
        self._points.clear()
        return flat / self.unit_x

    def _flat(self, image: Array, dtype: np.dtype[Any]) -> Array:
        """A gradient, or the product of the Hessian and an image in the objective's units, as the solver's vector."""
        unit = self.unit_x / self.unit_value
        return (image if unit == 1 else image * unit).reshape(-1).astype(dtype, copy=False).view(Vector)

    def _check_clock(self) -> None:
        if self._max_seconds is not None and self.seconds > self._max_seconds:
            raise Stopped("seconds")
