"""TensorFlow: graph functions, compiled by XLA; products by a tape around a tape."""

import os
from collections.abc import Callable
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import tensorflow as tf

from tests.benchmarks.tasks import BACKGROUND, EPSILON, MU, Task

from . import Made


def version() -> str:
    return f"tensorflow {tf.__version__}"


def transforms(task: Task) -> tuple[Callable[[Any], Any], Callable[[Any], Any]]:
    """Real ones, but in 3-D, where the inverse real transform has no derivative."""
    if len(task.shape) == 2:
        return tf.signal.rfft2d, lambda spectrum: tf.signal.irfft2d(spectrum, task.grid)
    dtype = tf.complex64 if task.dtype == "float32" else tf.complex128
    return lambda x: tf.signal.fft3d(tf.cast(x, dtype)), lambda spectrum: tf.math.real(tf.signal.ifft3d(spectrum))


def make(task: Task) -> Made:
    data, x, v = (tf.constant(array) for array in task.arrays())
    there, back = transforms(task)
    spectrum = there(tf.constant(task.placed_psf()))
    margins = [(0, grid - size) for grid, size in zip(task.grid, task.shape, strict=True)]
    inside = tuple(map(slice, task.shape))

    def blur(x):
        return back(there(tf.pad(x, margins)) * spectrum)[inside]

    def differences(x):
        axes = range(len(task.shape))
        near = [tuple(slice(-1 if each == axis else None) for each in axes) for axis in axes]
        far = [tuple(slice(1 if each == axis else None, None) for each in axes) for axis in axes]
        return [x[after] - x[before] for before, after in zip(near, far, strict=True)]

    def padded(difference, axis):
        return tf.pad(difference, [(0, int(each == axis)) for each in range(len(task.shape))])

    def article(x):
        misfit = tf.sqrt(tf.nn.l2_loss(blur(x) - data))
        return misfit + MU * tf.sqrt(tf.add_n([tf.nn.l2_loss(d) for d in differences(x)]))

    def poisson_tv(x):
        u = blur(x) + BACKGROUND
        squares = tf.add_n([padded(d, axis) ** 2 for axis, d in enumerate(differences(x))])
        return tf.reduce_sum(u - data * tf.math.log(u)) + MU * tf.reduce_sum(tf.sqrt(squares + EPSILON**2) - EPSILON)

    f = article if task.objective == "article" else poisson_tv

    @tf.function(jit_compile=True)
    def value_and_gradient(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            value = f(x)
        return value, tape.gradient(value, x)

    @tf.function(jit_compile=True)
    def product(x, v):
        with tf.GradientTape() as outer:
            outer.watch(x)
            with tf.GradientTape() as inner:
                inner.watch(x)
                value = f(x)
            gradient = inner.gradient(value, x)
        return outer.gradient(gradient, x, output_gradients=v)

    def evaluate(point):
        value, gradient = value_and_gradient(tf.constant(point))
        return float(value), gradient.numpy()

    def products(point):
        there = tf.constant(point)
        return lambda direction: product(there, tf.constant(direction)).numpy()

    return Made(
        lambda: [part.numpy() for part in value_and_gradient(x)], lambda: product(x, v).numpy(), evaluate, products
    )
