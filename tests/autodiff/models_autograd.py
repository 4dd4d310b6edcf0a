"""The field's other models in Autograd: scipy.signal's convolve, grad, and hessian_vector_product.

Autograd's own convolve and numpy's functions do everything, in any number of dimensions. Only np.pad has a derivative
for zeros alone, so that a mirrored edge is written as an index.
"""

from collections.abc import Callable
from importlib.metadata import version

import autograd.numpy as np
import numpy
from autograd import grad, hessian_vector_product
from autograd.scipy.signal import convolve
from autograd.scipy.special import logsumexp
from numpy.typing import DTypeLike

from . import Array, Program

# ---- Forward models ----


def blur(image: Array, psf: Array, boundary: str = "constant") -> Array:
    """The PSF's sample (k - 1) // 2 multiplies the pixel itself."""
    reach = [(size // 2, (size - 1) // 2) for size in psf.shape]
    if boundary == "constant":
        image = np.pad(image, reach, mode="constant")
    elif boundary == "reflect":
        places = (numpy.pad(numpy.arange(n), r, mode="symmetric") for n, r in zip(image.shape, reach, strict=True))
        image = image[numpy.ix_(*places)]
    return convolve(image, psf, mode="valid")


def squared_differences(x: Array, axis: int) -> Array:
    """Forward differences along an axis, squared; nothing follows the last pixel."""
    # Not np.diff: its gradient is in float64, whatever the image is, where an axis has one pixel.
    before = (slice(None),) * axis
    steps = x[(*before, slice(1, None))] - x[(*before, slice(-1))]
    return np.pad(steps**2, [(0, int(other == axis)) for other in range(x.ndim)], mode="constant")


def total_variation(x: Array, epsilon: float) -> Array:
    squares = sum(squared_differences(x, axis) for axis in range(x.ndim))
    return np.sum(np.sqrt(squares + epsilon**2) - epsilon)


POSITIVE: dict[str, Callable[[Array], Array]] = {"square": lambda z: z**2, "softplus": lambda z: np.logaddexp(0, z)}

# ---- Objectives ----


def least_squares_tv(
    data: Array, psf: Array, mu: float, epsilon: float, weight: Array, dtype: DTypeLike, boundary: str = "constant"
) -> Program:
    data, psf, weight = (array.astype(dtype) for array in (data, psf, weight))

    def cost(x: Array) -> Array:
        residual = blur(x, psf, boundary) - data
        return np.sum(weight * residual**2) / 2 + mu * total_variation(x, epsilon)

    return program(cost)


def poisson_tv(
    data: Array,
    psf: Array,
    mu: float,
    epsilon: float,
    weight: Array,
    background: Array,
    dtype: DTypeLike,
    positivity: str = "square",
) -> Program:
    data, psf, weight, background = (array.astype(dtype) for array in (data, psf, weight, background))
    log_data = np.log(np.where(data > 0, data, 1))

    def cost(z: Array) -> Array:
        x = POSITIVE[positivity](z)
        expected = blur(x, psf) + background
        divergence = expected - data + data * (log_data - np.log(expected))
        return np.sum(weight * divergence) + mu * total_variation(x, epsilon)

    return program(cost)


def blind(data: Array, psf_shape: tuple[int, ...], mu: float, epsilon: float, dtype: DTypeLike) -> Program:
    """Of one vector: the image is the square of its first part, the PSF the softmax of the rest."""
    data = data.astype(dtype)

    def cost(z: Array) -> Array:
        image = z[: data.size].reshape(data.shape) ** 2
        logits = z[data.size :].reshape(psf_shape)
        psf = np.exp(logits - logsumexp(logits))
        return np.sum((blur(image, psf) - data) ** 2) / 2 + mu * total_variation(image, epsilon)

    return program(cost)


# ---- Derivatives ----


def program(cost: Callable[[Array], Array]) -> Program:
    return Program(cost, grad(cost), hessian_vector_product(cost), f"autograd {version('autograd')}")
