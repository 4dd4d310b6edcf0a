"""Autograd as in the article's program: its convolution without a transform; see `tests.autodiff.article_autograd`."""

from importlib.metadata import version as version_of

import autograd.numpy as anp
from autograd import make_hvp, value_and_grad

from tests.autodiff.article_autograd import cost
from tests.benchmarks.tasks import MU, Task

from . import Made

LARGEST = 1024**2 * 13**2  # pixels times samples of the PSF: beyond, one gradient takes minutes and the whole memory


def version() -> str:
    return f"autograd {version_of('autograd')}"


def can(task: Task) -> bool:
    """Whether it is asked for: its figures are those of the article's objective, on images, in its precision."""
    work = anp.prod(task.shape) * task.width**2
    return (task.objective, len(task.shape), task.dtype) == ("article", 2, "float64") and work <= LARGEST


def make(task: Task) -> Made:
    data, x, v = task.arrays()
    psf, mu = task.psf(), task.real(MU)

    def f(x):
        return cost(x, data, psf, mu)

    both, products = value_and_grad(f), make_hvp(f)
    product_with, _ = products(x)
    return Made(lambda: both(x), lambda: product_with(v), both, lambda point: products(point)[0])
