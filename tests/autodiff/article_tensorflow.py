"""The article's objective in TensorFlow: conv2d, GradientTape, and for the HVP a tape around a tape."""

import numpy as np
import tensorflow as tf
from numpy.typing import DTypeLike

from . import Array, Program


def blur(image: tf.Tensor, psf: tf.Tensor) -> tf.Tensor:
    # conv2d is a correlation: it takes the PSF flipped, and the origin (k - 1) // 2 then lies k // 2 samples from the
    # front, so that for even sizes the padding differs between the two sides.
    padded = tf.pad(image, [(size // 2, (size - 1) // 2) for size in psf.shape])
    kernel = tf.reverse(psf, axis=[0, 1])[:, :, None, None]
    return tf.nn.conv2d(padded[None, :, :, None], kernel, strides=1, padding="VALID")[0, :, :, 0]


def half_sum_of_squares(t: tf.Tensor) -> tf.Tensor:
    return tf.reduce_sum(t**2) / 2


def cost(x: tf.Tensor, blurred: tf.Tensor, psf: tf.Tensor, mu: float) -> tf.Tensor:
    vertical, horizontal = x[1:, :] - x[:-1, :], x[:, 1:] - x[:, :-1]
    misfit = tf.sqrt(half_sum_of_squares(blur(x, psf) - blurred))
    roughness = tf.sqrt(half_sum_of_squares(vertical) + half_sum_of_squares(horizontal))
    return misfit + mu * roughness


def objective(blurred: Array, psf: Array, mu: float, dtype: DTypeLike = np.float64) -> Program:
    def tensor(array: Array) -> tf.Tensor:
        return tf.constant(array, np.dtype(dtype))

    data, kernel = tensor(blurred), tensor(psf)

    def value_of(x: tf.Tensor) -> tf.Tensor:
        return cost(x, data, kernel, mu)

    def gradient_of(x: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            tape.watch(x)
            value = value_of(x)
        return tape.gradient(value, x)

    def hvp_of(x: tf.Tensor, v: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            tape.watch(x)
            slope = tf.reduce_sum(gradient_of(x) * v)
        return tape.gradient(slope, x)

    return Program(
        value=lambda x: value_of(tensor(x)).numpy(),
        gradient=lambda x: gradient_of(tensor(x)).numpy(),
        hvp=lambda x, v: hvp_of(tensor(x), tensor(v)).numpy(),
        version=f"tensorflow {tf.__version__}",
    )
