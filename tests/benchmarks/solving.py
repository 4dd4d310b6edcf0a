"""Whole solves of the article's problem until the gradient's norm is below a target; each is timed to that moment."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from .implementations import Made
from .tasks import MU, Array, Task

XTOL = 1e-8  # below what ends a solve before its target


class Watch:
    """Value, gradient and products as scipy asks for them, counted; work at one point is shared by the calls."""

    def __init__(self, made: Made, shape: tuple[int, ...], target: float) -> None:
        self.made, self.shape, self.target = made, shape, target
        self.iterations = self.gradients = self.count = 0
        self.x: Array | None = None
        self.product_x: Array | None = None
        self.norm = np.inf

    def _at(self, x: Array) -> None:
        if self.x is None or not np.array_equal(x, self.x):
            self.x = x.copy()
            self.now, gradient = self.made.evaluate(self.x.reshape(self.shape))
            self.slope = np.asarray(gradient).reshape(-1)
            self.gradients += 1

    def value(self, x: Array) -> Any:
        self._at(x)
        return self.now

    def gradient(self, x: Array) -> Array:
        self._at(x)
        return self.slope.copy()

    def product(self, x: Array, direction: Array) -> Array:
        if self.product_x is None or not np.array_equal(x, self.product_x):
            self.product_x = x.copy()
            self.apply = self.made.products(self.product_x.reshape(self.shape))
        self.count += 1
        return np.asarray(self.apply(direction.reshape(self.shape))).reshape(-1)

    def iterated(self, x: Array) -> None:
        self.iterations += 1
        self.norm = float(np.linalg.norm(self.gradient(x)))
        if self.norm <= self.target:
            raise StopIteration


def newton_cg(task: Task, made: Made, start: Array, target: float) -> dict[str, Any]:
    """scipy's Newton-CG with an implementation's gradient and products."""
    import scipy.optimize  # here and below: it takes long, and most workers never solve

    watch = Watch(made, start.shape, target)
    began = time.perf_counter()
    scipy.optimize.minimize(
        watch.value, start.reshape(-1), jac=watch.gradient, hessp=watch.product, method="Newton-CG",
        callback=watch.iterated, options={"xtol": XTOL},
    )  # fmt: skip
    return _told(time.perf_counter() - began, watch.iterations, watch.gradients, watch.count, watch.norm, target)


def as_in_the_article(task: Task, made: Made, start: Array, target: float) -> dict[str, Any]:
    """The article's program: value and gradient by themselves, products by differences of gradients."""
    import scipy.optimize
    from autograd import grad

    from tests.autodiff.article_autograd import cost

    data, psf = task.arrays()[0], task.psf()
    watch = Watch(made, start.shape, target)

    def value(x: Array) -> Any:
        return cost(x.reshape(data.shape), data, psf, MU)

    slope = grad(value)

    def gradient(x: Array) -> Array:
        watch.gradients += 1
        watch.x, watch.slope = x.copy(), slope(x)  # for the callback alone, which does not compute it again
        return watch.slope

    began = time.perf_counter()
    scipy.optimize.minimize(value, start.reshape(-1), jac=gradient, method="Newton-CG", callback=watch.iterated)
    return _told(time.perf_counter() - began, watch.iterations, watch.gradients, 0, watch.norm, target)


def minimize(task: Task, made: Made, start: Array, target: float, **options: Any) -> dict[str, Any]:
    """`rd.minimize`, as it is delivered."""
    import refdeconv as rd

    from .implementations.with_refdeconv import objective

    f = objective(task)

    def reached(intermediate_result: Any) -> None:
        if intermediate_result.gradient_norm <= target:
            raise StopIteration

    began = time.perf_counter()
    result = rd.minimize(f, start, callback=reached, **options)
    seconds = time.perf_counter() - began
    return _told(seconds, result.nit, result.njev, result.nhev, result.gradient_norm, target)


def minimize_without_preconditioner(task: Task, made: Made, start: Array, target: float) -> dict[str, Any]:
    """`rd.minimize` in the image's own variables."""
    return minimize(task, made, start, target, preconditioner=None)


WAYS = {
    "minimize": minimize,
    "minimize without preconditioner": minimize_without_preconditioner,
    "Newton-CG": newton_cg,
    "program": as_in_the_article,
}


def _told(seconds: float, iterations: int, gradients: int, count: int, norm: float, target: float) -> dict[str, Any]:
    told = {"seconds": seconds, "iterations": iterations, "gradients": gradients, "products": count, "norm": norm}
    return told if norm <= target else {**told, "error": f"ended at gradient norm {norm:.1e}, above {target:.1e}"}
