"""Poisson noise: against scipy and mpmath, close to the data, at the edge of the domain and at the threshold."""

import itertools
from fractions import Fraction

import mpmath
import numpy as np
import pytest
import scipy.special
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

import refdeconv as rd

counts = st.floats(1e-6, 1e6)
RELATIVE_EXCESSES = np.concatenate([10.0 ** np.arange(-12, 13), -(10.0 ** np.arange(-12, 0)), [-0.5, -0.9, -1 + 1e-6]])
TOLERANCES = {np.float32: 2e-6, np.float64: 4e-15, np.longdouble: 2e-18}


def exact(x):
    """A float of any precision as an mpmath number: it is the sum of its double and what that leaves."""
    return mpmath.mpf(float(x)) + mpmath.mpf(float(x - x.dtype.type(float(x))))


def relative_error(found, expected):
    return float(abs(exact(found) - expected) / abs(expected))


def evaluations(data, u, background):
    """The functional of one pixel, in u's precision: value, gradient, Hessian, and the parts of complex steps."""
    f, u = rd.Poisson([data], background), np.array([u])
    step = u.dtype.type(2.0 ** (-60 if u.dtype == np.float32 else -200)) * u
    stepped, slope = f.value(u + 1j * step), f.gradient(u + 1j * step)[0]
    bend = f.hvp(u, np.ones_like(u))[0]
    return f.value(u), f.gradient(u)[0], bend, stepped.real, stepped.imag / step[0], slope.real


@pytest.mark.parametrize("dtype", TOLERANCES)
@pytest.mark.parametrize("part", [0.0, 0.37])  # how much of the data is background
@pytest.mark.parametrize("data", [1e-6, 3e-3, 1.0, 47.3, 1e6])
def test_keeps_its_digits_near_and_far_from_the_data(dtype, part, data):
    data = dtype(data)
    background = dtype(part) * data
    for t in RELATIVE_EXCESSES:
        u = data * (1 + dtype(t)) - background
        with mpmath.workdps(60):
            v, d = exact(u) + exact(background), exact(data)
            if v == d:
                assert rd.Poisson([data], background).value([u]) == 0
                continue
            slope = 1 - d / v
            phi = v - d - d * mpmath.log(v / d)
            expected = (phi, slope, d / v**2, phi, slope, slope)
            for found, value in zip(evaluations(data, u, background), expected, strict=True):
                assert relative_error(found, value) <= TOLERANCES[dtype]


@pytest.mark.parametrize("data", [0.0, 1e-30, 1.0, 1e30])
@pytest.mark.parametrize("u", [1e-30, 1e-10, 1.0, 1e10, 1e30])
def test_extreme_counts(data, u):
    f = rd.Poisson([data])
    with mpmath.workdps(100):
        v, d = mpmath.mpf(u), mpmath.mpf(data)
        phi = v - d + (d * mpmath.log(d / v) if d else 0)
        for found, value in ((f.value([u]), phi), (f.gradient([u])[0], 1 - d / v), (f.hvp([u], [1.0])[0], d / v**2)):
            assert found == value if value == 0 else relative_error(np.float64(found), value) <= 4e-15


@pytest.mark.parametrize("dtype", TOLERANCES)
def test_counts_at_the_ends_of_the_precision(dtype):
    """A quotient of these would overflow or underflow."""
    tiny, huge = np.finfo(dtype).tiny, np.finfo(dtype).max / 2**20
    logarithm = np.log(huge) - np.log(tiny)
    assert rd.Poisson([tiny]).value(np.array([huge])) == huge
    assert np.isclose(rd.Poisson([huge]).value(np.array([tiny])) / huge, logarithm - 1, rtol=1e-6)
    for data, u in ((tiny, huge), (huge, huge), (tiny, tiny)):
        assert np.isfinite(rd.Poisson([data]).gradient(np.array([u]))).all()


def test_is_scipys_divergence_and_its_likelihood():
    rng = np.random.default_rng(0)
    u, data, weight = rng.uniform(0.1, 20, (5, 4)), rng.poisson(4, (5, 4)), rng.uniform(0.1, 3, (5, 4))
    v = u + 0.7
    f = rd.Poisson(data, 0.7, weight)
    assert np.isclose(f.value(u), np.sum(weight * scipy.special.kl_div(data, v)), rtol=1e-13)
    assert np.isclose(f.value(u), np.sum(weight * (scipy.special.rel_entr(data, v) - data + v)), rtol=1e-13)
    saturated = scipy.stats.poisson.logpmf(data, data)
    likelihood = saturated - scipy.stats.poisson.logpmf(data, v)
    assert np.isclose(f.value(u), np.sum(weight * likelihood), rtol=1e-12)
    h = 1e-5
    difference = (scipy.stats.poisson.logpmf(data, v - h) - scipy.stats.poisson.logpmf(data, v + h)) / (2 * h)
    assert np.allclose(f.gradient(u), weight * difference, rtol=1e-6, atol=1e-8)


