"""The article's program in Autograd, with its own solver: scipy's Newton-CG, which is given the gradient only.

``python -m tests.autodiff.article_autograd`` solves the article's problem.
"""

import time
from importlib.metadata import version

import autograd.numpy as np
import scipy.optimize
from autograd import grad, hessian_vector_product
from autograd.scipy.signal import convolve
from numpy.typing import DTypeLike

from . import Array, Program


def blur(image: Array, psf: Array) -> Array:
    full = convolve(image, psf, mode="full")
    top, left = ((size - 1) // 2 for size in psf.shape)
    return full[top : top + image.shape[0], left : left + image.shape[1]]


def half_sum_of_squares(t: Array) -> Array:
    return np.sum(t**2) / 2


def cost(x: Array, blurred: Array, psf: Array, mu: float) -> Array:
    vertical, horizontal = x[1:, :] - x[:-1, :], x[:, 1:] - x[:, :-1]
    misfit = np.sqrt(half_sum_of_squares(blur(x, psf) - blurred))
    roughness = np.sqrt(half_sum_of_squares(vertical) + half_sum_of_squares(horizontal))
    return misfit + mu * roughness


def objective(blurred: Array, psf: Array, mu: float, dtype: DTypeLike = np.float64) -> Program:
    blurred, psf = blurred.astype(dtype), psf.astype(dtype)

    def value(x: Array) -> Array:
        return cost(x, blurred, psf, mu)

    return Program(value, grad(value), hessian_vector_product(value), f"autograd {version('autograd')}")


def solve(blurred: Array, psf: Array, mu: float, x0: Array) -> scipy.optimize.OptimizeResult:
    """The article's solve: flat vectors, no Hessian-vector products."""

    def value(flat: Array) -> Array:
        return cost(flat.reshape(blurred.shape), blurred, psf, mu)

    return scipy.optimize.minimize(value, x0.ravel(), jac=grad(value), method="Newton-CG")


def main() -> None:
    from refdeconv import problems  # for the article's image, PSF and start only

    article = problems.article()
    blurred = blur(article.original, article.psf)
    started = time.perf_counter()
    result = solve(blurred, article.psf, 0.2, article.start(0))
    seconds = time.perf_counter() - started
    print(
        f"F = {result.fun:.10f} after {result.nit} iterations, {result.nfev} values, {result.njev} gradients, "
        f"{seconds:.2f} s: {result.message}"
    )


if __name__ == "__main__":
    main()
