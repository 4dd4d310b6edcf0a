"""The article's objective in JAX: jax.scipy's convolve, value_and_grad, and for the HVP the jvp of the gradient."""

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.signal import convolve
from numpy.typing import DTypeLike

from . import Array, Program

jax.config.update("jax_enable_x64", True)


def blur(image: jax.Array, psf: jax.Array) -> jax.Array:
    # The crop of the full convolution; 'full' itself refuses a PSF that is larger than the image along one axis and
    # smaller along the other.
    padded = jnp.pad(image, [(size // 2, (size - 1) // 2) for size in psf.shape])
    return convolve(padded, psf, mode="valid")


def half_sum_of_squares(t: jax.Array) -> jax.Array:
    return jnp.sum(t**2) / 2


def cost(x: jax.Array, blurred: jax.Array, psf: jax.Array, mu: float) -> jax.Array:
    misfit = jnp.sqrt(half_sum_of_squares(blur(x, psf) - blurred))
    roughness = jnp.sqrt(half_sum_of_squares(jnp.diff(x, axis=0)) + half_sum_of_squares(jnp.diff(x, axis=1)))
    return misfit + mu * roughness


@jax.jit
def value_and_gradient(x: jax.Array, *parameters: jax.Array) -> tuple[jax.Array, jax.Array]:
    return jax.value_and_grad(cost)(x, *parameters)


@jax.jit
def hessian_vector_product(x: jax.Array, v: jax.Array, *parameters: jax.Array) -> jax.Array:
    return jax.jvp(lambda x: jax.grad(cost)(x, *parameters), (x,), (v,))[1]


def objective(blurred: Array, psf: Array, mu: float, dtype: DTypeLike = np.float64) -> Program:
    # Compiled once for each shape and dtype; data, PSF and mu are arguments.
    parameters = jnp.asarray(blurred, dtype), jnp.asarray(psf, dtype), mu
    return Program(
        value=lambda x: np.asarray(value_and_gradient(x, *parameters)[0])[()],
        gradient=lambda x: np.asarray(value_and_gradient(x, *parameters)[1]),
        hvp=lambda x, v: np.asarray(hessian_vector_product(x, v, *parameters)),
        version=f"jax {jax.__version__}",
    )
