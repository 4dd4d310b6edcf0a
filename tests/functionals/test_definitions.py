"""Every functional against its definition in mpmath."""

import functools

import numpy as np
import pytest

import refdeconv as rd
from refdeconv.conformance.golden.definitions.functionals import DEFINITIONS
from tests.by_definition import derivatives
from tests.cases import FUNCTIONALS, point

SHAPE = (3, 2, 3)


def class_of(make):
    return type(make(SHAPE, np.random.default_rng(0)))


BARE = {name: make for name, make in FUNCTIONALS.items() if class_of(make).__name__ in DEFINITIONS}


def close(found, expected, tolerance):
    return np.linalg.norm(found - expected) <= tolerance * np.linalg.norm(expected)


@functools.cache
def by_definition(name):
    """A functional, a point and a direction, of the same numbers in every precision, and what is right there."""
    make, rng = BARE[name], np.random.default_rng(9)
    f, x = make(SHAPE, rng), point(make, SHAPE, rng)
    v = rng.standard_normal(x.shape)
    x, v = x.astype(np.float32).astype(float), v.astype(np.float32).astype(float)
    return f, x, v, derivatives(f, x, v)


@pytest.mark.parametrize("name", BARE)
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.longdouble])
def test_fifty_digits(name, dtype):
    f, x, v, (value, gradient, product) = by_definition(name)
    tolerance = 1e-5 if dtype == np.float32 else 1e-14
    x, v = x.astype(dtype), v.astype(dtype)
    assert close(f.value(x), value, tolerance)
    assert close(f.gradient(x), gradient, tolerance)
    assert close(f.hvp(x, v), product, tolerance)


def test_every_functional_has_a_definition_and_a_case():
    public = {getattr(rd, name) for name in rd.__all__}
    public = {cls for cls in public if isinstance(cls, type) and issubclass(cls, rd.Functional)} - {rd.Functional}
    assert {cls.__name__ for cls in public} == set(DEFINITIONS)
    assert set(map(class_of, BARE.values())) == public
