"""The examples in PyTorch, each written as a user would."""

import numpy
import torch
from torch.nn import functional

from tests.autodiff import Array

VERSION = f"torch {torch.__version__}"


def evaluate(function, quantity, x, v, parameters) -> Array:
    held = [torch.from_numpy(each) if isinstance(each, numpy.ndarray) else each for each in parameters]

    def of(x):
        return function(x, *held)

    point = torch.from_numpy(x).requires_grad_()
    if quantity == "value":
        return of(point).detach().numpy()
    if quantity == "gradient":
        return torch.autograd.grad(of(point), point)[0].numpy()
    return torch.autograd.functional.hvp(of, torch.from_numpy(x), torch.from_numpy(v))[1].numpy()


def differences(x):
    return x.diff(dim=0)[:, :-1], x.diff(dim=1)[:-1, :]


def total_variation(x, epsilon):
    down, right = differences(x)
    return (torch.sqrt(down**2 + right**2 + epsilon**2) - epsilon).sum()


FUNCTIONS = {
    "root of a sum": lambda x: (x**2).sum().sqrt(),
    "norm": lambda x: torch.linalg.norm(x),
    "total variation": total_variation,
    "absolute value": lambda x, epsilon: (torch.sqrt(x**2 + epsilon**2) - epsilon).sum(),
    "Poisson, d log(d / u)": lambda x, d: (x - d + d * torch.log(d / x)).sum(),
    "Poisson, d log u": lambda x, d: (x - d * torch.log(x)).sum(),
    "Poisson, xlogy": lambda x, d: (x - d + torch.xlogy(d, d / x)).sum(),
    "Poisson of the library": lambda x, d: functional.poisson_nll_loss(x, d, log_input=False, reduction="sum"),
    "Poisson, where": lambda x, d, mask: torch.where(mask, x - d * torch.log(x), 0).sum(),
    "softplus": lambda x: torch.log(1 + x.exp()).sum(),
    "softplus of the library": lambda x: functional.softplus(x).sum(),
    "log cosh": lambda x: torch.log(torch.cosh(x)).sum(),
    "eigenvalues": lambda x, epsilon: (torch.sqrt(torch.linalg.eigvalsh(x) ** 2 + epsilon**2) - epsilon).sum(),
    "linear": lambda x, w: (w * x).sum(),
}
