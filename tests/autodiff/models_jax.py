"""The field's other models in JAX: jax.scipy's convolve, value_and_grad, and for the HVP the jvp of the gradient.

Everything is a line of jax.numpy, in any number of dimensions; jnp.pad mirrors as numpy's does. Functions are compiled
once for each shape and dtype: data, PSF and weights are arguments, the boundary and the map are not.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.signal import convolve
from numpy.typing import DTypeLike

from . import Array, Program

jax.config.update("jax_enable_x64", True)

# ---- Forward models ----


def blur(image: jax.Array, psf: jax.Array, boundary: str = "constant") -> jax.Array:
    """The PSF's sample (k - 1) // 2 multiplies the pixel itself."""
    if boundary != "valid":
        reach = [(size // 2, (size - 1) // 2) for size in psf.shape]
        image = jnp.pad(image, reach, mode={"constant": "constant", "reflect": "symmetric"}[boundary])
    return convolve(image, psf, mode="valid")


def differences(x: jax.Array, axis: int) -> jax.Array:
    """Forward differences along an axis; the last is zero."""
    return jnp.diff(x, axis=axis, append=jnp.take(x, jnp.array([-1]), axis=axis))


def total_variation(x: jax.Array, epsilon: float) -> jax.Array:
    squares = sum(differences(x, axis) ** 2 for axis in range(x.ndim))
    return jnp.sum(jnp.sqrt(squares + epsilon**2) - epsilon)


POSITIVE: dict[str, Callable[[jax.Array], jax.Array]] = {"square": jnp.square, "softplus": jax.nn.softplus}

# ---- Objectives ----


def least_squares_tv_cost(
    boundary: str, x: jax.Array, data: jax.Array, psf: jax.Array, weight: jax.Array, mu: float, epsilon: float
) -> jax.Array:
    residual = blur(x, psf, boundary) - data
    return jnp.sum(weight * residual**2) / 2 + mu * total_variation(x, epsilon)


def poisson_tv_cost(
    positivity: str,
    z: jax.Array,
    data: jax.Array,
    psf: jax.Array,
    weight: jax.Array,
    background: jax.Array,
    mu: float,
    epsilon: float,
) -> jax.Array:
    x = POSITIVE[positivity](z)
    expected = blur(x, psf) + background
    log_data = jnp.log(jnp.where(data > 0, data, 1))
    divergence = expected - data + data * (log_data - jnp.log(expected))
    return jnp.sum(weight * divergence) + mu * total_variation(x, epsilon)


def blind_cost(psf_shape: tuple[int, ...], z: jax.Array, data: jax.Array, mu: float, epsilon: float) -> jax.Array:
    """Of one vector: the image is the square of its first part, the PSF the softmax of the rest."""
    image = z[: data.size].reshape(data.shape) ** 2
    psf = jax.nn.softmax(z[data.size :]).reshape(psf_shape)
    return jnp.sum((blur(image, psf) - data) ** 2) / 2 + mu * total_variation(image, epsilon)


def least_squares_tv(
    data: Array, psf: Array, mu: float, epsilon: float, weight: Array, dtype: DTypeLike, boundary: str = "constant"
) -> Program:
    arrays = (jnp.asarray(array, dtype) for array in (data, psf, weight))
    return program(least_squares_tv_cost, boundary, *arrays, mu, epsilon)


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
    arrays = (jnp.asarray(array, dtype) for array in (data, psf, weight, background))
    return program(poisson_tv_cost, positivity, *arrays, mu, epsilon)


def blind(data: Array, psf_shape: tuple[int, ...], mu: float, epsilon: float, dtype: DTypeLike) -> Program:
    return program(blind_cost, tuple(psf_shape), jnp.asarray(data, dtype), mu, epsilon)


# ---- Derivatives ----


@partial(jax.jit, static_argnums=(0, 1))
def value_and_gradient(
    cost: Callable[..., jax.Array], option: Any, x: jax.Array, *parameters: Any
) -> tuple[jax.Array, jax.Array]:
    return jax.value_and_grad(lambda x: cost(option, x, *parameters))(x)


@partial(jax.jit, static_argnums=(0, 1))
def hessian_vector_product(
    cost: Callable[..., jax.Array], option: Any, x: jax.Array, v: jax.Array, *parameters: Any
) -> jax.Array:
    return jax.jvp(jax.grad(lambda x: cost(option, x, *parameters)), (x,), (v,))[1]


def program(cost: Callable[..., jax.Array], option: Any, *parameters: Any) -> Program:
    return Program(
        value=lambda x: np.asarray(value_and_gradient(cost, option, x, *parameters)[0])[()],
        gradient=lambda x: np.asarray(value_and_gradient(cost, option, x, *parameters)[1]),
        hvp=lambda x, v: np.asarray(hessian_vector_product(cost, option, x, v, *parameters)),
        version=f"jax {jax.__version__}",
    )
