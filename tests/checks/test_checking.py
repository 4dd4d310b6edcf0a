"""The check as a user meets it: verdicts, power, budgets, and whatever a candidate may do."""

import json
import threading
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import refdeconv as rd
from refdeconv import checks
from refdeconv.checks import Candidate, Verdict, check
from refdeconv.checks.checking import FINDING, LOOKING
from refdeconv.checks.measuring.evaluation import _Deadline
from refdeconv.checks.report import PROPERTIES

X = np.random.default_rng(3).standard_normal((5, 6)) + 0.2
WEIGHT = np.random.default_rng(4).uniform(0.5, 2, X.shape)


def value(x):
    return float(np.sum(WEIGHT * x**4))


def gradient(x):
    return 4 * WEIGHT * x**3


def hvp(x, v):
    return 12 * WEIGHT * x**2 * v


RIGHT = Candidate(value=value, gradient=gradient, hvp=hvp)


def refuse_complex(function):
    """As the code of most users does."""

    def real(x, *more):
        if np.iscomplexobj(x):
            raise TypeError("real numbers only")
        return function(x, *more)

    return real


def spoiled(name, change):
    """The right functions, but one whose results are changed."""
    right = {"value": value, "gradient": gradient, "hvp": hvp}
    function = right[name]
    right[name] = lambda *arguments: change(function(*arguments))
    return Candidate(**right)


def one_pixel(factor):
    def change(array):
        changed = array.copy()
        changed[2, 3] *= factor
        return changed

    return change


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.longdouble])
@pytest.mark.parametrize("analytic", [True, False])
def test_right_functions_pass_and_say_what_would_have_been_caught(dtype, analytic):
    right = {
        "value": lambda x: np.sum(WEIGHT.astype(dtype) * x**4),
        "gradient": lambda x: 4 * WEIGHT.astype(dtype) * x**3,
    }
    if not analytic:
        right = {name: refuse_complex(function) for name, function in right.items()}
    report = check(Candidate(**right, hvp=lambda x, v: 12 * WEIGHT.astype(dtype) * x**2 * v), X.astype(dtype))
    assert report.verdict is Verdict.PASS, str(report)
    assert bool(report)
    assert report.evaluations <= LOOKING
    finding = report["value-gradient"]
    assert finding.error <= finding.detectable <= (1e-2 if dtype == np.float32 else 1e-8)
    assert finding.method.startswith("complex step,") == analytic or dtype == np.longdouble
    assert f"would catch any error >= {finding.detectable:.0e} of the gradient's norm" in " ".join(str(report).split())
    assert {found.property for found in report.findings} <= set(PROPERTIES)


@pytest.mark.parametrize("size", [1.0, 1e-2, 1e-4, 1e-6])
@pytest.mark.parametrize("name", ["gradient", "hvp"])
@pytest.mark.parametrize("analytic", [True, False])
def test_faults_of_every_size_are_caught(size, name, analytic):
    functions = {"value": value, "gradient": gradient, "hvp": hvp}
    right = functions[name]
    functions[name] = lambda *arguments: (1 + size) * right(*arguments)
    if not analytic:
        functions = {key: refuse_complex(function) for key, function in functions.items()}
    report = check(Candidate(**functions), X)
    assert report.verdict is Verdict.WRONG
    relation = {"gradient": "value-gradient", "hvp": "gradient-hvp"}[name]
    assert report[relation].error == pytest.approx(size / (1 + size), rel=1)
    assert report.blame == (name,)
    assert report.evaluations <= LOOKING + FINDING


@pytest.mark.parametrize("name", ["gradient", "hvp"])
def test_a_fault_in_one_pixel_is_caught_and_found(name):
    report = check(spoiled(name, one_pixel(1.001)), X)
    assert report.verdict is Verdict.WRONG
    relation = {"gradient": "value-gradient", "hvp": "gradient-hvp"}[name]
    assert report[relation].where == "pixel (2, 3)"


