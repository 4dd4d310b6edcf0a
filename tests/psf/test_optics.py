"""Disks and balls against integrals of their chords, Airy patterns against the integral over their pupil."""

import itertools
import math

import mpmath
import numpy as np
import pytest
import scipy.integrate
import scipy.special
from hypothesis import given, settings
from hypothesis import strategies as st

import refdeconv as rd
from refdeconv.psf._ball import ball_in_pixels
from refdeconv.psf._window import pixel_edges

RADII = st.one_of(st.floats(0.01, 6), st.sampled_from([0.5, 0.5**0.5, 0.75**0.5, 1.0, 1.5, 2.5, 5.0]))


def area_by_chords(x0, x1, y0, y1, radius):
    """The area of the disk in a pixel, the integral of its chords between all points where one starts or ends."""
    breaks = {x0, x1}
    for x in (
        radius,
        -radius,
        *(s * math.sqrt(radius**2 - y * y) for y in (y0, y1) if abs(y) < radius for s in (1, -1)),
    ):
        breaks |= {x} if x0 < x < x1 else set()

    def chord(x):
        half = mpmath.sqrt(max(mpmath.mpf(radius) ** 2 - x * x, 0))
        return max(min(half, y1) - max(-half, y0), 0)

    with mpmath.workdps(30):
        return float(mpmath.quad(chord, sorted(breaks)))


@settings(max_examples=20)
@given(st.tuples(st.integers(1, 7), st.integers(1, 6)), RADII, st.data())
def test_defocus_is_the_area_of_disk_and_pixel(shape, radius, data):
    centre = [data.draw(st.one_of(st.floats(0, n - 1), st.integers(0, 2 * n - 2).map(lambda k: k / 2))) for n in shape]
    expected = np.empty(shape)
    for i, j in np.ndindex(*shape):
        y, x = i - centre[0], j - centre[1]
        expected[i, j] = area_by_chords(x - 0.5, x + 0.5, y - 0.5, y + 0.5, radius)
    psf = rd.psf.defocus(shape, radius, centre=centre)
    assert np.abs(psf * expected.sum() - expected).max() <= 1e-14 * max(1, expected.max())


