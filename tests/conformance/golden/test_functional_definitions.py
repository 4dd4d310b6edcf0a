"""Definitions of functionals, regularisers, problems: independent, differentiated rightly, what refdeconv computes.

In the plain run every case is compared along its two directions; entry by entry a few, and all in the slow one.
"""

import itertools

import mpmath
import numpy as np
import pytest

import refdeconv as rd
from refdeconv import functionals, problems, regularizers
from refdeconv.conformance.golden.cases import functionals as functional_cases
from refdeconv.conformance.golden.cases import problems as problem_cases
from refdeconv.conformance.golden.cases import regularizers as regularizer_cases
from refdeconv.conformance.golden.definitions import differentiation
from refdeconv.conformance.golden.definitions import functionals as functional_definitions
from refdeconv.conformance.golden.definitions import problems as problem_definitions
from refdeconv.conformance.golden.definitions import regularizers as regularizer_definitions
from refdeconv.conformance.golden.definitions.arrays import exact

ROOMS = (functional_definitions, regularizer_definitions, problem_definitions)
DEFINITIONS = {name: define for room in ROOMS for name, define in room.DEFINITIONS.items()}
SIZES = {name: size for room in ROOMS for name, size in room.SIZES.items()}
CASES = {c.name: c for room in (functional_cases, regularizer_cases, problem_cases) for c in room.cases()}

# ---- Completeness. ----


def public_models():
    made = [name for name in problems.__all__ if name.islower() and name != "astronaut"]
    return {
        *functionals.__all__,
        *(f"regularizers.{name}" for name in regularizers.__all__),
        *(f"problems.{name}" for name in made),
    }


def test_every_model_has_a_definition_and_a_case():
    assert set(DEFINITIONS) == public_models()
    assert {case.model for case in CASES.values()} == public_models()


def test_every_name_and_boundary_is_used():
    by_name = [case.parameters for case in CASES.values() if case.model == "problems.by_name"]
    assert {parameters.get("fidelity", "l2-norm") for parameters in by_name} == set(problems.FIDELITIES)
    assert {parameters.get("regularizer", "gradient-norm") for parameters in by_name} == set(problems.REGULARIZERS)
    assert {parameters.get("positivity") for parameters in by_name} == {None, *problems.POSITIVITY}
    blurs = [case.parameters for case in CASES.values() if case.model.startswith("problems.")]
    used = {parameters.get("boundary", "constant") for parameters in blurs}
    assert used == {"constant", "wrap", "reflect", "mirror", "nearest", "valid"}


# ---- Derivatives by differences. ----


def smooth(u):
    return mpmath.exp(u[0] / 3) * mpmath.sin(u[1]) + u[0] ** 2 * u[1]


def derivatives_of_smooth(x, y):
    growth, sine, cosine = mpmath.exp(x / 3), mpmath.sin(y), mpmath.cos(y)
    gradient = [growth * sine / 3 + 2 * x * y, growth * cosine + x**2]
    mixed = growth * cosine / 3 + 2 * x
    return gradient, [[growth * sine / 9 + 2 * y, mixed], [mixed, -growth * sine]]


def assert_within(found, expected, digits=50):
    """The numbers within their bound, and the bound far below what is kept."""
    largest = max(abs(x) for x in expected)
    assert all(abs(a - b) <= found.error for a, b in zip(found.numbers.flat, expected, strict=True))
    assert found.error <= largest * mpmath.mpf(10) ** -(digits + 5)


def test_gradient_and_products_of_a_smooth_function():
    u, v = exact([0.7, -1.3]), exact([0.4, 2.1])
    with differentiation.many_digits():
        gradient, hessian = derivatives_of_smooth(*u)
        assert_within(differentiation.value(smooth, u), [smooth(u)])
        assert_within(differentiation.gradient(smooth, u), gradient)
        assert_within(differentiation.hvp(smooth, u, v), [a * v[0] + b * v[1] for a, b in hessian])


