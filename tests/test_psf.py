"""PSFs: the article's to the last bit, Gaussians against their definition."""

import math

import numpy as np
import pytest
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
    weights = np.empty(shape)
    for index in np.ndindex(*shape):
        exponent = sum(((i - (n - 1) // 2) / s) ** 2 / 2 for i, n, s in zip(index, shape, sigma, strict=True))
        weights[index] = math.exp(-exponent)
    assert np.allclose(rd.psf.gaussian(tuple(shape), sigma), weights / weights.sum(), rtol=1e-13, atol=1e-300)


@pytest.mark.parametrize("shape", [(7,), (8,), (5, 6), (3, 4, 5)])
def test_gaussian_moves_nothing(shape):
    """Its peak is where Convolution takes the origin, so that a point stays where it is, for even sizes too."""
    psf = rd.psf.gaussian(shape, 0.8)
    image = np.zeros((9,) * len(shape))
    image[(4,) * len(shape)] = 1
    blurred = rd.Convolution(psf, image.shape).forward(image)
    assert np.unravel_index(blurred.argmax(), image.shape) == (4,) * len(shape)
    assert np.isclose(psf.sum(), 1, rtol=1e-15)
    assert psf.min() >= 0


def test_no_blur_in_the_limit():
    for sigma in (0, 1e-3, 1e-320):
        assert np.array_equal(rd.psf.gaussian((3, 4), sigma), [[0, 0, 0, 0], [0, 1, 0, 0], [0, 0, 0, 0]])
    assert np.array_equal(rd.psf.gaussian((1, 3), (5, 0)), [[0, 1, 0]])
    assert np.allclose(rd.psf.gaussian(4, 1e9), 0.25)


@pytest.mark.parametrize(
    ("shape", "sigma"),
    [((3, 0), 1), ((), 1), (3.5, 1), ((3, 3), -1), ((3, 3), (1, 2, 3)), ((3, 3), np.nan), ((3, 3), "wide"), (3, None)],
)
def test_bad_gaussians(shape, sigma):
    with pytest.raises((ValueError, TypeError), match=r"shape|sigma"):
        rd.psf.gaussian(shape, sigma)


def test_a_doubtful_psf_is_used_and_said_once():
    with pytest.warns(UserWarning, match=r"sums to 2, not to 1.*and has negative entries") as warned:
        psf = rd.psf.as_psf([-1.0, 3.0], (5,))
    assert len(warned) == 1
    assert np.array_equal(psf, [-1, 3])


def test_what_is_no_psf():
    with pytest.raises(ValueError, match=r"psf has 2 axes .* channel_axis"):
        rd.psf.as_psf(np.ones((3, 3)), (5, 5, 3))
    with pytest.raises(ValueError, match="zero everywhere"):
        rd.psf.as_psf(np.zeros(3), (5,))
