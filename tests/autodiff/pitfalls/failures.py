"""Failures that are not a wrong number at a point: each a small program of its own."""

import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

import refdeconv as rd
from tests.autodiff.solves import article_program

from .example import Verdict

Outcome = tuple[str, Verdict]  # in words, and in one


@dataclass(frozen=True)
class Failure:
    """What was tried with one framework, what was found to come of it, and what refdeconv makes of the same."""

    title: str
    framework: str
    found: Verdict
    run: Callable[[], Outcome]  # what it gives, in words
    ours: Callable[[], Outcome]
    truth: str


def within(error: float, limit: float = 1e-14) -> Verdict:
    return "right" if error <= limit else "wrong"


def in_a_fresh_process(code: str) -> str:
    """The last line that it prints."""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.splitlines()[-1]


def constant_image(name: str) -> Outcome:
    """The article's program, started at a grey image instead of at noise."""
    data, psf, grey = _scene()
    gradient = article_program(name).objective(data, psf, 0.2).gradient(grey)
    error = np.abs(gradient - _by_hand(data, psf, grey)).max()
    if np.isnan(gradient).any():
        return f"NaN in {np.isnan(gradient).sum()} of {gradient.size} pixels", "fails"
    return f"error {error:.1e}", within(error)


def _scene() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    random = np.random.default_rng(1)
    return random.random((6, 5)), random.random((3, 2)), np.full((6, 5), 0.5)


def _by_hand(data: np.ndarray, psf: np.ndarray, grey: np.ndarray) -> np.ndarray:
    """The misfit's gradient from the dense matrix of the blur, plus zero, the norm's subgradient of least norm."""
    size = data.size
    top, left = ((each - 1) // 2 for each in psf.shape)
    K = np.zeros((*data.shape, *data.shape))
    for i, j, k, m in np.ndindex(*data.shape, *psf.shape):
        row, column = i + top - k, j + left - m
        if 0 <= row < data.shape[0] and 0 <= column < data.shape[1]:
            K[i, j, row, column] = psf[k, m]
    matrix = K.reshape(size, size)
    residual = matrix @ grey.ravel() - data.ravel()
    gradient = matrix.T @ residual / (np.sqrt(2) * np.linalg.norm(residual))
    return gradient.reshape(data.shape)


def ours_at_a_constant_image() -> Outcome:
    data, psf, grey = _scene()
    gradient = rd.problems.norm_and_gradient_norm(data, psf, 0.2).gradient(grey)
    error = np.abs(gradient - _by_hand(data, psf, grey)).max()
    return f"error {error:.1e}", within(error)


JAX_DEFAULT = """
import jax, jax.numpy as jnp, numpy as np
x = np.random.default_rng(0).random(1000)
found = jax.grad(lambda x: jnp.linalg.norm(x))(x)
print(found.dtype, float(np.linalg.norm(np.asarray(found, float) - x / np.linalg.norm(x))))
"""


def jax_single_precision() -> Outcome:
    dtype, error = in_a_fresh_process(JAX_DEFAULT).split()
    return f"{dtype}, relative error {float(error):.1e}", within(float(error))


def ours_in_double() -> Outcome:
    x = np.random.default_rng(0).random(1000)
    found = rd.L2Norm().gradient(x)
    error = np.linalg.norm(found - x / np.linalg.norm(x))
    return f"{found.dtype}, relative error {error:.1e}", within(error)


KERAS_DEFAULT = """
import numpy as np, tensorflow as tf
x, y = np.random.default_rng(0).random((2, 1000))
u = tf.constant(x)
with tf.GradientTape() as tape:
    tape.watch(u)
    value = tf.keras.losses.MeanSquaredError()(y, u)
found, true = tape.gradient(value, u).numpy(), 2 * (x - y) / 1000
print(value.dtype.name, float(np.linalg.norm(found - true) / np.linalg.norm(true)))
"""


def keras_single_precision() -> Outcome:
    dtype, error = in_a_fresh_process(KERAS_DEFAULT).split()
    return f"value in {dtype}, gradient's relative error {float(error):.1e}", within(float(error))


def ours_least_squares() -> Outcome:
    x, y = np.random.default_rng(0).random((2, 1000))
    found, true = (0.002 * rd.LeastSquares(y)).gradient(x), 2 * (x - y) / 1000
    error = np.linalg.norm(found - true) / np.linalg.norm(true)
    return f"{found.dtype}, relative error {error:.1e}", within(error)


def autograd_tie() -> Outcome:
    """Full convolution of a 2 x 6 image and a 4 x 3 PSF, through the article's program."""
    data, psf = np.ones((2, 6)), np.ones((4, 3))
    try:
        gradient = article_program("autograd").objective(data, psf, 0.2).gradient(np.arange(12.0).reshape(2, 6))
    except RecursionError:
        return "RecursionError", "fails"
    return "a gradient", "right" if np.isfinite(gradient).all() else "fails"


def ours_tie() -> Outcome:
    problem = rd.problems.norm_and_gradient_norm(np.ones((2, 6)), np.ones((4, 3)), 0.2)
    x = np.arange(12.0).reshape(2, 6)
    step = 1e-30
    along = np.cos(x)
    error = abs(problem.value(x + 1j * step * along).imag / step - np.sum(problem.gradient(x) * along))
    return f"the gradient, {error:.0e} from the complex step", within(error)


JAX_FULL = """
import jax, jax.numpy as jnp
from jax.scipy.signal import convolve
try:
    convolve(jnp.ones((4, 7)), jnp.ones((9, 2)), mode="full")
    print("returns")
except Exception as error:
    print(type(error).__name__)
"""


def jax_full() -> Outcome:
    outcome = in_a_fresh_process(JAX_FULL)
    return outcome, "right" if outcome == "returns" else "fails"


def ours_full() -> Outcome:
    from scipy.signal import convolve

    random = np.random.default_rng(0)
    x, psf = random.random((4, 7)), random.random((9, 2))
    found = rd.Convolution(psf, x.shape).forward(x)
    top, left = ((each - 1) // 2 for each in psf.shape)
    expected = convolve(x, psf, mode="full", method="direct")[top : top + 4, left : left + 7]
    error = np.abs(found - expected).max()
    return f"the convolution, error {error:.0e}", within(error)


def constant(name: str) -> Failure:
    return Failure(
        "the article's program at a constant image, where all differences are zero: its gradient",
        name,
        "fails",
        lambda: constant_image(name),
        ours_at_a_constant_image,
        "the misfit's gradient",
    )


FAILURES = (
    *(constant(name) for name in ("autograd", "jax", "torch", "tensorflow")),
    Failure(
        "float64 data, default settings: gradient of a norm",
        "jax",
        "wrong",
        jax_single_precision,
        ours_in_double,
        "float64, some 1e-16",
    ),
    Failure(
        "float64 data, Keras's MeanSquaredError: gradient",
        "tensorflow",
        "wrong",
        keras_single_precision,
        ours_least_squares,
        "float64, some 1e-16",
    ),
    Failure(
        "a 2 x 6 image and a 4 x 3 PSF, as many entries each",
        "autograd",
        "fails",
        autograd_tie,
        ours_tie,
        "a gradient",
    ),
    Failure(
        "full convolution of a 4 x 7 image with a 9 x 2 PSF",
        "jax",
        "fails",
        jax_full,
        ours_full,
        "a convolution",
    ),
)
