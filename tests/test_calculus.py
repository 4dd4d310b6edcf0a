"""Composition: what is refused and how, what it costs, and that it is written as the formula."""

import copy
import pickle

import numpy as np
import pytest
import scipy.sparse
import scipy.sparse.linalg

import refdeconv as rd
from refdeconv.calculus import LinearOperator
from tests.maps import Sine


class Counting(LinearOperator):
    """Wraps an operator and counts its applications."""

    def __init__(self, operator):
        self.operator = operator
        self.input_shape = operator.input_shape
        self.output_shape = operator.output_shape
        self.counts = {"forward": 0, "adjoint": 0}

    def forward(self, x):
        self.counts["forward"] += 1
        return self.operator.forward(x)

    def adjoint(self, y):
        self.counts["adjoint"] += 1
        return self.operator.adjoint(y)


@pytest.fixture
def rng():
    return np.random.default_rng(0)


class TestCost:
    """What depends on the point is computed once, and each product costs one forward and one adjoint."""

    @pytest.fixture
    def counting(self, rng):
        return Counting(rd.Convolution(rng.standard_normal((3, 4)), (6, 5)))

    def test_a_hessian_product_costs_one_forward_and_one_adjoint(self, counting, rng):
        f = 0.5 * rd.L2Norm(rng.standard_normal((6, 5))) @ counting + rd.LeastSquares() @ rd.Gradient((6, 5))
        hessian = f.hessian(rng.standard_normal((6, 5)))
        assert counting.counts == {"forward": 1, "adjoint": 1}  # the adjoint pulls the residual back, once
        for _ in range(5):
            hessian.forward(rng.standard_normal((6, 5)))
        assert counting.counts == {"forward": 6, "adjoint": 6}

    def test_value_gradient_and_hessian_at_a_point_share_the_forward_pass(self, counting, rng):
        f = rd.L2Norm(rng.standard_normal((6, 5))) @ counting
        here = f.at(rng.standard_normal((6, 5)))
        here.value(), here.gradient(), here.hessian()
        assert counting.counts == {"forward": 1, "adjoint": 2}
        f.value_and_gradient(rng.standard_normal((6, 5)))
        assert counting.counts == {"forward": 2, "adjoint": 3}

    def test_a_value_needs_no_adjoint(self, counting, rng):
        (rd.L2Norm() @ counting).value(rng.standard_normal((6, 5)))
        assert counting.counts == {"forward": 1, "adjoint": 0}


