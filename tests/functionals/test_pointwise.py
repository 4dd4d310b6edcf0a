"""What all sums over pixels share: weights, masks, domains."""

import numpy as np
import pytest

import refdeconv as rd
from refdeconv.functionals.pointwise import Pointwise, with_rows


class Logarithm(Pointwise):
    """-log(u), for u > 0."""

    def _phi(self, u):
        return -np.log(u)

    def _slope(self, u):
        return -1 / u

    def _bend(self, u):
        return 1 / u**2

    def _outside(self, u):
        return u <= 0


def test_outside_the_domain():
    f = Logarithm()
    assert f.value([1.0, -2.0]) == np.inf
    assert f.value(np.array([1, -2], np.float32)).dtype == np.float32
    for call in (f.gradient, f.hessian):
        with pytest.raises(ValueError, match="outside its domain"):
            call([1.0, 0.0])


def test_weight_zero_hides_even_what_is_outside():
    f = Logarithm(weight=[2.0, 0.0, 1.0])
    u = np.array([0.5, -3.0, 4.0])
    assert np.isclose(f.value(u), -2 * np.log(0.5) - np.log(4))
    assert np.array_equal(f.gradient(u), [-4.0, 0.0, -0.25])
    assert np.array_equal(f.hvp(u, [1.0, 5.0, 2.0]), [8.0, 0.0, 0.125])
    assert f.value([-1.0, 1.0, 1.0]) == np.inf


def test_one_weight_for_all_leaves_the_shape_open():
    assert Logarithm(weight=0.5).input_shape is None
    assert Logarithm(weight=0.5).value(np.full((2, 3), np.e)) == -3.0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"weight": -1.0}, "weight must be >= 0"),
        ({"weight": [1.0, 2.0]}, r"weight has shape \(2,\), expected \(3,\)"),
        ({"weight": [1.0, np.nan, 1.0]}, "weight must be finite"),
        ({"data": [1.0, np.inf, 0.0]}, "data must be finite"),
        ({"data": [1j, 0, 0]}, "data must be real"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises((ValueError, TypeError), match=message):
        Logarithm(**{"data": [1.0, 2.0, 3.0], **arguments})


@pytest.mark.parametrize("make", [rd.Poisson, rd.PoissonGaussian, rd.Anscombe])
@pytest.mark.parametrize("ratio", [1e-2, 1, 1e3, 1e6])
def test_complex_step_far_from_the_data(make, ratio):
    rng = np.random.default_rng(2)
    data = rng.uniform(0.5, 2, 50)
    f, u = make(data), ratio * rng.uniform(0.5, 2, 50)
    assert rd.checks.hvp_error(f.gradient, f.hvp, u) <= 1e-14


def test_the_rounding_of_a_blur_is_not_outside_the_domain():
    """An FFT leaves -8e-15 where the blur of a point is zero; where nothing was counted, either is as good."""
    point, data = np.zeros((64, 64)), np.zeros((64, 64))
    point[20, 20], data[18:23, 18:23] = 1000, 5
    K = rd.Convolution(rd.psf.airy((9, 9), 3.0), (64, 64))
    assert K.forward(point).min() < 0
    f = rd.Poisson(data) @ K
    assert np.isfinite(f.value(point))
    assert np.isfinite(f.gradient(point)).all()
    assert f.value(-point) == np.inf


def test_what_has_a_domain_is_not_cut():
    """Its value outside is infinite as a whole, and its derivatives are none."""
    rows = slice(1, 3)
    assert Logarithm(weight=np.ones((4, 2))).cut((4, 2), 0, rows) is None
    assert rd.Poisson(np.ones((4, 2))).cut((4, 2), 0, rows) is None
    part = rd.LogCosh(np.arange(8.0).reshape(4, 2)).cut((4, 2), 0, rows)
    assert part.input_shape == (2, 2)
    assert np.array_equal(part.data, [[2.0, 3.0], [4.0, 5.0]])


class ScaledSquares(Pointwise):
    """Half the squares, of which each row, or each column, has a scale of its own."""

    def __init__(self, scale):
        super().__init__()
        self.scale = np.array(scale)

    def _phi(self, u):
        return self.scale * u * u / 2

    def _slope(self, u):
        return self.scale * u

    def _bend(self, u):
        return self.scale * np.ones_like(u)


@pytest.mark.parametrize("shape", [(400, 500), (500, 500), (2, 200_000), (60, 50, 70)])
def test_what_is_one_for_each_row_is_cut_with_the_image(shape):
    rng = np.random.default_rng(4)
    u, v = rng.standard_normal((2, *shape))
    for size in (shape[:1] + (1,) * (len(shape) - 1), shape[-1:], (1, *shape[1:]), ()):
        scale = rng.uniform(1, 2, size)
        f = ScaledSquares(scale)
        assert f.value(u) == pytest.approx(np.sum(scale * u * u) / 2, rel=1e-13)
        assert np.array_equal(f.gradient(u), scale * u)
        assert np.array_equal(f.hvp(u, v), scale * v)


def test_rows_of_what_is_broadcast():
    """Of an array that has fewer axes than the pixels, or one entry along some, those along which it varies are cut."""
    pixels, rows = (3, 4, 5), slice(1, 3)
    for own, axis, cut in (
        ((3, 4, 5), 1, (3, 2, 5)),
        ((4, 5), 1, (2, 5)),
        ((4, 1), 1, (2, 1)),
        ((3, 4, 1), 0, (2, 4, 1)),
        ((3, 1, 5), 1, (3, 1, 5)),
        ((4, 5), 0, (4, 5)),
        ((5,), 2, (2,)),
        ((5,), 1, (5,)),
        ((4, 3), 1, (4, 3)),
        ((2, 3, 4, 5), 1, (2, 3, 4, 5)),
    ):
        scale = np.arange(float(np.prod(own))).reshape(own)
        part = with_rows(ScaledSquares(scale), pixels, axis, rows)
        assert part.scale.shape == cut