@given(st.integers(1, 9), st.floats(0.01, 6), st.data())
def test_in_one_dimension_it_is_a_box(size, radius, data):
    centre = data.draw(st.floats(0, size - 1))
    expected = rd.psf.box(size, 2 * radius, centre=centre)
    assert np.allclose(rd.psf.defocus(size, radius, centre=centre), expected, rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize(("radius", "centre"), [(1.3, (1, 1, 1)), (0.8, (0.2, 0.5, 1.3)), (2.1, (0.25, 1, 2.5))])
def test_a_ball_is_the_integral_of_its_sections(radius, centre):
    """Each section is a disk, which the test above checks; here the sections are added up along the third axis."""
    shape = (3, 3, 3)
    edges = [pixel_edges(n, c) for n, c in zip(shape, centre, strict=True)]

    def section(z):
        disk = math.sqrt(max(radius**2 - z * z, 0))
        if disk == 0:
            return np.zeros(shape[:2])
        areas = ball_in_pixels(edges[:2], disk)
        return areas if disk > 1 else areas * disk**2

    breaks = {0.0, radius, -radius}
    for x in (0, *edges[0]):
        for y in (0, *edges[1]):
            breaks |= {s * math.sqrt(left) for s in (1, -1) if (left := radius**2 - x * x - y * y) > 0}
    expected = np.empty(shape)
    for k, (low, high) in enumerate(zip(edges[2][:-1], edges[2][1:], strict=True)):
        cuts = [low, *sorted(b for b in breaks if low < b < high), high]
        expected[..., k] = sum(
            scipy.integrate.quad_vec(section, a, b, epsabs=1e-14, epsrel=1e-13)[0]
            for a, b in itertools.pairwise(cuts)
            if b - a > 1e-14
        )
    psf = rd.psf.defocus(shape, radius, centre=centre)
    assert np.abs(psf * expected.sum() - expected).max() <= 2e-13


@given(st.integers(1, 3), st.floats(1e-3, 8), st.data())
def test_pixels_of_a_large_window_hold_the_whole_ball(ndim, radius, data):
    centre = [data.draw(st.floats(9, 10)) for _ in range(ndim)]
    parts = ball_in_pixels([pixel_edges(20, c) for c in centre], radius)
    whole = math.pi ** (ndim / 2) / math.gamma(ndim / 2 + 1) * (radius**ndim if radius > 1 else 1)
    assert parts.sum() == pytest.approx(whole, rel=1e-13)
    assert parts.min() >= 0
    if radius > 1:
        assert parts.max() <= 1


@given(st.floats(0.5, 8), st.floats(0, 1), st.floats(0, 1))
def test_the_centroid_of_a_disk(radius, down, right):
    """To what pixels leave of it: at half and whole pixels rounding, elsewhere 0.04 radius**-1.5 of a pixel."""
    for centre, error in (((10, 9.5), 1e-13), ((10 + down, 9 + right), 0.04 * radius**-1.5)):
        psf = rd.psf.defocus((21, 20), radius, centre=centre)
        assert abs(np.arange(21) @ psf.sum(axis=1) - centre[0]) <= error
        assert abs(np.arange(20) @ psf.sum(axis=0) - centre[1]) <= error


@pytest.mark.parametrize("shape", [(5,), (4, 5), (3, 4, 3)])
def test_small_and_large_radii(shape):
    for radius in (0, 5e-324, 1e-200, 0.1, 0.5):
        assert np.array_equal(rd.psf.defocus(shape, radius), rd.psf.delta(shape))
    for radius in (50, 1e9, 1e300):
        assert np.allclose(rd.psf.defocus(shape, radius), 1 / math.prod(shape), rtol=1e-15)
    assert np.allclose(rd.psf.defocus((2, 2), 0.1, centre=0.5), 0.25, rtol=1e-15)
    assert np.array_equal(rd.psf.defocus((2, 2, 2), 0, centre=0.5), np.full((2, 2, 2), 0.125))


def test_pixels_inside_the_disk_are_equal():
    psf = rd.psf.defocus((63, 63), 25.3)
    inside = np.hypot(*(abs(d) + 0.5 for d in np.indices(psf.shape) - 31)) <= 25.3
    assert np.unique(psf[inside]).size == 1
    assert psf[inside][0] == psf.max() == pytest.approx(1 / (math.pi * 25.3**2), rel=1e-13)


def test_airy_is_the_intensity_of_the_wave_from_the_pupil():
    """The definition, integrated: the wave of a disk of directions, without Bessel functions."""
    wavelength, aperture, pixel, centre = 0.52, 1.2, 0.06, (3.2, 2.0)
    wavenumber = 2 * math.pi * aperture * pixel / wavelength

    def amplitude(i, j):
        r = math.hypot(i - centre[0], j - centre[1])

        def wave(p):
            return math.cos(wavenumber * r * p) * 2 * math.sqrt(1 - p * p)

        return scipy.integrate.quad(wave, -1, 1, epsabs=1e-13, epsrel=1e-12, limit=200)[0] / math.pi

    expected = np.array([[amplitude(i, j) ** 2 for j in range(6)] for i in range(7)])
    psf = rd.psf.airy((7, 6), wavelength=wavelength, numerical_aperture=aperture, pixel_size=pixel, centre=centre)
    assert np.abs(psf - expected / expected.sum()).max() <= 1e-12


@given(st.floats(1e-3, 1e6), st.floats(0, 5))
def test_airy_in_mpmath(first_zero, offset):
    psf = rd.psf.airy((3, 4), first_zero, centre=(1, min(offset, 3)))
    zero = mpmath.besseljzero(1, 1)

    def intensity(i, j):
        v = zero * mpmath.hypot(i - 1, j - mpmath.mpf(min(offset, 3))) / first_zero
        return (2 * mpmath.besselj(1, v) / v) ** 2 if v else mpmath.mpf(1)

    expected = np.array([[intensity(i, j) for j in range(4)] for i in range(3)])
    expected = (expected / expected.sum()).astype(float)
    assert np.abs(psf - expected).max() <= 1e-11


def test_airy_has_its_dark_ring_and_both_descriptions_agree():
    psf = rd.psf.airy((21, 21), 5.0)
    assert psf[10, 10] == psf.max()
    assert psf[10, 15] <= 1e-30
    optical = rd.psf.airy((21, 21), wavelength=0.5, numerical_aperture=1.4, pixel_size=0.05)
    zero = float(mpmath.besseljzero(1, 1)) / (2 * math.pi) * 0.5 / (1.4 * 0.05)
    assert zero == pytest.approx(0.60983 * 0.5 / (1.4 * 0.05), rel=1e-5)
    assert np.allclose(optical, rd.psf.airy((21, 21), zero), rtol=1e-10)


@pytest.mark.parametrize("half", [10, 20, 40])
def test_the_energy_that_the_window_loses(half):
    """All samples sum to 4 pi / k**2 (PSF.10); a window of this half width loses a little less than a disk does."""
    first_zero, size = 4.0, 2 * half + 1
    k = float(mpmath.besseljzero(1, 1)) / first_zero
    psf = rd.psf.airy((size, size), first_zero)
    kept = k**2 / (4 * math.pi) / psf[half, half]  # the sample of intensity 1 shows what it was divided by
    v = k * (half + 0.5)
    encircled = 1 - scipy.special.j0(v) ** 2 - scipy.special.j1(v) ** 2
    assert encircled < kept < 1
    assert 0.8 < (1 - kept) / (0.17 * first_zero / (half + 0.5)) < 1


def test_small_and_large_airy_patterns():
    assert np.allclose(rd.psf.airy((4, 5), 1e12), 0.05, rtol=1e-15)
    for zero in (1e-9, 1e-300, 5e-324):
        assert np.allclose(rd.psf.airy((4, 5), zero), rd.psf.delta((4, 5)), rtol=0, atol=1e-24)
    with pytest.raises(ValueError, match="first_zero is too small"):
        rd.psf.airy((4, 5), 1e-300, centre=(0.5, 0.5))


OPTICAL = {"wavelength": 0.5, "numerical_aperture": 1.4, "pixel_size": 0.1}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"shape": (3, 3, 3), "first_zero": 2}, "shape must have two axes"),
        ({"first_zero": 0}, "first_zero must be > 0"),
        ({"first_zero": "wide"}, "first_zero must be a real number"),
        ({}, "first_zero, or all of"),
        ({"first_zero": 2, **OPTICAL}, "give one description"),
        ({"first_zero": 2, "wavelength": 0.5}, "give one description"),
        ({"wavelength": 0.5, "pixel_size": 0.1}, "give one description.*wavelength"),
        ({**OPTICAL, "wavelength": -1}, "wavelength must be > 0"),
        ({**OPTICAL, "numerical_aperture": np.inf}, "numerical_aperture must be a finite"),
        ({**OPTICAL, "pixel_size": 0}, "pixel_size must be > 0"),
        ({"first_zero": 2, "centre": (9, 9)}, "centre must lie in the window"),
    ],
)
def test_bad_airy_patterns(arguments, message):
    with pytest.raises((ValueError, TypeError), match=message):
        rd.psf.airy(**{"shape": (5, 5), **arguments})


@pytest.mark.parametrize(
    ("shape", "radius", "message"),
    [
        ((2, 2, 2, 2), 1, "shape must have one to three axes"),
        ((3, 3), -1, "radius must be >= 0"),
        ((3, 3), (1, 2), "radius must be a real number"),
        ((3, 3), np.nan, "radius must be a finite number"),
    ],
)
def test_bad_disks(shape, radius, message):
    with pytest.raises((ValueError, TypeError), match=message):
        rd.psf.defocus(shape, radius)
