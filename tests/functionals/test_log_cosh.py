"""The log-cosh loss: numpy's logaddexp, any scale, its limits, bad arguments."""

import mpmath
import numpy as np
import pytest

import refdeconv as rd
from tests.functionals.robust_losses import DTYPES, check


def exact(r, delta):
    """The definition; where the exponential of r/delta is out of mpmath's way too, what is left of it."""
    t = abs(r) / delta
    if t > 1e6:
        return delta * (abs(r) - delta * mpmath.log(2)), delta * mpmath.sign(r), mpmath.mpf(0)
    if t < mpmath.mpf(10) ** -40:
        return r**2 / 2, r, mpmath.mpf(1)
    with mpmath.workdps(150):
        return delta**2 * mpmath.log(mpmath.cosh(t)), delta * mpmath.tanh(r / delta), mpmath.sech(t) ** 2


def test_is_the_logarithm_of_two_exponentials():
    rng = np.random.default_rng(0)
    u, data = rng.standard_normal((2, 5, 4)) * 3
    weight, t = rng.uniform(0, 2, (5, 4)), (u - data) / 0.6
    expected = np.sum(weight * 0.36 * (np.logaddexp(t, -t) - np.log(2)))
    assert np.isclose(rd.LogCosh(data, 0.6, weight).value(u), expected, rtol=1e-14)


@pytest.mark.parametrize("dtype", DTYPES)
def test_any_scale(dtype):
    """The exponential far out has the rounding of r/delta, up to some hundred, in its exponent."""
    check(lambda delta: rd.LogCosh(delta=delta), exact, dtype, units=400)


@pytest.mark.parametrize("ratio", [1e-12, 1e-6, 1e-3, 0.999, 1.001, 20.0])
def test_value_and_slope_to_rounding(ratio):
    f, r = rd.LogCosh(delta=0.7), 0.7 * ratio
    value, slope, bend = (float(x) for x in exact(mpmath.mpf(r), mpmath.mpf(0.7)))
    assert np.isclose(f.value([-r]), value, rtol=1e-15, atol=0)
    assert np.isclose(f.gradient([-r])[0], -slope, rtol=1e-15, atol=0)
    assert np.isclose(f.hvp([-r], [1.0])[0], bend, rtol=1e-14, atol=0)


@pytest.mark.parametrize("ratio", [1e-12, 1e-9, 1e-3, 0.999, 1.001, 10.0, 100.0])
def test_complex_step_far_from_the_scale(ratio):
    f, u = rd.LogCosh(delta=0.3), np.array([-0.3 * ratio])
    assert rd.checks.gradient_error(f.value, f.gradient, u) <= 2e-15
    assert rd.checks.hvp_error(f.gradient, f.hvp, u) <= 1e-14


def test_longdouble_has_its_own_digits():
    u = np.array([3.0], np.longdouble)
    with mpmath.workdps(40):
        right = mpmath.log(mpmath.cosh(3))
        found = mpmath.mpf(np.format_float_positional(rd.LogCosh().value(u), precision=30, unique=False))
        assert abs(found - right) <= 4 * float(np.finfo(np.longdouble).eps) * right


def test_limits():
    u, data = np.random.default_rng(1).standard_normal((2, 9))
    v = np.arange(9.0)
    wide, squares = rd.LogCosh(data, 1e12), rd.LeastSquares(data)
    assert np.isclose(wide.value(u), squares.value(u), rtol=1e-15)
    assert np.allclose(wide.gradient(u), squares.gradient(u), rtol=1e-15)
    assert np.allclose(wide.hvp(u, v), squares.hvp(u, v), rtol=1e-15)
    assert np.isclose(rd.LogCosh(data, 1e-20).value(u), 1e-20 * np.sum(np.abs(u - data)), rtol=1e-15)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"delta": 0.0}, "delta must be > 0"),
        ({"delta": np.nan}, "delta must be a finite"),
        ({"delta": 1j}, "delta must be a real number"),
        ({"data": [1j]}, "data must be real"),
        ({"weight": np.nan}, "weight must be finite"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises((ValueError, TypeError), match=message):
        rd.LogCosh(**arguments)
