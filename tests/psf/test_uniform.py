"""Box and motion against crossings in exact fractions, and where the PSF is one pixel."""

import itertools
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import refdeconv as rd

HALF = Fraction(1, 2)


def line_lengths(shape, centre, vector):
    """The parts of a segment (centre, its whole vector) in each pixel, cut at its crossings, in exact fractions."""
    weights = np.full(shape, Fraction(0))
    cuts = {-HALF, HALF}
    for size, c, v in zip(shape, centre, vector, strict=True):
        if v:
            cuts |= {t for k in range(size + 1) if abs(t := (k - HALF - c) / v) < HALF}
    cuts = sorted(cuts)
    for start, end in itertools.pairwise(cuts):
        middle = [c + (start + end) / 2 * v for c, v in zip(centre, vector, strict=True)]
        index = tuple(round(m) for m in middle)
        if all(0 <= i < n for i, n in zip(index, shape, strict=True)):
            weights[index] += end - start
    return (weights / weights.sum()).astype(float)


rationals = st.fractions(-3, 3, max_denominator=7)


@given(st.lists(st.integers(1, 7), min_size=2, max_size=3), st.data())
def test_motion_is_the_length_of_the_crossings(shape, data):
    # Odd denominators keep the line off the borders between pixels, which it would share.
    offsets = st.integers(-3, 3).map(lambda k: Fraction(k, 7))
    centre = [(n - 1) // 2 + data.draw(offsets) for n in shape]
    vector = data.draw(st.lists(rationals, min_size=len(shape), max_size=len(shape)).filter(any))
    length = float(np.linalg.norm(np.array(vector, float)))
    psf = rd.psf.motion(tuple(shape), length, direction=[float(v) for v in vector], centre=[float(c) for c in centre])
    assert np.abs(psf - line_lengths(tuple(shape), centre, vector)).max() <= 2e-15


def test_the_angle_turns_counter_clockwise():
    for angle, direction in ((0, (0, 1)), (45, (-1, 1)), (90, (1, 0)), (135, (1, 1)), (30, (-0.5, 0.75**0.5))):
        turned, directed = (rd.psf.motion((9, 7), 5.3, a, direction=d) for a, d in ((angle, None), (0, direction)))
        assert np.allclose(turned, directed, rtol=0, atol=1e-15)
    rising = rd.psf.motion((9, 9), 7, 45)
    assert rising[2, 6] > 0.1
    assert rising[6, 6] == 0
    assert np.allclose(rising[::-1], np.diag(np.diag(rising[::-1])), rtol=0, atol=1e-15)


@pytest.mark.parametrize("angle", [0, 90, 180, 270, -90, 360, 720.0])
def test_along_an_axis_an_odd_length_gives_as_many_equal_samples(angle):
    expected = np.zeros((7, 7))
    expected[3, 1:6] = 0.2
    assert np.allclose(rd.psf.motion((7, 7), 5, angle), expected if angle % 180 == 0 else expected.T, rtol=1e-15)
    assert np.array_equal(rd.psf.motion((7, 7), 5, angle) != 0, (expected if angle % 180 == 0 else expected.T) != 0)


@given(st.floats(0, 360), st.floats(0, 12))
def test_motion_is_the_same_forwards_and_backwards_and_in_the_mirror(angle, length):
    psf = rd.psf.motion((9, 9), length, angle)
    assert np.allclose(psf, psf[::-1, ::-1], rtol=0, atol=1e-15)
    assert np.allclose(psf, rd.psf.motion((9, 9), length, 180 - angle)[:, ::-1], rtol=0, atol=1e-13)
    assert np.allclose(psf, np.rot90(rd.psf.motion((9, 9), length, angle - 90)), rtol=0, atol=1e-13)


@given(st.lists(st.integers(1, 6), min_size=1, max_size=3), st.data())
def test_box_is_the_overlap(shape, data):
    sizes = [data.draw(st.fractions(Fraction(1, 9), 9, max_denominator=20)) for _ in shape]
    centre = [data.draw(st.fractions(0, n - 1, max_denominator=20)) for n in shape]
    weights = np.empty(shape)
    for index in np.ndindex(*shape):
        overlap = Fraction(1)
        for i, c, s in zip(index, centre, sizes, strict=True):
            overlap *= max(min(i + HALF, c + s / 2) - max(i - HALF, c - s / 2), 0)
        weights[index] = overlap
    psf = rd.psf.box(tuple(shape), list(map(float, sizes)), centre=list(map(float, centre)))
    assert np.allclose(psf, weights / weights.sum(), rtol=1e-12, atol=1e-15)


def test_a_box_of_known_parts():
    assert np.allclose(rd.psf.box(5, 2.5), [0, 0.3, 0.4, 0.3, 0], rtol=1e-15)
    assert np.allclose(rd.psf.box((3, 4), (1, 2)), np.outer([0, 1, 0], [0.25, 0.5, 0.25, 0]), rtol=1e-15)
    assert np.array_equal(rd.psf.box(4, 2, centre=1.5), [0, 0.5, 0.5, 0])
    assert np.allclose(rd.psf.box((3, 3), 100), 1 / 9)


@pytest.mark.parametrize("shape", [(5,), (4, 5), (3, 4, 3)])
@pytest.mark.parametrize("extent", [0, 5e-324, 1e-200, 0.1, 0.5, 1])
def test_one_pixel_or_less_is_a_point(shape, extent):
    point = rd.psf.delta(shape)
    assert np.array_equal(rd.psf.box(shape, extent), point)
    for axis in range(len(shape)):
        assert np.array_equal(rd.psf.motion(shape, extent, direction=np.eye(len(shape))[axis]), point)
    assert np.array_equal(rd.psf.motion(shape, extent, direction=range(1, len(shape) + 1)), point)


def test_on_the_border_between_pixels_both_get_their_part():
    assert np.array_equal(rd.psf.box((2, 2), 0, centre=0.5), np.full((2, 2), 0.25))
    assert np.array_equal(rd.psf.motion((2, 2), 0, 30, centre=0.5), np.full((2, 2), 0.25))
    along_it = rd.psf.motion((5, 4), 3, 90, centre=(2, 1.5))
    assert np.allclose(along_it, np.outer([0, 1, 1, 1, 0], [0, 1, 1, 0]) / 6, rtol=1e-15)


def test_the_centroid_of_a_whole_number_of_pixels_is_the_centre():
    """A box of whole size keeps its centroid when pixels collect it; other sizes miss it by at most 1 / (8 size)."""
    for size in (1, 2, 3, 5):
        for centre in (10, 10.5, 10.2, 9.87):
            assert np.arange(21) @ rd.psf.box(21, size, centre=centre) == pytest.approx(centre, abs=1e-14)
    for size in np.linspace(1, 9, 50):
        for centre in np.linspace(9.5, 10.5, 21):
            found = np.arange(21) @ rd.psf.box(21, size, centre=centre)
            assert abs(found - centre) <= 1 / (8 * size) + 1e-14


@given(st.floats(0.5, 8), st.floats(0, 180), st.sampled_from([0.0, 0.5]))
def test_the_centroid_of_a_line_about_a_sample_or_a_corner_is_the_centre(length, angle, offset):
    psf = rd.psf.motion((21, 21), length, angle, centre=10 + offset)
    for axis in (0, 1):
        assert abs(np.arange(21) @ psf.sum(axis=1 - axis) - 10 - offset) <= 1e-13


@pytest.mark.parametrize(
    ("function", "arguments", "message"),
    [
        (rd.psf.delta, ((3, 0),), "shape"),
        (rd.psf.delta, (2.5,), "each size in shape must be an integer"),
        (rd.psf.box, ((3, 3), -1), "size must be >= 0"),
        (rd.psf.box, ((3, 3), (1, 2, 3)), "size needs one number"),
        (rd.psf.box, ((3, 3), np.inf), "size must be a finite number"),
        (rd.psf.motion, ((3, 3), -1), "length must be >= 0"),
        (rd.psf.motion, ((3, 3), "far"), "length must be a real number"),
        (rd.psf.motion, ((3, 3), 2, np.nan), "angle must be a finite number"),
        (rd.psf.motion, (3, 2, 30), "angle must be 0 in one dimension"),
        (rd.psf.motion, ((3, 3, 3), 2), "direction is needed for 3 axes"),
    ],
)
def test_bad_arguments(function, arguments, message):
    with pytest.raises((ValueError, TypeError), match=message):
        function(*arguments)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"direction": (0, 0)}, "direction must not be zero"),
        ({"direction": (1, 0, 0)}, "direction needs one number"),
        ({"direction": (1, np.inf)}, "direction must be a finite number"),
        ({"direction": (1, 0), "angle": 30}, "direction or angle"),
        ({"centre": (-1, 0)}, "centre must lie in the window"),
        ({"centre": (-0.5, -0.5), "angle": 45}, "centre .* corner of the window"),
    ],
)
def test_bad_lines(options, message):
    with pytest.raises(ValueError, match=message):
        rd.psf.motion((3, 3), 2, **options)
