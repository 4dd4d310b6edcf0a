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


def per_pixel(parameter, f, u):
    """A parameter of an instance as an iterator over the pixels of positive weight."""
    weight = np.broadcast_to(1 if f.weight is None else f.weight, u.shape)
    values = numbers(np.broadcast_to(parameter, u.shape))
    return iter(values[weight != 0])


def divergence(v, d):
    return v - d + (d * mpmath.log(d / v) if d > 0 else 0)


def poisson(f, u):
    total, background = 0, per_pixel(f.background, f, u)
    for x, d, w in pixels(f, u):
        v = x + next(background)
        if f.threshold is None or v >= f.threshold:
            total += w * divergence(v, d)
        else:
            t = mpmath.mpf(f.threshold)
            total += w * (divergence(t, d) + (1 - d / t) * (v - t) + d / t**2 * (v - t) ** 2 / 2)
    return total


def detector(f, u):
    """Model x, data, weight, gain and read noise of each pixel; the model in photoelectrons."""
    rest = [per_pixel(parameter, f, u) for parameter in (f.background, f.gain, f.read_noise)]
    for (x, d, w), b, g, s in zip(pixels(f, u), *rest, strict=True):
        yield x + b, d, w, g, s


def poisson_gaussian(f, u):
    total = 0
    for v, d, w, g, s in detector(f, u):
        variance = g**2 * v + s**2
        total += w * ((d - g * v) ** 2 / (2 * variance) + mpmath.log(variance) / 2)
    return total


def anscombe(f, u):
    total = 0
    for v, d, w, g, s in detector(f, u):
        model, measured = (g * x + g**2 * 3 / 8 + s**2 for x in (g * v, d))
        total += w * (2 / g * (mpmath.sqrt(model) - mpmath.sqrt(max(measured, 0)))) ** 2 / 2
    return total


def groups(f, u):
    """The length of each group with its weight, by a walk over all entries of u."""
    axes = {axis % u.ndim for axis in f.axis}
    squares = {}
    for index in np.ndindex(*u.shape):
        group = tuple(i for axis, i in enumerate(index) if axis not in axes)
        squares[group] = squares.get(group, 0) + u[index] ** 2
    for group, square in squares.items():
        weight = 1 if f.weight is None else f.weight[group] if f.weight.ndim else f.weight
        yield mpmath.sqrt(square), mpmath.mpf(float(weight))


def smoothed_group_norm(f, u):
    epsilon = mpmath.mpf(f.epsilon)
    return sum(w * (mpmath.sqrt(r**2 + epsilon**2) - epsilon) for r, w in groups(f, u))


def group_huber(f, u):
    delta = mpmath.mpf(f.delta)
    return sum(w * (r**2 / (2 * delta) if r <= delta else r - delta / 2) for r, w in groups(f, u))


def symmetric_matrix(entries):
    """The matrix of which the entries are the upper triangle, those off the diagonal multiplied by the root of two."""
    d = {1: 1, 3: 2, 6: 3}[len(entries)]
    matrix, entries = mpmath.matrix(d), iter(entries)
    for i in range(d):
        for j in range(i, d):
            matrix[i, j] = matrix[j, i] = next(entries) / (1 if i == j else mpmath.sqrt(2))
    return matrix


def smoothed_nuclear_norm(f, u):
    epsilon = mpmath.mpf(f.epsilon)
    total = mpmath.mpf(0)
    for pixel in np.ndindex(*u.shape[1:]):
        weight = 1 if f.weight is None else f.weight[pixel] if f.weight.ndim else f.weight
        eigenvalues = mpmath.eigsy(symmetric_matrix(u[(slice(None), *pixel)]), eigvals_only=True)
        total += mpmath.mpf(float(weight)) * sum(mpmath.sqrt(x**2 + epsilon**2) - epsilon for x in eigenvalues)
    return total


# One line for each functional; test_definitions.py asserts that none is missing.
DEFINITIONS = {
    rd.GroupHuber: group_huber,
    rd.L2Norm: l2_norm,
    rd.LeastSquares: least_squares,
    rd.PseudoHuber: pseudo_huber,
    rd.SmoothedL1: smoothed_l1,
    rd.Huber: huber,
    rd.LogCosh: log_cosh,
    rd.Cauchy: cauchy,
    rd.StudentT: student_t,
    rd.Entropy: entropy,
    rd.Poisson: poisson,
    rd.PoissonGaussian: poisson_gaussian,
    rd.Anscombe: anscombe,
    rd.SmoothedGroupNorm: smoothed_group_norm,
    rd.SmoothedNuclearNorm: smoothed_nuclear_norm,
}


def derivatives(f, u, v):
    """Value, gradient, and Hessian times v of an instance at u, by its definition."""
    return differentiate(lambda u: DEFINITIONS[type(f)](f, u), u, v)


def differentiate(define, u, v):
    """Value, gradient, and Hessian times v of a function of mpmath arrays, as float arrays rounded from mpmath."""
    with mpmath.workdps(DIGITS):
        u, v = numbers(u), numbers(v)
        gradient, product = np.empty(u.shape), np.empty(u.shape)
        for index in np.ndindex(*u.shape):
            unit = np.full(u.shape, mpmath.mpf(0), dtype=object)
            unit[index] = STEP
            gradient[index] = (define(u + unit) - define(u - unit)) / (2 * STEP)
            corners = (i * j * define(u + i * unit + j * STEP * v) for i, j in itertools.product((1, -1), repeat=2))
            product[index] = sum(corners) / (4 * STEP**2)
        return float(define(u)), gradient, product
