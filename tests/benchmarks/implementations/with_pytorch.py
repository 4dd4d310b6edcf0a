"""PyTorch: backward, and for products the graph of the gradient, kept for the point."""

import torch

from tests.benchmarks.tasks import BACKGROUND, EPSILON, MU, Task

from . import Made


def version() -> str:
    return f"torch {torch.__version__}"


def make(task: Task) -> Made:
    data, x, v = (torch.from_numpy(array) for array in task.arrays())
    spectrum = torch.fft.rfftn(torch.from_numpy(task.placed_psf()))
    grid, inside = task.grid, tuple(map(slice, task.shape))

    def blur(x):
        return torch.fft.irfftn(torch.fft.rfftn(x, grid) * spectrum, grid)[inside]

    def differences(x):
        return [x.diff(dim=axis) for axis in range(x.ndim)]

    def padded(difference, axis):
        widths = [(0, int(each == axis)) for each in range(difference.ndim)]
        return torch.nn.functional.pad(difference, [width for pair in reversed(widths) for width in pair])

    def article(x):
        misfit = torch.linalg.vector_norm(blur(x) - data)
        return (misfit + MU * sum((d**2).sum() for d in differences(x)).sqrt()) * 0.5**0.5

    def poisson_tv(x):
        u = blur(x) + BACKGROUND
        squares = sum(padded(d, axis) ** 2 for axis, d in enumerate(differences(x)))
        return (u - data * u.log()).sum() + MU * ((squares + EPSILON**2).sqrt() - EPSILON).sum()

    f = article if task.objective == "article" else poisson_tv

    def value_and_gradient(point):
        unknown = point.detach().requires_grad_()
        value = f(unknown)
        return value.detach(), torch.autograd.grad(value, unknown)[0]

    def product_at(point):
        unknown = point.detach().clone().requires_grad_()
        (gradient,) = torch.autograd.grad(f(unknown), unknown, create_graph=True)
        return lambda direction: torch.autograd.grad(gradient, unknown, direction, retain_graph=True)[0]

    def evaluate(point):
        value, gradient = value_and_gradient(torch.from_numpy(point))
        return float(value), gradient.numpy()

    def products(point):
        product_there = product_at(torch.from_numpy(point))
        return lambda direction: product_there(torch.from_numpy(direction)).numpy()

    product_with = product_at(x)
    return Made(lambda: value_and_gradient(x), lambda: product_with(v), evaluate, products)
