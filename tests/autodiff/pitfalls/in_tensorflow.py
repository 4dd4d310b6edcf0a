"""The examples in TensorFlow, each written as a user would."""

import numpy
import tensorflow as tf

from tests.autodiff import Array

VERSION = f"tensorflow {tf.__version__}"


def evaluate(function, quantity, x, v, parameters) -> Array | None:
    held = [tf.constant(each) if isinstance(each, numpy.ndarray) else each for each in parameters]
    x = tf.constant(x)
    with tf.GradientTape() as outer:
        outer.watch(x)
        with tf.GradientTape() as inner:
            inner.watch(x)
            value = function(x, *held)
        gradient = inner.gradient(value, x)
        slope = tf.reduce_sum(gradient * v)
    found = {"value": lambda: value, "gradient": lambda: gradient, "hvp": lambda: outer.gradient(slope, x)}[quantity]()
    return None if found is None else found.numpy()


def differences(x):
    return (x[1:, :] - x[:-1, :])[:, :-1], (x[:, 1:] - x[:, :-1])[:-1, :]


def total_variation(x, epsilon):
    down, right = differences(x)
    return tf.reduce_sum(tf.sqrt(down**2 + right**2 + epsilon**2) - epsilon)


FUNCTIONS = {
    "root of a sum": lambda x: tf.sqrt(tf.reduce_sum(x**2)),
    "norm": lambda x: tf.norm(x),
    "total variation": total_variation,
    "absolute value": lambda x, epsilon: tf.reduce_sum(tf.sqrt(x**2 + epsilon**2) - epsilon),
    "Poisson, d log(d / u)": lambda x, d: tf.reduce_sum(x - d + d * tf.math.log(d / x)),
    "Poisson, d log u": lambda x, d: tf.reduce_sum(x - d * tf.math.log(x)),
    "Poisson, xlogy": lambda x, d: tf.reduce_sum(x - d + tf.math.xlogy(d, d / x)),
    # Keras takes the mean over the last axis, which here has one entry.
    "Poisson of the library": lambda x, d: tf.keras.losses.Poisson(reduction="sum")(d[:, None], x[:, None]),
    "Poisson, where": lambda x, d, mask: tf.reduce_sum(tf.where(mask, x - d * tf.math.log(x), 0)),
    "softplus": lambda x: tf.reduce_sum(tf.math.log(1 + tf.exp(x))),
    "softplus of the library": lambda x: tf.reduce_sum(tf.nn.softplus(x)),
    "log cosh": lambda x: tf.reduce_sum(tf.math.log(tf.cosh(x))),
    "eigenvalues": lambda x, epsilon: tf.reduce_sum(tf.sqrt(tf.linalg.eigvalsh(x) ** 2 + epsilon**2) - epsilon),
    "linear": lambda x, w: tf.reduce_sum(w * x),
}