def test_a_wrong_value_is_told_from_wrong_derivatives():
    report = check(Candidate(value=lambda x: value(x) + np.sum(x**2), gradient=gradient, hvp=hvp), X)
    assert report["value-gradient"].verdict is Verdict.WRONG
    assert report["gradient-hvp"].verdict is Verdict.PASS
    assert report.blame == ("value",)


def test_a_term_with_a_constant_gradient_is_told_from_others():
    report = check(Candidate(value=lambda x: value(x) + np.sum(x), gradient=gradient, hvp=hvp), X)
    assert "constant" in report.explanation


@settings(max_examples=30, deadline=None)
@given(st.integers(-100, 100), st.integers(-60, 60), st.booleans())
def test_powers_of_two_change_nothing(of_value, of_point, analytic):
    def scaled(of_value, of_point):
        functions = {
            "value": lambda x: np.ldexp(1.0, of_value) * np.sum(WEIGHT * (x * 2.0**-of_point) ** 4),
            "gradient": lambda x: 2.0**of_value * (4 * WEIGHT * (x * 2.0**-of_point) ** 3) * 2.0**-of_point,
            "hvp": lambda x, v: (
                2.0**of_value * (12 * WEIGHT * (x * 2.0**-of_point) ** 2 * (v * 2.0**-of_point)) * 2.0**-of_point
            ),
        }
        if not analytic:
            functions = {name: refuse_complex(function) for name, function in functions.items()}
        return check(Candidate(**functions), X * 2.0**of_point, seed=5)

    there, here = scaled(of_value, of_point), scaled(0, 0)
    assert there.verdict is here.verdict is Verdict.PASS
    assert [(f.property, f.error, f.detectable, f.method) for f in there.findings] == [
        (f.property, f.error, f.detectable, f.method) for f in here.findings
    ]


def test_the_same_seed_gives_the_same_report():
    one, two, other = (check(RIGHT, X, seed=seed) for seed in (1, 1, 2))
    assert one.findings == two.findings
    assert one.findings != other.findings


def test_more_power_than_there_is_cannot_be_had():
    assert check(RIGHT, X, require_power=1e-9)
    weak = check(RIGHT, X.astype(np.float32), require_power=1e-12)
    assert weak.verdict is Verdict.INCONCLUSIVE
    assert "1e-12 was required" in weak["value-gradient"].diagnosis


class TestAdjoint:
    K = rd.Convolution(np.random.default_rng(0).standard_normal((3, 4)), (7, 9))
    x = np.random.default_rng(1).standard_normal((7, 9))

    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    def test_right(self, dtype):
        report = check(Candidate(forward=self.K.forward, adjoint=self.K.adjoint), self.x.astype(dtype))
        assert report
        assert report["adjoint"].detectable <= (1e-4 if dtype == np.float32 else 1e-12)

    def test_of_another_shape(self):
        A = rd.Binning((6, 8), (2, 2))
        candidate = Candidate(forward=A.forward, adjoint=A.adjoint)
        assert check(candidate, np.ones((6, 8)))
        assert check(candidate, np.ones((6, 8)), y_like=np.ones((3, 4)))
        assert (
            check(Candidate(adjoint=A.adjoint), np.ones((6, 8)), y_like=np.ones((3, 4)))["linearity"].verdict
            is Verdict.PASS
        )
        wrong = check(candidate, np.ones((6, 8)), y_like=np.ones((4, 3)))
        assert wrong["shape"].verdict is Verdict.WRONG

    @pytest.mark.parametrize("size", [1.0, 1e-3, 1e-6])
    def test_wrong(self, size):
        def adjoint(y):
            return self.K.adjoint(y) + size * np.roll(self.K.adjoint(y), 1, axis=1)

        report = check(Candidate(forward=self.K.forward, adjoint=adjoint), self.x)
        assert report["adjoint"].verdict is Verdict.WRONG
        assert report["adjoint"].error == pytest.approx(size, rel=0.7)
        assert report.blame == ("adjoint",)

    def test_not_linear(self):
        report = check(Candidate(forward=lambda x: x + 1e-6 * x**2, adjoint=lambda y: y), self.x)
        assert report["linearity"].verdict is Verdict.WRONG
        affine = check(Candidate(forward=lambda x: x + 1e-6, adjoint=lambda y: y), self.x)
        assert "affine" in affine["linearity"].diagnosis

    def test_single_precision_inside_is_noise_and_not_wrong(self):
        def forward(x):
            return self.K.forward(x.astype(np.float32)).astype(np.float64) * 1.1

        report = check(Candidate(forward=forward, adjoint=lambda y: 1.1 * self.K.adjoint(y)), self.x)
        assert report
        assert 1e-8 < report["adjoint"].detectable < 1e-3


