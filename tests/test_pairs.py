"""Every functional after every operator and every map that it fits, generated: gradient, Hessian and symmetry of each.

The functionals are those of cases.py that are no compositions themselves; a functional fits what returns arrays of a
shape that it can be made for. One that is defined at positive pixels only is lifted into its domain by `Affine`.
"""

import itertools

import numpy as np
import pytest

import refdeconv as rd
from refdeconv.conformance.golden.definitions.functionals import DEFINITIONS
from refdeconv.operators.convolution import BOUNDARIES
from tests.cases import FUNCTIONALS, LINEAR_OPERATORS, MAPS, point
from tests.thinned import thinned

SHAPE = (5, 4)


def bare_functionals():
    """The cases of one class each, made for any shape that they accept."""
    for name, make in FUNCTIONALS.items():
        if "." in name or name.endswith(
            "by default"
        ):  # its class has a case; an epsilon too small for the complex step
            continue
        try:
            if type(make((3, 2, 3), np.random.default_rng(0))).__name__ in DEFINITIONS:
                yield name, make
        except ValueError:
            continue


def fits(make, shape):
    """Whether a functional can be made for arrays of a shape, and takes them."""
    try:
        f = make(shape, np.random.default_rng(11))
        f.value(np.ones(shape))
    except ValueError:
        return False
    return type(f).__name__ in DEFINITIONS


def convolution(shape, psf_parity, boundary):
    """With a PSF of even or odd sizes, its origin anywhere."""
    rng = np.random.default_rng([*shape, psf_parity])
    psf = rng.standard_normal(tuple(3 - psf_parity + (axis == 1) * 2 for axis in range(len(shape))))
    return rd.Convolution(psf, shape, boundary, tuple(int(rng.integers(k)) for k in psf.shape))


def composed(make, operator, z, rng):
    """The functional after an operator, inside its domain at z."""
    f = make(operator.output_shape, rng)
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
CANDIDATES = [(*f, *A) for f, A in itertools.product(INSIDE, OUTSIDE) if A[0] != "Zero"]
PAIRS = [
    pytest.param(make, below, id=f"{name} @ ({name_below})")
    for name, make, name_below, below in CANDIDATES
    if fits(make, below(SHAPE, np.random.default_rng(11)).output_shape)
]
SHAPES = {
    (dimensions, parity): tuple(6 - parity + 2 * (axis % 2) for axis in range(dimensions))
    for dimensions in (1, 2, 3)
    for parity in (0, 1)
}
CONVOLUTIONS = [
    pytest.param(make, shape, parity, boundary, id=f"{name} @ {boundary} {shape} psf {parity}")
    for (name, make), shape, parity, boundary in itertools.product(INSIDE, SHAPES.values(), (0, 1), BOUNDARIES)
    if fits(make, convolution(shape, parity, boundary).output_shape)
]


@pytest.mark.parametrize(("make", "below"), thinned(PAIRS, 3))
def test_functional_after_operator_or_map(make, below):
    rng = np.random.default_rng(11)
    operator = below(SHAPE, rng)
    z = point(below, operator.input_shape, rng)
    assert_derivatives(composed(make, operator, z, rng), z, rng)


def test_most_pairs_fit():
    """What is left out are matrices and packed arrays of special shapes."""
    assert len(PAIRS) >= 0.8 * len(CANDIDATES)
    assert len(CONVOLUTIONS) >= 0.8 * len(INSIDE) * len(SHAPES) * 2 * len(BOUNDARIES)


@pytest.mark.parametrize(("make", "shape", "psf_parity", "boundary"), thinned(CONVOLUTIONS, 7))
def test_functional_after_every_convolution(make, shape, psf_parity, boundary):
    rng = np.random.default_rng(5)
    z = rng.standard_normal(shape)
    assert_derivatives(composed(make, convolution(shape, psf_parity, boundary), z, rng), z, rng)
