"""Every functional after every operator and every map that it fits, generated: gradient, Hessian and symmetry of each.

The functionals are those of cases.py that are no compositions themselves; a functional fits what returns arrays of a
shape that it can be made for. One that is defined at positive pixels only is lifted into its domain by `Affine`.
"""

import itertools

import numpy as np
import pytest

import refdeconv as rd
from refdeconv.operators.convolution import BOUNDARIES
from tests.cases import FUNCTIONALS, LINEAR_OPERATORS, MAPS, point
from tests.functionals.definitions import DEFINITIONS

SHAPE = (5, 4)


def bare_functionals():
    """The cases of one class each, made for any shape that they accept."""
    for name, make in FUNCTIONALS.items():
        if name.endswith("by default"):  # an epsilon so small that the complex step itself loses digits
            continue
        try:
            if type(make((3, 2, 3), np.random.default_rng(0))) in DEFINITIONS:
                yield name, make
        except ValueError:
            continue


def fitting(make, shape, rng):
    """An instance for arrays of a shape, or None where that makes no sense."""
    try:
        f = make(shape, rng)
        f.value(np.ones(shape))
    except ValueError:
        return None
    return f if type(f) in DEFINITIONS else None


def composed(make, operator, z, rng):
    """The functional after an operator, inside its domain at z; None where the two do not fit."""
    f = fitting(make, operator.output_shape, rng)
    if f is None:
        return None
    if hasattr(make, "point"):  # defined at positive arrays
        lift = rng.uniform(0.3, 3, operator.output_shape) - operator.forward(z)
        return f @ rd.Affine(rd.Identity(operator.output_shape), lift) @ operator
    return f @ operator


def assert_derivatives(f, z, rng):
    v, w = rng.standard_normal((2, *z.shape))
    value, gradient = f.value_and_gradient(z)
    assert np.isfinite(value)
    # Relative to the derivatives themselves; where a sum of terms cancels (the Hessian of u**2 after a root is zero),
    # to what the next lower derivative says of their size.
    size, long, wide = np.linalg.norm(z), np.linalg.norm(v), np.linalg.norm(w)
    slopes = np.linalg.norm(gradient) + abs(value) / size
    bends = np.linalg.norm(f.hessian(z).to_dense()) + slopes / size
    slope = f.value(z + 1e-100j * v).imag / 1e-100
    assert abs(np.sum(gradient * v) - slope) <= 1e-14 * slopes * long
    product = f.hvp(z, v)
    bend = f.gradient(z + 1e-100j * v).imag / 1e-100
    assert np.linalg.norm(product - bend) <= 1e-14 * bends * long
    assert abs(np.sum(w * product) - np.sum(v * f.hvp(z, w))) <= 1e-14 * bends * long * wide


INSIDE = list(bare_functionals())
OUTSIDE = [*LINEAR_OPERATORS.items(), *MAPS.items()]
PAIRS = [
    pytest.param(make, below, id=f"{name} @ ({name_below})")
    for (name, make), (name_below, below) in itertools.product(INSIDE, OUTSIDE)
    if name_below != "Zero"
]


@pytest.mark.parametrize(("make", "below"), PAIRS)
def test_functional_after_operator_or_map(make, below):
    rng = np.random.default_rng(11)
    operator = below(SHAPE, rng)
    z = point(below, operator.input_shape, rng)
    f = composed(make, operator, z, rng)
    if f is not None:
        assert_derivatives(f, z, rng)


def test_most_pairs_fit():
    """Of the pairs above, most are tested: what does not fit are matrices and packed arrays of special shapes."""
    fits = 0
    for make, below in (pair.values for pair in PAIRS):
        rng = np.random.default_rng(11)
        fits += fitting(make, below(SHAPE, rng).output_shape, rng) is not None
    assert fits >= 0.8 * len(PAIRS)


@pytest.mark.parametrize("make", [make for _, make in INSIDE], ids=[name for name, _ in INSIDE])
@pytest.mark.parametrize("boundary", BOUNDARIES)
@pytest.mark.parametrize("dimensions", [1, 2, 3])
@pytest.mark.parametrize(("image_parity", "psf_parity"), list(itertools.product((0, 1), repeat=2)))
def test_functional_after_every_convolution(make, boundary, dimensions, image_parity, psf_parity):
    rng = np.random.default_rng([dimensions, image_parity, psf_parity])
    shape = tuple(6 - image_parity + 2 * (axis % 2) for axis in range(dimensions))
    psf = rng.standard_normal(tuple(3 - psf_parity + (axis == 1) * 2 for axis in range(dimensions)))
    origin = tuple(int(rng.integers(k)) for k in psf.shape)
    K = rd.Convolution(psf, shape, boundary, origin)
    z = rng.standard_normal(shape)
    f = composed(make, K, z, rng)
    if f is not None:
        assert_derivatives(f, z, rng)