class TestKinks:
    zeros = np.where(np.arange(30).reshape(5, 6) % 3 == 0, 0.0, X)

    @pytest.mark.parametrize("at_zero", [0.0, 1.0, -0.7])
    def test_a_subgradient_is_not_called_wrong_and_not_passed(self, at_zero):
        candidate = Candidate(
            value=refuse_complex(lambda x: np.abs(x).sum()),
            gradient=refuse_complex(lambda x: np.where(x == 0, at_zero, np.sign(x))),
        )
        report = check(candidate, self.zeros)
        assert report.verdict is Verdict.INCONCLUSIVE
        assert "valid subgradient" in report["value-gradient"].diagnosis

    def test_what_is_no_subgradient_is_wrong(self):
        candidate = Candidate(
            value=refuse_complex(lambda x: np.abs(x).sum()),
            gradient=refuse_complex(lambda x: np.where(x == 0, 1.5, np.sign(x))),
        )
        report = check(candidate, self.zeros)
        assert report.verdict is Verdict.WRONG
        assert "not a subgradient" in report["value-gradient"].diagnosis

    def test_away_from_its_kinks_it_passes(self):
        candidate = Candidate(value=lambda x: np.abs(x).sum(), gradient=lambda x: np.sign(x).real)
        assert check(candidate, np.where(np.abs(X) < 0.1, 0.5, X))


def test_a_lost_imaginary_part_is_not_a_derivative_of_zero():
    candidate = Candidate(
        value=lambda x: np.sum(np.abs(x) ** 2) + np.sum(x**4), gradient=lambda x: 2 * x.real + 4 * x**3
    )
    report = check(candidate, X)
    assert report
    assert "tell different slopes" in report["value-gradient"].method
    without = Candidate(value=candidate.value, gradient=lambda x: 4 * x**3)  # what the complex step would say
    assert check(without, X).verdict is Verdict.WRONG


def raising(*unused):
    raise RuntimeError("out of cheese\nsecond line")


def forever(*unused):
    while True:
        pass


def with_nan(x):
    result = gradient(x)
    result[1, 2] = np.nan
    return result


def drifting():
    calls = []

    def count(x):
        calls.append(1)
        return value(x) + 1e-3 * len(calls)

    return count


def changing(x):
    x *= 1.5
    return gradient(x / 1.5)


def buffered():
    buffer = np.empty_like(X)

    def fill(x):
        buffer[...] = gradient(x)
        return buffer

    return fill


def noisy(x):
    return value(x) * (1 + 0.5 * np.random.default_rng().standard_normal())


