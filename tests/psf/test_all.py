"""What every PSF promises: non-negative, of sum one, float64, and where its middle is."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import refdeconv as rd

# Each as a function of the shape, with numbers that make it a few pixels wide, and of options.
KINDS = {
    "airy": (lambda shape, **options: rd.psf.airy(shape, 2.7, **options), (2,)),
    "box": (lambda shape, **options: rd.psf.box(shape, 2.4, **options), (1, 2, 3)),
    "defocus": (lambda shape, **options: rd.psf.defocus(shape, 1.7, **options), (1, 2, 3)),
    "gaussian": (lambda shape, **options: rd.psf.gaussian(shape, 1.3, **options), (1, 2, 3)),
    "oblique": (
        lambda shape, **options: rd.psf.gaussian(shape, covariance=np.eye(len(shape)) + 0.6, **options),
        (1, 2, 3),
    ),
    "moffat": (lambda shape, **options: rd.psf.moffat(shape, 2.2, 3.5, **options), (1, 2, 3)),
    "motion": (
        lambda shape, **options: rd.psf.motion(shape, 3.3, direction=(2, -1, 3)[: len(shape)], **options),
        (1, 2, 3),
    ),
}
CASES = [(name, ndim) for name, (_, dimensions) in KINDS.items() for ndim in dimensions]


def check_is_psf(psf, shape):
    assert psf.shape == shape
    assert psf.dtype == np.float64
    assert psf.min() >= 0
    assert psf.sum() == pytest.approx(1, rel=1e-14)
    assert psf.flags.writeable
    assert psf.flags.c_contiguous


@pytest.mark.parametrize(("name", "ndim"), CASES)
@given(data=st.data())
def test_promises_for_any_shape_and_centre(name, ndim, data):
    make, _ = KINDS[name]
    shape = data.draw(st.tuples(*[st.integers(1, 8)] * ndim))
    psf = make(shape)
    check_is_psf(psf, shape)
    assert psf[tuple((n - 1) // 2 for n in shape)] >= psf.max() * (1 - 1e-14)
    centre = [data.draw(st.floats(0, n - 1)) for n in shape]
    check_is_psf(make(shape, centre=centre), shape)


@pytest.mark.parametrize(("name", "ndim"), CASES)
@pytest.mark.parametrize(("size", "middle"), [(13, 6), (12, 5.5)])
def test_in_a_symmetric_window_the_centroid_is_the_centre(name, ndim, size, middle):
    psf = KINDS[name][0]((size,) * ndim, centre=middle)
    assert np.allclose(psf, psf[(slice(None, None, -1),) * ndim], rtol=0, atol=1e-15)
    for index in np.indices(psf.shape, sparse=True):
        assert abs((index * psf).sum() - middle) <= 1e-13


@pytest.mark.parametrize(("name", "ndim"), CASES)
def test_a_centre_moved_by_a_whole_pixel_moves_the_samples(name, ndim):
    make, _ = KINDS[name]
    here, there = make((14,) * ndim, centre=5.3), make((14,) * ndim, centre=6.3)
    before, after = here[(slice(2, 9),) * ndim], there[(slice(3, 10),) * ndim]
    assert np.allclose(before / before.sum(), after / after.sum(), rtol=1e-11, atol=1e-14)


@pytest.mark.parametrize("name", ["airy", "defocus", "gaussian", "moffat"])
def test_round_ones_are_the_same_on_every_side(name):
    psf = KINDS[name][0]((9, 9))
    for other in (psf.T, psf[::-1], psf[:, ::-1]):
        assert np.allclose(psf, other, rtol=0, atol=1e-15)


@pytest.mark.parametrize("shape", [(1,), (2, 3), (4, 1, 3)])
def test_delta_is_no_blur(shape):
    psf = rd.psf.delta(shape)
    check_is_psf(psf, shape)
    image = np.random.default_rng(0).random((5, 6, 4)[: len(shape)])
    assert np.allclose(rd.Convolution(psf, image.shape).forward(image), image, rtol=0, atol=1e-15)
