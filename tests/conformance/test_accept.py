"""Every case that must be accepted is right: by differences in extended precision, dense matrices, inequalities."""

import itertools

import numpy as np
import pytest

from refdeconv.conformance import MUST_ACCEPT
from refdeconv.conformance.cases import norm
from tests.conformance.differences import slope_error
from tests.thinned import thinned

SUBGRADIENTS = [case for case in MUST_ACCEPT if case.subgradient]
SMOOTH = [case for case in MUST_ACCEPT if not case.subgradient]


def by_name(cases):
    return pytest.mark.parametrize("case", thinned(cases, 3), ids=lambda case: case.name)


def has(function):
    return [case for case in SMOOTH if getattr(case.trial(0).candidate, function) is not None]


def test_there_are_enough():
    assert len(MUST_ACCEPT) >= 70
    assert len({case.name for case in MUST_ACCEPT}) == len(MUST_ACCEPT)
    assert len(SUBGRADIENTS) >= 10
    trials = [case.trial(0) for case in MUST_ACCEPT]
    assert {trial.x.ndim for trial in trials} >= {0, 1, 2, 3, 4}
    assert sum(trial.x.dtype == np.float32 for trial in trials) >= 10


@by_name([case for case in has("gradient") if case.trial(0).candidate.value is not None])
def test_gradients_are_right(case):
    for seed in range(2):
        trial = case.trial(seed)
        gradient = trial.candidate.gradient(trial.x)
        assert np.shape(gradient) == trial.x.shape
        assert slope_error(trial.right.value, gradient, trial.x) <= case.tolerance


@by_name([case for case in has("hvp") if case.trial(0).candidate.gradient is not None])
def test_products_are_right(case):
    """The slope of <grad f, w> is H w."""
    trial = case.trial(0)
    w = np.random.default_rng(3).standard_normal(trial.x.shape).astype(trial.x.dtype)
    product = trial.candidate.hvp(trial.x, w)
    assert np.shape(product) == trial.x.shape
    assert slope_error(lambda x: np.sum(trial.right.gradient(x) * w), product, trial.x) <= max(case.tolerance, 1e-7)


@by_name([case for case in has("value") if case.trial(0).right.value is not case.trial(0).candidate.value])
def test_values_differ_from_what_is_right_by_their_noise_alone(case):
    trial = case.trial(0)
    value, right = trial.candidate.value(trial.x), trial.right.value(trial.x)
    assert abs(value - right) <= 1e-5 * max(abs(right), abs(np.sum(trial.x**2)))


@by_name(SUBGRADIENTS)
def test_subgradients_are_below_the_function(case):
    """f(z) >= f(x) + <g, z - x>, at points near and far, along pixels, and along the subgradient itself."""
    rng = np.random.default_rng(5)
    for seed in range(2):
        trial = case.trial(seed)
        x, value = trial.x, trial.right.value
        gradient = trial.candidate.gradient(x)
        units = np.eye(x.size).reshape(x.size, *x.shape)
        directions = [*rng.standard_normal((20, *x.shape)), *units, *-units, gradient, -gradient, np.ones(x.shape)]
        for direction, size in itertools.product(directions, (1e-6, 1e-3, 1.0)):
            step = size * direction
            below = value(x) + np.sum(gradient * step)
            assert value(x + step) - below >= -1e-12 * max(abs(value(x)), norm(gradient) * norm(step))


@by_name(SUBGRADIENTS)
def test_the_points_are_kinks(case):
    """In some direction the slopes to both sides differ; a smooth point would belong elsewhere."""
    trial = case.trial(0)
    x, value = trial.x, trial.right.value
    step = 1e-7 * np.random.default_rng(1).standard_normal(x.shape)
    second = value(x + step) + value(x - step) - 2 * value(x)
    assert second >= 1e-3 * 1e-7


@by_name(has("adjoint"))
def test_adjoints_are_transposes(case):
    trial = case.trial(0)
    x, y = trial.x, trial.y_like

    def matrix(function, like):
        columns = []
        for index in range(like.size):
            unit = np.zeros(like.shape, like.dtype)
            unit.flat[index] = 1
            columns.append(np.ravel(function(unit)))
        return np.array(columns)

    forward, adjoint = matrix(trial.candidate.forward, x).T, matrix(trial.candidate.adjoint, y)
    assert np.max(np.abs(forward - adjoint)) <= case.tolerance * np.max(np.abs(forward))
    combined = trial.candidate.forward(x)
    assert norm(forward @ x.ravel() - np.ravel(combined)) <= 10 * case.tolerance * np.max(np.abs(forward)) * norm(x)


@by_name([case for case in has("gradient") if case.trial(0).candidate.value is not None and case.tolerance < 1e-4])
def test_the_measure_of_gradients_can_fail(case):
    trial = case.trial(0)
    gradient = np.array(trial.candidate.gradient(trial.x), np.longdouble)
    wrong = np.random.default_rng(11).standard_normal(gradient.shape)
    gradient += 1e-3 * (norm(gradient) or 1) * wrong / norm(wrong)
    assert slope_error(trial.right.value, gradient, trial.x) > 3 * case.tolerance