BAD = {  # what is wrong -> (candidate, property, words)
    "raises": (Candidate(value=value, gradient=raising), "finiteness", "gradient raised RuntimeError: out of cheese"),
    "value raises": (Candidate(value=raising, gradient=gradient), "finiteness", "value raised"),
    "exits": (Candidate(value=value, gradient=lambda x: exit(3)), "finiteness", "SystemExit"),
    "nan": (Candidate(value=value, gradient=with_nan), "finiteness", "1 of 30"),
    "ravelled": (Candidate(value=value, gradient=lambda x: gradient(x).ravel()), "shape", "(30,)"),
    "too small": (Candidate(value=value, gradient=lambda x: gradient(x)[:3]), "shape", "(3, 6)"),
    "0-d": (Candidate(value=value, gradient=lambda x: np.array(3.0)), "shape", "()"),
    "value an array": (Candidate(value=lambda x: x**2, gradient=gradient), "shape", "one number"),
    "list": (Candidate(value=value, gradient=lambda x: gradient(x).tolist()), "dtype", "Python list"),
    "ragged": (Candidate(value=value, gradient=lambda x: [[1.0, 2.0], [3.0]]), "dtype", "Python list"),
    "single": (Candidate(value=value, gradient=lambda x: gradient(x).astype(np.float32)), "dtype", "float32"),
    "integer": (Candidate(value=value, gradient=lambda x: gradient(x).astype(int)), "dtype", "int64"),
    "complex": (Candidate(value=value, gradient=lambda x: gradient(x) + 0j), "dtype", "complex128"),
    "nothing": (Candidate(value=lambda x: None, gradient=gradient), "dtype", "NoneType"),
    "text": (Candidate(value=lambda x: "seven", gradient=gradient), "dtype", "str"),
    "arity": (Candidate(value=value, gradient=gradient, hvp=lambda x: x), "finiteness", "TypeError"),
    "changes its argument": (Candidate(value=value, gradient=changing), "purity", "changes its argument"),
    "one buffer": (Candidate(value=value, gradient=buffered()), "purity", "same memory"),
    "drifts": (Candidate(value=drifting(), gradient=gradient), "determinism", "drifts"),
    "random": (Candidate(value=noisy, gradient=gradient), "determinism", "no function of its argument"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_a_candidate_may_do_is_a_finding_and_no_traceback(name):
    candidate, about, words = BAD[name]
    report = check(candidate, X)
    assert report.verdict is Verdict.WRONG
    assert report[about].verdict is Verdict.WRONG
    assert words in report[about].diagnosis
    assert words in " ".join(str(report).split())
    json.loads(report.to_json())


@pytest.mark.parametrize("number", [np.nan, np.inf])
def test_a_point_outside_of_the_domain_is_no_fault(number):
    report = check(Candidate(value=lambda x: number, gradient=with_nan), X)
    assert report.verdict is Verdict.INCONCLUSIVE
    assert f"value is {number}" in report["finiteness"].diagnosis
    assert "inside of its domain" in report["finiteness"].diagnosis


@pytest.mark.parametrize(
    "gradient_of",
    [
        lambda x: np.broadcast_to(gradient(x), x.shape),
        lambda x: np.asfortranarray(gradient(x)),
        lambda x: gradient(x).astype(np.longdouble),
        lambda x: gradient(x).astype(object),
        lambda x: gradient(x)[::1, ::-1][:, ::-1],
    ],
    ids=["read-only", "Fortran", "wider", "objects", "strided"],
)
def test_unusual_arrays_are_taken_as_they_are_meant(gradient_of):
    assert check(Candidate(value=value, gradient=gradient_of), X)


def test_what_takes_forever_is_left_with_what_was_found():
    began = time.monotonic()
    report = check(Candidate(value=value, gradient=forever), X, time_limit=0.5)
    assert time.monotonic() - began < 20
    assert report.verdict is Verdict.INCONCLUSIVE
    assert "time limit of 0.5 s was reached in gradient" in report["value-gradient"].diagnosis


def test_what_is_slow_is_stopped_with_what_was_found():
    def slow(x):
        time.sleep(0.02)
        return value(x)

    report = check(Candidate(value=slow, gradient=gradient), X, time_limit=0.9)
    assert report.verdict is Verdict.INCONCLUSIVE
    assert report["shape"].verdict is Verdict.PASS
    assert "time limit" in report["value-gradient"].diagnosis


def test_who_is_asked_to_end_between_two_functions_says_nothing(monkeypatch):
    raised = []
    monkeypatch.setattr(threading, "excepthook", raised.append)
    deadline = _Deadline(60)
    assert deadline.call("value", lambda: 3) == (3, None)
    deadline._abandon()
    deadline._thread.join(30)
    assert not deadline._thread.is_alive()
    assert raised == []


def test_ctrl_c_gives_what_was_found():
    def interrupted(done, of, what):
        if done == 40:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt) as caught:
        check(RIGHT, X, progress=interrupted)
    report = caught.value.args[0]
    assert report.verdict is Verdict.INCONCLUSIVE
    assert report["hvp-symmetry"].verdict is Verdict.PASS


def test_progress_is_told_of_every_evaluation():
    seen = []
    report = check(RIGHT, X, progress=lambda done, of, what: seen.append((done, of, what)))
    assert [done for done, _, _ in seen] == list(range(1, report.evaluations + 1))
    assert all(of == LOOKING for _, of, _ in seen)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"value": value}, "give gradient="),
        ({"gradient": gradient}, "give value="),
        ({"hvp": hvp}, "give gradient="),
        ({"forward": np.copy}, "give adjoint="),
        ({"adjoint": np.copy}, "give forward="),
    ],
)
def test_what_cannot_be_checked_is_said(given, words):
    report = check(Candidate(**given), X)
    assert any(words in text for text in report.unchecked)
    assert words in str(report)
    assert bool(report) == (set(given) <= {"hvp", "forward"}), "what was compared with nothing does not pass"


