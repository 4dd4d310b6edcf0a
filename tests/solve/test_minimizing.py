"""minimize: what it reaches, what it counts, and what it says when scipy says otherwise."""

import numpy as np
import pytest

import refdeconv as rd
from refdeconv.calculus import Functional
from refdeconv.hessians import SelfAdjoint
from refdeconv.solve.evaluations import Vector
from refdeconv.solve.minimizing import METHODS, SECOND_ORDER
from tests.test_calculus import Counting


@pytest.fixture(scope="module")
def article():
    return rd.problems.article()


@pytest.fixture(scope="module")
def small():
    """A problem of the article's kind that is solved in an instant."""
    return rd.problems.article(np.random.default_rng(0).random((12, 10)), rd.psf.gaussian((3, 4), 0.8))


class Watched(Functional):
    """A functional that counts its evaluations, and may do something at one of them."""

    def __init__(self, functional, at_value=None, action=None):
        self.functional = functional
        self.input_shape = functional.input_shape
        self.calls = []
        self.at_value = at_value
        self.action = action

    def value(self, u):
        self.calls.append("value")
        if self.calls.count("value") == self.at_value:
            return self.action()
        return self.functional.value(u)

    def gradient(self, u):
        self.calls.append("gradient")
        return self.functional.gradient(u)

    def hessian(self, u):
        hessian = self.functional.hessian(u)

        def product(v):
            self.calls.append("product")
            return hessian.forward(v)

        return SelfAdjoint(np.shape(u), product)


def interrupt():
    raise KeyboardInterrupt


class TestArticle:
    def test_scipys_default_tolerance(self, article):
        result = rd.minimize(article.objective, article.start())
        assert result.success
        assert result.fun <= 2.05853169
        assert result.message.startswith("Converged.")

    def test_the_optimum_to_twelve_digits(self, article):
        result = rd.minimize(article.objective, article.start(), xtol=1e-8)
        assert abs(result.fun - 2.0585316788723) <= 2e-12
        assert result.relative_gradient_norm <= 1e-7

    @pytest.mark.parametrize("method", METHODS)
    def test_every_method_gets_there(self, article, method):
        result = rd.minimize(article.objective, article.start(), method)
        assert result.success
        assert result.fun <= 2.05854
        assert (result.nhev > 0) == (method in SECOND_ORDER)

    def test_a_tolerance_below_the_floor_is_explained(self, small):
        result = rd.minimize(small.objective, small.start(), "CG", gtol=0)
        assert result.success
        assert "floor of float64" in result.message
        assert result.relative_gradient_norm < 1e-6


class TestResult:
    def test_has_what_a_user_needs(self, small):
        x0 = small.start()
        result = rd.minimize(small.objective, x0)
        assert result.x.shape == result.jac.shape == x0.shape
        assert result.fun == small.objective.value(result.x)
        assert np.array_equal(result.jac, small.objective.gradient(result.x))
        assert np.isclose(result.gradient_norm, np.linalg.norm(result.jac), rtol=1e-14)
        start_norm = np.linalg.norm(small.objective.gradient(x0))
        assert np.isclose(result.relative_gradient_norm, result.gradient_norm / start_norm, rtol=1e-14)
        assert result.seconds > 0
        assert result.method == "Newton-CG"
        assert not result.interrupted

    def test_history_has_a_line_an_iteration(self, small):
        x0 = small.start()
        result = rd.minimize(small.objective, x0)
        assert len(result.history) == result.nit + 1
        assert result.history[0].value == small.objective.value(x0)
        assert result.history[-1].value == result.fun
        assert result.history[-1].gradient_norm == result.gradient_norm
        products = [line.hessian_products for line in result.history]
        assert products[0] == 0
        assert products == sorted(products)
        assert products[-1] == result.nhev

    @pytest.mark.parametrize("method", METHODS)
    def test_counts_are_those_of_the_work_done(self, small, method):
        watched = Watched(small.objective)
        result = rd.minimize(watched, small.start(), method)
        counts = [watched.calls.count(what) for what in ("value", "gradient", "product")]
        assert [result.nfev, result.njev, result.nhev] == counts

    def test_value_and_gradient_share_the_forward_pass(self, small):
        counting = Counting(rd.Diagonal(np.full(small.original.shape, 1.5)))
        result = rd.minimize(small.objective @ counting, small.start())
        assert counting.counts["forward"] == result.nfev + result.nhev
        most = 2 * (result.njev + result.nit) + result.nhev  # each Hessian pulls its two residuals back once
        assert counting.counts["adjoint"] <= most

    def test_the_start_is_not_changed(self, small):
        x0 = small.start()
        before = x0.copy()
        result = rd.minimize(small.objective, x0)
        assert np.array_equal(x0, before)
        assert not np.shares_memory(result.x, x0)

    @pytest.mark.parametrize("method", METHODS)
    @pytest.mark.parametrize("dtype", [np.float32, np.float64, np.longdouble])
    def test_dtype_is_kept(self, small, method, dtype):
        result = rd.minimize(small.objective, small.start().astype(dtype), method)
        best = rd.minimize(small.objective, small.start(), xtol=1e-10).fun
        assert result.x.dtype == result.jac.dtype == np.asarray(result.fun).dtype == dtype
        assert result.success
        assert float(result.fun) <= best * (1 + 1e-4)

    @pytest.mark.parametrize("shape", [(1,), (9,), (1, 1), (2, 1, 3)])
    def test_any_shape_down_to_one_pixel(self, shape):
        data = np.random.default_rng(0).random(shape)
        f = rd.LeastSquares(data) + 0.1 * rd.LeastSquares() @ rd.Gradient(shape)
        result = rd.minimize(f, np.zeros(shape), xtol=1e-10)
        hessian, flat = f.hessian(data).to_dense(), data.ravel()
        assert result.success
        assert np.allclose(result.x.ravel(), np.linalg.solve(hessian, flat), atol=1e-8)


