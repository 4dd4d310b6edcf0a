"""Moffat's profile against its definition, its width, its wings and its limits."""

import math

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import refdeconv as rd


@given(st.lists(st.integers(1, 7), min_size=1, max_size=3), st.floats(0.05, 50), st.data())
def test_is_its_definition(shape, beta, data):
    alpha = [data.draw(st.floats(0.1, 20)) for _ in shape]
    centre = [data.draw(st.floats(-0.5, n - 0.5)) for n in shape]
    weights = np.empty(shape, object)
    for index in np.ndindex(*shape):
        square = sum(((mpmath.mpf(i) - c) / a) ** 2 for i, c, a in zip(index, centre, alpha, strict=True))
        weights[index] = (1 + square) ** -mpmath.mpf(beta)
    expected = (weights / weights.sum()).astype(float)
    psf = rd.psf.moffat(tuple(shape), alpha=alpha, beta=beta, centre=centre)
    assert np.allclose(psf, expected, rtol=1e-12, atol=1e-300)


@given(st.floats(0.1, 1e4), st.sampled_from([2, 4, 6, 8]))
def test_falls_to_half_at_half_its_width(beta, width):
    psf = rd.psf.moffat(11, width, beta)
    assert psf[5 + width // 2] / psf[5] == pytest.approx(0.5, rel=1e-12)
    elliptical = rd.psf.moffat((11, 11), (width, 2), beta)
    assert elliptical[5 - width // 2, 5] / elliptical[5, 5] == pytest.approx(0.5, rel=1e-12)
    assert elliptical[5, 6] / elliptical[5, 5] == pytest.approx(0.5, rel=1e-12)


def test_is_a_gaussian_in_the_limit():
    gaussian = rd.psf.gaussian((9, 8), 3 / math.sqrt(8 * math.log(2)), centre=(4.2, 3))
    assert np.allclose(rd.psf.moffat((9, 8), 3, 1e9, centre=(4.2, 3)), gaussian, rtol=1e-6)


def test_the_energy_in_its_wings():
    """The samples of all the plane sum to pi alpha**2 / (beta - 1); a disk misses the part that the docstring names."""
    alpha, beta, radius = 3.0, 2.5, 60
    psf = rd.psf.moffat((2 * radius + 1,) * 2, alpha=alpha, beta=beta)
    total = math.pi * alpha**2 / (beta - 1) * psf.max()
    disk = np.hypot(*(np.indices(psf.shape) - radius)) <= radius
    assert 1 - psf[disk].sum() / total == pytest.approx((1 + (radius / alpha) ** 2) ** (1 - beta), rel=0.01)


@pytest.mark.parametrize("width", [1e-9, 1e-160, 5e-324])
def test_small_widths(width):
    assert np.allclose(rd.psf.moffat((3, 4), width, 3), rd.psf.delta((3, 4)), rtol=0, atol=1e-50)
    power_law = rd.psf.moffat(4, width, 1.5, centre=1.25)  # between samples, the wings are all that is sampled
    expected = np.abs(np.arange(4) - 1.25) ** -3
    assert np.allclose(power_law, expected / expected.sum(), rtol=1e-12)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"fwhm": 0}, "fwhm must be > 0"),
        ({"fwhm": (1, 2, 3)}, "fwhm needs one number"),
        ({"alpha": -1}, "alpha must be > 0"),
        ({"alpha": "wide"}, "alpha must be a real number"),
        ({}, "fwhm or alpha: give exactly one"),
        ({"fwhm": 2, "alpha": 2}, "fwhm or alpha: give exactly one"),
        ({"fwhm": 2, "beta": 0}, "beta must be >= 0.01"),
        ({"fwhm": 2, "beta": np.nan}, "beta must be a finite number"),
        ({"fwhm": 2, "centre": 7}, "centre must lie in the window"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises((ValueError, TypeError), match=message):
        rd.psf.moffat((4, 4), **arguments)