@given(counts, counts, counts)
def test_is_convex_with_its_minimum_at_the_data(data, u, other):
    f = rd.Poisson([data])
    value, (slope,) = f.value_and_gradient([u])
    assert value >= 0
    assert (value == 0) == (u == data)
    assert np.sign(slope) == np.sign(u - data)
    assert f.hvp([u], [1.0])[0] > 0
    beyond = f.value([other])
    assert beyond >= value + slope * (other - u) - 1e-13 * (beyond + value + abs(slope * (other - u)))


@given(counts, counts)
def test_is_homogeneous(data, u):
    assert np.isclose(rd.Poisson([8 * data]).value([8 * u]), 8 * rd.Poisson([data]).value([u]), rtol=1e-13)


def test_the_minimum_over_many_counts_is_their_mean():
    data = np.random.default_rng(0).poisson(0.4, 1000).astype(float)
    assert abs(rd.Poisson(data).gradient(np.full(1000, data.mean())).sum()) < 1e-11


def test_the_edge_of_the_domain():
    f = rd.Poisson([0.0, 2.0], 0.5)
    assert f.value([-0.5, 1.5]) == 0
    assert np.array_equal(f.gradient([-0.5, 1.5]), [1.0, 0.0])
    assert np.array_equal(f.hvp([-0.5, 1.5], [1.0, 1.0]), [0.0, 0.5])
    for outside in ([-0.6, 1.0], [1.0, -0.5], [1.0, -3.0]):
        assert f.value(outside) == np.inf
        for derivative in (f.gradient, f.hessian):
            with pytest.raises(ValueError, match="outside its domain"):
                derivative(outside)
    assert rd.Poisson([2.0, 3.0], weight=[1.0, 0.0]).value([2.0, -1.0]) == 0


def test_the_edge_of_the_domain_for_less_than_a_count_and_for_none():
    assert rd.Poisson([0.5, 1.0]).value([0.0, 1.0]) == np.inf
    dark = rd.Poisson(np.zeros(3))
    assert dark.value(np.zeros(3)) == 0
    assert np.array_equal(dark.gradient(np.zeros(3)), np.ones(3))


