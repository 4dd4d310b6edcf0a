"""The regularisers: what each penalises, against definitions in plain loops, and their arguments."""

import itertools

import mpmath
import numpy as np
import pytest

import refdeconv as rd
from refdeconv import regularizers
from refdeconv.conformance.golden.definitions import DEFINITIONS, arrays
from tests.by_definition import derivatives_of


@pytest.fixture
def rng():
    return np.random.default_rng(4)


def neighbours(x, spacing):
    """The length of the gradient at each pixel, by loops."""
    lengths = np.zeros(x.shape)
    for index in np.ndindex(*x.shape):
        for axis, step in enumerate(spacing):
            after = tuple(i + (a == axis) for a, i in enumerate(index))
            if after[axis] < x.shape[axis]:
                lengths[index] += ((x[after] - x[index]) / step) ** 2
    return np.sqrt(lengths)


@pytest.mark.parametrize("shape", [(7,), (4, 5), (3, 4, 2)])
def test_total_variation_is_its_definition(shape, rng):
    x, spacing = rng.standard_normal(shape), tuple(rng.uniform(0.5, 2, len(shape)))
    lengths = neighbours(x, spacing)
    found = regularizers.total_variation(shape, 0.3, spacing=spacing).value(x)
    assert np.isclose(found, np.sum(np.sqrt(lengths**2 + 0.09) - 0.3), rtol=1e-13)
    found = regularizers.huber_total_variation(shape, 0.3, spacing=spacing).value(x)
    expected = np.where(lengths <= 0.3, lengths**2 / 0.6, lengths - 0.15)
    assert np.isclose(found, expected.sum(), rtol=1e-13)
    assert np.isclose(regularizers.gradient_norm(shape, spacing=spacing).value(x) ** 2, np.sum(lengths**2) / 2)
    assert np.isclose(regularizers.tikhonov(shape, "gradient", spacing=spacing).value(x), np.sum(lengths**2) / 2)


def test_anisotropic_counts_each_difference(rng):
    x = rng.standard_normal((5, 4))
    expected = np.abs(np.diff(x, axis=0)).sum() + np.abs(np.diff(x, axis=1)).sum()
    assert np.isclose(regularizers.total_variation((5, 4), 1e-12, isotropic=False).value(x), expected, rtol=1e-9)


@pytest.mark.parametrize("channel_axis", [0, 1, -1])
def test_vectorial_couples_the_channels(channel_axis, rng):
    channels = rng.standard_normal((3, 5, 4))
    squares = sum(neighbours(channel, (1, 1)) ** 2 for channel in channels)
    image = np.moveaxis(channels, 0, channel_axis)
    tv = regularizers.total_variation(image.shape, 0.1, channel_axis=channel_axis)
    assert np.isclose(tv.value(image), np.sum(np.sqrt(squares + 0.01) - 0.1), rtol=1e-13)
    separate = regularizers.total_variation(image.shape, 0.1, channel_axis=channel_axis, isotropic=False)
    assert separate.value(image) > tv.value(image)


def test_second_order_of_a_known_surface():
    i, j = np.mgrid[:9, :8].astype(float)
    saddle = i * j
    inside = regularizers.hessian_schatten((9, 8), 1e-9).value(saddle)
    frobenius = regularizers.hessian_norm((9, 8), 1e-9).value(saddle)
    # The matrix [[0, 1], [1, 0]]: eigenvalues 1 and -1, Frobenius norm sqrt(2).
    assert np.isclose(inside, 2**0.5 * frobenius, rtol=1e-6)
    assert inside > 0


def test_good_roughness_is_the_fisher_information(rng):
    x = np.exp(0.05 * rng.standard_normal((30,)).cumsum())
    found = regularizers.good_roughness((30,)).value(x)
    assert np.isclose(found, np.sum(np.diff(x) ** 2 / (x[1:] * x[:-1]) ** 0.5), rtol=1e-2)
    assert np.isclose(regularizers.good_roughness((30,)).value(3 * x), 3 * found)