@pytest.mark.parametrize("scale", [1e-200, 1e-12, 1e200])
def test_steps_go_with_the_point(scale):
    u, v = exact([3 * scale, 4 * scale]), exact([1.0, 0.5])
    with differentiation.many_digits():
        size = mpmath.mpf(scale)

        def norm(u):
            return mpmath.sqrt(u[0] ** 2 + u[1] ** 2)

        r = norm(u)
        product = [(v[0] * u[1] ** 2 - v[1] * u[0] * u[1]) / r**3, (v[1] * u[0] ** 2 - v[0] * u[0] * u[1]) / r**3]
        assert_within(differentiation.gradient(norm, u), [u[0] / r, u[1] / r])
        assert_within(differentiation.hvp(norm, u, v), product)
        assert r > size


def test_maps():
    z, v, w = exact([0.7, -1.3]), exact([0.4, 2.1]), exact([0.3, -0.8, 1.7])

    def forward(z):
        return np.array([smooth(z), z[0] * z[1], mpmath.exp(z[0])], dtype=object)

    with differentiation.many_digits():
        gradient, hessian = derivatives_of_smooth(*z)
        rows = [gradient, [z[1], z[0]], [mpmath.exp(z[0]), mpmath.mpf(0)]]
        hessians = [hessian, [[0, 1], [1, 0]], [[mpmath.exp(z[0]), 0], [0, 0]]]
        weighted = [[sum(c * h[i][j] for c, h in zip(w, hessians, strict=True)) for j in (0, 1)] for i in (0, 1)]
        assert_within(differentiation.jvp(forward, z, v), [a * v[0] + b * v[1] for a, b in rows])
        pulled = [sum(c * row[i] for c, row in zip(w, rows, strict=True)) for i in (0, 1)]
        assert_within(differentiation.vjp(forward, z, w), pulled)
        assert_within(differentiation.curvature(forward, z, w, v), [a * v[0] + b * v[1] for a, b in weighted])


def test_bounds_tell_where_there_is_no_derivative():
    zero, one = exact([0.0]), exact([1.0])
    for kink in (lambda u: abs(u[0]), lambda u: max(u[0], 0), lambda u: mpmath.sqrt(abs(u[0]))):
        assert differentiation.gradient(kink, zero).error > 0.5
    # A joint of two parabolas has a gradient, and no second derivative.
    joint = differentiation.gradient(lambda u: abs(u[0]) * u[0], zero)
    assert abs(joint.numbers[0]) <= joint.error < mpmath.mpf(10) ** -70
    assert differentiation.hvp(lambda u: max(u[0], 0) ** 2, zero, one).error > 0.5


# ---- What is specified at kinks. ----


def as_specified(case, name, define, point):
    """The specified output is the derivative of a function near the definition, exactly (to 50 digits)."""
    u = exact(point) if np.asarray(point).dtype != object else point
    if name == "gradient":
        expected = [differentiation.gradient(define, u)]
    else:
        expected = [differentiation.hvp(define, u, exact(v)) for v in case.directions]
    given = case.specified[name].reshape(len(expected), -1)
    with differentiation.many_digits():
        for found, row in zip(expected, given, strict=True):
            assert all(abs(mpmath.mpf(float(a)) - b) <= 1e-50 for a, b in zip(row, found.numbers.flat, strict=True))


@pytest.mark.parametrize(("name", "smooth_term"), [("norms-flat-image", 0), ("norms-zero-residual", 1)])
def test_specified_at_the_article_s_kinks(name, smooth_term):
    case = CASES[name]
    terms = problem_definitions.PARTS[case.model]

    def define(x):
        return next(itertools.islice(terms(case.parameters, x), smooth_term, None))

    for output in ("gradient", "hvp"):
        as_specified(case, output, define, case.point)
    whole = differentiation.gradient(lambda x: DEFINITIONS[case.model](case.parameters, x), exact(case.point))
    assert whole.error > 1e-3  # there is no derivative


