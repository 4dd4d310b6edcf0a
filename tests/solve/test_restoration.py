"""deconvolve: one call for grey and colour, one to three dimensions."""

import doctest
import warnings

import numpy as np
import pytest

import refdeconv as rd
from refdeconv.solve import restoration

RNG = np.random.default_rng(0)
PSF = rd.psf.gaussian((3, 5), (0.7, 1.2))
SHARP = RNG.random((14, 11))
BLURRED = rd.Convolution(PSF, SHARP.shape).forward(SHARP)


def error(image):
    return np.linalg.norm(image - SHARP)


def test_the_example_of_its_docstring():
    failures, examples = doctest.testmod(restoration)
    assert examples > 5
    assert not failures


def test_sharpens():
    restored = rd.deconvolve(BLURRED, PSF, mu=0.01)
    assert restored.shape == SHARP.shape
    assert error(restored) < 0.7 * error(BLURRED)


def test_minimises_the_articles_objective():
    image, result = rd.deconvolve(BLURRED, PSF, mu=0.1, full_output=True)
    objective = rd.problems.norm_and_gradient_norm(BLURRED, PSF, 0.1)
    assert result.success
    assert np.array_equal(image, result.x)
    assert np.isclose(result.fun, objective.value(image), rtol=1e-14)
    assert result.fun <= objective.value(image + 1e-3 * RNG.standard_normal(image.shape))
    assert np.linalg.norm(objective.gradient(image)) < 1e-4


def test_starts_where_it_is_told():
    start = RNG.random(SHARP.shape)
    _, result = rd.deconvolve(BLURRED, PSF, mu=0.1, x0=start, full_output=True)
    objective = rd.problems.norm_and_gradient_norm(BLURRED, PSF, 0.1)
    assert np.isclose(result.history[0].value, objective.value(start), rtol=1e-14)


@pytest.mark.parametrize("boundary", ["constant", "wrap", "reflect", "mirror", "nearest"])
def test_every_boundary(boundary):
    """What was blurred at a boundary is found again with it, better than with another."""
    sharp = 1 + SHARP
    blurred = rd.Convolution(PSF, sharp.shape, boundary).forward(sharp)
    right = rd.deconvolve(blurred, PSF, mu=0.01, boundary=boundary)
    other = rd.deconvolve(blurred, PSF, mu=0.01, boundary="wrap" if boundary == "constant" else "constant")
    assert np.linalg.norm(right - sharp) < np.linalg.norm(blurred - sharp)
    assert np.linalg.norm(right - sharp) < np.linalg.norm(other - sharp)


def test_boundary_and_origin_are_used():
    periodic = rd.Convolution(PSF, SHARP.shape, "wrap", origin=(0, 4)).forward(SHARP)
    right = rd.deconvolve(periodic, PSF, mu=0.01, boundary="wrap", origin=(0, 4))
    wrong = rd.deconvolve(periodic, PSF, mu=0.01)
    assert error(right) < 0.5 * error(wrong)


@pytest.mark.parametrize("shape", [(20,), (1, 30), (8, 7, 6)])
def test_any_dimension(shape):
    image = RNG.random(shape)
    restored = rd.deconvolve(image, rd.psf.gaussian((3,) * len(shape), 1.0), mu=0.2)
    assert restored.shape == shape
    assert np.isfinite(restored).all()


@pytest.mark.parametrize("axis", [0, 1, 2, -1])
def test_channels_are_deconvolved_each_on_its_own(axis):
    channels = [BLURRED, BLURRED**2, 255 * BLURRED]
    image, result = rd.deconvolve(np.stack(channels, axis=axis), PSF, mu=0.05, channel_axis=axis, full_output=True)
    for index, channel in enumerate(channels):
        assert np.allclose(image.take(index, axis), rd.deconvolve(channel, PSF, mu=0.05), rtol=1e-12, atol=1e-12)
    assert result.success
    assert len(result.channels) == 3
    assert result.nhev == sum(channel.nhev for channel in result.channels)
    assert np.isclose(result.fun, sum(channel.fun for channel in result.channels))
    assert np.array_equal(result.x, image)
    assert result.relative_gradient_norm < 1e-2


def test_one_dimension_with_channels():
    image = rd.deconvolve(BLURRED, rd.psf.gaussian(5, 1.2), mu=0.3, channel_axis=0)
    assert np.allclose(image[3], rd.deconvolve(BLURRED[3], rd.psf.gaussian(5, 1.2), mu=0.3))


@pytest.mark.parametrize(
    ("dtype", "found"),
    [("f4", "f4"), ("f8", "f8"), ("g", "g"), ("u1", "f8"), ("i2", "f8"), ("?", "f8"), ("f2", "f4"), (">f4", "f4")],
)
def test_dtypes(dtype, found):
    image = (BLURRED * 2).astype(dtype)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", rd.ConvergenceWarning)  # float32 and rounded data may end at their floor
        restored = rd.deconvolve(image, PSF, mu=0.1)
    assert restored.dtype == np.dtype(found)
    # Never rescaled: the same values as those of the image in float64.
    assert np.allclose(restored, rd.deconvolve(image.astype(float), PSF, mu=0.1), rtol=0, atol=0.02)


@pytest.mark.parametrize("factor", [1e-30, 1e-6, 255, 65535, 1e30])
def test_the_range_does_not_matter(factor):
    restored = rd.deconvolve(BLURRED * factor, PSF, mu=0.05)
    assert np.allclose(restored / factor, rd.deconvolve(BLURRED, PSF, mu=0.05), rtol=1e-4, atol=1e-4)