def test_vectors_take_their_inner_products_in_blocks(monkeypatch):
    """What scipy computes with our gradients is what it would compute with plain arrays."""
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((2, 5000))
    vector = a.view(Vector)
    assert np.isclose(np.dot(vector, b), a @ b, rtol=1e-12)
    assert np.isclose(np.dot(-b, -vector), a @ b, rtol=1e-12)
    calls = []
    monkeypatch.setattr("refdeconv.solve.evaluations.inner", lambda x, y: calls.append(1) or x @ y)
    np.dot(vector, vector)
    assert calls
    matrix = rng.standard_normal((3, 5000))
    assert np.allclose(np.dot(matrix, vector), matrix @ a)
    assert np.isclose(np.linalg.norm(vector, ord=1), np.abs(a).sum())
    assert np.array_equal(np.concatenate([vector, b]), np.concatenate([a, b]))


class TestCallback:
    def test_gets_the_image(self, small):
        seen = []
        result = rd.minimize(small.objective, small.start(), callback=seen.append)
        assert [x.shape for x in seen] == [small.original.shape] * result.nit
        assert np.array_equal(seen[-1], result.x)

    def test_may_ask_for_the_intermediate_result(self, small):
        seen = []

        def callback(intermediate_result):
            seen.append(intermediate_result)

        result = rd.minimize(small.objective, small.start(), callback=callback)
        assert [r.nit for r in seen] == list(range(1, result.nit + 1))
        assert seen[-1].value == seen[-1].fun == result.fun
        assert seen[-1].gradient_norm == result.gradient_norm
        assert seen[-1].x.shape == small.original.shape
        assert seen[0].seconds <= seen[-1].seconds

    def test_what_it_does_to_the_image_does_not_matter(self, small):
        def spoil(x):
            x[:] = 0

        assert (
            rd.minimize(small.objective, small.start(), callback=spoil).fun
            == rd.minimize(small.objective, small.start()).fun
        )

    @pytest.mark.parametrize("method", METHODS)
    def test_may_stop_the_solve(self, small, method):
        def stop(x):
            raise StopIteration

        result = rd.minimize(small.objective, small.start(), method, callback=stop)
        assert result.nit == 1
        assert not result.success
        assert "Stopped by the callback" in result.message
        assert result.fun <= small.objective.value(small.start())

    def test_its_errors_are_its_own(self, small):
        def fail(x):
            raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            rd.minimize(small.objective, small.start(), callback=fail)