@pytest.mark.parametrize(
    ("arguments", "options", "error", "words"),
    [
        ((Candidate(), X), {}, TypeError, "no functions"),
        ((value, X), {}, TypeError, "candidate"),
        ((RIGHT, X + 1j), {}, TypeError, "x must be"),
        ((RIGHT, np.zeros((0, 3))), {}, ValueError, "x must not be empty"),
        ((RIGHT, X * np.inf), {}, ValueError, "x must be finite"),
        ((RIGHT, X), {"y_like": "y"}, TypeError, "y_like"),
        ((RIGHT, X), {"seed": -1}, ValueError, "seed"),
        ((RIGHT, X), {"require_power": 0}, ValueError, "require_power"),
        ((RIGHT, X), {"time_limit": -1}, ValueError, "time_limit"),
    ],
)
def test_bad_arguments_are_named(arguments, options, error, words):
    with pytest.raises(error, match=words):
        check(*arguments, **options)


def test_something_that_cannot_be_called_is_refused_at_once():
    with pytest.raises(TypeError, match="gradient must be a function"):
        Candidate(gradient=3)


def test_assert_correct_says_the_report():
    checks.assert_correct(RIGHT, X)
    with pytest.raises(AssertionError, match=r"WRONG.*gradient-hvp"):
        checks.assert_correct(spoiled("hvp", lambda h: 2 * h), X)


@pytest.mark.parametrize("shape", [(), (1,), (2,), (1, 1), (1, 7), (40,), (3, 2, 5), (64, 65)])
def test_shapes(shape):
    x = np.random.default_rng(7).standard_normal(shape)
    candidate = Candidate(value=lambda x: np.sum(x**4), gradient=lambda x: 4 * x**3, hvp=lambda x, v: 12 * x**2 * v)
    assert check(candidate, x)
    wrong = Candidate(value=candidate.value, gradient=lambda x: 4.04 * x**3)
    assert check(wrong, x).verdict is Verdict.WRONG


def test_the_articles_objective_in_three_precisions():
    problem = rd.problems.article(image=np.random.default_rng(8).random((17, 22)))
    F = problem.objective
    candidate = Candidate(value=F.value, gradient=F.gradient, hvp=F.hvp)
    for dtype in (np.float32, np.float64, np.longdouble):
        report = check(candidate, problem.start().astype(dtype))
        assert report, str(report)
