"""What a framework's own functions do not do, each as a few lines that show it."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np


class Limit(NamedTuple):
    framework: str
    models: str
    what: str
    instead: str
    is_there: Callable[[], bool]


def raises(expected: type[BaseException], message: str, function: Callable[..., Any], *arguments: Any) -> bool:
    try:
        function(*arguments)
    except expected as error:
        return message in str(error)
    return False


def _autograd_pad() -> bool:
    import autograd.numpy as anp
    from autograd import grad

    return raises(
        AssertionError, "Only constant mode", grad(lambda x: anp.sum(anp.pad(x, 1, mode="symmetric"))), np.ones((3, 4))
    )


def _autograd_convolve() -> bool:
    from autograd.scipy.signal import convolve

    return raises(RecursionError, "", convolve, np.ones((2, 6)), np.ones((4, 3)))


def _autograd_diff() -> bool:
    import autograd.numpy as anp
    from autograd import grad

    def cost(x: Any) -> Any:
        return anp.sum(x**2) + anp.sum(anp.diff(x, axis=1) ** 2)

    return grad(cost)(np.ones((3, 1), np.float32)).dtype == np.float64


def _tensorflow_convolution() -> bool:
    import tensorflow as tf

    image, kernel = tf.ones((1, 5, 4, 1), tf.float64), tf.ones((3, 2, 1, 1), tf.float64)

    def gradient(x: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(x)
            value = tf.reduce_sum(tf.nn.convolution(x, kernel, padding="VALID") ** 2)
        return tape.gradient(value, x)

    def hvp(x: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(x)
            slope = tf.reduce_sum(gradient(x))
        return tape.gradient(slope, x)

    return bool(tf.reduce_all(gradient(image) > 0)) and raises(AttributeError, "decode", hvp, image)


def _tensorflow_pad() -> bool:
    import tensorflow as tf

    def pad(size: int) -> Any:
        return tf.pad(tf.ones((2, 3)), [(size, 0), (0, 0)], mode="SYMMETRIC")

    return pad(2).shape == (4, 3) and raises(tf.errors.InvalidArgumentError, "paddings", pad, 3)


def _torch_pad() -> bool:
    import torch

    return raises(
        NotImplementedError, "symmetric", lambda: torch.nn.functional.pad(torch.ones(1, 3, 4), (1, 1), mode="symmetric")
    )


def _torch_softplus() -> bool:
    import torch

    z = torch.tensor([20.5], dtype=torch.float64)
    found = torch.nn.functional.softplus(z).numpy()[0]
    product = torch.autograd.functional.hvp(lambda z: torch.nn.functional.softplus(z).sum(), z, torch.ones_like(z))[1]
    return found == 20.5 and abs(found / np.logaddexp(0, 20.5) - 1) > 5e-11 and not product.any()


def _jax_convolve() -> bool:
    import jax.numpy as jnp
    from jax.scipy.signal import convolve

    return raises(ValueError, "", lambda: convolve(jnp.ones((4, 7)), jnp.ones((9, 2)), mode="full"))


LIMITS = [
    Limit(
        "autograd",
        "reflect",
        "`np.pad` has a derivative for `mode='constant'` only",
        "an index, `image[np.ix_(...)]`",
        _autograd_pad,
    ),
    Limit(
        "autograd",
        "all",
        "`convolve` recurses for ever on two arrays of the same number of elements of which each is the longer along "
        "one axis, such as 2 x 6 and 4 x 3; the gradient convolves the residual with the PSF",
        "such pairs are not drawn",
        _autograd_convolve,
    ),
    Limit(
        "autograd",
        "all in float32",
        "the gradient of `np.diff` is in float64, where an axis has one pixel",
        "slices",
        _autograd_diff,
    ),
    Limit(
        "tensorflow",
        "all",
        "`tf.nn.convolution` without `data_format` has a gradient, but its second derivative raises AttributeError",
        "`data_format` is named",
        _tensorflow_convolution,
    ),
    Limit(
        "tensorflow",
        "reflect",
        "`tf.pad` mirrors once only, not where the PSF reaches further than the image is long",
        "such pairs are not drawn",
        _tensorflow_pad,
    ),
    Limit("torch", "reflect", "`pad` has no mode that mirrors about the edge", "`index_select`", _torch_pad),
    Limit(
        "torch",
        "Poisson, softplus",
        "`softplus` is the identity above 20, 6e-11 off at 20.5; its second derivative is zero there",
        "points drawn are below 20",
        _torch_softplus,
    ),
    Limit(
        "jax",
        "all with zeros outside",
        "`convolve` refuses mode 'full' where the PSF is longer along one axis and shorter along another",
        "`jnp.pad` and mode 'valid'",
        _jax_convolve,
    ),
]