class TestInterrupt:
    @pytest.mark.parametrize("method", METHODS)
    @pytest.mark.parametrize("at_value", [2, 4])
    def test_returns_the_best_so_far(self, small, method, at_value):
        watched = Watched(small.objective, at_value, interrupt)
        result = rd.minimize(watched, small.start(), method)
        assert result.interrupted
        assert not result.success
        assert result.message.startswith("Interrupted: this is the best iterate so far.")
        assert result.x.shape == small.original.shape
        assert np.isclose(result.fun, small.objective.value(result.x), rtol=1e-14)
        assert result.fun <= small.objective.value(small.start())
        assert result.history

    def test_within_the_first_evaluation(self, small):
        result = rd.minimize(Watched(small.objective, 1, interrupt), small.start())
        assert result.interrupted
        assert np.array_equal(result.x, small.start())

    @pytest.mark.parametrize("method", SECOND_ORDER)
    def test_within_a_hessian_product(self, small, method):
        class Interrupting(Watched):
            def hessian(self, u):
                return SelfAdjoint(np.shape(u), lambda v: interrupt())

        result = rd.minimize(Interrupting(small.objective), small.start(), method)
        assert result.interrupted
        assert np.array_equal(result.x, small.start())

    def test_within_the_callback(self, small):
        result = rd.minimize(small.objective, small.start(), callback=lambda x: interrupt())
        assert result.interrupted
        assert result.nit == 1
        assert result.fun < small.objective.value(small.start())


