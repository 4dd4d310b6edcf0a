"""Photon and read noise as a Gaussian: against scipy and mpmath, its minimum, and where it is not convex."""

import mpmath
import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

import refdeconv as rd
from tests.by_definition import derivatives

positive = st.floats(0.05, 50)


def test_is_scipys_normal_likelihood():
    rng = np.random.default_rng(0)
    u, data = rng.uniform(0.1, 9, (4, 3)), rng.uniform(-2, 20, (4, 3))
    gain, noise, background, weight = rng.uniform(0.3, 3, (4, 4, 3))
    v = u + background
    likelihood = scipy.stats.norm.logpdf(data, gain * v, np.sqrt(gain**2 * v + noise**2)) + np.log(2 * np.pi) / 2
    found = rd.PoissonGaussian(data, gain, noise, background, weight).value(u)
    assert np.isclose(found, -np.sum(weight * likelihood), rtol=1e-13)


def test_mean_and_variance_are_the_detectors():
    """Moments of gain * Poisson(v) + read noise, summed over the counts, against those that the gradient knows."""
    v, gain, noise = 6.3, 1.7, 2.2
    n = np.arange(200)
    p = scipy.stats.poisson.pmf(n, v)
    mean = np.sum(p * gain * n)
    variance = np.sum(p * (gain * n - mean) ** 2) + noise**2
    for data in (-3.0, 0.0, 11.0, 30.0):
        f = rd.PoissonGaussian([data], gain, noise)
        assert np.isclose(f.value([v]), (data - mean) ** 2 / (2 * variance) + np.log(variance) / 2, rtol=1e-12)


@given(st.floats(-20, 200), positive, st.floats(0, 10), positive)
def test_falls_to_one_minimum_and_rises_after_it(data, gain, noise, u):
    variance = gain**2 * u + noise**2
    suggested = gain * data + noise**2
    best = np.hypot(suggested, gain**2 / 2) - gain**2 / 2
    slope = rd.PoissonGaussian([data], gain, noise).gradient([u])[0]
    if abs(variance - best) > 1e-9 * (variance + gain**2):
        assert np.sign(slope) == np.sign(variance - best)


@given(st.floats(-20, 200), positive, st.floats(0, 10), positive)
def test_is_convex_only_where_the_variance_is_small(data, gain, noise, u):
    variance = gain**2 * u + noise**2
    limit = 2 * ((gain * data + noise**2) / gain) ** 2
    bend = rd.PoissonGaussian([data], gain, noise).hvp([u], [1.0])[0]
    if abs(variance - limit) > 1e-9 * (variance + limit):
        assert np.sign(bend) == np.sign(limit - variance)


def test_a_chord_below_the_graph():
    """The definition itself, on either side of and at the middle of a chord."""
    f = rd.PoissonGaussian([0.0])
    assert f.value([5.0]) > (f.value([2.0]) + f.value([8.0])) / 2
    assert f.value([0.0]) < (f.value([-0.5]) + f.value([0.5])) / 2


def test_bright_data_is_fitted_half_a_photoelectron_low():
    f = rd.PoissonGaussian([1e6], 2.0, 3.0)
    v = 1e6 / 2 - 0.5
    assert f.gradient([v - 1e-3])[0] < 0 < f.gradient([v + 1e-3])[0]


def test_where_nothing_is_suggested_it_rises_throughout():
    f = rd.PoissonGaussian([-0.5], 2.0, 1.0)  # gain * data + read_noise**2 == 0
    u = np.array([-0.24999999, -0.2, 0.0, 1.0, 1e6])
    values = [f.value([x]) for x in u]
    assert np.all(np.diff(values) > 0)
    assert all(f.gradient([x])[0] > 0 for x in u)


def test_the_edge_of_the_domain():
    f = rd.PoissonGaussian([3.0], 2.0, 1.0, 0.5)  # variance 4 * (u + 0.5) + 1
    assert np.isfinite(f.value([-0.74]))
    for outside in (-0.75, -2.0):
        assert f.value([outside]) == np.inf
        for derivative in (f.gradient, f.hessian):
            with pytest.raises(ValueError, match="outside its domain"):
                derivative([outside])
    assert rd.PoissonGaussian([1.0, 1.0], weight=[1.0, 0.0]).value([1.0, -9.0]) == np.log(2) / 2


@pytest.mark.parametrize("data", [0.0, 1e-30, 1.0, 1e30])
@pytest.mark.parametrize("u", [0.0, 1e-30, 1.0, 1e10, 1e30])
@pytest.mark.parametrize("noise", [1.3, 0.0])
def test_extreme_counts(data, u, noise):
    if u == noise == 0:
        assert rd.PoissonGaussian([data], 1.0, 0.0).value([u]) == np.inf
        return
    f = rd.PoissonGaussian([data], 1.0, noise)
    with mpmath.workdps(150):
        v, d = mpmath.mpf(u), mpmath.mpf(data)
        s, c = v + mpmath.mpf(noise) ** 2, d + mpmath.mpf(noise) ** 2
        quadratic, logarithm = (d - v) ** 2 / (2 * s), mpmath.log(s) / 2
        slope = (1 - (c / s) ** 2 + 1 / s) / 2
        bend = ((c / s) ** 2 - 1 / (2 * s)) / s
        scale = 4e-15
        assert abs(f.value([u]) - quadratic - logarithm) <= scale * (quadratic + abs(logarithm))
        assert abs(f.gradient([u])[0] - slope) <= scale * (abs((d - v) / s) * (1 + c / s) + 1 / s)
        assert abs(f.hvp([u], [1.0])[0] - bend) <= scale * ((c / s) ** 2 + 1 / s) / s


def test_keeps_the_digits_of_its_slope_where_model_and_data_agree():
    """The slope there is a small difference of a small pull and a small push: one of bright pixels, by mpmath."""
    data, u = np.array([1e8 + 0.75]), np.array([1e8])
    f = rd.PoissonGaussian(data, 1.0, 2.0)
    _, gradient, _ = derivatives(f, u, np.ones(1))
    assert abs(f.gradient(u)[0] / gradient[0] - 1) <= 1e-14


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"data": None}, "data must hold numbers"),
        ({"data": [1.0, np.nan, 2.0]}, "data must be finite"),
        ({"gain": 0.0}, "gain must be > 0"),
        ({"gain": [1.0, -1.0, 2.0]}, "gain must be > 0"),
        ({"gain": [1.0, 2.0]}, r"gain has shape \(2,\), expected \(3,\)"),
        ({"read_noise": -1.0}, "read_noise must be >= 0"),
        ({"read_noise": np.nan}, "read_noise must be finite"),
        ({"read_noise": "low"}, "read_noise must hold numbers"),
        ({"background": -0.1}, "background must be >= 0"),
        ({"background": [[1.0]]}, "background has shape"),
        ({"weight": -1.0}, "weight must be >= 0"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises((ValueError, TypeError), match=message):
        rd.PoissonGaussian(**{"data": [1.0, 2.0, 3.0], **arguments})
