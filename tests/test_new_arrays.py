"""Whose arrays may be written to: user classes that keep theirs, or give back what they were given, stay right."""

import numpy as np
import pytest

import refdeconv as rd
from refdeconv import _blocks
from refdeconv.calculus import Expansion
from refdeconv.calculus.functional import Composition
from tests.cases import FUNCTIONALS, LINEAR_OPERATORS, point

SHAPE = (6, 5)


class Same(rd.LinearOperator):
    """Gives back the very array that it was given."""

    input_shape = output_shape = SHAPE

    def forward(self, x):
        return x

    def adjoint(self, y):
        return y


class Remembering(rd.LinearOperator):
    """Keeps its results, and gives them again."""

    input_shape = output_shape = SHAPE

    def __init__(self):
        self.results = {}

    def forward(self, x):
        return self.results.setdefault(np.asarray(x).tobytes(), 3.0 * x)

    adjoint = forward


class Linear(rd.Functional):
    """``<c, u>``, whose gradient is c itself."""

    input_shape = SHAPE

    def __init__(self, c):
        self.c = c

    def value(self, u):
        return np.sum(self.c * u)

    def gradient(self, u):
        return self.c

    def hessian(self, u):
        return rd.Zero(SHAPE, SHAPE)


class Eager(rd.Functional):
    """``|u|^2``, whose expansion holds its gradient, and whose Hessian gives a result twice."""

    input_shape = SHAPE

    def at(self, u):
        gradient = 2.0 * u
        return Expansion(lambda: np.sum(u * u), lambda: gradient, lambda: 2.0 * rd.SelfAdjoint(SHAPE, lambda v: v))


class WithItsOwnPair(rd.Functional):
    """``|u|^2``, with `value_and_gradient` as the base class documents it."""

    input_shape = SHAPE

    def value(self, u):
        return np.sum(u * u)

    def gradient(self, u):
        return 2.0 * u

    def hessian(self, u):
        return rd.SelfAdjoint(SHAPE, lambda v: 2.0 * v)

    def value_and_gradient(self, u):
        return self.value(u), self.gradient(u)


class Zeros(rd.LinearOperator):
    """The zero operator, which gives the same array of zeros whatever it is given."""

    input_shape = output_shape = SHAPE

    def __init__(self):
        self.zeros = np.zeros(SHAPE)

    def forward(self, x):
        return self.zeros

    adjoint = forward


class KeepingItsValue(rd.Operator):
    """``exp(z)``, whose Jacobian holds the value that was given out."""

    input_shape = output_shape = SHAPE

    def forward(self, z):
        return np.exp(z)

    def linearize(self, z):
        value = np.exp(z)
        return value, rd.SelfAdjoint(SHAPE, lambda v: value * v)

    def jacobian(self, z):
        return self.linearize(z)[1]

    def curvature(self, z, w):
        return rd.Diagonal(w * np.exp(z))


class SameNorm(rd.L2Norm):
    """A subclass of one that gives new arrays, which gives a stored one."""

    def __init__(self, data=None):
        super().__init__(data)
        self.stored = {}

    def value_and_gradient(self, u):
        value, gradient = super().value_and_gradient(u)
        return value, self.stored.setdefault(np.asarray(u).tobytes(), gradient)


