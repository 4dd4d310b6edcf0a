"""What a solve keeps of its points: each is evaluated once, and none is mistaken for another."""

import tracemalloc

import numpy as np
import pytest

import refdeconv as rd
from refdeconv.solve.evaluations import Evaluations

SHAPE = (23, 9)


class Counting(rd.Functional):
    """``sum(u**4) / 12``, which counts what is asked of it."""

    input_shape = SHAPE

    def __init__(self):
        self.points = []

    def at(self, u):
        self.points.append(u.copy())
        return rd.Expansion(
            lambda: np.sum(u**4) / 12,
            lambda: u**3 / 3,
            lambda: rd.SelfAdjoint(SHAPE, lambda v: u**2 * v),
        )


@pytest.fixture
def f():
    return Counting()


@pytest.fixture
def evaluations(f):
    return Evaluations(
        f,
        SHAPE,
        np.dtype(float),
        callback=None,
        wants_result=False,
        max_seconds=None,
        max_cg_iterations=100,
        truncate_cg=False,
        change_before=0,
    )


def points(count):
    return np.random.default_rng(0).uniform(0.5, 2, (count, np.prod(SHAPE)))


def assert_right_at(evaluations, x, v):
    assert np.isclose(evaluations.value(x), np.sum(x**4) / 12, rtol=1e-14)
    assert np.allclose(evaluations.gradient(x), x**3 / 3, rtol=1e-14)
    assert np.allclose(evaluations.hessian_product(x, v), x**2 * v, rtol=1e-14)


def test_a_point_is_evaluated_once(f, evaluations):
    x, v = points(2)
    for _ in range(2):
        assert_right_at(evaluations, x.copy(), v)
    assert len(f.points) == 1
    assert (evaluations.values, evaluations.gradients, evaluations.hessian_products) == (1, 1, 2)


def test_of_the_point_before_value_and_gradient_are_kept(f, evaluations):
    x, y, v = points(3)
    assert_right_at(evaluations, x, v)
    assert_right_at(evaluations, y, v)
    counts = evaluations.values, evaluations.gradients
    evaluations.value(x), evaluations.gradient(x)
    assert len(f.points) == 2
    assert (evaluations.values, evaluations.gradients) == counts == (2, 2)
    assert_right_at(evaluations, x, v)  # its Hessian was given back, and is made anew


def test_a_point_at_which_only_the_value_was_asked_for(f, evaluations):
    x, y, v = points(3)
    evaluations.value(x)
    assert_right_at(evaluations, y, v)
    assert_right_at(evaluations, x, v)
    assert len(f.points) == 2


@pytest.mark.parametrize("change", [np.s_[:], np.s_[::3], np.s_[0:1], np.s_[5:6]])
def test_a_vector_that_is_changed_in_place(evaluations, change):
    x, v = points(2)
    assert_right_at(evaluations, x, v)
    x[change] += 0.25
    assert_right_at(evaluations, x, v)


def test_a_vector_that_was_handed_over_and_is_changed_all_the_same(evaluations):
    """The one who asked must not do this; where scipy should once do it, a solve is right nevertheless."""
    x, v = points(2)
    evaluations.value_of_copy(x)
    x += 0.25 * v
    assert_right_at(evaluations, x, v)


def test_of_points_that_nobody_comes_back_to_what_is_large_is_given_back(f, evaluations):
    last, best, other, v = points(4)
    evaluations.record(last)
    best *= 0.1
    evaluations.value(best)
    before = evaluations.best
    assert before is not evaluations.last
    evaluations.gradient(other)
    assert evaluations.last.flat.size == 0
    assert np.array_equal(evaluations.last.x.reshape(-1), last)
    assert before.expansion is not None  # one may still ask for its gradient
    evaluations.gradient(last)
    assert evaluations.best is before
    assert before.flat.size == 0
    assert before.expansion is None
    assert np.allclose(evaluations.gradient_at(before).reshape(-1), best**3 / 3, rtol=1e-14)
    assert_right_at(evaluations, best, v)
    evaluations.value(other)
    evaluations.iteration(last)
    assert [point.flat.size for point in evaluations._points] == [last.size]
    assert len(f.points) == 8


class Rounded(rd.Functional):
    """Another functional, whose values have three digits: near its minimum no line search sees it fall."""

    def __init__(self, functional):
        self.functional, self.input_shape = functional, functional.input_shape

    def at(self, u):
        here = self.functional.at(u)
        return rd.Expansion(lambda: float(f"{here.value():.3g}"), here.gradient, here.hessian)


def test_memory_of_a_solve_whose_line_searches_fail():
    """It must keep few images, most of them scipy's: of 4096 x 4096 pixels in float32, 50 are 3.4 GB."""
    shape = (300, 310)
    rng = np.random.default_rng(0)
    K = rd.Convolution(rd.psf.gaussian((13, 13), 1.5), shape)
    blurred = K.forward(rng.uniform(0, 1, shape).astype(np.float32))
    f = Rounded(rd.L2Norm(blurred) @ K + 0.2 * (rd.L2Norm() @ rd.Gradient(shape)))
    tracemalloc.start()
    try:
        result = rd.minimize(f, blurred, maxiter=30, preconditioner="cosine")
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert "no step along the search direction" in result.message
    assert most <= 50 * blurred.nbytes


def test_in_units_nothing_that_is_kept_is_overwritten(f, evaluations):
    x, v = points(2)
    evaluations.record(x)
    before = evaluations.last.gradient.copy(), v.copy()
    flat = evaluations.set_units(5.0)
    assert np.array_equal(flat * 4, x)
    assert evaluations.unit_x == 4
    for _ in range(2):
        scale = evaluations.unit_value
        assert np.allclose(evaluations.gradient(flat), x**3 / 3 * 4 / scale, rtol=1e-14)
        assert np.allclose(evaluations.hessian_product(flat, v), x**2 * v * 16 / scale, rtol=1e-14)
    point = evaluations.point(flat)
    assert np.array_equal(point.gradient, before[0])
    assert np.array_equal(v, before[1])