class TestThreshold:
    @pytest.mark.parametrize("dtype", TOLERANCES)
    @pytest.mark.parametrize("data", [0.0, 0.1, 0.25, 3.0, 1e6])
    def test_value_slope_and_bend_are_continuous(self, dtype, data):
        f = rd.Poisson([dtype(data)], dtype(0.125), threshold=0.25)
        at = np.array([0.125], dtype)
        below, above, one = np.nextafter(at, dtype(-1)), np.nextafter(at, dtype(1)), np.ones(1, dtype)
        eps = np.finfo(dtype).eps
        bend = abs(f.hvp(at, one)[0])
        for here in (below, above):
            assert abs(f.value(here) - f.value(at)) <= 4 * eps * (abs(f.value(at)) + abs(f.gradient(at)[0]) + bend)
            assert abs(f.gradient(here)[0] - f.gradient(at)[0]) <= 4 * eps * (abs(f.gradient(at)[0]) + bend)
            assert abs(f.hvp(here, one)[0] - bend) <= 8 * eps * bend

    def test_nothing_changes_above(self):
        rng = np.random.default_rng(0)
        u, data = rng.uniform(0.3, 4, (2, 50))
        plain, extended = rd.Poisson(data, 0.1), rd.Poisson(data, 0.1, threshold=0.3)
        assert extended.value(u) == plain.value(u)
        assert np.array_equal(extended.gradient(u), plain.gradient(u))
        assert np.array_equal(extended.hvp(u, data), plain.hvp(u, data))

    @given(st.floats(0, 1e6), st.floats(-1e3, 0.2499))
    def test_is_the_taylor_expansion_below(self, data, v):
        f = rd.Poisson([data], threshold=0.25)
        value, slope, bend = f.value([0.25]), f.gradient([0.25])[0], f.hvp([0.25], [1.0])[0]
        step = v - 0.25
        scale = abs(value) + abs(slope * step) + bend * step**2
        assert abs(f.value([v]) - (value + slope * step + bend * step**2 / 2)) <= 1e-14 * scale
        assert abs(f.gradient([v])[0] - (slope + bend * step)) <= 1e-14 * (abs(slope) + abs(bend * step))
        assert np.isclose(f.hvp([v], [1.0])[0], bend, rtol=1e-15)

    @given(st.floats(0.25, 1e3), st.floats(-1e3, 1e3), st.floats(-1e3, 1e3))
    def test_is_convex_on_the_whole_line(self, data, u, other):
        f = rd.Poisson([data], threshold=0.25)
        value, (slope,) = f.value_and_gradient([u])
        assert value >= 0
        beyond = f.value([other])
        assert beyond >= value + slope * (other - u) - 1e-13 * (beyond + value + abs(slope * (other - u)))

    @given(st.floats(0.01, 0.24))
    def test_smaller_counts_have_their_minimum_displaced(self, data):
        f = rd.Poisson([data], threshold=0.25)
        displaced = 0.5 - 0.25**2 / data
        assert displaced < data
        assert abs(f.gradient([displaced])[0]) <= 1e-13 * (1 + 0.25 / data)
        assert f.value([displaced]) < 0

    def test_no_counts_make_a_line(self):
        f = rd.Poisson([0.0], threshold=0.25)
        for v in (-3.0, 0.0, 0.1, 0.25, 5.0):
            assert np.isclose(f.value([v]), v, rtol=1e-15)
            assert np.array_equal(f.gradient([v]), [1.0])
            assert np.array_equal(f.hvp([v], [1.0]), [0.0])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"data": [1.0, -1.0, 2.0]}, "data must be >= 0, being counts"),
        ({"data": None}, "data must hold numbers"),
        ({"data": [1.0, np.nan, 2.0]}, "data must be finite"),
        ({"data": [1j, 1, 2]}, "data must be real"),
        ({"background": -0.1}, "background must be >= 0"),
        ({"background": [1.0, 2.0]}, r"background has shape \(2,\), expected \(3,\)"),
        ({"background": None}, "background must hold numbers"),
        ({"background": np.inf}, "background must be finite"),
        ({"weight": [1.0, -2.0, 0.0]}, "weight must be >= 0"),
        ({"threshold": 0}, "threshold must be > 0"),
        ({"threshold": -1.0}, "threshold must be > 0"),
        ({"threshold": [0.1, 0.2, 0.3]}, "threshold must be a real number > 0"),
        ({"threshold": 1e-200}, "threshold must be large enough"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises((ValueError, TypeError), match=message):
        rd.Poisson(**{"data": [1.0, 2.0, 3.0], **arguments})


def test_what_stands_at_a_pixel_of_weight_zero_changes_no_digit():
    rng = np.random.default_rng(0)
    weight = np.array([1.0, 2.0, 0.0, 0.5])
    for _ in range(100):
        u, data = rng.uniform(0.5, 20, (2, 4))
        results = []
        for hidden in (1.0, 0.3, 1e4, 1e300):
            data[2] = hidden
            f = rd.Poisson(data, 0.4, weight)
            results.append((f.value(u), *f.gradient(u), *f.hvp(u, u)))
        assert all(result == results[0] for result in results[1:])


def test_a_slope_that_overflows_is_not_silent():
    limits = np.finfo(float)
    with pytest.warns(RuntimeWarning, match="overflow"):
        assert rd.Poisson([limits.max]).gradient([limits.tiny])[0] == -np.inf


def test_few_expected_counts_are_inside_the_domain_beside_none():
    f = rd.Poisson([0.0, 2.0])
    assert np.isclose(f.value([0.0, 0.5]), 0.5 - 2 + 2 * np.log(4), rtol=1e-15)
    assert np.allclose(f.gradient([0.0, 0.5]), [1.0, -3.0], rtol=1e-15)


@pytest.mark.parametrize("background", [0.1, 0.03, 1e-17])
def test_the_step_below_the_threshold_keeps_its_digits(background):
    """Where the data is the threshold, the slope is this step times the second derivative, however short it is."""
    f = rd.Poisson([0.25], background, threshold=0.25)
    for ulps in (1, 2, 3, 8):
        u = 0.25 - background - ulps * 2.0**-54
        if u + background < 0.25:
            step = float(Fraction(u) + Fraction(background) - Fraction(0.25))
            assert np.isclose(f.gradient([u])[0], step * 4, rtol=1e-14, atol=0)


@pytest.mark.parametrize("pixels", [1, 100, 10_000])
@pytest.mark.parametrize("distance", [1e-4, 3.3e-3, 0.02, 0.2])
def test_the_sum_keeps_its_digits_where_all_pixels_round_alike(pixels, distance):
    """No rounding of a pixel averages out: where the quick formula would lose digits, it must not be taken."""
    for data in (1000.3, 77.7, 3.1):
        u = data * (1 + distance) - 0.1
        with mpmath.workdps(50):
            v, count = mpmath.mpf(u) + mpmath.mpf(0.1), mpmath.mpf(data)
            expected = pixels * (v - count + count * mpmath.log(count / v))
            found = rd.Poisson(np.full(pixels, data), background=0.1).value(np.full(pixels, u))
            assert abs(found - expected) <= 1e-14 * expected


@pytest.mark.parametrize("weight", [None, 0.37, 2.9])
@pytest.mark.parametrize("method", ["value", "value_and_gradient"])
def test_the_sum_keeps_its_digits_where_few_pixels_are_most_of_it(weight, method):
    """Many bright pixels whose quotients round alike, each by more than its part of the sum, and a few dark ones."""
    many, data, u, dark = 10_000, 1000.3, 1000.4, 300.0
    counts, means = np.full(many + 3, data), np.full(many + 3, u)
    counts[-3:], means[-3:] = 0, dark
    with mpmath.workdps(50):
        v, count = mpmath.mpf(u), mpmath.mpf(data)
        expected = many * (v - count + count * mpmath.log(count / v)) + 3 * mpmath.mpf(dark)
        expected *= mpmath.mpf(weight or 1)
    f = rd.Poisson(counts, weight=weight)
    found = f.value(means) if method == "value" else f.value_and_gradient(means)[0]
    assert abs(found - expected) <= 1e-14 * expected


@pytest.mark.parametrize("distance", [0.0, 1e-3, 3.0])  # from the data: by both formulas
def test_the_largest_number_at_a_pixel_of_weight_zero(distance):
    weight = np.array([1.5, 0.0, 0.7])
    hidden, plain = (rd.Poisson([3.0, count, 5.0], 0.25, weight) for count in (np.finfo(float).max, 1.0))
    u = np.array([2.75, 1.0, 4.75]) + distance
    for name in ("value", "gradient"):
        assert np.array_equal(getattr(hidden, name)(u), getattr(plain, name)(u))


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_where_nothing_was_counted_a_threshold_changes_nothing(dtype):
    """The term is a line there, whose expansion at the threshold would lose the digits of what is far below it."""
    plain, extended = (rd.Poisson(np.zeros(3, dtype), threshold=threshold) for threshold in (None, 0.3))
    for size in (1e-17, 0.2, 7.0):
        u = np.array([1, 2, 5], dtype) * dtype(size)
        assert extended.value(u) == plain.value(u) > 0
        assert np.array_equal(extended.gradient(u), plain.gradient(u))
        assert extended.value(-u) == -extended.value(u)
        assert np.array_equal(extended.hvp(-u, u), np.zeros(3))


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("wider", [np.float32, np.float64, np.longdouble])
def test_close_to_the_data_with_a_background_in_each_precision(dtype, wider):
    """The digits of data less background that one precision lacks are not those that the other one lacks."""
    wider = np.result_type(dtype, wider).type
    rng = np.random.default_rng(3)
    limits = np.finfo(dtype)
    for size, background in itertools.product((1.0, 300.0, 1e4), (0.1, 0.7, 30.0)):
        background = dtype(background * size)
        data = (background + size * rng.uniform(0.2, 3, 40)).astype(dtype)
        u = ((data.astype(float) - float(background)) * (1 + 30 * limits.eps * rng.standard_normal(40))).astype(dtype)
        f = rd.Poisson(data.astype(wider), wider(background))
        expected = exactly(data, background, u)
        assert abs(f.value(u) - expected) <= 8 * limits.eps * expected
        excess = u.astype(np.longdouble) + np.longdouble(background) - data
        slope = excess / (u.astype(np.longdouble) + np.longdouble(background))
        assert np.allclose(f.gradient(u), slope.astype(float), rtol=4 * float(limits.eps), atol=0)


@pytest.mark.parametrize(("dtype", "size"), [(np.float64, 1e-200), (np.float64, 1e-290), (np.float32, 1e-25)])
@pytest.mark.parametrize("distance", [1e-7, 1e-3, 0.1, 5.0])
def test_where_squares_underflow(dtype, size, distance):
    rng = np.random.default_rng(5)
    data = (size * rng.uniform(0.5, 2, 30)).astype(dtype)
    u = (data * (1 + distance * rng.uniform(0.5, 1, 30))).astype(dtype)
    expected = exactly(data, 0, u)
    assert abs(rd.Poisson(data).value(u) - expected) <= 8 * np.finfo(dtype).eps * expected


def test_where_most_squares_underflow():
    """Of 10,000 equal pixels but one, whose square alone is not rounded to zero."""
    data = np.full(10_000, 4e-160)
    u = data + 1.5e-162
    u[0] = data[0] + 1.6e-162
    expected = exactly(data, 0, u)
    assert abs(rd.Poisson(data).value(u) - expected) <= 8 * np.finfo(float).eps * expected


def exactly(data, background, u):
    """The sum of the definition, in mpmath, at 60 digits."""
    with mpmath.mp.workdps(60):
        total = mpmath.mp.mpf(0)
        for d, x in zip(data.tolist(), u.tolist(), strict=True):
            v = mpmath.mp.mpf(x) + mpmath.mp.mpf(float(background))
            total += v - d + d * mpmath.mp.log(d / v)
        return float(total)
