"""The Cauchy and Student-t losses: scipy's densities, any scale, where they turn, bad arguments."""

import mpmath
import numpy as np
import pytest
import scipy.stats

import refdeconv as rd
from tests.functionals.robust_losses import DTYPES, check


def exact(r, scale):
    q = (r / scale) ** 2
    logarithm = q - q**2 / 2 if q < mpmath.mpf(10) ** -40 else mpmath.log1p(q)
    return scale**2 / 2 * logarithm, r / (1 + q), (1 - q) / (1 + q) ** 2


def exact_student(degrees):
    """Student's loss by itself, not as a multiple of Cauchy's."""

    def exact(r, scale):
        square = degrees * scale**2
        q = r**2 / square
        logarithm = q - q**2 / 2 if q < mpmath.mpf(10) ** -40 else mpmath.log1p(q)
        slope = (degrees + 1) * r / (square + r**2)
        return (degrees + 1) / 2 * logarithm, slope, (degrees + 1) * (square - r**2) / (square + r**2) ** 2

    return exact


def test_are_the_densities_of_scipy():
    rng = np.random.default_rng(0)
    u, data = rng.standard_normal((2, 5, 4)) * 2
    weight = rng.uniform(0, 2, (5, 4))
    cauchy, student = scipy.stats.cauchy(scale=0.6), scipy.stats.t(3.5, scale=0.6)
    expected = np.sum(weight * (cauchy.logpdf(0) - cauchy.logpdf(u - data)))
    assert np.isclose(2 / 0.36 * rd.Cauchy(data, 0.6, weight).value(u), expected, rtol=1e-13)
    expected = np.sum(weight * (student.logpdf(0) - student.logpdf(u - data)))
    assert np.isclose(rd.StudentT(data, 0.6, 3.5, weight).value(u), expected, rtol=1e-13)


@pytest.mark.parametrize("dtype", DTYPES)
def test_any_scale(dtype):
    check(lambda scale: rd.Cauchy(scale=scale), exact, dtype)
    for degrees in (0.5, 1.0, 3.0, 40.0):
        make = lambda scale, degrees=degrees: rd.StudentT(scale=scale, degrees=degrees)  # noqa: E731
        check(make, exact_student(degrees), dtype, units=30)


@pytest.mark.parametrize("ratio", [1e-12, 1e-9, 1e-3, 0.9, 1.2, 1e3, 1e6, 1e12])
@pytest.mark.parametrize("make", [rd.Cauchy, rd.StudentT])
def test_complex_step_far_from_the_scale(make, ratio):
    f, u = make(scale=0.3), np.array([-0.3 * ratio])
    assert rd.checks.gradient_error(f.value, f.gradient, u) <= 2e-15
    assert rd.checks.hvp_error(f.gradient, f.hvp, u) <= 1e-14


@pytest.mark.parametrize(("f", "turn"), [(rd.Cauchy(scale=0.5), 0.5), (rd.StudentT(scale=0.5, degrees=4), 1.0)])
def test_the_second_derivative_changes_sign_where_the_slope_is_steepest(f, turn):
    bend = f.hvp(np.array([0.0, 0.999, 1.0, 1.001, 50.0]) * turn, np.ones(5))
    assert np.array_equal(np.sign(bend), [1, 1, 0, -1, -1])
    r = turn * np.linspace(0, 20, 2001)
    slope = f.gradient(r)
    assert r[np.argmax(slope)] == turn
    assert np.all(np.diff(slope[r >= turn]) < 0)
    assert f.gradient([1e12 * turn])[0] < 1e-11 * slope.max()


def test_not_convex():
    """Two data of one pixel: the middle between them is a maximum, and each has a minimum of its own."""
    f = rd.Cauchy(scale=0.1) + rd.Cauchy(data=[2.0], scale=0.1)
    assert f.gradient([1.0])[0] == pytest.approx(0, abs=1e-16)
    assert f.hvp([1.0], [1.0])[0] < 0
    assert f.value([1.0]) > f.value([0.0]) == pytest.approx(f.value([2.0]), rel=1e-14)


def test_limits():
    u, data = np.random.default_rng(1).standard_normal((2, 9))
    squares = rd.LeastSquares(data)
    assert np.isclose(rd.Cauchy(data, 1e12).value(u), squares.value(u), rtol=1e-15)
    assert np.allclose(rd.Cauchy(data, 1e12).gradient(u), squares.gradient(u), rtol=1e-15)
    assert np.isclose(rd.StudentT(data, 0.5, 1e15).value(u), 4 * squares.value(u), rtol=1e-14)
    one_degree = rd.StudentT(data, 0.5, 1.0)
    assert np.isclose(one_degree.value(u), 8 * rd.Cauchy(data, 0.5).value(u), rtol=1e-14)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"scale": 0.0}, "scale must be > 0"),
        ({"scale": np.nan}, "scale must be a finite"),
        ({"scale": None}, "scale must be a real number"),
        ({"data": [np.nan]}, "data must be finite"),
        ({"weight": -0.1}, "weight must be >= 0"),
    ],
)
def test_bad_arguments(arguments, message):
    for make in (rd.Cauchy, rd.StudentT):
        with pytest.raises((ValueError, TypeError), match=message):
            make(**arguments)


@pytest.mark.parametrize("degrees", [0.0, -2.0, np.inf, True])
def test_bad_degrees(degrees):
    with pytest.raises((ValueError, TypeError), match="degrees must be"):
        rd.StudentT(degrees=degrees)