def test_unusual_arrays_simply_work():
    expected = rd.deconvolve(BLURRED, PSF, mu=0.05)
    frozen = BLURRED.copy()
    frozen.setflags(write=False)
    strided = np.zeros((28, 22))
    strided[::2, ::2] = BLURRED
    for image in (frozen, np.asfortranarray(BLURRED), strided[::2, ::2], BLURRED.astype(">f8"), BLURRED.tolist()):
        assert np.allclose(rd.deconvolve(image, PSF, mu=0.05), expected, rtol=1e-6, atol=1e-6)
    unmasked = np.ma.masked_array(BLURRED, mask=False)
    assert np.allclose(rd.deconvolve(unmasked, PSF, mu=0.05), expected)


def test_flat_images():
    """Nothing to sharpen: black stays black, and a periodic constant stays what it is."""
    assert not rd.deconvolve(np.zeros((5, 6)), PSF).any()
    assert np.allclose(rd.deconvolve(np.full((5, 6), 3.0), PSF, boundary="wrap"), 3, rtol=1e-12)


def test_a_solve_that_fails_says_so():
    with pytest.warns(rd.ConvergenceWarning, match="Stopped at maxiter"):
        rd.deconvolve(BLURRED, PSF, maxiter=1)
    _, result = rd.deconvolve(BLURRED, PSF, maxiter=1, full_output=True)  # told by the result, so without a warning
    assert not result.success


def test_a_doubtful_psf_is_said_once_for_all_channels():
    colour = np.stack([BLURRED] * 3, axis=-1)
    with pytest.warns(UserWarning, match="sums to 2") as warned:
        rd.deconvolve(colour, 2 * PSF, mu=0.1, channel_axis=-1)
    assert len(warned) == 1
    assert warned[0].filename == __file__


def test_interrupted_between_channels():
    calls = []

    def callback(x):
        calls.append(x)
        if len(calls) == 3:
            raise KeyboardInterrupt

    colour = np.stack([BLURRED] * 3)
    image, result = rd.deconvolve(colour, PSF, mu=0.1, channel_axis=0, callback=callback, full_output=True)
    assert result.interrupted
    assert not result.success
    assert image.shape == colour.shape
    assert np.array_equal(image[2], BLURRED)


def test_a_stop_and_a_limit_are_for_all_channels():
    calls = []

    def callback(x):
        calls.append(x)
        raise StopIteration

    colour = np.stack([BLURRED] * 3)
    _, result = rd.deconvolve(colour, PSF, channel_axis=0, callback=callback, full_output=True)
    assert len(calls) == 1
    assert "0 of 3 channels converged" in result.message
    assert "The last 2 of them stay as they started" in result.message
    _, result = rd.deconvolve(colour, PSF, channel_axis=0, max_seconds=0, full_output=True)
    assert not result.success
    assert len(result.channels) == 1


def test_interrupted_outside_the_solver(monkeypatch):
    """Ctrl-C between two channels: those that are done are kept, the others stay as they started."""
    made, minimize = [], restoration.minimize

    def interrupted(*arguments, **options):
        if len(made) == 2:
            raise KeyboardInterrupt
        made.append(1)
        return minimize(*arguments, **options)

    monkeypatch.setattr(restoration, "minimize", interrupted)
    colour = np.stack([BLURRED] * 3)
    image, result = rd.deconvolve(colour, PSF, 0.1, channel_axis=0, full_output=True)
    assert result.interrupted
    assert len(result.channels) == 2
    assert np.array_equal(image[2], BLURRED)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"image": np.full((4, 4), np.nan)}, "image must be finite"),
        ({"image": np.zeros((0, 4))}, "image is empty"),
        ({"image": np.ones((4, 4)) + 1j}, "image must be real"),
        ({"image": np.full((4, 4), None)}, "image must hold numbers"),
        ({"image": np.full((4, 4), "a")}, "image must hold numbers"),
        ({"image": np.ma.masked_greater(BLURRED, 0.5)}, "image is a masked array"),
        ({"psf": np.ones(3) / 3}, "psf has 1 axes"),
        ({"psf": np.zeros((3, 3))}, "psf is zero"),
        ({"psf": PSF * np.inf}, "psf must be finite"),
        ({"psf": np.ones((0, 3))}, "psf is empty"),
        ({"mu": 0}, "mu must be > 0"),
        ({"mu": -0.1}, "mu must be > 0"),
        ({"mu": np.inf}, "mu must be a finite number"),
        ({"mu": "0.2"}, "mu must be a real number"),
        ({"x0": np.ones((3, 3))}, r"x0 has shape \(3, 3\), expected \(14, 11\)"),
        ({"x0": np.full(BLURRED.shape, np.inf)}, "x0 must be finite"),
        ({"boundary": "reflekt"}, "unknown boundary 'reflekt'"),
        ({"boundary": "Wrap"}, "did you mean 'wrap'"),
        ({"fidelity": "gauss"}, "unknown fidelity 'gauss'"),
        ({"regularizer": "tv"}, "unknown regularizer 'tv'"),
        ({"positivity": "square", "bounds": (0, 1)}, "exclude each other"),
        ({"fidelity": "poisson", "image": -BLURRED}, "data must be >= 0"),
        ({"method": "Newton CG"}, "did you mean 'Newton-CG'"),
        ({"channel_axis": 2}, "channel_axis must be between -2 and 1"),
        ({"channel_axis": 0.0}, "channel_axis must be an integer"),
        ({"channel_axis": 0}, "psf has 2 axes"),
        ({"origin": (5, 5)}, "origin must lie inside"),
        ({"tolerance": 1}, "unknown option of Newton-CG 'tolerance'"),
    ],
)
def test_bad_arguments(arguments, message):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises((ValueError, TypeError), match=message):
            rd.deconvolve(**{"image": BLURRED, "psf": PSF, **arguments})
