"""The contract of the three kinds, applied to every case of cases.py."""

import copy
import inspect
import pickle
import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import FrozenInstanceError

import numpy as np
import pytest

import refdeconv as rd
from refdeconv import checks
from tests.cases import FUNCTIONALS, LINEAR_OPERATORS, MAPS, SHAPES, convolution, point
from tests.thinned import thinned

_FEW = 3  # shapes, of which none is left out
DTYPES = [np.float32, np.float64, np.longdouble]


def every(cases):
    """Each case in each shape, or in those that it names itself; of many, every other one is left to the slow tests."""
    parameters = []
    for number, (name, make) in enumerate(cases.items()):
        of_case = [pytest.param(make, s, id=f"{name}-{s}") for s in getattr(make, "shapes", SHAPES)]
        parameters += of_case if len(of_case) <= _FEW else thinned(of_case, 2, first=number % 2)
    return pytest.mark.parametrize(("make", "shape"), parameters)


def seeded(shape):
    """A generator that depends on the shape alone, so that a failure can be repeated."""
    return np.random.default_rng([2026, *shape])


def relative_error(found, expected):
    scale = np.linalg.norm(expected)
    return float(np.linalg.norm(found - expected) / scale) if scale > 0 else float(np.linalg.norm(found))


def unusual_layouts(x):
    """The same values as read-only, Fortran-ordered, strided, reversed and big-endian arrays."""
    read_only = x.copy()
    read_only.setflags(write=False)
    wide = np.zeros((*x.shape[:-1], 2 * x.shape[-1]), x.dtype)
    wide[..., ::2] = x
    return [
        read_only,
        np.asfortranarray(x),
        wide[..., ::2],
        np.ascontiguousarray(x[..., ::-1])[..., ::-1],
        x.astype(x.dtype.newbyteorder(">")),
    ]


