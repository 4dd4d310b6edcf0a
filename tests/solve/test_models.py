"""deconvolve beyond its defaults: models by name, constraints, larger unknowns, channels together."""

import itertools

import numpy as np
import pytest

import refdeconv as rd
from refdeconv import problems

SHAPE = (20, 17)


@pytest.fixture
def rng():
    return np.random.default_rng(12)


@pytest.fixture
def psf():
    return rd.psf.gaussian((4, 5), (0.8, 1.1))


@pytest.fixture
def sharp(rng):
    return 3 + 20 * np.kron(rng.random((5, 5)), np.ones((4, 4)))[: SHAPE[0], : SHAPE[1]]


@pytest.fixture
def counts(rng, sharp, psf):
    return rng.poisson(rd.Convolution(psf, SHAPE, "reflect").forward(sharp)).astype(float)


@pytest.mark.parametrize("fidelity", problems.FIDELITIES)
def test_every_fidelity(fidelity, counts, psf, sharp):
    image, result = rd.deconvolve(
        counts,
        psf,
        0.3 if fidelity != "l2-norm" else 0.05,
        fidelity=fidelity,
        fidelity_options={"epsilon": 0.5} if fidelity == "smoothed-l1" else {},
        regularizer="total-variation",
        regularizer_options={"epsilon": 0.5},
        boundary="reflect",
        positivity="softplus",
        full_output=True,
    )
    assert result.success, result.message
    assert (image > 0).all()
    assert image.shape == SHAPE
    assert result.fun < result.history[0].value


@pytest.mark.parametrize("regularizer", problems.REGULARIZERS)
def test_every_regularizer(regularizer, counts, psf, sharp):
    image, result = rd.deconvolve(
        counts,
        psf,
        0.1,
        fidelity="poisson",
        regularizer=regularizer,
        boundary="nearest",
        positivity="exponential",
        full_output=True,
    )
    assert result.success, result.message
    assert (image > 0).all()


@pytest.mark.parametrize(
    ("boundary", "positivity"),
    list(itertools.product(["constant", "wrap", "reflect", "mirror", "nearest", "valid"], [None, "square"])),
)
def test_every_boundary(boundary, positivity, counts, psf, sharp):
    image, result = rd.deconvolve(
        counts,
        psf,
        0.05,
        fidelity="least-squares",
        regularizer="tikhonov-gradient",
        boundary=boundary,
        positivity=positivity,
        full_output=True,
    )
    assert result.success, result.message
    assert image.shape == SHAPE
    unknown = (23, 21) if boundary == "valid" else SHAPE
    assert result.x.shape == unknown
    if positivity:
        np.testing.assert_allclose(result.x, result.variables**2)
    else:
        model = problems.by_name(
            counts, psf, 0.05, fidelity="least-squares", regularizer="tikhonov-gradient", boundary=boundary
        )
        assert np.isclose(result.fun, model.objective.value(result.x), rtol=1e-13)


def test_bounds(counts, psf):
    image = rd.deconvolve(counts, psf, fidelity="least-squares", bounds=(5, 12))
    assert image.min() >= 5
    assert image.max() <= 12


def test_callbacks_see_images(counts, psf):
    seen = []

    def told(intermediate_result):
        seen.append(intermediate_result.x)

    image = rd.deconvolve(counts, psf, fidelity="poisson", positivity="square", boundary="valid", callback=told)
    np.testing.assert_allclose(seen[-1], image, rtol=1e-12)
    seen.clear()
    image = rd.deconvolve(counts, psf, fidelity="poisson", positivity="square", callback=lambda x: seen.append(x))
    np.testing.assert_allclose(seen[-1], image, rtol=1e-12)


def test_start_in_either_shape(counts, psf, rng):
    options = {"fidelity": "least-squares", "regularizer": "tikhonov-gradient", "boundary": "valid", "xtol": 1e-10}
    images = [rd.deconvolve(counts, psf, 0.1, x0=x0, **options) for x0 in (None, counts + 1, rng.random((23, 21)))]
    for image in images[1:]:
        np.testing.assert_allclose(image, images[0], atol=1e-5)
    with pytest.raises(ValueError, match=r"x0 has shape \(3, 3\), expected \(20, 17\), or \(23, 21\)"):
        rd.deconvolve(counts, psf, 0.1, x0=np.ones((3, 3)), **options)


