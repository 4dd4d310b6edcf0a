"""The measures must see what is wrong, at any scale, and accept what is right."""

import numpy as np
import pytest

import refdeconv as rd
from refdeconv import checks

X = np.random.default_rng(3).standard_normal((4, 3))
A = np.random.default_rng(4).standard_normal((5, 12))


def value(x):
    return np.sum(np.sin(x) * x**2)


def gradient(x):
    return np.cos(x) * x**2 + 2 * x * np.sin(x)


def hvp(x, v):
    return (-np.sin(x) * x**2 + 4 * x * np.cos(x) + 2 * np.sin(x)) * v


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.longdouble])
@pytest.mark.parametrize("scale", [1e-20, 1.0, 1e15])
def test_right_ones_pass(dtype, scale):
    scale, x = dtype(scale), X.astype(dtype)
    limit = 30 * np.finfo(dtype).eps
    assert checks.gradient_error(lambda x: scale * value(x), lambda x: scale * gradient(x), x) <= limit
    assert checks.hvp_error(lambda x: scale * gradient(x), lambda x, v: scale * hvp(x, v), x) <= limit
    assert checks.hvp_symmetry_error(lambda x, v: scale * hvp(x, v), x) <= limit


@pytest.mark.parametrize("fault", [1e-3, 1e-8, 1e-11])
@pytest.mark.parametrize("scale", [1e-20, 1.0, 1e15])
def test_small_faults_are_measured(fault, scale):
    wrong = gradient(X) * scale
    wrong[2, 1] += fault * np.linalg.norm(wrong)
    assert 0.1 * fault < checks.gradient_error(lambda x: scale * value(x), lambda x: wrong, X) < 3 * fault
    error = checks.hvp_error(gradient, lambda x, v: (1 + fault) * hvp(x, v), X)
    assert np.isclose(error, fault, rtol=1e-3)


def test_asymmetry_is_measured():
    lopsided = np.arange(144.0).reshape(12, 12)
    assert checks.hvp_symmetry_error(lambda x, v: (lopsided @ v.ravel()).reshape(v.shape), X) > 0.01


def test_adjoints():
    def forward(x):
        return A @ x.ravel()

    def adjoint(y):
        return (A.T @ y).reshape(4, 3)

    assert checks.adjoint_error(forward, adjoint, (4, 3), (5,)) <= 1e-15
    assert checks.adjoint_error(forward, lambda y: 1.001 * adjoint(y), (4, 3), (5,)) > 1e-5
    assert checks.adjoint_error(forward, lambda y: adjoint(y).T, (4, 3), (5,)) == np.inf
    assert checks.adjoint_error(lambda x: 0 * forward(x), lambda y: 0 * adjoint(y), (4, 3), (5,)) == 0


def test_a_lost_imaginary_part_is_not_a_zero_derivative():
    assert checks.gradient_error(lambda x: value(x).real, lambda x: 0 * x.real, X) == np.inf
    assert checks.hvp_error(lambda x: gradient(x).real, lambda x, v: 0 * v, X) == np.inf


def test_nan_is_an_infinite_error():
    assert checks.gradient_error(value, lambda x: np.full(x.shape, np.nan), X) == np.inf
    assert checks.hvp_error(gradient, lambda x, v: np.full(x.shape, np.nan), X) == np.inf


@pytest.mark.parametrize("scale", [1e-200, 1e200])
def test_faults_are_seen_where_squares_overflow_or_underflow(scale):
    f, x = rd.L2Norm(), X * scale
    assert checks.hvp_error(f.gradient, f.hvp, x) <= 1e-14
    assert np.isclose(checks.hvp_error(f.gradient, lambda u, v: 5 * f.hvp(u, v), x), 0.8)


def test_points_of_any_kind():
    assert checks.gradient_error(value, gradient, [0.3, 0.7]) <= 1e-15
    assert checks.gradient_error(value, gradient, np.arange(1, 4)) <= 1e-15
    assert checks.gradient_error(value, gradient, X.astype(">f4")) <= 1e-6
    with pytest.raises(ValueError, match="directions must be >= 1"):
        checks.gradient_error(value, gradient, X, directions=0)
    with pytest.raises(TypeError, match="x must be real"):
        checks.gradient_error(value, gradient, X + 1j)


def test_shapes_are_compared():
    assert checks.gradient_error(value, lambda x: gradient(x).ravel(), X) == np.inf
    assert checks.hvp_error(gradient, lambda x, v: hvp(x, v)[:1], X) == np.inf
