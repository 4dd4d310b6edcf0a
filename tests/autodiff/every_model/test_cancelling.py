"""Whose rounding it is where a smoothed norm's second derivative cancels: both sides against mpmath's definition."""

import functools
import itertools
import math
from types import SimpleNamespace
from typing import Any

import mpmath
import numpy as np
import pytest

import refdeconv as rd
from tests.autodiff import Array
from tests.functionals.definitions import derivatives, differentiate

from .cancelling import CANCELLING, LIMIT, TERMS, cancellation
from .comparing import (
    FEW_SHAPES,
    TOLERANCES,
    drawn,
    relative_error,
    rounding_of_terms,
    roundings,
    seeds_for,
)
from .namespaces import NAMESPACES, Namespace
from .subjects import MAKERS, MANY_PIXELS, Subject, models
from .tables import Shape


@functools.cache
def namespace(name: str) -> Namespace:
    return NAMESPACES[name]()


def exactly(numbers: Any) -> Array:
    return np.array([mpmath.mpf(float(x)) for x in np.ravel(numbers)], object).reshape(np.shape(numbers))


# What the definitions of norms are written in, for arrays of mpmath's numbers.
EXACT = SimpleNamespace(
    constant=lambda array, like: exactly(array),
    take=lambda x, index: x[index],
    sqrt=np.frompyfunc(mpmath.sqrt, 1, 1),
    sum=np.sum,
    reshape=np.reshape,
)


def true_product(subject: Subject, x: Array, v: Array) -> Array:
    return differentiate(lambda z: subject.define(EXACT, z), x, v)[2]


# All that the table leaves out: a row of pixels, nowhere almost straight.
LEFT_OUT = [
    ("regularizers.hessian_schatten", (7,), 9),
    ("regularizers.hessian_schatten", (16,), 16),
    ("regularizers.hessian_norm", (7,), 1),
]


@pytest.mark.parametrize(("shapes", "geometries", "left_out"), [(MANY_PIXELS, None, LEFT_OUT), (FEW_SHAPES, 1, [])])
def test_hardly_anything_is_left_out(shapes: list[Shape], geometries: int | None, left_out: list[Any]) -> None:
    """Of the hundred problems of each model in the table; of JAX's, none."""
    found = []
    for names in models().values():
        seeds = seeds_for(names, 100, shapes)
        for case in set(names) - set(CANCELLING):
            if drawn(case, FEW_SHAPES[0], 0, "float64")[0].kind == "functional":
                for shape, seed in itertools.product(shapes, seeds):
                    subject, x, v, _ = drawn(case, shape, seed, "float64", geometries, limit=math.inf)
                    if cancellation(subject.ours, x, v) > LIMIT:
                        found.append((case, shape, seed))
    assert sorted(found) == sorted(left_out)


@pytest.mark.parametrize("dtype", TOLERANCES)
@pytest.mark.parametrize("name", NAMESPACES)
def test_what_is_not_drawn_is_the_rounding_of_the_framework(name: str, dtype: str) -> None:
    """refdeconv is right to a few roundings of these numbers; the framework is not, but as far as its terms explain."""
    xp, found = namespace(name), []
    for case, shape, seed in LEFT_OUT:
        subject, x, v, _ = drawn(case, shape, seed, dtype, limit=math.inf)
        product, lost = true_product(subject, x, v), cancellation(subject.ours, x, v)
        theirs = relative_error(xp.hvp(lambda x, s=subject: s.define(xp, x), x, v).astype(float), product)
        ours = relative_error(subject.ours.hvp(x, v).astype(float), product)
        assert lost > LIMIT
        assert ours <= 5 * np.finfo(x.dtype).eps
        assert theirs <= roundings(dtype) * lost
        found.append((ours, theirs))
    assert max(theirs for _, theirs in found) > 10 * max(ours for ours, _ in found)


@pytest.mark.parametrize("case", CANCELLING)
@pytest.mark.parametrize("name", NAMESPACES)
def test_where_the_framework_loses_digits_the_formula_does_not(name: str, case: str) -> None:
    """At ten points, all three by the definition at 50 digits: refdeconv's HVP is right, the framework's is not."""
    xp = namespace(name)
    errors = []
    for seed in range(10):
        subject, x, v, _ = drawn(case, (7,), seed, "float64")
        value, gradient, product = derivatives(subject.ours, x, v)
        assert relative_error(subject.ours.value(x), value) <= 1e-15
        assert relative_error(subject.ours.gradient(x), gradient) <= 1e-15
        assert relative_error(subject.ours.hvp(x, v), product) <= 1e-15
        errors.append(relative_error(xp.hvp(lambda x, s=subject: s.define(xp, x), x, v), product))
        assert errors[-1] <= roundings("float64") * cancellation(subject.ours, x, v)
    assert max(errors) > 1e-13
    assert max(errors) <= rounding_of_terms(type(xp), case, "float64", 100)


def test_the_formula_is_right_in_every_pixel() -> None:
    """1000 pixels one by one, residuals from far below epsilon to 1e9 epsilons, where the ratio is 1e18."""
    rng = np.random.default_rng(0)
    f = rd.SmoothedL1()
    residuals = rng.choice([-1, 1], 1000) * np.append(rng.standard_normal(500), 10 ** rng.uniform(-9, 6, 500))
    ours = f.gradient(residuals), f.hvp(residuals, np.ones(1000))
    for pixel, *mine in zip(residuals[:, None], *ours, strict=True):
        value, gradient, product = derivatives(f, pixel, np.ones(1))
        for computed, true in zip((f.value(pixel), *mine), (value, *gradient, *product), strict=True):
            assert abs(computed - true) <= 2e-15 * abs(true), pixel


def test_the_terms_leave_the_product() -> None:
    """Of each class, ``v.H v`` is what is left, and less than the larger of the terms."""
    found = set()
    for name in MAKERS:
        subject, x, v, _ = drawn(name, (6, 3), 1, "float64")
        f = subject.ours
        if type(f) in TERMS:
            found.add(type(f))
            weight = 1 if f.weight is None else f.weight
            larger, left = (float(np.sum(weight * part)) for part in TERMS[type(f)](f, x, v))
            assert left == pytest.approx(np.vdot(v, f.hvp(x, v)), rel=1e-9)
            assert cancellation(f, x, v) == larger / left >= 1
    assert found == set(TERMS)
    assert cancellation(rd.LeastSquares(), np.ones(3), np.ones(3)) == 1


def test_a_draw_is_repeated_until_enough_is_left() -> None:
    """With the same numbers for both precisions; those of the first draw where it will do."""
    case, shape, seed = LEFT_OUT[0]
    first = drawn(case, shape, seed, "float64", limit=math.inf)
    again, single = (drawn(case, shape, seed, dtype) for dtype in TOLERANCES)
    assert cancellation(first[0].ours, *first[1:3]) > LIMIT >= cancellation(again[0].ours, *again[1:3])
    assert not np.array_equal(first[1], again[1])
    assert np.array_equal(again[1].astype(np.float32), single[1])
    usual, without = (drawn(case, shape, 0, "float64", limit=limit)[1] for limit in (LIMIT, math.inf))
    assert np.array_equal(usual, without)
