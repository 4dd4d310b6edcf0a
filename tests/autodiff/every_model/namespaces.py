"""What the definitions are written in: the same few functions in each framework, and its own ways to differentiate.

A definition is a function of a namespace `xp` and an array of that framework. Each namespace has

    constant(array, like)           parameters, in the precision of an array of the framework
    sqrt, exp, log, log1p, abs, where, sum(x, axis), reshape, concatenate
    take(x, index)                  the entries of a flat array at an array of indices
    eigvalsh(matrices)              eigenvalues of symmetric matrices, along the last axis

and, of functions f(x) to numbers and m(x) to arrays, taking and returning numpy arrays,

    forward(m, x), gradient(f, x), hvp(f, x, v), jvp(m, x, v), vjp(m, x, w)
"""

import warnings
from collections.abc import Callable
from importlib.metadata import version
from typing import Any

import numpy as np

from tests.autodiff import Array
from tests.autodiff.installed import load, need

Function = Callable[[Any], Any]


class Autograd:
    """numpy, traced; forward mode for the JVP."""

    package = "autograd"
    geometries = None

    def __init__(self) -> None:
        need("autograd")
        self.autograd = load("autograd", "autograd")
        self.np = xp = load("autograd.numpy", "autograd")
        self.version = version("autograd")
        self.sqrt, self.exp, self.log, self.log1p, self.abs = (
            xp.sqrt, xp.exp, xp.log, xp.log1p, xp.abs,
        )  # fmt: skip
        self.where, self.sum, self.reshape, self.concatenate = xp.where, xp.sum, xp.reshape, xp.concatenate

    def constant(self, array: Any, like: Any) -> Array:
        return np.array(array, like.dtype)

    def take(self, x: Any, index: Array) -> Any:
        return x[index]

    def eigvalsh(self, matrices: Any) -> Any:
        return self.np.linalg.eigh(matrices)[0]  # eigvalsh has no derivative

    def forward(self, m: Function, x: Array) -> Array:
        return np.asarray(m(x))

    def gradient(self, f: Function, x: Array) -> Array:
        with _independent():
            return np.asarray(self.autograd.grad(f)(x), x.dtype)  # that of `where` is in float64

    def hvp(self, f: Function, x: Array, v: Array) -> Array:
        with _independent():
            return np.asarray(self.autograd.hessian_vector_product(f)(x, v), x.dtype)

    def jvp(self, m: Function, x: Array, v: Array) -> Array:
        return np.asarray(self.autograd.differential_operators.make_jvp(m)(x)(v)[1])

    def vjp(self, m: Function, x: Array, w: Array) -> Array:
        with _independent():
            return np.asarray(self.autograd.make_vjp(m)(x)[0](w))


def _independent() -> Any:
    """No warning where a derivative is zero because the function, or its gradient, does not depend on the point."""
    return warnings.catch_warnings(action="ignore", category=UserWarning)


class Jax:
    """jax.numpy, not compiled as a whole; the HVP is the JVP of the gradient."""

    package = "jax"
    geometries = 1  # it compiles each operation for each shape, which takes longer than all the rest

    def __init__(self) -> None:
        self.jax = jax = load("jax", "jax")
        jax.config.update("jax_enable_x64", True)
        self.np = xp = load("jax.numpy", "jax")
        self.version = jax.__version__
        self.sqrt, self.exp, self.log, self.log1p, self.abs = (
            xp.sqrt, xp.exp, xp.log, xp.log1p, xp.abs,
        )  # fmt: skip
        self.where, self.sum, self.reshape, self.concatenate = xp.where, xp.sum, xp.reshape, xp.concatenate
        self.eigvalsh = xp.linalg.eigvalsh

    def constant(self, array: Any, like: Any) -> Any:
        return self.np.asarray(np.asarray(array, like.dtype))

    def take(self, x: Any, index: Array) -> Any:
        return x[index]

    def forward(self, m: Function, x: Array) -> Array:
        return np.asarray(m(self.np.asarray(x)))

    def gradient(self, f: Function, x: Array) -> Array:
        return np.asarray(self.jax.grad(f)(self.np.asarray(x)))

    def hvp(self, f: Function, x: Array, v: Array) -> Array:
        return self.jvp(self.jax.grad(f), x, v)

    def jvp(self, m: Function, x: Array, v: Array) -> Array:
        return np.asarray(self.jax.jvp(m, (self.np.asarray(x),), (self.np.asarray(v),))[1])

    def vjp(self, m: Function, x: Array, w: Array) -> Array:
        return np.asarray(self.jax.vjp(m, self.np.asarray(x))[1](self.np.asarray(w))[0])


