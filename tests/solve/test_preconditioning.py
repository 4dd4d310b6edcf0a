"""The cosine preconditioner: what it does to a Hessian, and to a solve."""

import itertools

import numpy as np
import pytest
import scipy.optimize

import refdeconv as rd
from refdeconv.solve.preconditioning import PRODUCTS, cosine_preconditioner


@pytest.fixture
def rng():
    return np.random.default_rng(5)


def blur(shape, boundary="constant"):
    return rd.Convolution(rd.psf.gaussian((5,) * len(shape), 0.9), shape, boundary)


@pytest.mark.parametrize("shape", [(60,), (24, 21), (9, 10, 11)])
def test_condition_number_falls(shape):
    K, D = blur(shape), rd.Gradient(shape)
    hessian = K.T @ K + 0.003 * (D.T @ D)
    P = cosine_preconditioner(hessian, np.dtype(np.float64))
    assert P.input_shape == P.output_shape == shape
    dense = P.to_dense()
    assert np.linalg.cond(dense.T @ hessian.to_dense() @ dense) < 0.5 * np.linalg.cond(hessian.to_dense())


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.longdouble])
def test_dtype_is_kept(dtype):
    P = cosine_preconditioner(rd.Gradient((6, 5)).T @ rd.Gradient((6, 5)), np.dtype(dtype))
    assert P.forward(np.ones((6, 5), dtype)).dtype == dtype
    assert P.adjoint(np.ones((6, 5), dtype)).dtype == dtype


@pytest.mark.parametrize("scale", [0.0, np.inf, np.nan])
def test_without_a_scale_it_is_the_identity(scale):
    hessian = rd.SelfAdjoint((4, 3), lambda v: scale * np.ones_like(v))
    assert isinstance(cosine_preconditioner(hessian, np.dtype(np.float64)), rd.Identity)


def test_indefinite_hessians_give_positive_scales():
    D = rd.Gradient((16, 15))
    P = cosine_preconditioner(-0.1 * rd.Identity((16, 15)) - D.T @ D, np.dtype(np.float64))
    assert np.linalg.eigvalsh(P.to_dense() @ P.to_dense().T).min() > 0


def test_what_is_not_diagonal_in_the_cosine_basis_is_left_alone(rng):
    """The packed vector of image and PSF is no image at all; its frequencies mean nothing."""
    data = rng.random((12, 10))
    blind = rd.problems.blind(data, (3, 3), 0.1)
    hessian = blind.hessian(rng.uniform(0.5, 1, blind.input_shape))
    assert isinstance(cosine_preconditioner(hessian, np.dtype(np.float64)), rd.Identity)


class TestSolve:
    @pytest.fixture
    def problem(self, rng):
        image = rng.random((40, 37)).cumsum(0).cumsum(1) / 100
        K = blur(image.shape)
        data = K.forward(image) + 0.01 * rng.standard_normal(image.shape)
        return rd.LeastSquares(data) @ K + 0.001 * rd.LeastSquares() @ rd.Gradient(image.shape), data

    def test_same_image_with_fewer_products(self, problem):
        objective, data = problem
        plain = rd.minimize(objective, 0 * data, preconditioner=None, xtol=1e-9)
        result = rd.minimize(objective, 0 * data, xtol=1e-9)
        assert plain.success
        assert result.success
        np.testing.assert_allclose(result.x, plain.x, atol=1e-6)
        assert result.nhev < 0.7 * plain.nhev

    def test_scipys_own_course_without_it(self, problem):
        objective, data = problem
        expected = scipy.optimize.minimize(
            lambda x: objective.value(x.reshape(data.shape)),
            np.zeros(data.size),
            jac=lambda x: objective.gradient(x.reshape(data.shape)).ravel(),
            hessp=lambda x, v: objective.hvp(x.reshape(data.shape), v.reshape(data.shape)).ravel(),
            method="Newton-CG",
        )
        result = rd.minimize(objective, 0 * data, preconditioner=None)
        assert (result.nit, result.nhev) == (expected.nit, expected.nhev)
        np.testing.assert_allclose(result.x.ravel(), expected.x, atol=1e-9)

    def test_an_easy_solve_is_not_touched(self, rng):
        data = rng.random((9, 8))
        objective = rd.LeastSquares(data)
        assert rd.minimize(objective, 0 * data).nhev < 20

    def test_history_and_limits_go_on_through_the_change(self, problem):
        objective, data = problem
        seen = []
        result = rd.minimize(objective, 0 * data, callback=seen.append, xtol=1e-9)
        assert len(seen) == result.nit == len(result.history) - 1
        np.testing.assert_array_equal(seen[-1], result.x)
        assert (np.diff([line.value for line in result.history]) <= 0).all()
        assert result.history[-1].hessian_products == result.nhev
        for maxiter in range(1, result.nit):
            short = rd.minimize(objective, 0 * data, maxiter=maxiter, xtol=1e-9)
            assert short.nit == maxiter
            assert "maxiter" in short.message
        steps = np.diff([line.hessian_products for line in rd.minimize(objective, data, max_cg_iterations=3).history])
        assert steps.max() <= 3 + PRODUCTS

    @pytest.mark.parametrize("scale", [None, 1e3])
    @pytest.mark.parametrize("xtol", [1e-5, 1e-7])
    def test_tolerance_is_of_the_image(self, problem, scale, xtol):
        """A solve ends at the first small change of the image, or gradient below a tenth of that, and not before."""
        objective, data = problem
        seen = [0 * data]
        result = rd.minimize(objective, 0 * data, callback=seen.append, xtol=xtol, scale=scale)
        assert result.success
        unit = 1 if scale is None else 2.0 ** round(np.log2(scale))
        changes = np.array([np.mean(np.abs(after - before)) for before, after in itertools.pairwise(seen)])
        norms = np.array([line.gradient_norm for line in result.history])
        small = (changes <= xtol * unit) & (norms[1:] <= 5e-3 * norms[0])
        gone = norms[1:] <= 0.1 * xtol * norms[0]
        changed = next(i for i, line in enumerate(result.history) if line.hessian_products >= 20)
        assert (small | gone)[-1]
        assert not (small | gone)[changed:-1].any()

    def test_unknown_name(self, problem):
        objective, data = problem
        with pytest.raises(ValueError, match="unknown preconditioner 'cosin': did you mean 'cosine'"):
            rd.minimize(objective, data, preconditioner="cosin")
