"""The same objectives in refdeconv and in four frameworks, each as fast as we can write it in their own means.

A module has `make(task) -> Made`, and `version()`. Constants, spectra of the PSF and whatever else does not depend on
the point are made once, before anything is timed; arrays stay in the framework's own form; both cores may be used.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from tests.benchmarks.tasks import Array


class Made(NamedTuple):
    """An objective of a task, ready to be evaluated; each call waits until its result is there.

    Attributes
    ----------
    value_and_gradient : callable
        () -> (value, gradient) at the task's point.
    product : callable
        () -> Hessian at the task's point times its direction, as a conjugate gradient method needs it: whatever depends
        on the point alone was computed before.
    evaluate, products : callable
        x -> (value, gradient) and x -> (v -> Hessian at x times v), for a solver: numpy's arrays in and out.
    """

    value_and_gradient: Callable[[], tuple[Any, Any]]
    product: Callable[[], Any]
    evaluate: Callable[[Array], tuple[float, Array]] | None = None
    products: Callable[[Array], Callable[[Array], Array]] | None = None


# Module and the package that it needs.
IMPLEMENTATIONS = {
    "refdeconv": ("with_refdeconv", "numpy"),
    "JAX": ("with_jax", "jax"),
    "PyTorch": ("with_pytorch", "torch"),
    "TensorFlow": ("with_tensorflow", "tensorflow"),
    "Autograd": ("with_autograd", "autograd"),
    "the article's Autograd": ("as_in_the_article", "autograd"),
}