def test_entropy_is_smallest_at_the_prior(rng):
    prior = rng.uniform(1, 2, (4, 3))
    R = regularizers.entropy(prior)
    assert R.value(prior) == 0
    assert not R.gradient(prior).any()
    assert R.value(prior * 1.1) > 0
    assert regularizers.entropy(2.0, (4, 3)).input_shape == (4, 3)


def test_spacing_is_a_change_of_units(rng):
    x = rng.standard_normal((4, 5, 6))
    for make, order in (
        (regularizers.total_variation, 1),
        (regularizers.hessian_norm, 2),
        (regularizers.hessian_schatten, 2),
    ):
        half = make(x.shape, 1e-3 * 2**order, spacing=0.5).value(x)
        assert np.isclose(half, 2**order * make(x.shape, 1e-3).value(x), rtol=1e-12)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: regularizers.tikhonov((3, 3), "gradients"), "unknown of 'gradients': did you mean 'gradient'"),
        (lambda: regularizers.total_variation((3, 3), 0.0), "epsilon must be"),
        (lambda: regularizers.total_variation((3, 3), -1.0), "epsilon must be"),
        (lambda: regularizers.total_variation((3, 3), channel_axis=2), "channel_axis must be between"),
        (lambda: regularizers.total_variation((3,), channel_axis=0), "channel_axis 0 is the only axis"),
        (lambda: regularizers.total_variation((3, 3), spacing=(1, 2, 3)), "spacing needs one number"),
        (lambda: regularizers.huber_total_variation((3, 3), 0.0), "delta must be"),
        (lambda: regularizers.hessian_schatten((2, 2, 2, 2)), "one to three axes"),
        (lambda: regularizers.entropy(-1.0, (2, 2)), "prior"),
        (lambda: regularizers.gradient_norm((3, 3), boundary="rap"), "boundary 'rap': did you mean 'wrap'"),
        (lambda: regularizers.smoothed_l1((3, 0)), "shape"),
    ],
)
def test_bad_arguments(call, message):
    with pytest.raises((TypeError, ValueError), match=message):
        call()


SPACING = (0.75, 1.25)
EPSILON = 0.375
ALIKE = {"shape": (3, 4), "spacing": SPACING}
SMOOTH = {**ALIKE, "epsilon": EPSILON}
AT_FIFTY_DIGITS = {
    "tikhonov": ("tikhonov", {"shape": (3, 4)}),
    "tikhonov of the gradient": ("tikhonov", {**ALIKE, "of": "gradient"}),
    "tikhonov of the Laplacian": ("tikhonov", {**ALIKE, "of": "laplacian"}),
    "gradient norm": ("gradient_norm", ALIKE),
    "total variation": ("total_variation", SMOOTH),
    "anisotropic total variation": ("total_variation", {**SMOOTH, "isotropic": False}),
    "vectorial total variation": ("total_variation", {**SMOOTH, "spacing": 0.75, "channel_axis": 0}),
    "Huber total variation": ("huber_total_variation", {**ALIKE, "delta": EPSILON}),
    "Hessian norm": ("hessian_norm", SMOOTH),
    "Hessian-Schatten norm": ("hessian_schatten", SMOOTH),
    "Good's roughness": ("good_roughness", ALIKE),
    "entropy": ("entropy", {"prior": 1.25, "shape": (3, 4)}),
    "smoothed L1": ("smoothed_l1", {"shape": (3, 4), "epsilon": EPSILON}),
}


@pytest.mark.parametrize(("name", "parameters"), AT_FIFTY_DIGITS.values(), ids=AT_FIFTY_DIGITS)
def test_fifty_digits(name, parameters, rng):
    """Against the definition, summed over pixels in mpmath."""
    x, v = rng.uniform(0.5, 3, (3, 4)), rng.standard_normal((3, 4))
    R = getattr(regularizers, name)(**parameters)
    value, gradient, product = derivatives_of(f"regularizers.{name}", parameters, x, v)
    assert abs(R.value(x) - value) <= 1e-14 * abs(value)
    assert np.linalg.norm(R.gradient(x) - gradient) <= 1e-14 * np.linalg.norm(gradient)
    assert np.linalg.norm(R.hvp(x, v) - product) <= 1e-14 * np.linalg.norm(product)


