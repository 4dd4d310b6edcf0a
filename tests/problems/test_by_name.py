"""Objectives by name: every name, every pair, every constraint, and what is refused."""

import itertools

import numpy as np
import pytest

import refdeconv as rd
from refdeconv import checks, problems
from tests.by_definition import derivatives_of

SHAPE, PSF_SHAPE = (8, 7), (3, 2)
# Options without a default, and an epsilon beside which the complex step keeps its digits.
REGULARIZER_OPTIONS = {
    "entropy": {"prior": 1.5},
    "total-variation": {"epsilon": 0.4},
    "anisotropic-total-variation": {"epsilon": 0.6},
    "huber-total-variation": {"delta": 0.4},
    "hessian-norm": {"epsilon": 0.4},
    "hessian-schatten": {"epsilon": 0.4},
    "smoothed-l1": {"epsilon": 0.4},
}
FIDELITY_OPTIONS = {
    "poisson": {"background": 0.5},
    "poisson-gaussian": {"gain": 1.3, "read_noise": 0.7},
    "anscombe": {"read_noise": 0.4},
    "pseudo-huber": {"delta": 0.3},
    "huber": {"delta": 0.3},
    "log-cosh": {"delta": 0.3},
    "smoothed-l1": {"epsilon": 0.3},
    "cauchy": {"scale": 0.4},
    "student-t": {"scale": 0.4, "degrees": 3.0},
}


@pytest.fixture
def rng():
    return np.random.default_rng(8)


@pytest.fixture
def data(rng):
    return rng.uniform(1, 5, SHAPE)


@pytest.fixture
def psf(rng):
    return rng.uniform(0.1, 1, PSF_SHAPE)


@pytest.mark.parametrize(
    ("fidelity", "regularizer"), list(itertools.product(problems.FIDELITIES, problems.REGULARIZERS))
)
def test_every_pair_is_what_its_names_say_and_has_right_derivatives(fidelity, regularizer, data, psf, rng):
    fidelity_options, regularizer_options = FIDELITY_OPTIONS.get(fidelity, {}), REGULARIZER_OPTIONS.get(regularizer, {})
    model = problems.by_name(
        data,
        psf,
        0.3,
        fidelity=fidelity,
        regularizer=regularizer,
        fidelity_options=fidelity_options,
        regularizer_options=regularizer_options,
    )
    F, x = model.objective, rng.uniform(0.5, 3, SHAPE)
    K = rd.Convolution(psf, SHAPE)
    f = problems.FIDELITIES[fidelity](data, **fidelity_options)
    R = problems.REGULARIZERS[regularizer](shape=SHAPE, **regularizer_options)
    assert np.isclose(F.value(x), f.value(K.forward(x)) + 0.3 * R.value(x), rtol=1e-13)
    assert checks.gradient_error(F.value, F.gradient, x) <= 1e-14
    assert checks.hvp_error(F.gradient, F.hvp, x) <= 1e-14
    assert checks.hvp_symmetry_error(F.hvp, x) <= 1e-14


@pytest.mark.parametrize("boundary", ["constant", "wrap", "reflect", "mirror", "nearest", "valid"])
@pytest.mark.parametrize("psf_shape", [(2, 3), (3, 2)])
def test_whole_objectives_at_fifty_digits(boundary, psf_shape, rng):
    """Poisson with a background, total variation, squares: every sum written out in mpmath."""
    data, psf = rng.uniform(1, 5, (3, 4)), rng.uniform(0.1, 1, psf_shape)
    parameters = {
        "data": data,
        "psf": psf,
        "mu": 0.375,
        "fidelity": "poisson",
        "regularizer": "total-variation",
        "boundary": boundary,
        "positivity": "square",
        "fidelity_options": {"background": 0.5},
        "regularizer_options": {"epsilon": 0.25, "spacing": (0.75, 1.25)},
        "origin": (1, 1),
    }
    model = problems.by_name(**parameters)
    z, v = rng.uniform(0.5, 1.5, model.blur.input_shape), rng.standard_normal(model.blur.input_shape)
    value, gradient, product = derivatives_of("problems.by_name", parameters, z, v)
    F = model.objective
    assert abs(F.value(z) - value) <= 1e-14 * abs(value)
    assert np.linalg.norm(F.gradient(z) - gradient) <= 1e-14 * np.linalg.norm(gradient)
    assert np.linalg.norm(F.hvp(z, v) - product) <= 1e-14 * np.linalg.norm(product)


