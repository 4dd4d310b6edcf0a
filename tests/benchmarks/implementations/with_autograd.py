"""Autograd: numpy's FFT, value_and_grad, and for products the vector-Jacobian product of the gradient, kept."""

from importlib.metadata import version as version_of

import autograd.numpy as anp
from autograd import make_hvp, value_and_grad

from tests.benchmarks.tasks import BACKGROUND, EPSILON, MU, Task

from . import Made


def version() -> str:
    return f"autograd {version_of('autograd')}"


def make(task: Task) -> Made:
    data, x, v = task.arrays()
    grid = task.even_grid  # its real transforms have no derivative where the last size is odd
    spectrum = anp.fft.rfftn(task.placed_psf(grid))
    margins = [(0, padded - size) for padded, size in zip(grid, task.shape, strict=True)]
    inside = tuple(map(slice, task.shape))
    mu, epsilon, background = task.real(MU), task.real(EPSILON), task.real(BACKGROUND)

    def blur(x):
        return anp.fft.irfftn(anp.fft.rfftn(anp.pad(x, margins, "constant")) * spectrum, grid)[inside]

    def differences(x):
        return [anp.diff(x, axis=axis) for axis in range(x.ndim)]

    def padded(difference, axis):
        return anp.pad(difference, [(0, int(each == axis)) for each in range(difference.ndim)], "constant")

    def article(x):
        misfit = anp.sqrt(anp.sum((blur(x) - data) ** 2) / 2)
        return misfit + mu * anp.sqrt(sum(anp.sum(d**2) for d in differences(x)) / 2)

    def poisson_tv(x):
        u = blur(x) + background
        squares = sum(padded(d, axis) ** 2 for axis, d in enumerate(differences(x)))
        return anp.sum(u - data * anp.log(u)) + mu * anp.sum(anp.sqrt(squares + epsilon**2) - epsilon)

    f = article if task.objective == "article" else poisson_tv
    both = value_and_grad(f)
    products = make_hvp(f)
    product_with, _ = products(x)
    return Made(lambda: both(x), lambda: product_with(v), both, lambda point: products(point)[0])