@pytest.mark.parametrize("name", ["huber-at-delta", "group-huber-at-delta", "huber-total-variation-at-delta"])
def test_specified_at_joints(name):
    """The second derivative a little nearer to zero than the joint."""
    case = CASES[name]
    with differentiation.many_digits():
        data = exact(np.broadcast_to(case.parameters.get("data", 0.0), case.point.shape))
        inside = data + (exact(case.point) - data) * (1 - mpmath.mpf(10) ** -60)
    as_specified(case, "hvp", lambda u: DEFINITIONS[case.model](case.parameters, u), inside)


# ---- What refdeconv computes. ----


def made(case):
    make = rd
    for name in case.model.split("."):
        make = getattr(make, name)
    model = make(**case.parameters)
    return getattr(model, "objective", model)  # of by_name and article


def inner(a, b):
    return float(np.sum(a * b))


def length(a):
    """Also where the squares underflow."""
    largest = np.max(np.abs(a))
    return largest * np.linalg.norm(a / (largest or 1))


def along(case):
    """Value and size, and along the directions the slopes, and the second derivatives with the first, from 9 values."""
    v, w = map(exact, case.directions)
    u, h = exact(case.point), mpmath.mpf(10) ** -30 * float(np.max(np.abs(case.point)) or 1)

    def f(i, j):
        return DEFINITIONS[case.model](case.parameters, u + i * h * v + j * h * w)

    at = {(i, j): f(i, j) for i in (-1, 0, 1) for j in (-1, 0, 1)}
    slopes = (at[1, 0] - at[-1, 0]) / (2 * h), (at[0, 1] - at[0, -1]) / (2 * h)
    second = (at[1, 0] - 2 * at[0, 0] + at[-1, 0]) / h**2
    mixed = (at[1, 1] - at[1, -1] - at[-1, 1] + at[-1, -1]) / (4 * h**2)
    return at[0, 0], SIZES[case.model](case.parameters, u), slopes, (second, mixed)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_along_the_directions(case):
    model, (v, w) = made(case), case.directions
    gradient, product = model.gradient(case.point), model.hvp(case.point, v)
    with mpmath.workdps(120):
        value, size, slopes, seconds = along(case)
        assert abs(model.value(case.point) - value) <= 1e-15 * size
    if "gradient" not in case.specified:
        found = [inner(gradient, v), inner(gradient, w)]
        assert np.max(np.abs(found - np.array(slopes, float))) <= 1e-14 * length(gradient)
    if "hvp" not in case.specified:
        found = [inner(product, v), inner(product, w)]
        assert np.max(np.abs(found - np.array(seconds, float))) <= 1e-14 * length(product)


def assert_agrees(case):
    model, u = made(case), exact(case.point)
    expected = {}
    if "gradient" not in case.specified:
        expected["gradient"] = [differentiation.gradient(lambda z: DEFINITIONS[case.model](case.parameters, z), u)]
    if "hvp" not in case.specified:
        define = DEFINITIONS[case.model]
        expected["hvp"] = [
            differentiation.hvp(lambda z: define(case.parameters, z), u, exact(v)) for v in case.directions
        ]
    numbers = {name: np.stack([one.numbers for one in all_]).astype(float) for name, all_ in expected.items()}
    for name, all_ in expected.items():
        largest = np.max(np.abs(numbers[name]))
        assert all(one.error <= 1e-50 * (largest or 1) for one in all_)
    numbers |= {name: np.asarray(array) for name, array in case.specified.items()}
    found = {
        "gradient": model.gradient(case.point),
        "hvp": np.stack([model.hvp(case.point, v) for v in case.directions]),
    }
    for name, array in found.items():
        right = numbers[name].reshape(array.shape)
        assert np.max(np.abs(array - right)) <= 5e-15 * np.max(np.abs(right)), name


def test_kinks_are_as_specified():
    for case in CASES.values():
        if case.specified:
            assert_agrees(case)


@pytest.mark.parametrize("name", ["poisson-weight-2d", "total-variation-channels", "blind-wrap-1d"])
def test_entry_by_entry(name):
    assert_agrees(CASES[name])


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_every_case_entry_by_entry(case):
    assert_agrees(case)