class TensorFlow:
    """Eager tensors; GradientTape, a tape around a tape for the HVP, ForwardAccumulator for the JVP."""

    package = "tensorflow"
    geometries = None

    def __init__(self) -> None:
        self.tf = tf = load("tensorflow", "tensorflow")
        self.version = tf.__version__
        self.sqrt, self.exp, self.log, self.log1p, self.abs = (
            tf.sqrt, tf.exp, tf.math.log, tf.math.log1p, tf.abs,
        )  # fmt: skip
        self.where, self.sum, self.reshape = tf.where, tf.reduce_sum, tf.reshape
        self.eigvalsh = tf.linalg.eigvalsh

    def constant(self, array: Any, like: Any) -> Any:
        return self.tf.constant(np.asarray(array, like.dtype.as_numpy_dtype))

    def concatenate(self, arrays: list[Any], axis: int = 0) -> Any:
        return self.tf.concat(arrays, axis)

    def take(self, x: Any, index: Array) -> Any:
        return self.tf.gather(x, index)

    def forward(self, m: Function, x: Array) -> Array:
        return np.asarray(m(self.tf.constant(x)))

    def gradient(self, f: Function, x: Array) -> Array:
        return np.asarray(self._gradient(f, self.tf.constant(x)))

    def hvp(self, f: Function, x: Array, v: Array) -> Array:
        return self.gradient(lambda x: self.tf.reduce_sum(self._gradient(f, x) * v), x)

    def jvp(self, m: Function, x: Array, v: Array) -> Array:
        x, v = self.tf.constant(x), self.tf.constant(v)
        with self.tf.autodiff.ForwardAccumulator(x, v) as accumulator:
            y = m(x)
        return np.asarray(accumulator.jvp(y, unconnected_gradients="zero"))

    def vjp(self, m: Function, x: Array, w: Array) -> Array:
        return np.asarray(self._gradient(m, self.tf.constant(x), self.tf.constant(w)))

    def _gradient(self, f: Function, x: Any, w: Any = None) -> Any:
        with self.tf.GradientTape() as tape:
            tape.watch(x)
            y = f(x)
        return self.tf.convert_to_tensor(tape.gradient(y, x, w, unconnected_gradients="zero"))


class Torch:
    """Tensors; torch.autograd.grad, torch.autograd.functional.hvp, torch.func.jvp."""

    package = "torch"
    geometries = None

    def __init__(self) -> None:
        self.torch = torch = load("torch", "torch")
        load("torch._decomp.decompositions_for_jvp", "torch")  # which the first JVP does, with a warning of its own
        self.version = torch.__version__.partition("+")[0]
        self.sqrt, self.exp, self.log, self.log1p, self.abs = (
            torch.sqrt, torch.exp, torch.log, torch.log1p, torch.abs,
        )  # fmt: skip
        self.where, self.sum, self.reshape, self.concatenate = torch.where, torch.sum, torch.reshape, torch.cat
        self.eigvalsh = torch.linalg.eigvalsh

    def constant(self, array: Any, like: Any) -> Any:
        return self.torch.tensor(np.asarray(array, float), dtype=like.dtype)

    def take(self, x: Any, index: Array) -> Any:
        return x[self.torch.tensor(index)]

    def forward(self, m: Function, x: Array) -> Array:
        return np.asarray(m(self.torch.tensor(x)))

    def gradient(self, f: Function, x: Array) -> Array:
        return self.vjp(f, x, np.ones((), x.dtype))

    def hvp(self, f: Function, x: Array, v: Array) -> Array:
        product = self.torch.autograd.functional.hvp(f, self.torch.tensor(x), self.torch.tensor(v))[1]
        return np.asarray(product)

    def jvp(self, m: Function, x: Array, v: Array) -> Array:
        return np.asarray(self.torch.func.jvp(m, (self.torch.tensor(x),), (self.torch.tensor(v),))[1])

    def vjp(self, m: Function, x: Array, w: Array) -> Array:
        unknown = self.torch.tensor(x, requires_grad=True)
        return np.asarray(self.torch.autograd.grad(m(unknown), unknown, self.torch.tensor(w))[0])


Namespace = Autograd | Jax | TensorFlow | Torch
NAMESPACES: dict[str, type[Namespace]] = {
    "autograd": Autograd,
    "tensorflow": TensorFlow,
    "torch": Torch,
    "jax": Jax,
}
