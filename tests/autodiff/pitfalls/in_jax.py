"""The examples in JAX, each written as a user would."""

import jax
import jax.numpy as jnp
import numpy
from jax.scipy.special import kl_div, xlogy

from tests.autodiff import Array

jax.config.update("jax_enable_x64", True)
VERSION = f"jax {jax.__version__}"


def evaluate(function, quantity, x, v, parameters) -> Array:
    def of(x):
        return function(x, *parameters)

    if quantity == "value":
        return numpy.asarray(of(jnp.asarray(x)))
    if quantity == "gradient":
        return numpy.asarray(jax.grad(of)(x))
    return numpy.asarray(jax.jvp(jax.grad(of), (x,), (v,))[1])


def differences(x):
    return jnp.diff(x, axis=0)[:, :-1], jnp.diff(x, axis=1)[:-1, :]


def total_variation(x, epsilon):
    down, right = differences(x)
    return jnp.sum(jnp.sqrt(down**2 + right**2 + epsilon**2) - epsilon)


FUNCTIONS = {
    "root of a sum": lambda x: jnp.sqrt(jnp.sum(x**2)),
    "norm": lambda x: jnp.linalg.norm(x),
    "total variation": total_variation,
    "absolute value": lambda x, epsilon: jnp.sum(jnp.sqrt(x**2 + epsilon**2) - epsilon),
    "Poisson, d log(d / u)": lambda x, d: jnp.sum(x - d + d * jnp.log(d / x)),
    "Poisson, d log u": lambda x, d: jnp.sum(x - d * jnp.log(x)),
    "Poisson, xlogy": lambda x, d: jnp.sum(x - d + xlogy(d, d / x)),
    "Poisson of the library": lambda x, d: jnp.sum(kl_div(d, x)),
    "Poisson, where": lambda x, d, mask: jnp.sum(jnp.where(mask, x - d * jnp.log(x), 0)),
    "softplus": lambda x: jnp.sum(jnp.log(1 + jnp.exp(x))),
    "softplus of the library": lambda x: jnp.sum(jax.nn.softplus(x)),
    "log cosh": lambda x: jnp.sum(jnp.log(jnp.cosh(x))),
    "eigenvalues": lambda x, epsilon: jnp.sum(jnp.sqrt(jnp.linalg.eigvalsh(x) ** 2 + epsilon**2) - epsilon),
    "linear": lambda x, w: jnp.sum(w * x),
}