@every(LINEAR_OPERATORS)
class TestLinearOperator:
    def test_adjoint_passes_the_dot_test(self, make, shape):
        operator = make(shape, seeded(shape))
        error = checks.adjoint_error(operator.forward, operator.adjoint, operator.input_shape, operator.output_shape)
        assert error <= 1e-15 * (1 + np.log2(np.prod(operator.output_shape)))

    def test_adjoint_is_the_transposed_matrix(self, make, shape):
        operator = make(shape, seeded(shape))
        assert relative_error(operator.T.to_dense(), operator.to_dense().T) <= 1e-14

    def test_gram_is_the_adjoint_after_the_forward(self, make, shape):
        rng = seeded(shape)
        operator = make(shape, rng)
        x = rng.standard_normal(operator.input_shape)
        before = x.copy()
        found = operator.gram(x)
        assert relative_error(found, operator.adjoint(operator.forward(x))) <= 1e-14
        assert np.array_equal(x, before)
        assert not np.shares_memory(found, x)
        assert operator.gram(x.astype(np.float32)).dtype == np.float32
        assert relative_error(operator.gram(x + 1e-200j * x).imag * 1e200, found) <= 1e-14

    def test_congruence_is_the_product_of_three(self, make, shape):
        rng = seeded(shape)
        operator = make(shape, rng)
        if operator.input_shape != operator.output_shape:
            return
        other = rd.Diagonal(rng.standard_normal(operator.input_shape)) @ convolution("wrap")(operator.input_shape, rng)
        expected = other.T @ operator @ other
        assert relative_error(operator.congruence(other).to_dense(), expected.to_dense()) <= 1e-13

    def test_forward_is_linear(self, make, shape):
        rng = seeded(shape)
        operator = make(shape, rng)
        x, y = rng.standard_normal((2, *operator.input_shape))
        together = operator.forward(1.3 * x - 0.4 * y)
        assert np.allclose(together, 1.3 * operator.forward(x) - 0.4 * operator.forward(y), rtol=1e-12, atol=1e-12)

    @pytest.mark.parametrize("dtype", DTYPES)
    def test_dtype_is_kept_and_right(self, make, shape, dtype):
        rng = seeded(shape)
        operator = make(shape, rng)
        x, y = rng.standard_normal(operator.input_shape), rng.standard_normal(operator.output_shape)
        for apply, z in ((operator.forward, x), (operator.adjoint, y)):
            found = apply(z.astype(dtype))
            assert found.dtype == dtype
            assert relative_error(found, apply(z)) <= (3e-6 if dtype == np.float32 else 1e-14)
            assert apply(z.astype(dtype) + 1j * z.astype(dtype)).dtype == np.result_type(dtype, np.complex64)

    def test_real_and_imaginary_part_do_not_mix(self, make, shape):
        rng = seeded(shape)
        operator = make(shape, rng)
        x, y = rng.standard_normal((2, *operator.input_shape))
        found = operator.forward(x + 1e-200j * y)
        assert relative_error(found.real, operator.forward(x)) <= 1e-15
        assert relative_error(found.imag * 1e200, operator.forward(y)) <= 1e-14

    def test_complex_input_is_two_real_ones(self, make, shape):
        rng = seeded(shape)
        operator = make(shape, rng)
        for apply, size in ((operator.forward, operator.input_shape), (operator.adjoint, operator.output_shape)):
            x, y = rng.standard_normal((2, *size))
            found = apply(x + 1j * y)
            assert relative_error(found.real, apply(x)) <= 1e-14
            assert relative_error(found.imag, apply(y)) <= 1e-14

    def test_any_layout_gives_the_same(self, make, shape):
        rng = seeded(shape)
        operator = make(shape, rng)
        x = rng.standard_normal(operator.input_shape)
        for same in unusual_layouts(x):
            assert np.allclose(operator.forward(same), operator.forward(x), rtol=1e-13, atol=1e-13)
        integers = np.arange(x.size).reshape(x.shape)
        assert operator.forward(integers).dtype == np.float64
        assert np.array_equal(operator.forward(integers), operator.forward(integers.astype(float)))

    def test_input_is_neither_changed_nor_shared(self, make, shape):
        rng = seeded(shape)
        operator = make(shape, rng)
        for apply, size in ((operator.forward, operator.input_shape), (operator.adjoint, operator.output_shape)):
            x = rng.standard_normal(size)
            before = x.copy()
            result = apply(x)
            assert np.array_equal(x, before)
            assert not np.shares_memory(result, x)

    def test_wrong_shapes_are_refused(self, make, shape):
        operator = make(shape, seeded(shape))
        with pytest.raises(ValueError, match="shape"):
            operator.forward(np.zeros((*operator.input_shape, 2)))
        with pytest.raises(ValueError, match="shape"):
            operator.adjoint(np.zeros((*operator.output_shape, 2)))

    def test_transposing_twice_gives_the_operator_back(self, make, shape):
        operator = make(shape, seeded(shape))
        assert np.array_equal(operator.T.T.to_dense(), operator.to_dense())
        assert (operator.T.input_shape, operator.T.output_shape) == (operator.output_shape, operator.input_shape)

    def test_to_scipy_and_back(self, make, shape):
        rng = seeded(shape)
        operator = make(shape, rng)
        flat = operator.to_scipy()
        x, y = rng.standard_normal(operator.input_shape), rng.standard_normal(operator.output_shape)
        assert np.array_equal(flat.matvec(x.ravel()), operator.forward(x).ravel())
        assert np.array_equal(flat.rmatvec(y.ravel()), operator.adjoint(y).ravel())
        back = rd.LinearOperator.from_scipy(flat, operator.input_shape, operator.output_shape)
        assert np.array_equal(back.forward(x), operator.forward(x))
        assert np.array_equal(back.adjoint(y), operator.adjoint(y))

    def test_is_its_own_derivative(self, make, shape):
        rng = seeded(shape)
        operator = make(shape, rng)
        z, w = rng.standard_normal(operator.input_shape), rng.standard_normal(operator.output_shape)
        assert operator.jacobian(z) is operator
        value, jacobian = operator.linearize(z)
        assert np.array_equal(value, operator.forward(z))
        assert jacobian is operator
        assert not operator.curvature(z, w).to_dense().any()


def assert_analytic(function, x, tolerance):
    """On a small circle of complex points around a real x: its mean is its value at x, and no part turns backwards.

    A complex step is so small that it sees the terms of first order alone; here all of them count.
    """
    direction = np.random.default_rng(3).standard_normal(x.shape)
    turns = np.exp(2j * np.pi * np.arange(8) / 8)
    found = np.array([function(x + 1e-5 * turn * direction) for turn in turns])
    expected, scale = function(x), max(np.max(np.abs(found)), 1e-3)  # a curvature may be zero but for rounding
    assert np.max(np.abs(np.mean(found, axis=0) - expected)) <= tolerance * scale
    assert np.max(np.abs(np.tensordot(turns, found, axes=1))) <= 8 * tolerance * scale


