"""The Huber loss: scipy's, its joint, any scale, its limits, bad arguments."""

import mpmath
import numpy as np
import pytest
import scipy.special
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

import refdeconv as rd
from tests.functionals.robust_losses import DTYPES, check


def exact(r, delta):
    if abs(r) <= delta:
        return r**2 / 2, r, mpmath.mpf(1)
    return delta * (abs(r) - delta / 2), delta * mpmath.sign(r), mpmath.mpf(0)


@given(arrays(np.float64, array_shapes(max_dims=3, max_side=5), elements=st.floats(-1e3, 1e3)), st.floats(1e-3, 1e3))
def test_is_scipys(u, delta):
    data, weight = np.roll(u, 1) / 3, np.linspace(0, 2, u.size).reshape(u.shape)
    f = rd.Huber(data, delta, weight)
    expected = np.sum(weight * scipy.special.huber(delta, u - data))
    assert np.isclose(f.value(u), expected, rtol=1e-13, atol=1e-300)
    assert np.array_equal(f.gradient(u), weight * np.clip(u - data, -delta, delta))


@pytest.mark.parametrize("dtype", DTYPES)
def test_any_scale(dtype):
    check(lambda delta: rd.Huber(delta=delta), exact, dtype)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.longdouble])
def test_at_the_joint_the_inner_second_derivative(dtype):
    """Also where the precision of u rounds delta: 0.3 is another number in float32."""
    delta = dtype(0.3)
    f = rd.Huber(delta=0.3)
    u = np.array([delta, -delta, np.nextafter(delta, dtype(1)), -np.nextafter(delta, dtype(1))], dtype)
    if dtype != np.longdouble:  # whose nearest number to the float64 0.3 is that itself
        assert np.array_equal(f.hvp(u, np.ones(4, dtype)), [1, 1, 0, 0])
    assert f.hessian(u).forward(np.ones(4, dtype)).dtype == dtype
    assert np.allclose(f.gradient(u), [delta, -delta, delta, -delta], rtol=np.finfo(dtype).eps)


def test_the_joint_is_the_same_at_complex_points():
    f = rd.Huber(delta=0.5)
    u = np.array([0.5, -0.5, 0.6, -0.6]) + 1e-100j
    assert np.array_equal(f.gradient(u).imag, [1e-100, 1e-100, 0, 0])
    assert np.allclose([f.value(u[k : k + 1]).imag for k in range(4)], np.array([1, -1, 1, -1]) * 0.5e-100, rtol=1e-15)


def test_limits():
    u, data = np.random.default_rng(1).standard_normal((2, 9))
    assert np.isclose(rd.Huber(data, 1e12).value(u), rd.LeastSquares(data).value(u), rtol=1e-15)
    assert np.array_equal(rd.Huber(data, 1e12).gradient(u), rd.LeastSquares(data).gradient(u))
    assert np.isclose(rd.Huber(data, 1e-20).value(u), 1e-20 * np.sum(np.abs(u - data)), rtol=1e-15)


def test_outliers_cannot_pull_harder():
    f = rd.Huber([0.0, 0.0], 2.0, weight=[1.0, 3.0])
    assert np.array_equal(f.gradient([1e6, -1e200]), [2.0, -6.0])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"delta": 0}, "delta must be > 0"),
        ({"delta": np.inf}, "delta must be a finite"),
        ({"delta": "wide"}, "delta must be a real number"),
        ({"data": "x"}, "data must hold numbers"),
        ({"weight": [-1.0]}, "weight must be >= 0"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises((ValueError, TypeError), match=message):
        rd.Huber(**arguments)
