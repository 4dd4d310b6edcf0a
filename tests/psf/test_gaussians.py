"""Gaussians against their definition, of any covariance; the article's to the last bit."""

import math

import mpmath
import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter

import refdeconv as rd


def test_the_articles_psf_to_the_last_bit():
    psf = np.zeros((13, 13))
    psf[6, 6] = 1
    psf = gaussian_filter(psf, sigma=(1, 3))
    psf /= np.sum(psf)
    assert np.array_equal(rd.psf.article(), psf)


@given(st.lists(st.integers(1, 9), min_size=1, max_size=3), st.data())
def test_gaussian_is_its_definition(shape, data):
    sigma = [data.draw(st.floats(0.3, 20)) for _ in shape]
    centre = [data.draw(st.floats(-0.5, n - 0.5)) for n in shape]
    default = [(n - 1) // 2 for n in shape]
    for given_centre, middle in ((None, default), (centre, centre)):
        exponents, weights = np.empty(shape), np.empty(shape, object)
        for index in np.ndindex(*shape):
            scaled = [(mpmath.mpf(i) - c) / s for i, c, s in zip(index, middle, sigma, strict=True)]
            weights[index] = mpmath.exp(-mpmath.fdot(scaled, scaled) / 2)
            exponents[index] = mpmath.fdot(scaled, scaled) / 2
        expected = (weights / weights.sum()).astype(float)
        psf = rd.psf.gaussian(tuple(shape), sigma, centre=given_centre)
        # An exponential has the relative error that its exponent has absolutely: some roundings of its size.
        assert (np.abs(psf - expected) <= (1e-14 + 1e-15 * exponents) * expected + 1e-300).all()


@given(st.integers(1, 3), st.data())
def test_any_covariance_is_scipys_density(ndim, data):
    shape = tuple(data.draw(st.integers(1, 8)) for _ in range(ndim))
    factor = np.array([[data.draw(st.floats(-2, 2)) for _ in shape] for _ in shape])
    covariance = factor @ factor.T + 0.5 * np.eye(ndim)
    centre = tuple(data.draw(st.floats(-0.5, n - 0.5)) for n in shape)
    density = scipy.stats.multivariate_normal(np.array(centre), covariance)
    points = np.stack(np.meshgrid(*map(np.arange, shape), indexing="ij"), axis=-1)
    logs = np.reshape(density.logpdf(points), shape)
    expected = np.exp(logs - logs.max())
    psf = rd.psf.gaussian(shape, covariance=covariance, centre=centre)
    assert np.allclose(psf, expected / expected.sum(), rtol=1e-11, atol=1e-300)


def test_a_diagonal_covariance_is_sigma_squared():
    found = rd.psf.gaussian((6, 5, 4), covariance=np.diag([1.0, 4, 9]), centre=(2.3, 2, 1.5))
    assert np.allclose(found, rd.psf.gaussian((6, 5, 4), (1, 2, 3), centre=(2.3, 2, 1.5)), rtol=1e-14)


def test_the_covariance_of_the_samples_is_the_one_asked_for():
    """Second moments of a sampled Gaussian: exact to exp(-2 pi**2 sigma**2) in a window that holds it."""
    covariance, centre = np.array([[3.0, 1.2], [1.2, 2.5]]), (24.2, 22.9)
    psf = rd.psf.gaussian((49, 47), covariance=covariance, centre=centre)
    index = np.indices(psf.shape).reshape(2, -1)
    mean = index @ psf.ravel()
    spread = (index - mean[:, None]) * psf.ravel() @ (index - mean[:, None]).T
    assert np.allclose(mean, centre, rtol=1e-13)
    assert np.allclose(spread, covariance, rtol=1e-12)


@pytest.mark.parametrize("shape", [(7,), (8,), (5, 6), (3, 4, 5)])
def test_gaussian_moves_nothing(shape):
    """Its peak is where Convolution takes the origin, so that a point stays where it is, for even sizes too."""
    psf = rd.psf.gaussian(shape, 0.8)
    image = np.zeros((9,) * len(shape))
    image[(4,) * len(shape)] = 1
    blurred = rd.Convolution(psf, image.shape).forward(image)
    assert np.unravel_index(blurred.argmax(), image.shape) == (4,) * len(shape)


@pytest.mark.parametrize(("sigma", "error"), [(0.5, 0.023), (0.8, 3e-5), (1.0, 4e-8), (1.4, 2e-14)])
def test_how_far_the_centroid_is_from_the_centre(sigma, error):
    """By the first harmonic that sampling adds, of amplitude 4 pi sigma**2 exp(-2 pi**2 sigma**2)."""
    for offset in (0.1, 0.25, 0.37, 0.5):
        index, psf = np.arange(41), rd.psf.gaussian(41, sigma, centre=20 + offset)
        harmonic = 4 * np.pi * sigma**2 * math.exp(-2 * (np.pi * sigma) ** 2) * math.sin(2 * np.pi * offset)
        assert index @ psf - 20 - offset == pytest.approx(-harmonic, rel=0.03, abs=2e-14)
        assert abs(index @ psf - 20 - offset) <= error


def test_no_blur_in_the_limit():
    for sigma in (0, 1e-3, 1e-320):
        assert np.array_equal(rd.psf.gaussian((3, 4), sigma), rd.psf.delta((3, 4)))
        between = rd.psf.gaussian((3, 4), sigma, centre=(1.2, 1.5))
        assert np.array_equal(between, [[0, 0, 0, 0], [0, 0.5, 0.5, 0], [0, 0, 0, 0]])
    assert np.array_equal(rd.psf.gaussian((1, 3), (5, 0)), [[0, 1, 0]])
    assert np.allclose(rd.psf.gaussian(4, 1e9), 0.25)
    for variance in (1e-320, 1e-30):
        between = rd.psf.gaussian((3, 4), covariance=np.eye(2) * variance, centre=(1.2, 1.5))
        assert np.array_equal(between, [[0, 0, 0, 0], [0, 0.5, 0.5, 0], [0, 0, 0, 0]])


def test_a_thin_oblique_gaussian_keeps_its_digits():
    covariance = [[4.0, 3.999], [3.999, 4.0]]
    inverse = mpmath.inverse(mpmath.matrix(covariance))

    def weight(i, j):
        return mpmath.exp(-(mpmath.matrix([[i - 4, j - 4]]) * inverse * mpmath.matrix([i - 4, j - 4]))[0] / 2)

    exact = np.array([[weight(i, j) for j in range(9)] for i in range(9)])
    expected = (exact / exact.sum()).astype(float)
    assert np.allclose(rd.psf.gaussian((9, 9), covariance=covariance), expected, rtol=1e-9, atol=1e-16)


@pytest.mark.parametrize(
    ("shape", "sigma"),
    [((3, 0), 1), ((), 1), (3.5, 1), ((3, 3), -1), ((3, 3), (1, 2, 3)), ((3, 3), np.nan), ((3, 3), "wide"), (3, None)],
)
def test_bad_gaussians(shape, sigma):
    with pytest.raises((ValueError, TypeError), match=r"shape|sigma"):
        rd.psf.gaussian(shape, sigma)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"sigma": 1, "covariance": np.eye(2)}, "sigma or covariance: give exactly one"),
        ({"covariance": np.eye(3)}, "covariance has shape"),
        ({"covariance": [[1, 2], [2, 1]]}, "covariance must be positive definite"),
        ({"covariance": [[1, 1], [1, 1]]}, "covariance must be positive definite"),
        ({"covariance": [[1, 0.5], [0.4, 1]]}, "covariance must be symmetric"),
        ({"covariance": [[1, np.nan], [0, 1]]}, "covariance must be finite"),
        ({"sigma": 1, "centre": (1, 2, 3)}, "centre needs one number"),
        ({"sigma": 1, "centre": (1, 3.6)}, "centre must lie in the window"),
        ({"sigma": 1, "centre": "peak"}, "centre must be a real number"),
    ],
)
def test_bad_covariances_and_centres(arguments, message):
    with pytest.raises((ValueError, TypeError), match=message):
        rd.psf.gaussian((4, 4), **arguments)