@pytest.mark.parametrize("positivity", problems.POSITIVITY)
def test_positivity(positivity, data, psf, rng):
    model = problems.by_name(data, psf, fidelity="poisson", positivity=positivity)
    z = rng.standard_normal(SHAPE)
    assert (model.image(z) >= 0).all()
    assert np.isclose(
        model.objective.value(z), problems.by_name(data, psf, fidelity="poisson").objective.value(model.image(z))
    )
    start = np.where(rng.random(SHAPE) < 0.3, -1.0, rng.uniform(0, 5, SHAPE))
    reached = model.image(model.variables(start))
    assert (reached > 0).all()
    inside = start > 0.1
    np.testing.assert_allclose(reached[inside], start[inside], rtol=1e-12)
    assert np.isfinite(model.variables(np.zeros(SHAPE))).all()
    assert np.isfinite(model.variables(-np.ones(SHAPE))).all()


def test_bounds(data, psf, rng):
    model = problems.by_name(data, psf, bounds=(1.0, 4.0))
    assert (model.image(100 * rng.standard_normal(SHAPE)) <= 4).all()
    start = model.variables(data)
    inside = (data > 1.1) & (data < 3.9)
    np.testing.assert_allclose(model.image(start)[inside], data[inside], rtol=1e-12)
    assert np.isfinite(start).all()


def test_valid_has_a_larger_unknown(psf, rng):
    scene = rng.random((10, 8))
    for origin in (None, (0, 1), (2, 0)):
        data = rd.Convolution(psf, scene.shape, "valid", origin).forward(scene)
        model = problems.by_name(data, psf, boundary="valid", origin=origin)
        assert model.blur.input_shape == scene.shape
        assert model.seen(scene).shape == data.shape
        np.testing.assert_array_equal(model.seen(model.unseen(data)), data)
        # The pixel that the PSF's origin multiplies is the one under the data's.
        impulse = np.zeros(PSF_SHAPE)
        impulse[model.blur.origin] = 1
        np.testing.assert_allclose(
            rd.Convolution(impulse, scene.shape, "valid", origin).forward(scene), model.seen(scene), atol=1e-15
        )


def test_own_functionals(data, psf, rng):
    own = problems.by_name(data, psf, 0.4, fidelity=rd.LeastSquares(data), regularizer=rd.L2Norm() @ rd.Gradient(SHAPE))
    x = rng.random(SHAPE)
    expected = rd.LeastSquares(data) @ rd.Convolution(psf, SHAPE) + 0.4 * rd.L2Norm() @ rd.Gradient(SHAPE)
    assert own.objective.value(x) == expected.value(x)


def test_entropys_prior_is_the_mean_of_the_data(data, psf):
    model = problems.by_name(data, psf, fidelity="least-squares", regularizer="entropy")
    flat = np.full(SHAPE, data.mean())
    assert np.isclose(
        model.objective.value(flat), rd.LeastSquares(data).value(rd.Convolution(psf, SHAPE).forward(flat)), rtol=1e-12
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"fidelity": "poison"}, "unknown fidelity 'poison': did you mean 'poisson'"),
        ({"regularizer": "total_variation"}, "unknown regularizer 'total_variation': did you mean 'total-variation'"),
        ({"positivity": "squares"}, "unknown positivity 'squares': did you mean 'square'"),
        ({"boundary": "reflext"}, "unknown boundary 'reflext': did you mean 'reflect'"),
        ({"fidelity": "poisson", "fidelity_options": {"backgrounds": 1}}, "did you mean 'background'"),
        ({"regularizer": "total-variation", "regularizer_options": {"epsilom": 1}}, "did you mean 'epsilon'"),
        ({"regularizer": "tikhonov-gradient", "regularizer_options": {"of": "identity"}}, "unknown option"),
        ({"fidelity_options": {"weight": 1}}, "has no meaning here"),
        ({"fidelity_options": [1]}, "fidelity_options must map names"),
        ({"fidelity": rd.LeastSquares(), "fidelity_options": {"weight": 1}}, "fidelity_options go with the name"),
        ({"fidelity": rd.LeastSquares(np.ones(3))}, r"fidelity takes arrays of shape \(3,\)"),
        ({"regularizer": 3}, "regularizer must be a name"),
        ({"positivity": "square", "bounds": (0, 1)}, "exclude each other"),
        ({"bounds": (0, 1, 2)}, "bounds needs two values"),
        ({"bounds": (1, 0)}, "upper|lower"),
        ({"mu": 0}, "mu must be > 0"),
        ({"fidelity": "poisson", "data": -np.ones(SHAPE)}, "data must be >= 0"),
    ],
)
def test_what_is_refused(arguments, message, data, psf):
    given = {"data": data, "psf": psf, **arguments}
    with pytest.raises((TypeError, ValueError), match=message):
        problems.by_name(given.pop("data"), given.pop("psf"), **given)
