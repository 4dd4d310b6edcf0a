"""The pseudo-Huber loss and the smoothed L1 norm: scipy's, any scale, their limits, bad arguments."""

import mpmath
import numpy as np
import pytest
import scipy.special

import refdeconv as rd
from tests.functionals.robust_losses import DTYPES, check


def exact(r, delta):
    h = mpmath.hypot(r, delta)
    return delta * r**2 / (h + delta), delta * r / h, (delta / h) ** 3


def exact_smoothed(r, epsilon):
    h = mpmath.hypot(r, epsilon)
    return r**2 / (h + epsilon), r / h, epsilon**2 / h**3


def test_is_scipys():
    rng = np.random.default_rng(0)
    u, data = rng.standard_normal((2, 5, 4))
    weight = rng.uniform(0, 2, (5, 4))
    expected = np.sum(weight * scipy.special.pseudo_huber(0.6, u - data))
    assert np.isclose(rd.PseudoHuber(data, 0.6, weight).value(u), expected, rtol=1e-14)
    assert np.isclose(0.6 * rd.SmoothedL1(data, 0.6, weight).value(u), expected, rtol=1e-14)


@pytest.mark.parametrize("dtype", DTYPES)
def test_any_scale(dtype):
    check(lambda delta: rd.PseudoHuber(delta=delta), exact, dtype)
    check(lambda epsilon: rd.SmoothedL1(epsilon=epsilon), exact_smoothed, dtype)


def test_small_residuals_keep_their_digits():
    r = np.array([1e-9, 3e-12, -2e-15])
    assert np.allclose([rd.PseudoHuber(delta=0.7).value([x]) for x in r], r**2 / 2, rtol=1e-15, atol=0)
    assert np.allclose([rd.SmoothedL1(epsilon=0.7).value([x]) for x in r], r**2 / 1.4, rtol=1e-15, atol=0)


@pytest.mark.parametrize("ratio", [1e-12, 1e-6, 0.999, 1.001, 1e3, 1e6, 1e12])
@pytest.mark.parametrize("make", [rd.PseudoHuber, rd.SmoothedL1])
def test_complex_step_far_from_the_scale(make, ratio):
    f = make(None, 0.3)
    u = np.array([-0.3 * ratio])
    assert rd.checks.gradient_error(f.value, f.gradient, u) <= 2e-15
    assert rd.checks.hvp_error(f.gradient, f.hvp, u) <= 2e-15


def test_limits():
    u, data = np.random.default_rng(1).standard_normal((2, 9))
    v = np.arange(9.0)
    wide, squares = rd.PseudoHuber(data, 1e12), rd.LeastSquares(data)
    assert np.isclose(wide.value(u), squares.value(u), rtol=1e-15)
    assert np.allclose(wide.gradient(u), squares.gradient(u), rtol=1e-15)
    assert np.allclose(wide.hvp(u, v), squares.hvp(u, v), rtol=1e-15)
    narrow = rd.SmoothedL1(data, 1e-18)
    assert np.isclose(narrow.value(u), np.sum(np.abs(u - data)), rtol=1e-15)
    assert np.allclose(narrow.gradient(u), np.sign(u - data), rtol=1e-15)


def test_smoothed_at_zero():
    f = rd.SmoothedL1(epsilon=1e-3)
    assert f.value([0.0, 0.0]) == 0
    assert np.array_equal(f.gradient([0.0, 0.0]), [0.0, 0.0])
    assert np.allclose(f.hvp([0.0, 0.0], [1.0, 2.0]), [1e3, 2e3], rtol=1e-15)


def test_a_parameter_out_of_float32():
    u = np.array([0.0, 2.0, -3.0], np.float32)
    assert np.isfinite(rd.PseudoHuber(delta=1e-60).hvp(u, u)).all()
    assert np.array_equal(rd.SmoothedL1(epsilon=1e-60).gradient(u), [0.0, 1.0, -1.0])
    assert rd.PseudoHuber(delta=1e60).value(u) == 13 / 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"delta": 0.0}, "delta must be > 0"),
        ({"delta": -1.0}, "delta must be > 0"),
        ({"delta": np.nan}, "delta must be a finite"),
        ({"delta": [1.0, 2.0]}, "delta must be a real number"),
        ({"data": [1.0, np.inf]}, "data must be finite"),
        ({"weight": -1.0}, "weight must be >= 0"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises((ValueError, TypeError), match=message):
        rd.PseudoHuber(**arguments)
    with pytest.raises((ValueError, TypeError), match=message.replace("delta", "epsilon")):
        rd.SmoothedL1(**{name.replace("delta", "epsilon"): value for name, value in arguments.items()})


def test_repr_shows_the_parameter():
    assert repr(rd.PseudoHuber([1.0], 0.25)) == "PseudoHuber(data, delta=0.25)"
    assert repr(rd.SmoothedL1(weight=2.0)) == "SmoothedL1(weight, epsilon=0.001)"
