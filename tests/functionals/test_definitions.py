"""Every functional against its definition in mpmath."""

import numpy as np
import pytest

import refdeconv as rd
from tests.cases import FUNCTIONALS, point
from tests.functionals.definitions import DEFINITIONS, derivatives

SHAPE = (3, 2, 3)
BARE = {name: make for name, make in FUNCTIONALS.items() if type(make(SHAPE, np.random.default_rng(0))) in DEFINITIONS}


def close(found, expected, tolerance):
    return np.linalg.norm(found - expected) <= tolerance * np.linalg.norm(expected)


@pytest.mark.parametrize("make", BARE.values(), ids=BARE)
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.longdouble])
def test_fifty_digits(make, dtype):
    rng = np.random.default_rng(9)
    f = make(SHAPE, rng)
    x = point(make, SHAPE, rng)
    v = rng.standard_normal(x.shape)
    x, v = x.astype(np.float32).astype(float), v.astype(np.float32).astype(float)  # the same numbers in every precision
    value, gradient, product = derivatives(f, x, v)
    tolerance = 1e-5 if dtype == np.float32 else 1e-14
    x, v = x.astype(dtype), v.astype(dtype)
    assert close(f.value(x), value, tolerance)
    assert close(f.gradient(x), gradient, tolerance)
    assert close(f.hvp(x, v), product, tolerance)


def test_every_functional_has_a_definition_and_a_case():
    public = {getattr(rd, name) for name in rd.__all__}
    public = {cls for cls in public if isinstance(cls, type) and issubclass(cls, rd.Functional)} - {rd.Functional}
    assert public == set(DEFINITIONS)
    assert {type(make(SHAPE, np.random.default_rng(0))) for make in BARE.values()} == public