class TestComposition:
    def test_shapes_that_do_not_fit_are_both_shown(self):
        K, D = rd.Convolution(np.ones((2, 2)), (5, 4)), rd.Gradient((5, 4))
        with pytest.raises(ValueError, match=r"\(5, 4\).*\(2, 5, 4\)"):
            K @ D
        with pytest.raises(ValueError, match=r"\(3, 3\).*\(2, 5, 4\)"):
            rd.L2Norm(np.ones((3, 3))) @ D
        with pytest.raises(ValueError, match=r"\(5, 4\) to \(5, 4\).*\(5, 4\) to \(2, 5, 4\)"):
            K + D
        with pytest.raises(ValueError, match=r"\(3,\).*\(4,\)"):
            rd.L2Norm(np.ones(3)) + rd.LeastSquares(np.ones(4))

    def test_a_functional_of_any_shape_takes_that_of_its_companion(self):
        f = rd.LeastSquares() + rd.L2Norm(np.ones(3))
        assert f.input_shape == (3,)
        assert (rd.LeastSquares() + rd.L2Norm()).input_shape is None

    @pytest.mark.parametrize("kind", [rd.L2Norm(), rd.Identity((3,)), Sine((3,))])
    def test_only_numbers_multiply(self, kind):
        for factor in (np.ones(3), [1, 2], rd.Identity((3,)), rd.L2Norm(), "2", 1j, True, None, np.nan, np.inf):
            with pytest.raises((TypeError, ValueError)):
                factor * kind
            with pytest.raises((TypeError, ValueError)):
                kind * factor

    @pytest.mark.parametrize("factor", [2, 0.5, np.float32(0.5), np.float64(3), np.int64(-1), np.longdouble(0.1), 0])
    @pytest.mark.parametrize("dtype", [np.float32, np.float64, np.longdouble])
    def test_any_real_number_multiplies_and_keeps_the_dtype(self, factor, dtype):
        u = np.array([3.0, 4.0], dtype)
        for f in (factor * rd.L2Norm(), rd.L2Norm() * factor):
            assert f.value(u).dtype == f.gradient(u).dtype == f.hvp(u, u).dtype == dtype
            assert np.isclose(float(f.value(u)), float(factor) * 5, rtol=1e-6)
        assert (factor * rd.Identity((2,))).forward(u).dtype == dtype

    def test_a_longdouble_factor_keeps_its_digits(self):
        third = np.longdouble(1) / 3
        u = np.array([3.0, 4.0], np.longdouble)
        assert (third * rd.L2Norm()).value(u) == third * 5

    @pytest.mark.parametrize("other", [1.0, np.ones(3), "x", None, rd.Identity((3,))])
    def test_functionals_add_to_functionals_alone(self, other):
        with pytest.raises(TypeError):
            rd.L2Norm() + other
        with pytest.raises(TypeError):
            other - rd.L2Norm()

    def test_sum_of_a_list(self):
        u = np.array([3.0, 4.0])
        assert sum([rd.L2Norm(), rd.LeastSquares()]).value(u) == 5 + 12.5

    def test_an_array_is_not_composed(self):
        x = np.ones(3)
        with pytest.raises(TypeError, match=r"\.forward\(array\)"):
            rd.Identity((3,)) @ x
        with pytest.raises(TypeError, match=r"\.value\(array\)"):
            rd.L2Norm() @ x
        with pytest.raises(TypeError):
            x @ rd.Identity((3,))

    def test_a_functional_stands_leftmost(self):
        with pytest.raises(TypeError, match="leftmost"):
            rd.Identity((3,)) @ rd.L2Norm()
        with pytest.raises(TypeError, match="leftmost"):
            rd.L2Norm() @ rd.L2Norm()

    def test_linear_operators_stay_linear(self):
        A, B = rd.Identity((3,)), rd.Diagonal([1.0, 2.0, 3.0])
        for made in (A @ B, A + B, A - B, -A, 2 * A, A * 2, A.T, (A @ B).T):
            assert isinstance(made, LinearOperator)
        for made in (A @ Sine((3,)), Sine((3,)) @ A, A + Sine((3,)), Sine((3,)) - A, -Sine((3,))):
            assert not isinstance(made, LinearOperator)

    def test_adding_zero_changes_nothing(self):
        A, zero = rd.Identity((3,)), rd.Zero((3,), (3,))
        assert A + zero is A
        assert zero + A is A

    def test_reads_as_the_formula(self):
        K, D = rd.Convolution(np.ones((2, 3)), (5, 4), origin=(0, 0)), rd.Gradient((5, 4))
        F = 0.5 * rd.L2Norm(np.ones((5, 4))) @ K + 2 * rd.LeastSquares() @ D
        assert repr(F) == (
            "0.5 * L2Norm(data) @ Convolution(psf 2x3, (5, 4), 'constant', origin=(0, 0)) "
            "+ 2 * LeastSquares() @ Gradient((5, 4))"
        )
        assert repr((rd.L2Norm() + rd.LeastSquares()) @ D) == "(L2Norm() + LeastSquares()) @ Gradient((5, 4))"
        assert repr(D.T) == "Gradient((5, 4)).T"


class TestScipy:
    def test_scipys_solver_accepts_it(self, rng):
        K = rd.Convolution(np.array([[1.0, 0.2], [0.3, 0.1]]), (6, 5))
        x = rng.standard_normal((6, 5))
        found = scipy.sparse.linalg.lsqr(K.to_scipy(), K.forward(x).ravel(), atol=1e-14, btol=1e-14)[0]
        assert np.allclose(found.reshape(x.shape), x, atol=1e-10)

    @pytest.mark.parametrize("wrap", [np.asarray, scipy.sparse.csr_array, scipy.sparse.linalg.aslinearoperator])
    def test_from_matrices_of_any_kind(self, wrap, rng):
        matrix = rng.standard_normal((6, 4))
        operator = LinearOperator.from_scipy(wrap(matrix), (2, 2), (3, 2))
        assert np.array_equal(operator.to_dense(), matrix)
        assert np.allclose(operator.T.to_dense(), matrix.T, atol=0)

    def test_scipys_identity_does_not_hand_the_argument_back(self, rng):
        x = rng.standard_normal((2, 3))
        identity = LinearOperator.from_scipy(
            scipy.sparse.linalg.LinearOperator((6, 6), lambda v: v, rmatvec=lambda v: v), (2, 3), (2, 3)
        )
        assert np.array_equal(identity.forward(x), x)
        assert not np.shares_memory(identity.forward(x), x)

    def test_columns_of_a_matrix_at_once(self, rng):
        K = rd.Convolution(rng.standard_normal(3), (5,))
        assert np.allclose(K.to_scipy() @ np.eye(5), K.to_dense())

    def test_what_from_scipy_refuses(self):
        matrix = np.ones((6, 4))
        with pytest.raises(ValueError, match=r"\(6, 4\).*6 and 5"):
            LinearOperator.from_scipy(matrix, (5,), (6,))
        with pytest.raises(TypeError, match="real"):
            LinearOperator.from_scipy(matrix + 1j, (4,), (6,))
        one_way = scipy.sparse.linalg.LinearOperator((6, 4), matvec=lambda v: matrix @ v, dtype=float)
        with pytest.raises(TypeError, match="rmatvec"):
            LinearOperator.from_scipy(one_way, (4,), (6,))
        with pytest.raises(TypeError):
            LinearOperator.from_scipy("matrix", (4,), (6,))

    def test_a_dense_matrix_of_something_large_is_refused(self):
        with pytest.raises(ValueError, match=r"too large.*to_scipy"):
            rd.Identity((171, 171)).to_dense()