@every(MAPS)
class TestMap:
    def test_jacobian_by_complex_step(self, make, shape):
        rng = seeded(shape)
        m = make(shape, rng)
        z, v = point(make, m.input_shape, rng), rng.standard_normal(m.input_shape)
        value, jacobian = m.linearize(z)
        assert np.allclose(value, m.forward(z), rtol=1e-14, atol=0)
        slope = m.forward(z + 1e-100j * v).imag / 1e-100
        assert relative_error(jacobian.forward(v), slope) <= 1e-14
        assert relative_error(m.jacobian(z).forward(v), slope) <= 1e-14

    def test_is_analytic(self, make, shape):
        rng = seeded(shape)
        m = make(shape, rng)
        z, v = point(make, m.input_shape, rng), rng.standard_normal(m.input_shape)
        w = rng.standard_normal(m.output_shape)
        assert_analytic(m.forward, z, 1e-14)
        assert_analytic(lambda c: m.jacobian(c).adjoint(w), z, 1e-13)
        assert_analytic(lambda c: m.curvature(c, w).forward(v), z, 1e-12)

    def test_adjoint_of_the_jacobian(self, make, shape):
        rng = seeded(shape)
        m = make(shape, rng)
        jacobian = m.jacobian(point(make, m.input_shape, rng))
        error = checks.adjoint_error(jacobian.forward, jacobian.adjoint, m.input_shape, m.output_shape)
        assert error <= 1e-15 * (1 + np.log2(np.prod(m.output_shape)))

    def test_curvature_is_the_derivative_of_the_weighted_jacobian(self, make, shape):
        rng = seeded(shape)
        m = make(shape, rng)
        z, v = point(make, m.input_shape, rng), rng.standard_normal(m.input_shape)
        w = rng.standard_normal(m.output_shape)
        slope = m.jacobian(z + 1e-100j * v).adjoint(w).imag / 1e-100
        assert relative_error(m.curvature(z, w).forward(v), slope) <= 1e-14


@every(FUNCTIONALS)
class TestFunctional:
    @pytest.fixture
    def f(self, make, shape):
        return make(shape, seeded(shape))

    @pytest.fixture
    def x(self, f, make, shape):
        return point(make, f.input_shape or shape, np.random.default_rng([7, *shape]))

    @pytest.mark.parametrize("dtype", DTYPES)
    def test_gradient_by_complex_step(self, f, x, dtype):
        tolerance = {np.float32: 1e-5, np.float64: 1e-14, np.longdouble: 1e-16}[dtype]
        assert checks.gradient_error(f.value, f.gradient, x.astype(dtype)) <= tolerance

    @pytest.mark.parametrize("dtype", DTYPES)
    def test_hvp_by_complex_step(self, f, x, dtype):
        if not f.hessian(x).to_dense().any():
            assert x.size == 1  # a norm of one pixel has no curvature: nothing to be relative to
            return
        tolerance = {np.float32: 1e-4, np.float64: 1e-14, np.longdouble: 1e-16}[dtype]
        assert checks.hvp_error(f.gradient, f.hvp, x.astype(dtype)) <= tolerance

    def test_every_component_of_the_gradient(self, f, x):
        gradient = f.gradient(x)
        steps = np.zeros_like(gradient)
        for index in np.ndindex(*x.shape):
            stepped = x.astype(complex)
            stepped[index] += 1e-100j
            steps[index] = f.value(stepped).imag / 1e-100
        assert relative_error(steps, gradient) <= 1e-14

    def test_is_analytic(self, f, x):
        v = np.random.default_rng(1).standard_normal(x.shape)
        assert_analytic(f.value, x, 1e-14)
        assert_analytic(f.gradient, x, 1e-13)
        assert_analytic(lambda c: f.hessian(c).forward(v), x, 1e-12)

    def test_hessian_at_a_complex_point(self, f, x):
        """Its products are analytic in the point, too: third derivatives by complex step are symmetric."""
        v, w = np.random.default_rng(2).standard_normal((2, *x.shape))
        along_w = f.hessian(x + 1e-100j * w).forward(v).imag / 1e-100
        along_v = f.hessian(x + 1e-100j * v).forward(w).imag / 1e-100
        scale = 1 + np.linalg.norm(f.hessian(x).to_dense()) * np.linalg.norm(v) * np.linalg.norm(w) / np.linalg.norm(x)
        assert np.linalg.norm(along_w - along_v) <= 1e-12 * scale

    def test_hessian_is_symmetric(self, f, x):
        assert checks.hvp_symmetry_error(f.hvp, x) <= 1e-15 * (1 + np.log2(x.size))
        hessian = f.hessian(x)
        v = np.random.default_rng(1).standard_normal(x.shape)
        assert np.allclose(hessian.adjoint(v), hessian.forward(v), rtol=1e-12, atol=1e-14)

    def test_all_ways_to_ask_agree(self, f, x):
        here, v = f.at(x), np.random.default_rng(1).standard_normal(x.shape)
        value, gradient = f.value_and_gradient(x)
        assert value == f.value(x) == here.value()
        assert np.array_equal(gradient, f.gradient(x))
        assert np.array_equal(gradient, here.gradient())
        assert np.array_equal(f.hvp(x, v), f.hessian(x).forward(v))
        assert np.array_equal(f.hvp(x, v), here.hessian().forward(v))

    @pytest.mark.parametrize("dtype", DTYPES)
    def test_dtype_is_kept_and_right(self, f, x, dtype):
        z, v = x.astype(dtype), np.random.default_rng(1).standard_normal(x.shape)
        assert np.asarray(f.value(z)).dtype == dtype
        assert f.gradient(z).dtype == f.hvp(z, v.astype(dtype)).dtype == dtype
        tolerance = 1e-5 if dtype == np.float32 else 1e-13
        assert abs(f.value(z) - f.value(x)) <= tolerance * (1 + abs(f.value(x)))
        assert np.allclose(f.gradient(z), f.gradient(x), rtol=tolerance, atol=tolerance)
        scale = 1 + np.linalg.norm(f.hessian(x).to_dense())
        assert np.linalg.norm(f.hvp(z, v.astype(dtype)) - f.hvp(x, v)) <= 20 * tolerance * scale * np.linalg.norm(v)

    def test_any_layout_gives_the_same(self, f, x):
        for same in unusual_layouts(x):
            assert np.isclose(f.value(same), f.value(x), rtol=1e-14)
            assert np.allclose(f.gradient(same), f.gradient(x), rtol=1e-12, atol=1e-13)

    def test_input_is_neither_changed_nor_shared(self, f, x):
        before, v = x.copy(), x + 1
        for result in (f.gradient(x), f.hvp(x, v), f.hessian(x).forward(v)):
            assert not np.shares_memory(result, x)
            assert not np.shares_memory(result, v)
        assert np.array_equal(x, before)
        assert np.array_equal(v, before + 1)

    def test_wrong_shapes_are_refused(self, f, x):
        if f.input_shape is None:  # takes any shape
            assert f.gradient(np.ones((*x.shape, 2))).shape == (*x.shape, 2)
            return
        for call in (f.value, f.gradient, f.hessian, f.value_and_gradient):
            with pytest.raises(ValueError, match="shape"):
                call(np.zeros((*x.shape, 2)))

    def test_threads_agree_with_one_after_the_other(self, f, x):
        points = [x * (1 + i / 7) for i in range(16)]
        together = list(ThreadPoolExecutor(8).map(f.value_and_gradient, points))
        for (value, gradient), z in zip(together, points, strict=True):
            assert value == f.value(z)
            assert np.array_equal(gradient, f.gradient(z))