def objectives(rng):
    data, counts, c = rng.standard_normal(SHAPE), rng.poisson(4.0, SHAPE), rng.standard_normal(SHAPE)
    blur = rd.Convolution(rng.uniform(0, 1, (3, 3)), SHAPE)
    return {
        "norm of the same array": rd.L2Norm() @ Same(),
        "residual of the same array": rd.L2Norm(data) @ Same(),
        "least squares of the same array": rd.LeastSquares() @ Same() + rd.LeastSquares(data) @ Same(),
        "Poisson of the same array": rd.Poisson(counts) @ Same(),
        "robust, of the same array": rd.PseudoHuber(data, 0.3) @ Same() + rd.LogCosh() @ (Same() + Same()),
        "remembered": rd.L2Norm(data) @ Remembering() + rd.LeastSquares() @ Remembering(),
        "remembered below": rd.L2Norm(data) @ blur @ Remembering() + 0.5 * (rd.L2Norm() @ (2 * Remembering())),
        "remembered above": rd.LeastSquares() @ Remembering() @ blur + rd.L2Norm() @ Remembering() @ blur,
        "sum of operators": rd.L2Norm(data) @ (Same() + Remembering()) + rd.LeastSquares() @ (Remembering() - Same()),
        "adjoint": rd.L2Norm(data) @ (Same().T + Remembering().T),
        "stored gradient": Linear(c) + rd.LeastSquares(data),
        "multiple of a stored gradient": 0.3 * Linear(c) + 2 * (0.5 * Linear(c)),
        "stored gradient after an operator": 0.3 * Linear(c) @ Same() + Linear(c) @ blur,
        "eager": 0.5 * Eager() + rd.L2Norm(data) + Eager() @ Same(),
        "its own pair": 0.7 * (WithItsOwnPair() @ Same()) + WithItsOwnPair() + WithItsOwnPair() @ blur,
        "stored zeros": rd.L2Norm(data) @ (Zeros() + Same()) + rd.LeastSquares(data) @ (Zeros() + blur),
        "map that keeps its value": rd.L2Norm(data) @ KeepingItsValue() + rd.Poisson(counts) @ KeepingItsValue(),
        "subclass that keeps": SameNorm(data) + 0.3 * (SameNorm(data) @ blur) + SameNorm() @ Same(),
    }


@pytest.mark.parametrize("name", objectives(np.random.default_rng(0)))
def test_objectives_of_classes_that_share_arrays(name):
    rng = np.random.default_rng(0)
    f = objectives(rng)[name]
    x, v = rng.uniform(0.5, 2, SHAPE), rng.standard_normal(SHAPE)
    before = x.copy(), v.copy()
    along_v = sum(w * f.value(x + s * v) for s, w in ((-2e-3, 1), (-1e-3, -8), (1e-3, 8), (2e-3, -1))) / 12e-3
    change = sum(w * f.gradient(x + s * v) for s, w in ((-2e-3, 1), (-1e-3, -8), (1e-3, 8), (2e-3, -1))) / 12e-3
    for _ in range(2):
        value, gradient = f.value_and_gradient(x)
        here = f.at(x)
        hessian = here.hessian()
        products = [hessian.forward(v), f.hvp(x, v), hessian.adjoint(v)]
        gradients = [gradient, here.gradient(), here.gradient(), f.gradient(x)]
        assert np.isclose(value, f.value(x), rtol=1e-14)
        for each in gradients:
            assert np.allclose(each, gradients[0], rtol=1e-14, atol=1e-14)
            assert np.isclose(np.sum(each * v), along_v, rtol=1e-7)
        for each in products:
            assert np.allclose(each, change, rtol=1e-6, atol=1e-7)
        assert np.array_equal(x, before[0])
        assert np.array_equal(v, before[1])


def giving_new_arrays(cases):
    """Those cases that say so."""
    chosen = {name: make for name, make in cases.items() if make((5, 8), np.random.default_rng(3)).new_arrays}
    return pytest.mark.parametrize("make", chosen.values(), ids=chosen)


@giving_new_arrays(LINEAR_OPERATORS)
def test_operators_that_give_new_arrays_do(make):
    rng = np.random.default_rng(3)
    operator = make((5, 8), rng)
    for apply, shape in (
        (operator.forward, operator.input_shape),
        (operator.adjoint, operator.output_shape),
        (operator.gram, operator.input_shape),
        (lambda x: operator.gram_and_square(x)[0], operator.input_shape),
    ):
        x = rng.standard_normal(shape)
        assert_new(apply, x)


@giving_new_arrays(FUNCTIONALS)
def test_functionals_that_give_new_arrays_do(make):
    rng = np.random.default_rng(3)
    f = make((5, 8), rng)
    x = point(make, f.input_shape or (5, 8), rng)
    for gradient in (f.gradient, lambda x: f.value_and_gradient(x)[1], lambda x: f.at(x).gradient()):
        assert_new(gradient, x)
    here = f.at(x)
    first = here.gradient()
    expected = first.copy()
    first[...] = np.nan
    assert np.array_equal(here.gradient(), expected)
    hessian = here.hessian()
    if hessian.new_arrays:
        assert_new(hessian.forward, rng.standard_normal(x.shape))


def assert_new(apply, x):
    """Whatever is written over a result, the next one is the same, and nothing else has changed."""
    before, result = x.copy(), apply(x)
    expected = result.copy()
    assert not np.shares_memory(result, x)
    result[...] = np.nan
    assert np.array_equal(apply(x), expected)
    assert np.array_equal(x, before)


