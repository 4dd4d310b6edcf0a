"""The ready-made objectives: each is the formula of its docstring, and each is solved."""

import numpy as np
import pytest

import refdeconv as rd
from refdeconv import checks, problems, regularizers

SHAPE = (12, 10)


@pytest.fixture
def rng():
    return np.random.default_rng(6)


@pytest.fixture
def psf():
    return rd.psf.gaussian((3, 4), 0.8)


@pytest.fixture
def data(rng, psf):
    return rd.Convolution(psf, SHAPE).forward(rng.uniform(1, 5, SHAPE))


READY_MADE = {
    "least_squares_tikhonov": {"of": "laplacian", "weight": 0.7},
    "least_squares_total_variation": {"epsilon": 0.1},
    "robust_total_variation": {"delta": 0.3, "epsilon": 0.1},
    "least_squares_hessian_schatten": {"epsilon": 0.1},
    "poisson_total_variation": {"epsilon": 0.1, "background": 0.2},
    "poisson_good_roughness": {"background": 0.2},
    "poisson_entropy": {},
}


@pytest.mark.parametrize("name", READY_MADE)
@pytest.mark.parametrize("boundary", ["constant", "wrap", "reflect", "valid"])
def test_derivatives_and_a_solve(name, boundary, data, psf, rng):
    F = getattr(problems, name)(data, psf, 0.1, boundary=boundary, **READY_MADE[name])
    x = rng.uniform(1, 3, F.input_shape)
    assert checks.gradient_error(F.value, F.gradient, x) <= 1e-14
    assert checks.hvp_error(F.gradient, F.hvp, x) <= 1e-14
    result = rd.minimize(F @ rd.Exponential(x.shape), np.log(x))
    assert result.success, result.message
    assert result.fun < F.value(x)


def test_each_is_its_formula(data, psf, rng):
    x, K = rng.uniform(1, 3, SHAPE), rd.Convolution(psf, SHAPE)
    seen, tv = K.forward(x), regularizers.total_variation(SHAPE, 0.1).value(x)
    expected = {
        "least_squares_tikhonov": 0.7 * np.sum((seen - data) ** 2) / 2
        + 0.1 * np.sum(rd.Laplacian(SHAPE).forward(x) ** 2) / 2,
        "least_squares_total_variation": np.sum((seen - data) ** 2) / 2 + 0.1 * tv,
        "robust_total_variation": np.sum(0.09 * (np.sqrt(1 + ((seen - data) / 0.3) ** 2) - 1)) + 0.1 * tv,
        "poisson_total_variation": np.sum(seen + 0.2 - data + data * np.log(data / (seen + 0.2))) + 0.1 * tv,
    }
    for name, value in expected.items():
        assert np.isclose(getattr(problems, name)(data, psf, 0.1, **READY_MADE[name]).value(x), value, rtol=1e-12)


def test_super_resolution(rng):
    fine = np.kron(rng.random((6, 5)), np.ones((4, 4)))
    psf = rd.psf.gaussian((3, 3), 0.7)
    coarse = rd.Binning(fine.shape, 2).forward(rd.Convolution(psf, fine.shape, "reflect").forward(fine))
    F = problems.super_resolution(coarse, psf, 1e-4, factor=2)
    assert F.input_shape == fine.shape
    result = rd.minimize(F, np.kron(coarse, np.ones((2, 2))))
    assert result.success
    before = np.linalg.norm(np.kron(coarse, np.ones((2, 2))) - fine)
    assert np.linalg.norm(result.x - fine) < 0.5 * before


def test_inpainting(rng):
    sharp = np.kron(rng.random((4, 5)), np.ones((5, 5)))
    psf = rd.psf.gaussian((3, 3), 0.7)
    blurred = rd.Convolution(psf, sharp.shape, "reflect").forward(sharp)
    mask = rng.random(sharp.shape) > 0.3
    damaged = np.where(mask, blurred, 99.0)
    F = problems.inpainting(damaged, psf, 1e-4, mask=mask)
    result = rd.minimize(F, np.where(mask, blurred, blurred[mask].mean()))
    assert result.success
    assert np.abs(result.x - sharp).max() < 0.2
    assert F.value(result.x) == problems.inpainting(np.where(mask, blurred, -5.0), psf, 1e-4, mask=mask).value(result.x)


def test_blind_has_mixed_blocks(rng):
    F = problems.blind(rng.random((5, 4)), (3, 2), 0.1)
    z = rng.uniform(0.5, 1, F.input_shape)
    assert checks.gradient_error(F.value, F.gradient, z) <= 1e-14
    assert checks.hvp_error(F.gradient, F.hvp, z) <= 1e-14
    hessian = F.hessian(z).to_dense()
    assert np.abs(hessian[:20, 20:]).min() > 0
    np.testing.assert_allclose(hessian, hessian.T, atol=1e-13)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: problems.super_resolution(np.ones((3, 3)), np.ones((2, 2)), 1.0, factor=0), "factor"),
        (lambda: problems.super_resolution(np.ones((3, 3)), np.ones((2, 2)), 1.0, factor=1.5), "factor"),
        (lambda: problems.inpainting(np.ones((3, 3)), np.ones((2, 2)), 1.0, mask=np.ones((2, 2), bool)), "mask"),
        (lambda: problems.blind(np.ones((3, 3)), (2,), 1.0), "psf"),
        (lambda: problems.poisson_total_variation(np.ones((3, 3)), np.ones((2, 2)), -1.0), "mu must be > 0"),
        (lambda: problems.least_squares_tikhonov(np.ones((3, 3)), np.ones(2), 1.0, boundary="valid"), "psf has 1 axes"),
    ],
)
def test_bad_arguments(call, message):
    with pytest.raises((TypeError, ValueError), match=message):
        call()
