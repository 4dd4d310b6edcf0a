"""What all sums over pixels share: weights, masks, domains."""

import numpy as np
import pytest

from refdeconv.functionals.pointwise import Pointwise


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