@pytest.mark.parametrize("make", LINEAR_OPERATORS.values(), ids=LINEAR_OPERATORS)
def test_ways_that_write_into_arrays(make):
    rng = np.random.default_rng(3)
    A = make((5, 8), rng)
    x, between = rng.standard_normal(A.input_shape), rng.standard_normal(A.output_shape)
    expected = A.forward(x).copy()
    total = rng.standard_normal(A.output_shape)
    assert np.allclose(A._forward_onto(x, total.copy(), 0.7), total + 0.7 * expected, rtol=1e-14, atol=1e-14)
    assert np.allclose((A + 2 * A).forward(x), 3 * expected, rtol=1e-14, atol=1e-14)
    assert np.allclose((A.T @ A).forward(x), A.adjoint(expected), rtol=1e-13, atol=1e-13)
    if A.new_arrays:
        assert np.allclose(A._forward_over(x.copy()), expected, rtol=1e-14, atol=1e-14)
        assert np.array_equal(A._forward_into(x, between), expected)
        assert np.array_equal(A._forward_into(x.astype(np.float32), between), A.forward(x.astype(np.float32)))
        z = x + 1j * x[::-1]
        assert np.allclose(A._forward_into(z, between), A.forward(z), rtol=1e-14, atol=1e-14)


class KeepingItsArgument(rd.Functional):
    """``sum(u**3) / 3``, which keeps whatever it was evaluated at."""

    input_shape = SHAPE
    new_arrays = True

    def __init__(self):
        self.seen = []

    def value(self, u):
        return np.sum(u**3) / 3

    def gradient(self, u):
        self.seen.append((u, u.copy()))
        return u * u

    def hessian(self, u):
        factors = 2 * u

        def product(v):
            self.seen.append((v, v.copy()))
            return factors * v

        return rd.SelfAdjoint(SHAPE, product, new_arrays=True)


def test_what_is_kept_of_an_argument_stays():
    rng = np.random.default_rng(0)
    blur = rd.Convolution(rng.uniform(0, 1, (3, 3)), SHAPE)
    kept = KeepingItsArgument()
    multiple = Composition(0.5 * kept, blur)  # `@` would give a multiple of a composition
    multiplication = rd.Poisson(np.ones(SHAPE)).hessian(np.ones(SHAPE))
    after = (kept.hessian(np.ones(SHAPE)) @ multiplication) @ blur
    f = kept @ blur + 0.5 * (kept @ blur) + multiple
    for x in rng.standard_normal((4, *SHAPE)):
        f.value_and_gradient(x)
        f.hessian(x).forward(x)
        f.at(x).gradient()
        after.forward(x)
    assert len(kept.seen) == 4 * (3 * 3 + 1)
    for u, copy in kept.seen:
        assert np.array_equal(u, copy)


class StoredSquares(rd.LinearOperator):
    """``3 x``, with the pair in one pass, and results that it gives again."""

    input_shape = output_shape = SHAPE

    def __init__(self):
        self.stored = {}

    def forward(self, x):
        return self.stored.setdefault((1, x.tobytes()), 3.0 * x)

    adjoint = forward

    def gram_and_square(self, x):
        return self.stored.setdefault((2, x.tobytes()), 9.0 * x), 9.0 * np.sum(x * x)


@pytest.mark.parametrize("size", [1.0, 1e-200])
@pytest.mark.parametrize("scale", [0.5, 1e250])
def test_stored_results_of_one_pass_stay(size, scale):
    x = size * np.random.default_rng(0).uniform(1, 2, SHAPE)
    A = StoredSquares()
    f = rd.L2Norm() @ A + scale * rd.L2Norm() @ A
    expected = (1 + scale) * 3 * x / np.linalg.norm(x / size) / size
    for _ in range(3):
        value, gradient = f.value_and_gradient(x)
        assert np.allclose(gradient, expected, rtol=1e-13, atol=0)
        assert np.isclose(value, (1 + scale) * 3 * size * np.linalg.norm(x / size), rtol=1e-13)