class TestHonesty:
    """Where scipy says success and there is none, and the other way round."""

    def test_a_small_range_is_not_a_success(self):
        """xtol is absolute: on an image between 0 and 1e-6 scipy stops at once and reports success."""
        problem = rd.problems.article(np.random.default_rng(0).random((12, 10)) * 1e-6, rd.psf.gaussian((3, 4), 0.8))
        result = rd.minimize(problem.objective, problem.blurred)
        assert result.status == 0
        assert not result.success
        assert "xtol is an absolute change per pixel" in result.message
        assert "scale=" in result.message
        scaled = rd.minimize(problem.objective, problem.blurred, scale=1e-6)
        assert scaled.success
        assert scaled.relative_gradient_norm < 1e-3

    def test_small_curvature_is_explained(self, small):
        result = rd.minimize(1e-12 * small.objective, small.blurred, xtol=0)
        assert not result.success
        assert "curvatures below 7e-16" in result.message
        assert rd.minimize(1e-12 * small.objective, small.blurred, scale=1).success

    @pytest.mark.parametrize("method", METHODS)
    @pytest.mark.parametrize("factor", [2.0**-100, 2.0**-20, 2.0**16, 2.0**100])
    def test_with_a_scale_the_range_does_not_matter(self, small, method, factor):
        objective = rd.problems.norm_and_gradient_norm(small.blurred * factor, small.psf)
        result = rd.minimize(objective, small.blurred * factor, method, scale=factor)
        plain = rd.minimize(small.objective, small.blurred, method, scale=1)
        assert result.success == plain.success
        assert result.nit == plain.nit
        assert np.allclose(result.x / factor, plain.x, rtol=1e-6, atol=1e-6)
        assert np.isclose(result.history[-1].value / factor, plain.fun, rtol=1e-6)

    def test_a_stationary_start_is_a_success(self):
        data = np.random.default_rng(0).random((4, 3))
        for method in METHODS:
            result = rd.minimize(rd.LeastSquares(data), data, method)
            assert result.success
            assert "stationary" in result.message
            assert np.array_equal(result.x, data)
            assert result.nit == 0

    def test_a_warm_start_is_a_success(self, small):
        found = rd.minimize(small.objective, small.start(), xtol=1e-9)
        again = rd.minimize(small.objective, found.x)
        assert again.success
        assert np.isclose(again.fun, found.fun, rtol=1e-12)

    @pytest.mark.parametrize("value", [0.0, 1.0, 0.3])
    def test_a_constant_start_is_left(self, article, value):
        """There the gradient norm has a kink, and no curvature for Newton's method."""
        result = rd.minimize(article.objective, np.full((171, 171), value))
        assert result.success
        assert result.fun <= 2.05853169
        assert result.nit == len(result.history) - 1

    def test_an_offset_does_not_make_a_success(self, article):
        """With pixels near 1e6, a change that matters is small beside x; the gradient tells."""
        crop = article.blurred[20:70, 30:90] + 1e6
        objective = rd.problems.norm_and_gradient_norm(crop, article.psf, boundary="wrap")
        assert not rd.minimize(1e-5 * objective, crop, "trust-ncg").success
        _, result = rd.deconvolve(crop - 1e6 + 1e4, article.psf, boundary="wrap", full_output=True)
        assert result.success
        assert result.relative_gradient_norm < 1e-3

    @pytest.mark.parametrize(
        ("psf", "mu"),
        [
            ([[1.0]], 0.2),
            (rd.psf.gaussian((5, 5), 0.5), 0.02),
            (rd.psf.gaussian((5, 5), 0.5), 0.2),
        ],
    )
    def test_a_minimiser_at_a_kink_is_proven(self, article, psf, mu):
        """An exact fit: the minimiser lies at the kink of the data term, where no gradient falls (ART.5, SOL.4)."""
        crop, psf = article.blurred[20:70, 30:90], np.asarray(psf) / np.sum(psf)
        image, result = rd.deconvolve(crop, psf, mu, full_output=True)
        objective = rd.problems.norm_and_gradient_norm(crop, psf, mu)
        exact_fit = np.linalg.solve(rd.Convolution(psf, crop.shape).to_dense(), crop.ravel()).reshape(crop.shape)
        assert result.success
        assert "Converged to a kink" in result.message
        assert result.relative_gradient_norm > 0.01
        assert objective.value(image) <= 1.01 * objective.value(exact_fit)

    def test_a_kink_that_is_no_minimiser_is_named(self, article):
        _, flat = rd.deconvolve(article.blurred[20:70, 30:90], article.psf, 10, full_output=True)
        assert not flat.success
        assert "kink" in flat.message

    @pytest.mark.parametrize("method", ["Newton-CG", "trust-ncg", "trust-krylov", "CG"])
    def test_objectives_with_a_domain(self, method):
        """Outside, the value is infinite and the gradient raises: the line search comes back."""

        class Barrier(rd.Functional):
            def __init__(self):
                self.input_shape = (6,)

            def value(self, u):
                return np.inf if (u <= 0).any() else np.sum(u - 2 * np.log(u))

            def gradient(self, u):
                if (u <= 0).any():
                    raise ValueError("outside the domain")
                return 1 - 2 / u

            def hessian(self, u):
                return rd.Diagonal(2 / u**2)

        result = rd.minimize(Barrier(), np.full(6, 50.0), method)
        assert result.success
        assert np.allclose(result.x, 2, atol=1e-2)

    @pytest.mark.parametrize("wrong", [lambda u: None, lambda u: u, lambda u: 1j])
    def test_values_must_be_numbers(self, small, wrong):
        with pytest.raises(TypeError, match="value must be a real number"):
            rd.minimize(Watched(small.objective, 1, lambda: wrong(np.ones(3))), small.start())

    def test_gradients_must_have_the_shape(self, small):
        class Flat(Watched):
            def gradient(self, u):
                return self.functional.gradient(u).ravel()

        with pytest.raises(TypeError, match=r"gradient must be a real array of shape \(12, 10\)"):
            rd.minimize(Flat(small.objective), small.start())

    def test_warm_starts_of_every_method_are_successes(self, article):
        for method in METHODS:
            found = rd.minimize(article.objective, article.start(), method)
            assert rd.minimize(article.objective, found.x, method).success

    def test_maxiter_says_how_to_go_on(self, small):
        result = rd.minimize(small.objective, small.start(), maxiter=2)
        assert not result.success
        assert result.nit == 2
        assert "Stopped at maxiter" in result.message
        assert "Continue from result.x" in result.message

    def test_max_seconds_ends_a_solve(self, article):
        result = rd.minimize(article.objective, article.start(), max_seconds=0.0)
        assert not result.success
        assert not result.interrupted
        assert "Stopped at max_seconds" in result.message

    def test_a_wrong_gradient_is_suspected(self, small):
        class Wrong(Watched):
            def gradient(self, u):
                return -self.functional.gradient(u)

        result = rd.minimize(Wrong(small.objective), small.start())
        assert not result.success
        assert "does not belong to the value" in result.message

    def test_a_slightly_wrong_gradient_is_not_the_floor(self, article):
        """The gradient falls as far as its error lets it, and then no step lowers the value."""
        error = np.random.default_rng(0).standard_normal((171, 171))
        error *= 1e-3 * np.linalg.norm(article.objective.gradient(article.start())) / np.linalg.norm(error)

        class Wrong(Watched):
            def gradient(self, u):
                return self.functional.gradient(u) + error

        result = rd.minimize(Wrong(article.objective), article.start(), xtol=1e-10)
        assert "floor" not in result.message

    @pytest.mark.parametrize(
        ("method", "options"),
        [
            ("Newton-CG", {"xtol": 0.0}),
            ("trust-ncg", {"gtol": 1e-14}),
            ("trust-krylov", {"gtol": 1e-9}),
            ("L-BFGS-B", {"ftol": 0, "gtol": 1e-12}),
            ("CG", {"gtol": 1e-9}),
        ],
    )
    def test_tolerances_below_the_floor_end_well(self, article, method, options):
        """Also on a restart, and also where scipy's step is then not a number."""
        first = rd.minimize(article.objective, article.start(), method, **options)
        assert first.success
        assert first.relative_gradient_norm < 1e-6
        assert rd.minimize(article.objective, first.x, method, **options).success

    def test_nan_at_one_trial_step_is_left_behind(self, small):
        result = rd.minimize(Watched(small.objective, 9, lambda: np.float64(np.nan)), small.start())
        assert result.success
        assert result.fun <= rd.minimize(small.objective, small.start()).fun * (1 + 1e-6)

    def test_nan_for_ever_ends_the_solve_and_loses_nothing(self, small):
        class Broken(Watched):
            def value(self, u):
                self.calls.append("value")
                return np.float64(np.nan) if self.calls.count("value") >= 9 else self.functional.value(u)

        result = rd.minimize(Broken(small.objective), small.start())
        assert not result.success
        assert "NaN at" in result.message
        assert result.fun < small.objective.value(small.start())

    def test_unbounded_objectives(self, small):
        result = rd.minimize(Watched(small.objective, 4, lambda: np.float64(-np.inf)), small.start())
        assert not result.success
        assert "not bounded below" in result.message

    @pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
    def test_a_start_outside_the_domain_is_refused(self, small, value):
        with pytest.raises(ValueError, match="not finite at x0"):
            rd.minimize(Watched(small.objective, 1, lambda: np.float64(value)), small.start())

    def test_ill_conditioned_steps_are_cut_short(self, small):
        """scipy would take 20 products a pixel for one step; here it goes on after a few, and says so."""
        result = rd.minimize(small.objective, small.start(), max_cg_iterations=3, preconditioner=None)
        steps = np.diff([line.hessian_products for line in result.history])
        assert steps.max() == 3
        assert result.fun <= 1.001 * rd.minimize(small.objective, small.start()).fun
        assert result.truncated_steps > 0
        stopped = rd.minimize(small.objective, small.start(), "trust-ncg", max_cg_iterations=3)
        assert not stopped.success
        assert "more Hessian products than max_cg_iterations allows" in stopped.message


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"objective": lambda x: x}, "objective must be a refdeconv Functional"),
        ({"x0": np.ones((3, 2))}, r"x0 has shape \(3, 2\), expected \(12, 10\)"),
        ({"x0": np.full((12, 10), np.nan)}, "x0 must be finite"),
        ({"x0": np.ones((12, 10)) + 0j}, "x0 must be real"),
        ({"x0": np.ones((12, 10), "O")}, "x0 must hold numbers"),
        ({"method": "Newton"}, "unknown method 'Newton': did you mean 'Newton-CG'"),
        ({"method": "L-BFGS"}, "did you mean 'L-BFGS-B'"),
        ({"method": 3}, "unknown method 3"),
        ({"xtoll": 1e-3}, "unknown option of Newton-CG 'xtoll': did you mean 'xtol'"),
        ({"gtol": 1e-3}, "unknown option of Newton-CG 'gtol'"),
        ({"xtol": -1}, "xtol must be >= 0"),
        ({"xtol": "small"}, "xtol must be a real number"),
        ({"maxiter": 0}, "maxiter must be >= 1"),
        ({"method": "trust-ncg", "eta": 0.5}, "eta must be below 0.25"),
        ({"method": "trust-krylov", "inexact": "yes"}, "inexact must be True or False"),
        ({"method": "CG", "norm": 0}, "norm must not be 0"),
        ({"method": "CG", "c1": 2}, "c1 and c2 must satisfy"),
        ({"maxiter": 1.5}, "maxiter must be an integer"),
        ({"callback": 3}, "callback must be callable"),
        ({"max_seconds": -1}, "max_seconds must be >= 0"),
        ({"max_cg_iterations": 0}, "max_cg_iterations must be >= 1"),
        ({"scale": 0}, "scale must be > 0"),
        ({"scale": np.nan}, "scale must be a finite number"),
    ],
)
def test_bad_arguments(small, arguments, message):
    watched = Watched(small.objective)
    with pytest.raises((ValueError, TypeError), match=message):
        rd.minimize(**{"objective": watched, "x0": small.start(), **arguments})
    assert not watched.calls


def test_method_names_are_scipys_in_any_case(small):
    assert rd.minimize(small.objective, small.start(), "newton-cg").method == "Newton-CG"