@pytest.mark.parametrize("make", [*LINEAR_OPERATORS.values(), *MAPS.values(), *FUNCTIONALS.values()])
class TestEveryKind:
    def test_is_frozen(self, make):
        case = make((4, 3), seeded((4, 3)))
        with pytest.raises(FrozenInstanceError):
            case.input_shape = (2, 2)
        with pytest.raises(FrozenInstanceError):
            case.something_new = 1
        with pytest.raises(FrozenInstanceError):
            del case.input_shape
        for value in vars(case).values():
            assert not (isinstance(value, np.ndarray) and value.flags.writeable)

    def test_numbers_by_default_are_those_of_the_docstring(self, make):
        cls = type(make((4, 3), seeded((4, 3))))
        described = re.findall(r"^([\w, ]+) : .*\n((?: {4}.*\n)+)", inspect.getdoc(cls), re.MULTILINE)
        for name, parameter in inspect.signature(cls).parameters.items():
            if type(parameter.default) in (int, float):
                names, text = next((n.split(", "), text) for n, text in described if name in n.split(", "))
                stated = re.search(r"Default (\S+?)(?: and (\S+?))?[.;]?\s", text)
                assert stated is not None, f"{cls.__name__} does not say what {name} is by default"
                assert float(stated[names.index(name) + 1]) == parameter.default

    def test_has_a_readable_repr(self, make):
        text = repr(make((4, 3), seeded((4, 3))))
        assert 3 <= len(text) < 250  # the longest: blind deconvolution, which is made of seven parts
        assert " object at 0x" not in text


@pytest.mark.parametrize("make", LINEAR_OPERATORS.values(), ids=LINEAR_OPERATORS)
def test_copies_and_pickles_act_the_same(make):
    operator = make((4, 3), seeded((4, 3)))
    x = np.random.default_rng(1).standard_normal(operator.input_shape)
    clones = [copy.copy(operator), copy.deepcopy(operator)]
    if not isinstance(operator, rd.SelfAdjoint):  # it holds a function, which may not be picklable
        clones.append(pickle.loads(pickle.dumps(operator)))
    for clone in clones:
        assert np.array_equal(clone.forward(x), operator.forward(x))
