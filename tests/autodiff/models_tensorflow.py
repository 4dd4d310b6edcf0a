"""The field's other models in TensorFlow: tf.nn.convolution, GradientTape, and for the HVP a tape around a tape.

Its convolution is a correlation of batches with channels, so the PSF is flipped and two axes come and go. tf.pad
mirrors about the edge ('SYMMETRIC'), but only once: not where the PSF reaches further than the image is long.
"""

from collections.abc import Callable

import numpy as np
import tensorflow as tf
from numpy.typing import DTypeLike

from . import Array, Program

# Without one, tf.nn.convolution has a gradient but no second derivative.
DATA_FORMATS = {2: "NHWC", 3: "NDHWC"}

# ---- Forward models ----


def blur(image: tf.Tensor, psf: tf.Tensor, boundary: str = "constant") -> tf.Tensor:
    """The PSF's sample (k - 1) // 2 multiplies the pixel itself."""
    if boundary != "valid":
        reach = [(size // 2, (size - 1) // 2) for size in psf.shape]
        image = tf.pad(image, reach, mode={"constant": "CONSTANT", "reflect": "SYMMETRIC"}[boundary])
    flipped = tf.reverse(psf, axis=range(len(psf.shape)))[..., None, None]
    data_format = DATA_FORMATS[len(psf.shape)]
    return tf.nn.convolution(image[None, ..., None], flipped, padding="VALID", data_format=data_format)[0, ..., 0]


def squared_differences(x: tf.Tensor, axis: int) -> tf.Tensor:
    """Forward differences along an axis, squared; nothing follows the last pixel."""
    n, axes = x.shape[axis], range(len(x.shape))
    steps = tf.gather(x, range(1, n), axis=axis) - tf.gather(x, range(n - 1), axis=axis)
    return tf.pad(steps**2, [(0, int(other == axis)) for other in axes])


def total_variation(x: tf.Tensor, epsilon: float) -> tf.Tensor:
    squares = tf.add_n([squared_differences(x, axis) for axis in range(len(x.shape))])
    return tf.reduce_sum(tf.sqrt(squares + epsilon**2) - epsilon)


POSITIVE: dict[str, Callable[[tf.Tensor], tf.Tensor]] = {"square": tf.square, "softplus": tf.math.softplus}

# ---- Objectives ----


def least_squares_tv(
    data: Array, psf: Array, mu: float, epsilon: float, weight: Array, dtype: DTypeLike, boundary: str = "constant"
) -> Program:
    data, psf, weight = (tensor(array, dtype) for array in (data, psf, weight))

    def cost(x: tf.Tensor) -> tf.Tensor:
        residual = blur(x, psf, boundary) - data
        return tf.reduce_sum(weight * residual**2) / 2 + mu * total_variation(x, epsilon)

    return program(cost, dtype)


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
    data, psf, weight, background = (tensor(array, dtype) for array in (data, psf, weight, background))
    log_data = tf.math.log(tf.where(data > 0, data, 1))

    def cost(z: tf.Tensor) -> tf.Tensor:
        x = POSITIVE[positivity](z)
        expected = blur(x, psf) + background
        divergence = expected - data + data * (log_data - tf.math.log(expected))
        return tf.reduce_sum(weight * divergence) + mu * total_variation(x, epsilon)

    return program(cost, dtype)


def blind(data: Array, psf_shape: tuple[int, ...], mu: float, epsilon: float, dtype: DTypeLike) -> Program:
    """Of one vector: the image is the square of its first part, the PSF the softmax of the rest."""
    data = tensor(data, dtype)
    pixels = data.shape.num_elements()

    def cost(z: tf.Tensor) -> tf.Tensor:
        image = tf.reshape(z[:pixels], data.shape) ** 2
        psf = tf.reshape(tf.nn.softmax(z[pixels:]), psf_shape)
        return tf.reduce_sum((blur(image, psf) - data) ** 2) / 2 + mu * total_variation(image, epsilon)

    return program(cost, dtype)


# ---- Derivatives ----


def tensor(array: Array, dtype: DTypeLike) -> tf.Tensor:
    return tf.constant(array, np.dtype(dtype))


def program(cost: Callable[[tf.Tensor], tf.Tensor], dtype: DTypeLike) -> Program:
    def gradient(x: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            tape.watch(x)
            value = cost(x)
        return tape.gradient(value, x)

    def hvp(x: tf.Tensor, v: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            tape.watch(x)
            slope = tf.reduce_sum(gradient(x) * v)
        return tape.gradient(slope, x)

    return Program(
        value=lambda x: cost(tensor(x, dtype)).numpy(),
        gradient=lambda x: gradient(tensor(x, dtype)).numpy(),
        hvp=lambda x, v: hvp(tensor(x, dtype), tensor(v, dtype)).numpy(),
        version=f"tensorflow {tf.__version__}",
    )
