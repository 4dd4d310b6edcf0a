"""The entropy: scipy's, near the prior, at the edge of its domain, any scale, bad arguments."""

import mpmath
import numpy as np
import pytest
import scipy.special
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

import refdeconv as rd


@given(arrays(np.float64, array_shapes(max_dims=3, max_side=5), elements=st.floats(1e-3, 1e3)))
def test_is_scipys(u):
    """As far as scipy's own digits go, which cancel near the prior."""
    prior, weight = np.roll(u, 1) * 0.6 + 0.2, np.linspace(0, 2, u.size).reshape(u.shape)
    f = rd.Entropy(prior, weight)
    assert np.isclose(f.value(u), np.sum(weight * scipy.special.kl_div(u, prior)), rtol=1e-11, atol=1e-13)
    relative = np.sum(weight * (scipy.special.rel_entr(u, prior) - u + prior))
    assert np.isclose(f.value(u), relative, rtol=1e-11, atol=1e-10)
    assert np.allclose(f.gradient(u), weight * np.log(u / prior), rtol=1e-12, atol=1e-14)


RATIOS = [
    *(1 + sign * 10.0**-k for k in (1, 2, 4, 8, 12, 15) for sign in (1, -1)),
    *(0.2499, 0.4999, 0.5001, 0.7499, 0.7501, 1.2499, 1.2501, 1.5, 2.7, 3.9999, 4.0001),
    *(1e-200, 1e-30, 1e-6, 1e6, 1e30, 1e200),
]


@pytest.mark.parametrize("prior", [1e-100, 1e-3, 0.7, 1e5, 1e100])
def test_no_digits_are_lost(prior):
    """Near the prior, on both sides of every seam between formulas, and far away."""
    f = rd.Entropy(prior)
    for u in (prior * ratio for ratio in RATIOS):
        with mpmath.workdps(60):
            x, p = mpmath.mpf(u), mpmath.mpf(prior)
            value, slope = float(x * mpmath.log(x / p) - x + p), float(mpmath.log(x / p))
        assert np.isclose(f.value([u]), value, rtol=2e-15, atol=0)
        assert np.isclose(f.gradient([u])[0], slope, rtol=1e-15, atol=0)
        assert f.hvp([u], [1.0])[0] == 1 / u


def test_longdouble_has_its_own_digits():
    for ratio in (0.7501, 1 - 1e-4, 1 + 1e-10, 1.2499):
        u = np.array([ratio], np.longdouble)
        with mpmath.workdps(60):
            x = mpmath.mpf(ratio)
            right = x * mpmath.log(x) - x + 1
            found = mpmath.mpf(np.format_float_scientific(rd.Entropy(1.0).value(u), precision=40, unique=False))
            assert abs(found - right) <= 5 * float(np.finfo(np.longdouble).eps) * right


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.longdouble])
def test_the_edge_of_the_domain(dtype):
    prior = np.array([0.5, 2.0, 3.0])
    f = rd.Entropy(prior)
    assert f.value(np.zeros(3, dtype)) == 5.5
    assert f.value(np.array([0.5, 0.0, 3.0], dtype)) == 2.0
    for outside in ([0.5, -1e-30, 3.0], [-1.0, 2.0, 0.0]):
        value = f.value(np.array(outside, dtype))
        assert value == np.inf
        assert value.dtype == dtype
        with pytest.raises(ValueError, match="outside its domain"):
            f.gradient(np.array(outside, dtype))
    for call in (f.gradient, f.hessian):
        with pytest.raises(ValueError, match="minus infinity where u is zero"):
            call(np.array([0.5, 0.0, 3.0], dtype))


def test_weight_zero_hides_what_is_outside():
    f = rd.Entropy([0.5, 2.0, 3.0], weight=[1.0, 0.0, 1.0])
    assert np.isclose(f.value([1.0, -7.0, 3.0]), np.log(2) - 0.5)
    assert np.allclose(f.gradient([1.0, 0.0, 3.0]), [np.log(2), 0.0, 0.0], rtol=1e-15)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_smallest_and_the_largest_numbers(dtype):
    limits = np.finfo(dtype)
    for prior in (1e-60, 1.0, 1e60):
        f = rd.Entropy(prior)
        for u in (limits.smallest_subnormal, limits.tiny, 1.0):
            assert np.isfinite(f.gradient(np.array([u], dtype))).all()
            assert np.isfinite(f.value(np.array([u], dtype)))
    assert np.isfinite(rd.Entropy(1.0).gradient(np.array([limits.max], dtype))).all()


def test_at_the_prior():
    prior = np.random.default_rng(0).uniform(0.1, 3, (4, 3))
    f = rd.Entropy(prior)
    assert f.value(prior) == 0
    assert not f.gradient(prior).any()
    near = prior * (1 + 1e-9)
    assert np.isclose(f.value(near), rd.LeastSquares(prior, 1 / prior).value(near), rtol=1e-8, atol=0)


def test_a_flat_prior_leaves_the_shape_open():
    assert rd.Entropy(0.7).input_shape is None
    assert rd.Entropy(0.7, weight=[1.0, 2.0]).input_shape == (2,)
    assert rd.Entropy([0.7, 0.7], weight=2.0).input_shape == (2,)
    u = np.array([[0.4, 1.2, 3.0]])
    assert rd.Entropy(0.7).value(u) == rd.Entropy(np.full((1, 3), 0.7)).value(u)


def test_repr():
    assert repr(rd.Entropy(0.7)) == "Entropy(0.7)"
    assert repr(rd.Entropy([1.0, 2.0], 3.0)) == "Entropy(prior, weight)"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"prior": 0.0}, "prior must be > 0"),
        ({"prior": [1.0, -1.0, 2.0]}, "prior must be > 0"),
        ({"prior": [1.0, np.nan, 2.0]}, "prior must be finite"),
        ({"prior": []}, "prior is empty"),
        ({"prior": "flat"}, "prior must hold numbers"),
        ({"weight": -1.0}, "weight must be >= 0"),
        ({"weight": [1.0, 2.0]}, r"weight has shape \(2,\), expected \(3,\), which is prior's"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises((ValueError, TypeError), match=message):
        rd.Entropy(**{"prior": [1.0, 2.0, 3.0], **arguments})