class TestColour:
    @pytest.fixture
    def colour(self, counts):
        return np.stack([counts, 0.5 * counts, counts[::-1]], axis=-1)

    def test_options_are_split_among_channels(self, colour, psf, rng):
        weight = rng.uniform(0.5, 1, colour.shape)
        together = rd.deconvolve(
            colour, psf, channel_axis=-1, fidelity="least-squares", fidelity_options={"weight": weight}
        )
        alone = rd.deconvolve(
            colour[..., 1], psf, fidelity="least-squares", fidelity_options={"weight": weight[..., 1]}
        )
        np.testing.assert_array_equal(together[..., 1], alone)

    @pytest.mark.parametrize("axis", [0, -1])
    def test_coupled_channels(self, colour, psf, axis):
        image = np.moveaxis(colour, -1, axis)
        options = {
            "fidelity": "least-squares",
            "regularizer": "total-variation",
            "regularizer_options": {"epsilon": 0.2},
            "channel_axis": axis,
        }
        found, result = rd.deconvolve(image, psf, 0.5, coupled=True, full_output=True, **options)
        assert result.success, result.message
        K = rd.Convolution(np.expand_dims(psf, axis), image.shape)
        objective = rd.LeastSquares(image) @ K
        objective += 0.5 * rd.regularizers.total_variation(image.shape, 0.2, channel_axis=axis)
        assert np.isclose(result.fun, objective.value(found), rtol=1e-13)
        assert np.linalg.norm(objective.gradient(found)) <= 1e-3 * np.linalg.norm(objective.gradient(image))

    def test_coupled_refuses_what_makes_no_sense(self, colour, psf):
        with pytest.raises(ValueError, match="coupled needs channel_axis"):
            rd.deconvolve(colour[..., 0], psf, coupled=True, regularizer="total-variation")
        with pytest.raises(ValueError, match="coupled goes with the regularizers"):
            rd.deconvolve(colour, psf, coupled=True, channel_axis=-1)


def test_float32_stays(counts, psf):
    image = rd.deconvolve(
        counts.astype(np.float32),
        psf,
        0.1,
        fidelity="poisson",
        regularizer="total-variation",
        positivity="square",
        boundary="reflect",
    )
    assert image.dtype == np.float32
    double = rd.deconvolve(
        counts, psf, 0.1, fidelity="poisson", regularizer="total-variation", positivity="square", boundary="reflect"
    )
    np.testing.assert_allclose(image, double, rtol=0.05, atol=0.1)


def test_what_stands_at_a_masked_pixel_does_not_matter(counts, psf, rng):
    mask = rng.random(SHAPE) > 0.1
    images = [
        rd.deconvolve(
            np.where(mask, counts, hot),
            psf,
            0.1,
            fidelity="poisson",
            regularizer="total-variation",
            positivity="square",
            boundary="reflect",
            fidelity_options={"weight": mask},
        )
        for hot in (0, 65535)
    ]
    np.testing.assert_array_equal(images[0], images[1])


@pytest.mark.parametrize("positivity", ["square", "softplus", None])
@pytest.mark.parametrize("scale", [1, 2**16])
def test_solves_end_at_every_range(positivity, scale, counts, psf):
    """Maps that flatten out let their variables drift for ever; the gradient says when nothing is left."""
    image, result = rd.deconvolve(
        scale * counts / 20,
        psf,
        0.002,
        fidelity="least-squares",
        regularizer="tikhonov-gradient",
        positivity=positivity,
        bounds=None if positivity else (0, 2 * scale),
        boundary="reflect",
        full_output=True,
    )
    assert result.success, result.message
    assert result.nhev < 20_000
    assert image.min() >= 0


def test_a_mask_serves_all_channels(counts, psf, rng):
    colour, mask = np.stack([counts, counts[::-1]], -1), rng.random(SHAPE) > 0.1
    options = {"fidelity": "least-squares", "regularizer": "total-variation", "channel_axis": -1}
    for coupled in (True, False):
        rd.deconvolve(colour, psf, 0.5, coupled=coupled, fidelity_options={"weight": mask}, **options)


def test_a_later_channel_that_does_not_converge_is_named(rng, psf):
    colour = np.stack([np.zeros((8, 8)), rng.standard_normal((8, 8))], -1)
    with pytest.warns(rd.ConvergenceWarning, match="1 of 2 channels converged. Channel 2: Stopped at maxiter"):
        rd.deconvolve(colour, psf, 0.01, channel_axis=-1, maxiter=1)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"regulariser": "total-variation"}, "no argument 'regulariser': did you mean 'regularizer'"),
        ({"bounds": 1.0}, "bounds needs two values"),
        ({"bounds": {0: 1, 2: 3}}, "bounds needs two values"),
        ({"bounds": (2, 1)}, "bounds: lower must be below upper"),
        ({"regularizer": "good-roughness"}, "is for positive images"),
        (
            {"regularizer": "total-variation", "regularizer_options": {"isotropic": "no"}},
            "isotropic must be True or False",
        ),
    ],
)
def test_arguments_that_newcomers_get_wrong(arguments, message, psf):
    with pytest.raises((TypeError, ValueError), match=message):
        rd.deconvolve(np.arange(-40.0, 40).reshape(8, 10), psf, **arguments)
