"""JAX: compiled value_and_grad, and for products the compiled linearisation of the gradient, kept for the point."""

import jax
import jax.numpy as jnp
import numpy as np

from tests.benchmarks.tasks import BACKGROUND, EPSILON, MU, Task

from . import Made

jax.config.update("jax_enable_x64", True)


def version() -> str:
    return f"jax {jax.__version__}"


def make(task: Task) -> Made:
    data, x, v = (jnp.asarray(array) for array in task.arrays())
    spectrum = jnp.fft.rfftn(jnp.asarray(task.placed_psf()))
    grid, inside = task.grid, tuple(map(slice, task.shape))
    mu, epsilon, background = task.real(MU), task.real(EPSILON), task.real(BACKGROUND)

    def blur(x):
        return jnp.fft.irfftn(jnp.fft.rfftn(x, grid) * spectrum, grid)[inside]

    def differences(x):
        return [jnp.diff(x, axis=axis) for axis in range(x.ndim)]

    def padded(difference, axis):
        return jnp.pad(difference, [(0, int(each == axis)) for each in range(difference.ndim)])

    def article(x):
        misfit = jnp.sqrt(jnp.sum((blur(x) - data) ** 2) / 2)
        return misfit + mu * jnp.sqrt(sum(jnp.sum(d**2) for d in differences(x)) / 2)

    def poisson_tv(x):
        u = blur(x) + background
        squares = sum(padded(d, axis) ** 2 for axis, d in enumerate(differences(x)))
        return jnp.sum(u - data * jnp.log(u)) + mu * jnp.sum(jnp.sqrt(squares + epsilon**2) - epsilon)

    f = article if task.objective == "article" else poisson_tv
    value_and_gradient = jax.jit(jax.value_and_grad(f))
    linearised = jax.jit(lambda x: jax.linearize(jax.grad(f), x)[1])
    apply = jax.jit(lambda linear, v: linear(v))
    product_at = linearised(x)

    def evaluate(point):
        value, gradient = value_and_gradient(point)
        return float(value), np.asarray(gradient)

    def products(point):
        product_there = linearised(point)
        return lambda direction: np.asarray(apply(product_there, direction))

    return Made(
        lambda: jax.block_until_ready(value_and_gradient(x)),
        lambda: jax.block_until_ready(apply(product_at, v)),
        evaluate,
        products,
    )