def test_every_regularizer_has_a_definition():
    assert {name for name, _ in AT_FIFTY_DIGITS.values()} == set(regularizers.__all__)


def test_volumes_at_fifty_digits(rng):
    """Three axes, so that the matrix of second differences is three by three."""
    x, v = rng.standard_normal((2, 3, 3, 3))
    parameters = {"shape": (3, 3, 3), "epsilon": EPSILON, "spacing": (1.5, 0.75, 1.0)}
    R = regularizers.hessian_schatten(**parameters)

    def define(x):
        return DEFINITIONS["regularizers.hessian_schatten"](parameters, x)

    h = mpmath.mpf(10) ** -20
    with mpmath.workdps(60):
        x_exact, v_exact = arrays.exact(x), arrays.exact(v)
        value, ahead, behind = (define(x_exact + s * h * v_exact) for s in (0, 1, -1))
        slope = float((ahead - behind) / (2 * h))
    assert abs(R.value(x) - float(value)) <= 1e-14 * R.value(x)
    assert abs(np.sum(R.gradient(x) * v) - slope) <= 1e-14 * np.linalg.norm(R.gradient(x)) * np.linalg.norm(v)


def test_all_derivatives_at_random_points(rng):
    shape = (4, 5)
    everything = [
        *(regularizers.tikhonov(shape, of, spacing=0.7) for of in ("identity", "gradient", "laplacian")),
        *(make(shape, spacing=(0.7, 1.2)) for make in (regularizers.gradient_norm, regularizers.good_roughness)),
        *(
            make(shape, 0.2, isotropic=isotropic, boundary=boundary)
            for make, isotropic, boundary in itertools.product(
                (regularizers.total_variation, regularizers.huber_total_variation),
                (True, False),
                ("free", "constant", "wrap"),
            )
        ),
        *(make(shape, 0.2) for make in (regularizers.hessian_norm, regularizers.hessian_schatten)),
        regularizers.entropy(1.3, shape),
        regularizers.smoothed_l1(shape, 0.1),
    ]
    x, v = rng.uniform(0.5, 3, shape), rng.standard_normal(shape)
    for R in everything:
        assert rd.checks.gradient_error(R.value, R.gradient, x) <= 1e-14
        assert rd.checks.hvp_error(R.gradient, R.hvp, x) <= 1e-14
        assert R.hvp(x.astype(np.float32), v.astype(np.float32)).dtype == np.float32


@pytest.mark.parametrize("shape", [(32,), (1, 9), (8, 7), (4, 3, 5)])
@pytest.mark.parametrize("isotropic", [True, False])
def test_complex_step_keeps_its_digits_with_a_tiny_epsilon(shape, isotropic, rng):
    """Where the differences are far above epsilon, and the gradient hardly changes along them."""
    for R in (
        regularizers.total_variation(shape, 1e-5, isotropic=isotropic),
        regularizers.hessian_norm(shape, 1e-5),
        regularizers.hessian_schatten(shape, 1e-5),
    ):
        x = rng.standard_normal(shape)
        if R.gradient(x).any():
            assert rd.checks.hvp_error(R.gradient, R.hvp, x) <= 1e-14


def test_good_roughness_outside_its_domain(rng):
    R = regularizers.good_roughness((4, 3))
    x = rng.uniform(1, 2, (4, 3))
    x[1, 1] = -0.1
    assert R.value(x) == np.inf
    assert R.value(x.astype(np.float32)).dtype == np.float32
    for call in (R.gradient, R.hessian):
        with pytest.raises(ValueError, match="defined where"):
            call(x)
    x[1, 1] = 0  # the value is finite at the very edge, the slope is not
    assert np.isfinite(R.value(x))
    with pytest.raises(ValueError, match="no derivative"):
        R.gradient(x)
