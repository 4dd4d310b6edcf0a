"""The first part of the article: TensorFlow's gradient and its Adam, at the article's learning rate of 0.5."""

from collections.abc import Iterator

import tensorflow as tf

from . import Array
from .solves import article_program

cost = article_program("tensorflow").cost
LEARNING_RATE = 0.5


def adam(blurred: Array, psf: Array, mu: float, x0: Array, epsilon: float, steps: int) -> Iterator[tuple[float, Array]]:
    """The objective before each step, and the image, which the next step overwrites."""
    data, kernel = tf.constant(blurred), tf.constant(psf)
    image = tf.Variable(x0)
    optimizer = tf.keras.optimizers.Adam(LEARNING_RATE, epsilon=epsilon)
    optimizer.build([image])

    @tf.function
    def value_and_gradient() -> tuple[tf.Tensor, tf.Tensor]:
        with tf.GradientTape() as tape:
            value = cost(image, data, kernel, mu)
        return value, tape.gradient(value, image)

    value_and_gradient()  # traces it
    for _ in range(steps):
        value, gradient = value_and_gradient()
        yield float(value), image.numpy()
        optimizer.apply([gradient], [image])
    yield float(cost(image, data, kernel, mu)), image.numpy().copy()
