"""The definitions of all functionals in mpmath, by plain sums in Python, and their derivatives at 50 digits.

Nothing of the package's mathematics is used: a definition reads the parameters of an instance and the numbers of u. Its
derivatives are differences with steps of 1e-40 in arithmetic of 130 digits, right to more than 70.
"""

import itertools

import mpmath
import numpy as np

import refdeconv as rd

DIGITS = 130
STEP = mpmath.mpf(10) ** -40


def numbers(array):
    """An array as one of mpmath numbers, exactly."""
    exact = np.asarray(array)
    return np.array([mpmath.mpf(float(x)) for x in exact.ravel()], dtype=object).reshape(exact.shape)


def pixels(f, u):
    """Each pixel with its data (0 if there is none) and its weight, without those of weight zero."""
    data = np.zeros(u.shape) if f.data is None else f.data
    weight = np.ones(u.shape) if getattr(f, "weight", None) is None else np.broadcast_to(f.weight, u.shape)
    for x, d, w in zip(u.ravel(), numbers(data).ravel(), numbers(weight).ravel(), strict=True):
        if w != 0:
            yield x, d, w


def least_squares(f, u):
    return sum(w * (x - d) ** 2 for x, d, w in pixels(f, u)) / 2


def l2_norm(f, u):
    return mpmath.sqrt(sum((x - d) ** 2 for x, d, _ in pixels(f, u)))


def number(x):
    return mpmath.mpf(float(x))


def pseudo_huber(f, u):
    delta = number(f.delta)
    return sum(w * delta**2 * (mpmath.sqrt(1 + ((x - d) / delta) ** 2) - 1) for x, d, w in pixels(f, u))


def smoothed_l1(f, u):
    epsilon = number(f.epsilon)
    return sum(w * (mpmath.sqrt((x - d) ** 2 + epsilon**2) - epsilon) for x, d, w in pixels(f, u))


def huber(f, u):
    delta, total = number(f.delta), mpmath.mpf(0)
    for x, d, w in pixels(f, u):
        r = abs(x - d)
        total += w * (r**2 / 2 if r <= delta else delta * (r - delta / 2))
    return total


def log_cosh(f, u):
    delta = number(f.delta)
    return sum(w * delta**2 * mpmath.log(mpmath.cosh((x - d) / delta)) for x, d, w in pixels(f, u))


def cauchy(f, u):
    scale = number(f.scale)
    return sum(w * scale**2 / 2 * mpmath.log(1 + ((x - d) / scale) ** 2) for x, d, w in pixels(f, u))


def student_t(f, u):
    scale, nu = number(f.scale), number(f.degrees)
    return sum(w * (nu + 1) / 2 * mpmath.log(1 + (x - d) ** 2 / (nu * scale**2)) for x, d, w in pixels(f, u))


def entropy(f, u):
    priors = numbers(np.broadcast_to(f.prior, u.shape)).ravel()
    return sum(w * (x * mpmath.log(x / p) - x + p) for (x, _, w), p in zip(pixels(f, u), priors, strict=True))


# One line for each functional; test_definitions.py asserts that none is missing.
DEFINITIONS = {
    rd.L2Norm: l2_norm,
    rd.LeastSquares: least_squares,
    rd.PseudoHuber: pseudo_huber,
    rd.SmoothedL1: smoothed_l1,
    rd.Huber: huber,
    rd.LogCosh: log_cosh,
    rd.Cauchy: cauchy,
    rd.StudentT: student_t,
    rd.Entropy: entropy,
}


def derivatives(f, u, v):
    """Value, gradient, and Hessian times v of an instance at u, as float arrays rounded from mpmath."""
    define = DEFINITIONS[type(f)]
    with mpmath.workdps(DIGITS):
        u, v = numbers(u), numbers(v)
        gradient, product = np.empty(u.shape), np.empty(u.shape)
        for index in np.ndindex(*u.shape):
            unit = np.full(u.shape, mpmath.mpf(0), dtype=object)
            unit[index] = STEP
            gradient[index] = (define(f, u + unit) - define(f, u - unit)) / (2 * STEP)
            corners = (i * j * define(f, u + i * unit + j * STEP * v) for i, j in itertools.product((1, -1), repeat=2))
            product[index] = sum(corners) / (4 * STEP**2)
        return float(define(f, u)), gradient, product
