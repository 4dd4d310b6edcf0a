"""The Anscombe transform: what it does to the noise, its bias, and its least squares against mpmath."""

import mpmath
import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

import refdeconv as rd

positive = st.floats(0.05, 50)


def transform(x, gain=1.0, noise=0.0):
    return 2 / gain * np.sqrt(np.maximum(gain * x + 3 / 8 * gain**2 + noise**2, 0))


def test_is_least_squares_of_the_transforms():
    rng = np.random.default_rng(0)
    u, data = rng.uniform(0.1, 9, (4, 3)), rng.uniform(-9, 20, (4, 3))
    gain, noise, background, weight = rng.uniform(0.3, 3, (4, 4, 3))
    assert (gain * data + 3 / 8 * gain**2 + noise**2 < 0).any()  # some of the data is clipped
    model = rd.LeastSquares(transform(data, gain, noise), weight).value(transform(gain * (u + background), gain, noise))
    assert np.isclose(rd.Anscombe(data, gain, noise, background, weight).value(u), model, rtol=1e-12)


def test_makes_the_variance_of_counts_one():
    """The functional's mean over all counts, about its smallest mean, is half the variance of the transformed data."""
    n = np.arange(400)
    p = scipy.stats.poisson.pmf(n, 100)
    root = np.sum(p * np.sqrt(n + 3 / 8))
    variance = 2 * rd.Anscombe(n, weight=p).value(np.full(400, root**2 - 3 / 8))
    assert np.isclose(variance, 1, atol=1e-3)


def test_the_minimum_over_many_counts_is_a_quarter_too_small():
    n = np.arange(400)
    p = scipy.stats.poisson.pmf(n, 100)
    f = rd.Anscombe(n, weight=p)
    slopes = [f.gradient(np.full(400, 100 - bias)).sum() for bias in (0.24, 0.26)]
    assert slopes[0] > 0 > slopes[1]


@given(st.floats(-20, 200), positive, st.floats(0, 10), positive, positive)
def test_is_convex_with_its_minimum_at_the_data(data, gain, noise, u, other):
    f = rd.Anscombe([data], gain, noise)
    value, (slope,) = f.value_and_gradient([u])
    beyond = f.value([other])
    assert value >= 0
    assert f.hvp([u], [1.0])[0] >= 0
    clipped = data / gain + 3 / 8 + (noise / gain) ** 2 < 0
    assert np.sign(slope) == (1 if clipped else np.sign(u - data / gain))
    assert beyond >= value + slope * (other - u) - 1e-12 * (beyond + value + abs(slope * (other - u)))


def test_keeps_its_digits_where_model_and_data_agree():
    for t in 2.0 ** np.arange(-30, 0, 3):
        f, u = rd.Anscombe([1024.0], 2.0, 3.0), 512 * (1 + t)
        with mpmath.workdps(50):
            p, q = (mpmath.mpf(x) + mpmath.mpf(3) / 8 + mpmath.mpf(9) / 4 for x in (u, 512))
            roots = mpmath.sqrt(p), mpmath.sqrt(q)
            assert abs(f.value([u]) / (2 * (roots[0] - roots[1]) ** 2) - 1) <= 2e-15
            assert abs(f.gradient([u])[0] / (2 - 2 * roots[1] / roots[0]) - 1) <= 2e-15
    assert rd.Anscombe([1024.0], 2.0, 3.0).value([512.0]) == 0


def test_clipped_data_makes_a_line():
    f = rd.Anscombe([-5.0], 1.0, 0.5)
    for u in (-0.5, 0.0, 1.0, 40.0):
        assert np.isclose(f.value([u]), 2 * (u + 3 / 8 + 1 / 4), rtol=1e-14)
        assert np.isclose(f.gradient([u])[0], 2, rtol=1e-14)
        assert f.hvp([u], [1.0])[0] == 0


def test_the_edge_of_the_domain():
    f = rd.Anscombe([3.0], 2.0, 1.0, 0.5)  # root of u + 1/2 + 3/8 + 1/4
    assert np.isfinite(f.value([-1.124]))
    for outside in (-1.125, -3.0):
        assert f.value([outside]) == np.inf
        for derivative in (f.gradient, f.hessian):
            with pytest.raises(ValueError, match="outside its domain"):
                derivative([outside])
    assert rd.Anscombe([1.0, 1.0], weight=[1.0, 0.0]).value([1.0, -9.0]) == 0


@pytest.mark.parametrize("data", [0.0, 1e-30, 1.0, 1e30])
@pytest.mark.parametrize("u", [0.0, 1e-30, 1.0, 1e10, 1e30])
def test_extreme_counts(data, u):
    f = rd.Anscombe([data])
    with mpmath.workdps(150):
        p, q = (mpmath.mpf(x) + mpmath.mpf(3) / 8 for x in (u, data))
        value, slope, bend = (
            2 * (mpmath.sqrt(p) - mpmath.sqrt(q)) ** 2,
            2 - 2 * mpmath.sqrt(q / p),
            mpmath.sqrt(q) / p**1.5,
        )
        assert abs(f.value([u]) - value) <= 4e-15 * value
        assert abs(f.gradient([u])[0] - slope) <= 4e-15 * abs(slope)
        assert abs(f.hvp([u], [1.0])[0] - bend) <= 4e-15 * bend


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"data": None}, "data must hold numbers"),
        ({"data": [1.0, np.inf, 2.0]}, "data must be finite"),
        ({"gain": 0.0}, "gain must be > 0"),
        ({"gain": [1.0, 2.0]}, r"gain has shape \(2,\), expected \(3,\)"),
        ({"read_noise": -1.0}, "read_noise must be >= 0"),
        ({"background": [0.0, -0.1, 0.0]}, "background must be >= 0"),
        ({"weight": [1.0, np.nan, 1.0]}, "weight must be finite"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises((ValueError, TypeError), match=message):
        rd.Anscombe(**{"data": [1.0, 2.0, 3.0], **arguments})