def test_what_stands_between_two_operators_is_not_given_out():
    """The blurred image is scratch memory, over which the last operator writes its result."""
    rng = np.random.default_rng(0)
    blur = rd.Convolution(rng.uniform(0, 1, (3, 3)), SHAPE)
    weights = rng.uniform(1, 2, SHAPE)
    multiplied = rd.Poisson(weights, 0.5).hessian(weights) @ blur
    assert multiplied.outer._keeps_nothing
    assert multiplied.inner._writes_into
    points = rng.standard_normal((4, *SHAPE))
    found = [multiplied.forward(x) for x in points]
    for x, each in zip(points, found, strict=True):
        expected = rd.Poisson(weights, 0.5).hessian(weights).forward(blur.forward(x))
        assert np.allclose(each, expected, rtol=1e-14, atol=1e-14)


def test_the_ones_that_count_give_new_arrays():
    rng = np.random.default_rng(0)
    blur = rd.Convolution(np.ones((3, 3)) / 9, SHAPE)
    for each in (
        blur,
        rd.Gradient(SHAPE),
        rd.Gradient(SHAPE) @ blur,
        blur.T,
        2 * blur + rd.Identity(SHAPE),
        rd.L2Norm(rng.standard_normal(SHAPE)) @ blur + 0.2 * rd.L2Norm() @ rd.Gradient(SHAPE),
        rd.Poisson(rng.poisson(4.0, SHAPE), 0.5) @ blur,
        rd.LeastSquares() @ blur,
        rd.SmoothedGroupNorm() @ rd.Gradient(SHAPE),
        (rd.L2Norm() @ blur).hessian(rng.standard_normal(SHAPE)),
    ):
        assert each.new_arrays, each
    for each in (Same(), Same() @ blur, rd.L2Norm() @ Same(), Linear(np.ones(SHAPE)), rd.L2Norm() @ rd.Softplus(SHAPE)):
        assert not each.new_arrays, each


def test_a_subclass_speaks_for_itself():
    class Other(rd.L2Norm):
        def gradient(self, u):
            return super().gradient(u)

    class Renamed(rd.L2Norm):
        pass

    class Sure(rd.L2Norm):
        new_arrays = True

        def gradient(self, u):
            return super().gradient(u)

    assert (Other.new_arrays, Renamed.new_arrays, Sure.new_arrays) == (False, True, True)


def test_a_subclass_inherits_no_shortcut_past_what_it_defines():
    """Each evaluates in blocks, or in one pass, what its base does: these must not be taken here."""

    class Twice(rd.Gradient):
        def forward(self, x):
            return 2 * super().forward(x)

        def adjoint(self, y):
            return 2 * super().adjoint(y)

    class Root(rd.PseudoHuber):  # not a sum over pixels
        def value(self, u):
            return np.sqrt(super().value(u))

        def gradient(self, u):
            return super().gradient(u) / (2 * self.value(u))

    class Square(rd.L2Norm):
        def at(self, u):
            here = super().at(u)
            return Expansion(
                lambda: here.value() ** 2,
                lambda: 2 * here.value() * here.gradient(),
                lambda: rd.SelfAdjoint(u.shape, lambda v: 2 * v),
            )

    shape = (1000, 300)
    assert len(_blocks.blocks(shape)) > 1
    x = np.random.default_rng(0).uniform(0.5, 2, shape)
    D, T = rd.Gradient(shape), Twice(shape)
    assert np.allclose(T.gram(x), 4 * D.gram(x), rtol=1e-14, atol=1e-14)
    for f in (rd.SmoothedGroupNorm(0.3), rd.L2Norm(), rd.LeastSquares()):
        value, gradient = (f @ T).value_and_gradient(x)
        assert np.isclose(value, f.value(2 * D.forward(x)), rtol=1e-13)
        assert np.allclose(gradient, 2 * D.adjoint(f.gradient(2 * D.forward(x))), rtol=1e-12, atol=1e-12)
    value, gradient = (Root() @ rd.Identity(shape)).value_and_gradient(x)
    assert np.isclose(value**2, rd.PseudoHuber().value(x), rtol=1e-13)
    assert np.allclose(2 * value * gradient, rd.PseudoHuber().gradient(x), rtol=1e-13)
    value, gradient = (Square() @ D).value_and_gradient(x)
    assert np.isclose(value, np.sum(D.forward(x) ** 2), rtol=1e-13)
    assert np.allclose(gradient, 2 * D.gram(x), rtol=1e-12, atol=1e-12)
