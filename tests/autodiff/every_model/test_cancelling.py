"""Whose rounding it is where a smoothed norm or its second derivative cancels: both sides against mpmath."""

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
from tests.by_definition import derivatives, differentiate

from .cancelling import CANCELLING, LIMIT, SIZES, TERMS, cancellation, cancellation_of_value, ratio
from .comparing import (
    FEW_SHAPES,
    TOLERANCES,
    drawn,
    quantities,
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


def most_lost(subject: Subject, x: Array, v: Array, _: Array) -> float:
    return max(cancellation(subject.ours, x, v), cancellation_of_value(subject.ours, x))


# All that the table leaves out for its HVP: a row of pixels, nowhere almost straight.
LEFT_OUT = [
    ("regularizers.hessian_schatten", (7,), 9),
    ("regularizers.hessian_schatten", (16,), 16),
    ("regularizers.hessian_norm", (7,), 1),
]

# All that JAX's table leaves out, for its value: a single number, and that a sixtieth of epsilon.
SMALL = ("SmoothedNuclearNorm of 1 x 1", (6, 3), 16)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("shapes", "geometries", "left_out"), [(MANY_PIXELS, None, LEFT_OUT), (FEW_SHAPES, 1, [SMALL])]
)
def test_hardly_anything_is_left_out(shapes: list[Shape], geometries: int | None, left_out: list[Any]) -> None:
    """Of the hundred problems of each model in the table; of JAX's, one."""
    found = []
    for names in models().values():
        seeds = seeds_for(names, 100, shapes)
        for case in set(names) - set(CANCELLING):
            if drawn(case, FEW_SHAPES[0], 0, "float64")[0].kind == "functional":
                for shape, seed in itertools.product(shapes, seeds):
                    if most_lost(*drawn(case, shape, seed, "float64", geometries, limit=math.inf)) > LIMIT:
                        found.append((case, shape, seed))
    assert sorted(found) == sorted(left_out)


@pytest.mark.parametrize("dtype", TOLERANCES)
@pytest.mark.parametrize("name", NAMESPACES)
def test_a_value_that_is_not_drawn_is_the_rounding_of_the_framework(name: str, dtype: str) -> None:
    """All that refdeconv computes is right there to a few roundings; the framework's derivatives are, too."""
    xp, (case, shape, seed) = namespace(name), SMALL
    subject, x, v, w = drawn(case, shape, seed, dtype, geometries=1, limit=math.inf)
    lost, eps = cancellation_of_value(subject.ours, x), np.finfo(x.dtype).eps
    assert lost > LIMIT > cancellation(subject.ours, x, v)
    true = derivatives(subject.ours, x, v)
    computed = quantities(subject, xp, x, v, w)
    (quantity, theirs, ours), *others = (
        (quantity, *(relative_error(np.asarray(a, float), exact) for a in sides))
        for (quantity, *sides), exact in zip(computed, true, strict=True)
    )
    assert quantity == "value"
    assert ours <= 5 * eps < TOLERANCES[dtype] < theirs <= roundings(dtype) * lost
    assert all(error <= 5 * eps for _, *errors in others for error in errors)


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


def weight(f: Any) -> Any:
    return 1 if f.weight is None else f.weight


def test_the_terms_leave_the_product() -> None:
    """Of each class, ``v.H v`` is what is left, and less than the larger of the terms."""
    found = set()
    for name in MAKERS:
        subject, x, v, _ = drawn(name, (6, 3), 1, "float64")
        f = subject.ours
        if type(f) in TERMS:
            found.add(type(f))
            larger, left = (float(np.sum(weight(f) * part)) for part in TERMS[type(f)](f, x, v))
            assert left == pytest.approx(np.vdot(v, f.hvp(x, v)), rel=1e-9)
            assert cancellation(f, x, v) == larger / left >= 1
    assert found == set(TERMS)
    assert cancellation(rd.LeastSquares(), np.ones(3), np.ones(3)) == 1


def test_the_roots_leave_the_value() -> None:
    """Of each class, the value is what is left; how much the roots are larger is known of one small number."""
    found = set()
    for name in MAKERS:
        subject, x, *_ = drawn(name, (6, 3), 1, "float64")
        f = subject.ours
        if type(f) in SIZES:
            found.add(type(f))
            s = np.hypot(SIZES[type(f)](f, x), f.epsilon)
            assert cancellation_of_value(f, x) == pytest.approx(ratio(f, s, s - f.epsilon), rel=1e-12)
            assert ratio(f, s, s - f.epsilon) * f.value(x) == pytest.approx(np.sum(weight(f) * s), rel=1e-12)
    assert found == set(SIZES) == set(TERMS)
    assert cancellation_of_value(rd.SmoothedL1(epsilon=1.0), np.full(5, 1e-4)) == pytest.approx(2e8)
    assert cancellation_of_value(rd.SmoothedL1(), np.zeros(3)) == 1
    assert cancellation_of_value(rd.LeastSquares(), np.ones(3)) == 1


@pytest.mark.parametrize(("left_out", "geometries"), [(LEFT_OUT[0], None), (SMALL, 1)])
def test_a_draw_is_repeated_until_enough_is_left(left_out: Any, geometries: int | None) -> None:
    """With the same numbers for both precisions; those of the first draw where it will do."""
    case, shape, seed = left_out
    first = drawn(case, shape, seed, "float64", geometries, limit=math.inf)
    again, single = (drawn(case, shape, seed, dtype, geometries) for dtype in TOLERANCES)
    assert most_lost(*first) > LIMIT >= most_lost(*again)
    assert not np.array_equal(first[1], again[1])
    assert np.array_equal(again[1].astype(np.float32), single[1])
    usual, without = (drawn(case, shape, 0, "float64", geometries, limit=limit)[1] for limit in (LIMIT, math.inf))
    assert np.array_equal(usual, without)
