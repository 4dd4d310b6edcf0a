"""The examples in Autograd, each written as a user would."""

from importlib.metadata import version

import autograd.numpy as np
import numpy
from autograd import grad, hessian_vector_product

from tests.autodiff import Array

VERSION = f"autograd {version('autograd')}"


def evaluate(function, quantity, x, v, parameters) -> Array:
    def of(x):
        return function(x, *parameters)

    if quantity == "value":
        return numpy.asarray(of(x))
    return grad(of)(x) if quantity == "gradient" else hessian_vector_product(of)(x, v)


def differences(x):
    return (x[1:, :] - x[:-1, :])[:, :-1], (x[:, 1:] - x[:, :-1])[:-1, :]


def total_variation(x, epsilon):
    down, right = differences(x)
    return np.sum(np.sqrt(down**2 + right**2 + epsilon**2) - epsilon)


FUNCTIONS = {
    "root of a sum": lambda x: np.sqrt(np.sum(x**2)),
    "norm": lambda x: np.linalg.norm(x),
    "total variation": total_variation,
    "absolute value": lambda x, epsilon: np.sum(np.sqrt(x**2 + epsilon**2) - epsilon),
    "Poisson, d log(d / u)": lambda x, d: np.sum(x - d + d * np.log(d / x)),
    "Poisson, d log u": lambda x, d: np.sum(x - d * np.log(x)),
    "Poisson, where": lambda x, d, mask: np.sum(np.where(mask, x - d * np.log(x), 0)),
    "softplus": lambda x: np.sum(np.log(1 + np.exp(x))),
    "softplus of the library": lambda x: np.sum(np.logaddexp(x, 0)),
    "log cosh": lambda x: np.sum(np.log(np.cosh(x))),
    "eigenvalues": lambda x, epsilon: np.sum(np.sqrt(np.linalg.eigh(x)[0] ** 2 + epsilon**2) - epsilon),
    "linear": lambda x, w: np.sum(w * x),
}
