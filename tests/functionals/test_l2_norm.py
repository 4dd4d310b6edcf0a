"""The norm at its kink, at extreme scales, and against math.hypot."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

import refdeconv as rd


@given(arrays(np.float64, array_shapes(max_dims=3, max_side=6), elements=st.floats(-1e3, 1e3)))
def test_value_is_the_hypotenuse(u):
    data = np.roll(u, 1) / 3
    assert np.isclose(rd.L2Norm(data).value(u), math.hypot(*(u - data).ravel()), rtol=1e-14, atol=0)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.longdouble])
def test_at_the_kink(dtype):
    """Zero residual: the subgradient of least norm, and a Hessian of zero, in the dtype of u."""
    data = np.array([0.1, -2.0, 3.0], dtype)
    norm = rd.L2Norm(data)
    assert norm.value(data) == 0
    assert np.array_equal(norm.gradient(data), np.zeros(3))
    assert norm.gradient(data).dtype == dtype
    assert np.array_equal(norm.hvp(data, np.ones(3, dtype)), np.zeros(3))
    value, gradient = norm.value_and_gradient(data)
    assert value == 0
    assert not gradient.any()


@pytest.mark.parametrize("scale", [1e-320, 1e-200, 1e-160, 1e-3, 1.0, 1e150, 1e200, 1e307])
def test_any_scale(scale):
    """Squares over- and underflow long before the norm does; without a warning, and exact to rounding."""
    u = np.array([3.0, -4.0, 12.0]) * scale  # of norm 13
    tolerance = 1e-15 if scale > 1e-300 else 1e-2  # subnormal numbers have few digits
    norm = rd.L2Norm()
    assert np.isclose(norm.value(u), 13 * scale, rtol=tolerance, atol=0)
    assert np.allclose(norm.gradient(u), np.array([3, -4, 12]) / 13, rtol=tolerance, atol=0)
    if scale > 1e-300:
        v = np.array([1.0, 0.5, -2.0])
        direction = np.array([3, -4, 12]) / 13
        expected = (v - direction * (direction @ v)) / 13 / scale
        assert np.allclose(norm.hvp(u, v), expected, rtol=1e-14, atol=0)


def test_below_the_normal_numbers_there_is_no_nan():
    u = np.array([1e-320, 2e-320])
    assert np.isfinite(rd.L2Norm().gradient(u)).all()
    assert np.array_equal(rd.L2Norm().hvp(u, np.ones(2)), np.zeros(2))
    extreme = 1e200 * rd.L2Norm() @ (1e-200 * rd.Identity((3,)))
    assert np.isfinite(extreme.hvp(np.ones(3), np.arange(3.0))).all()


def test_from_the_smallest_normal_number_on_there_is_curvature():
    tiny = np.finfo(float).tiny
    assert np.array_equal(rd.L2Norm().hvp([0.0, tiny], [tiny, 0.0]), [1.0, 0.0])


def test_float32_scales_too():
    u = np.array([3.0, -4.0, 12.0], np.float32) * np.float32(1e-30)
    assert np.isclose(rd.L2Norm().value(u), 13e-30, rtol=1e-6)


def test_scaled_values_are_analytic_too():
    u, v = np.array([3.0, -4.0, 12.0]) * 1e200, np.array([1.0, 2.0, -1.0])
    slope = rd.L2Norm().value(u + 1e100j * v).imag / 1e100
    assert np.isclose(slope, rd.L2Norm().gradient(u) @ v, rtol=1e-14)


def test_infinities_and_nan_pass_through():
    assert rd.L2Norm().value(np.array([np.inf, 1.0])) == np.inf
    assert np.isnan(rd.L2Norm().value(np.array([np.nan, 1.0])))


def test_many_float32_values_are_summed_accurately():
    u = np.full(2**22, 0.1, np.float32)
    assert np.isclose(rd.L2Norm().value(u), 0.1 * 2**11, rtol=1e-6)


@pytest.mark.parametrize("data", [[np.nan], [], 1j, "x", np.ma.masked_array([1.0, 2.0], [True, False])])
def test_bad_data(data):
    with pytest.raises((ValueError, TypeError), match="data"):
        rd.L2Norm(data)


@pytest.mark.parametrize("x", [0.1, 0.3, -7.3])
@pytest.mark.parametrize("spacing", [0.3, 0.7, 1.0])
def test_after_an_operator_onto_one_pixel_there_is_no_curvature(x, spacing):
    norm = rd.L2Norm() @ rd.Gradient((1,), spacing, boundary="constant")
    assert np.isclose(norm.value([x]), abs(x) / spacing, rtol=1e-15)
    assert np.allclose(norm.gradient([x]), np.sign(x) / spacing, rtol=1e-15)
    assert np.array_equal(norm.hvp([x], [1.0]), [0.0])


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize(
    ("size", "scale"), [(0, 0.3), (-0.38, 0.95), (0.4, -0.9), (-0.3, -0.2), (0.3, 0.2), (None, 0.3)]
)
def test_a_multiple_added_onto_another_gradient(size, scale, dtype):
    """Factor and norm are powers of the largest number: their quotient may be out of its range."""
    D = rd.Gradient((6, 5))
    largest = float(np.finfo(dtype).max) ** 0.98
    rng = np.random.default_rng(0)
    x = np.zeros(D.input_shape) if size is None else rng.standard_normal(D.input_shape) * largest**size
    x, factor = x.astype(dtype), dtype(largest**scale)
    total = (rng.standard_normal(D.input_shape) * float(factor)).astype(dtype)
    value, gradient = (rd.L2Norm() @ D).value_and_gradient(x)
    added_value, added = (rd.L2Norm() @ D)._value_and_gradient_onto(x, total.copy(), float(factor))
    assert added_value == value
    assert added.dtype == dtype
    expected = total + factor * gradient
    assert np.allclose(added, expected, rtol=0, atol=20 * np.finfo(dtype).eps * float(factor) * 3)
