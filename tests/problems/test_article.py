"""The article's problem: its data against the article's own lines, its objective against 50-digit direct summation."""

import mpmath
import numpy as np
import pytest
from scipy.signal import convolve
from skimage.color import rgb2gray
from skimage.data import astronaut
from skimage.transform import rescale

import refdeconv as rd
from tests.oracles import article_objective


def test_data_of_the_article():
    problem = rd.problems.article()
    original = rescale(rgb2gray(astronaut()), 1 / 3, mode="constant")
    assert np.array_equal(problem.original, original)
    assert problem.original.shape == (171, 171)
    assert np.array_equal(problem.psf, rd.psf.article())
    assert np.allclose(problem.blurred, convolve(original, rd.psf.article(), mode="same", method="direct"), atol=2e-15)
    start = np.random.RandomState(0).randn(171 * 171) / 10
    assert np.array_equal(problem.start().ravel(), start)
    assert not np.array_equal(problem.start(1), problem.start(0))


def test_objective_at_fifty_digits():
    """Value, gradient and Hessian product from the definition, by direct summation and differences in mpmath."""
    rng = np.random.default_rng(5)
    x, v, data = rng.standard_normal((3, 4, 3))
    psf, mu = rng.standard_normal((2, 3)), 0.37
    objective = rd.problems.norm_and_gradient_norm(data, psf, mu)
    with mpmath.workdps(50):
        exact = np.vectorize(mpmath.mpf, otypes=[object])

        def value(t, s=0, w=None):
            point = exact(x) + t * exact(v) + (0 if w is None else s * w)
            return article_objective(point, exact(psf), exact(data), mpmath.mpf(mu))

        value_error = abs(value(0) - mpmath.mpf(float(objective.value(x)))) / value(0)
        errors, products = [], []
        gradient, product = objective.gradient(x), objective.hvp(x, v)
        for index in np.ndindex(*x.shape):
            unit = exact(np.zeros(x.shape))
            unit[index] = mpmath.mpf(1)
            step = mpmath.mpf(10) ** -12
            slope = (value(0, step, unit) - value(0, -step, unit)) / (2 * step)
            mixed = (
                value(step, step, unit)
                - value(-step, step, unit)
                - value(step, -step, unit)
                + value(-step, -step, unit)
            ) / (4 * step**2)
            errors.append(float(slope - mpmath.mpf(float(gradient[index]))))
            products.append(float(mixed - mpmath.mpf(float(product[index]))))
    assert value_error <= 1e-15
    assert np.linalg.norm(errors) / np.linalg.norm(gradient) <= 1e-14
    assert np.linalg.norm(products) / np.linalg.norm(product) <= 1e-14


def test_objective_is_the_formula_of_the_design():
    problem = rd.problems.article(np.random.default_rng(0).random((9, 8)), rd.psf.gaussian((3, 4), 1), mu=0.3)
    K = rd.Convolution(problem.psf, problem.blurred.shape)
    D = rd.Gradient(problem.blurred.shape)
    F = 0.5**0.5 * rd.L2Norm(data=problem.blurred) @ K + 0.3 * 0.5**0.5 * rd.L2Norm() @ D
    x = problem.start()
    assert np.isclose(problem.objective.value(x), F.value(x), rtol=1e-15)


def test_objective_in_longdouble():
    """To more digits than float64 has, by direct summation at 50 digits."""
    rng = np.random.default_rng(5)
    x, data = rng.standard_normal((2, 4, 3))
    psf = rng.standard_normal((2, 3))
    found = rd.problems.norm_and_gradient_norm(data, psf, 0.37).value(x.astype(np.longdouble))
    with mpmath.workdps(50):
        exact = np.vectorize(mpmath.mpf, otypes=[object])
        expected = article_objective(exact(x), exact(psf), exact(data), mpmath.mpf(0.37))
        error = abs(mpmath.mpf(np.format_float_positional(found, unique=True)) / expected - 1)
    assert error <= 20 * float(np.finfo(np.longdouble).eps)


@pytest.mark.parametrize("shape", [(9,), (4, 5), (3, 4, 2)])
def test_any_dimension(shape):
    problem = rd.problems.article(np.random.default_rng(0).random(shape), rd.psf.gaussian((3,) * len(shape), 1))
    x = problem.start()
    assert rd.checks.gradient_error(problem.objective.value, problem.objective.gradient, x) <= 1e-14
    assert rd.checks.hvp_error(problem.objective.gradient, problem.objective.hvp, x) <= 1e-14


def test_at_the_kinks():
    """Exact data and a constant image: the terms' subgradients of least norm, and no NaN."""
    shape = (6, 5)
    flat = np.full(shape, 0.5)
    objective = rd.problems.norm_and_gradient_norm(flat, rd.psf.gaussian((3, 3), 1), boundary="wrap")
    exact = rd.problems.norm_and_gradient_norm(np.zeros(shape), rd.psf.gaussian((3, 3), 1))
    for f, x in ((objective, flat), (exact, np.zeros(shape))):
        assert abs(f.value(x)) <= 1e-15
        assert np.isfinite(f.gradient(x)).all()
        assert np.isfinite(f.hvp(x, np.ones(shape))).all()
    assert not exact.gradient(np.zeros(shape)).any()


@pytest.mark.parametrize("mu", [0, -1, np.nan, "0.2", None])
def test_bad_mu(mu):
    with pytest.raises((ValueError, TypeError), match="mu must be"):
        rd.problems.article(np.ones((4, 4)), np.ones((1, 1)), mu=mu)


def test_bad_images():
    for image, psf, message in [
        (np.full((4, 4), np.nan), np.ones((1, 1)), "image must be finite"),
        (np.ones((4, 4)), np.ones(3) / 3, "psf has 1 axes"),
        (np.ones((0, 4)), np.ones((1, 1)), "image is empty"),
    ]:
        with pytest.raises(ValueError, match=message):
            rd.problems.article(image, psf)
    for seed, error in [(-1, ValueError), (2**32, ValueError), (0.5, TypeError)]:
        with pytest.raises(error, match="seed"):
            rd.problems.article(np.ones((4, 4)), np.ones((1, 1))).start(seed)
    with pytest.raises(ValueError, match="scale must be > 0"):
        rd.problems.astronaut(0)