def test_a_subclass_needs_only_forward_and_adjoint(rng):
    class Reversal(LinearOperator):
        def __init__(self, size):
            self.input_shape = (size,)
            self.output_shape = (size,)

        def forward(self, x):
            return np.asarray(x)[::-1].copy()

        adjoint = forward

    f = rd.L2Norm(rng.standard_normal(5)) @ Reversal(5)
    x = rng.standard_normal(5)
    assert rd.checks.gradient_error(f.value, f.gradient, x) <= 1e-14
    assert rd.checks.hvp_error(f.gradient, f.hvp, x) <= 1e-14
    assert "Reversal((5,) -> (5,))" in repr(f)


def test_a_functional_defines_at_or_the_other_three():
    class Shared(rd.Functional):
        input_shape = None

        def at(self, u):
            square = np.sum(np.asarray(u) ** 2)
            return rd.Expansion(lambda: square, lambda: 2 * np.asarray(u), lambda: 2.0 * rd.Identity(np.shape(u)))

    u = np.array([1.0, -2.0])
    assert Shared().value(u) == 5
    assert np.array_equal(Shared().gradient(u), [2, -4])
    assert np.array_equal((Shared() @ rd.Identity((2,))).hvp(u, u), [2, -4])
    with pytest.raises(TypeError, match="must define value, gradient and hessian, or at"):

        class Half(rd.Functional):
            def value(self, u):
                return 0.0


def test_operators_that_return_views_are_safe(rng):
    """A Hessian product scales its result in place; not where that is the argument in disguise."""

    class View(LinearOperator):
        def __init__(self, size):
            self.input_shape = (size,)
            self.output_shape = (size,)

        def forward(self, x):
            return x[::-1]

        adjoint = forward

    hessian = (rd.L2Norm() @ View(5)).hessian(rng.standard_normal(5))
    v = rng.standard_normal(5)
    before = v.copy()
    hessian.forward(v)
    assert np.array_equal(v, before)


def test_adjoints_may_return_read_only_arrays():
    class Mean(LinearOperator):
        def __init__(self, shape):
            self.input_shape, self.output_shape = shape, (1,)

        def forward(self, x):
            return np.mean(x).reshape(1)

        def adjoint(self, y):
            return np.broadcast_to(y / np.prod(self.input_shape), self.input_shape)

    hessian = (rd.LeastSquares() @ Mean((3, 4))).hessian(np.ones((3, 4)))
    assert np.allclose(hessian.forward(np.ones((3, 4))), 1 / 12)


def test_what_is_not_defined_cannot_be_made():
    class Half(LinearOperator):
        def forward(self, x):
            return x

    with pytest.raises(TypeError, match="adjoint"):
        Half()


def test_pickles_and_deep_copies_stay_read_only():
    f, K = rd.LeastSquares(np.ones(3)), rd.Convolution(np.ones(3), 5)
    for clone in (pickle.loads(pickle.dumps(f)), copy.deepcopy(f)):
        with pytest.raises(ValueError, match="read-only"):
            clone.data[0] = 100
    assert not copy.deepcopy(K).psf.flags.writeable
    assert not any(spectrum.flags.writeable for spectrum in copy.deepcopy(K)._spectra.values())
