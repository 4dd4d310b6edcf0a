"""Newton's method with dual fields: the same minimiser, with a fraction of the work."""

import numpy as np
import pytest

import refdeconv as rd
from refdeconv.solve.primal_dual import split


def counts(shape, seed=3):
    rng = np.random.default_rng(seed)
    steps = 80.0 * (rng.random((4,) * len(shape)) > 0.5)
    sharp = np.kron(steps, np.ones([n // 4 for n in shape]))
    K = rd.Convolution(rd.psf.gaussian((5,) * len(shape), 1.0), shape)
    return rng.poisson(K.forward(sharp) + 3.0).astype(float), K


def objective(data, K, **options):
    norm = rd.SmoothedGroupNorm(0.5, **options)
    return rd.Poisson(data, background=3.0, threshold=0.5) @ K + 0.05 * norm @ rd.Gradient(data.shape)


@pytest.mark.parametrize("shape", [(64,), (32, 28), (12, 8, 12)])
def test_the_minimiser_is_newtons(shape):
    data, K = counts(shape)
    F = objective(data, K)
    expected = rd.minimize(F, data, scale=100, xtol=1e-9)
    result = rd.minimize(F, data, "primal-dual", scale=100, xtol=1e-9)
    assert expected.success
    assert result.success
    assert result.relative_gradient_norm < 1e-8
    assert result.fun <= expected.fun * (1 + 1e-12)
    np.testing.assert_allclose(result.x, expected.x, atol=1e-3)


@pytest.mark.parametrize("axis", [0, ()])
def test_weights_and_groups(axis):
    data, K = counts((32, 28))
    weight = np.random.default_rng(0).random(data.shape if axis == 0 else (2, *data.shape))
    weight.flat[:5] = 0
    F = objective(data, K, axis=axis, weight=weight)
    result = rd.minimize(F, data, "primal-dual", xtol=1e-8)
    assert result.relative_gradient_norm < 1e-8


def test_several_terms_each_have_a_dual_field():
    data, K = counts((16, 20))
    F = objective(data, K) + 2.0 * (0.01 * rd.SmoothedGroupNorm(1.0) @ (rd.Gradient(data.shape) @ K))
    smoothed, others = split(F)
    assert [term.scale for term in smoothed] == [0.05, 0.02]
    assert len(others) == 1
    assert rd.minimize(F, data, "primal-dual", xtol=1e-8).relative_gradient_norm < 1e-7


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.longdouble])
def test_precision_is_the_images(dtype):
    data, K = counts((16, 20))
    result = rd.minimize(objective(data, K), data.astype(dtype), "primal-dual", xtol=1e-10)
    assert result.x.dtype == dtype
    assert result.success
    assert result.relative_gradient_norm < max(1000 * np.finfo(dtype).eps, 1e-11)


@pytest.mark.parametrize("factor", [1e-25, 1e25])
def test_scales_beyond_float32(factor):
    """Where products in float32 would overflow or vanish, they are made in the image's precision."""
    data, K = counts((16, 20))
    small = rd.LeastSquares(factor * data) @ K + factor * 2.0 * rd.SmoothedGroupNorm(factor * 0.5) @ rd.Gradient(
        data.shape
    )
    one = rd.LeastSquares(data) @ K + 2.0 * rd.SmoothedGroupNorm(0.5) @ rd.Gradient(data.shape)
    expected = rd.minimize(one, data, "primal-dual", scale=100, xtol=1e-9)
    result = rd.minimize(small, factor * data, "primal-dual", scale=100 * factor, xtol=1e-9)
    assert expected.success
    assert result.success
    np.testing.assert_allclose(result.x / factor, expected.x, atol=1e-4)


def test_fewer_products_than_newton_cg():
    data, K = counts((64, 64))
    F = objective(data, K)
    newton, result = (rd.minimize(F, data, method, scale=100, xtol=1e-6) for method in ("Newton-CG", "primal-dual"))
    assert result.fun <= newton.fun * (1 + 1e-9)
    assert result.nit < newton.nit
    assert result.nhev < newton.nhev


def test_deconvolve_takes_it():
    data, _ = counts((32, 28))
    options = {
        "fidelity": "poisson",
        "regularizer": "total-variation",
        "fidelity_options": {"background": 3.0, "threshold": 0.5},
    }
    psf = rd.psf.gaussian((5, 5), 1.0)
    restored = rd.deconvolve(data, psf, mu=0.05, method="primal-dual", xtol=1e-7, **options)
    expected = rd.deconvolve(data, psf, mu=0.05, xtol=1e-8, **options)
    np.testing.assert_allclose(restored, expected, atol=1e-2)


def test_limits_and_history():
    data, K = counts((32, 28))
    F, seen = objective(data, K), []
    result = rd.minimize(F, data, "primal-dual", callback=seen.append, xtol=1e-6)
    assert len(seen) == result.nit == len(result.history) - 1
    np.testing.assert_array_equal(seen[-1], result.x)
    assert (np.diff([line.value for line in result.history]) <= 0).all()
    short = rd.minimize(F, data, "primal-dual", maxiter=2)
    assert short.nit == 2
    assert "maxiter" in short.message
    assert rd.minimize(F, data, "primal-dual", max_cg_iterations=2, xtol=1e-12, maxiter=5).truncated_steps > 0
    assert "max_seconds" in rd.minimize(F, data, "primal-dual", max_seconds=0).message


def test_an_objective_without_such_a_term_is_refused():
    with pytest.raises(ValueError, match="primal-dual"):
        rd.minimize(rd.LeastSquares(np.ones((4, 3))), np.zeros((4, 3)), "primal-dual")
