"""What the judge says of right and of wrong implementations."""

from itertools import pairwise

import numpy as np
import pytest

from refdeconv.checks.report import Verdict
from refdeconv.conformance import challenge as challenges
from refdeconv.conformance.challenge.alternatives import alternatives
from refdeconv.conformance.challenge.models import pieces, truth
from tests.conformance.challenge.plain import Naive, Plain, answers
from tests.conformance.challenge.wrong import WRONG, Correlation, HalfGradient, Normalised, SinglePsf, SmallNumberInNorm

# One of each kind; the others are slow.
QUICK = (
    *("HalfGradient", "MuForgotten", "GaussNewton", "Correlation", "NotFolded", "WeightMissing", "FortranAnswers"),
    *("CornerLost", "SingleInside", "StaleResidual", "KeyedBySum", "BufferNotCleared", "DriftsAway"),
)
SHAPES = {"1d": (23,), "2d": (13, 10), "3d": (5, 4, 6), "small": (3, 3)}


def judged(name, implementation=Plain, shape=(13, 10), **options):
    made = challenges.challenge(name, shape, **options)
    dtype = np.float32 if made.problem.precision == "single" else np.float64
    return challenges.judged(made, answers(made, implementation(made.problem, dtype)))


@pytest.mark.parametrize("name", ["article", "least-squares-tikhonov-mirror", "article-reflect", "convolution-valid"])
def test_a_plain_implementation_is_right(name):
    found = judged(name)
    assert found.report.verdict is Verdict.PASS, str(found.report)
    assert all(0 < finding.detectable < 1e-11 for finding in found.report.findings)
    assert all(finding.error < finding.detectable / 4 for finding in found.report.findings)


@pytest.mark.parametrize("base", ["least-squares", "robust", "poisson"])
@pytest.mark.parametrize("precision", ["double", "single"])
def test_textbook_formulas_are_right_although_they_cancel(base, precision):
    found = judged(f"{base}-total-variation-reflect", Naive, precision=precision)
    assert found.report.verdict is Verdict.PASS, str(found.report)


@pytest.mark.slow
@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
@pytest.mark.parametrize("base", ["least-squares", "robust", "poisson"])
def test_textbook_formulas_are_right_everywhere(base, shape):
    for precision in ("double", "single"):
        for seed in range(10):
            found = judged(f"{base}-total-variation", Naive, shape, precision=precision, seed=seed)
            assert found.report.verdict is Verdict.PASS, str(found.report)


@pytest.mark.slow
@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
@pytest.mark.parametrize("edge", ["", "-wrap", "-reflect", "-mirror", "-nearest", "-valid"])
@pytest.mark.parametrize("base", ["article", "least-squares-tikhonov", "convolution"])
def test_a_plain_implementation_is_right_everywhere(base, edge, shape):
    for seed in range(3):
        assert judged(base + edge, shape=shape, seed=seed).report.verdict is Verdict.PASS


@pytest.mark.parametrize("name", [name for name in challenges.NAMES if "-" not in name.removeprefix("least-squares")])
def test_right_answers_in_pieces_are_the_package_s_own(name):
    pieces_agree(name, (6, 5))


@pytest.mark.slow
@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
@pytest.mark.parametrize("name", challenges.NAMES)
def test_right_answers_in_pieces_are_the_package_s_own_everywhere(name, shape):
    pieces_agree(name, shape)


def pieces_agree(name, shape):
    made = challenges.challenge(name, shape)
    own, right = pieces(made.problem), truth(made.problem)
    found = {}
    for call in made.calls:
        x, v = (made.probes[n].array if n else None for n in (call.point, call.direction))
        found[call] = np.asarray(own(call.function, x, v))
        np.testing.assert_allclose(
            found[call], right(call.function, x, v), rtol=1e-9, atol=1e-9 * np.abs(found[call]).max()
        )
    assert challenges.judged(made, found).report.verdict is Verdict.PASS


@pytest.mark.parametrize(
    ("implementation", "name", "function", "phrase"),
    [
        pytest.param(*row, id=row[0].__name__, marks=() if row[0].__name__ in QUICK else pytest.mark.slow)
        for row in WRONG
    ],
)
def test_a_wrong_implementation_is_found_and_named(implementation, name, function, phrase):
    report = judged(name, implementation).report
    assert report.verdict is Verdict.WRONG
    assert report[function].verdict is Verdict.WRONG
    assert phrase in report[function].diagnosis, report[function].diagnosis
    assert report.blame == (function,), str(report)
    state = ("stale", "accumulates", "depends on the order of calls", "random")
    assert (report["determinism"].verdict is Verdict.WRONG) <= phrase.startswith(state)


@pytest.mark.slow
@pytest.mark.parametrize(("implementation", "name", "function", "phrase"), WRONG[:4], ids=lambda x: str(x)[:12])
def test_the_name_does_not_depend_on_the_seed(implementation, name, function, phrase):
    for seed in range(1, 4):
        assert phrase in judged(name, implementation, (8, 9), seed=seed).report[function].diagnosis


@pytest.mark.slow
@pytest.mark.parametrize("name", ["convolution-reflect", "least-squares-tikhonov", "differences"])
def test_every_mistake_that_has_a_name_is_called_by_it(name):
    made = challenges.challenge(name, (7, 6))
    for mistake in alternatives(made.problem):
        found = {}
        for call in made.calls:
            x, v = (made.probes[n].array if n else None for n in (call.point, call.direction))
            found[call] = np.asarray(mistake.answer(call.function, x, v))
        report = challenges.judged(made, found).report
        if mistake.name == "boundary of the adjoint" and made.problem.boundary == "constant":
            assert report.verdict is Verdict.PASS  # it is the adjoint there
            continue
        assert report.verdict is Verdict.WRONG, mistake
        # Several mistakes may be one: a weight that is outside of an adjoint is missing in the value.
        other = "weight" if "weight" in mistake.name else mistake.name
        names = {other, mistake.name.removesuffix(" in the adjoint"), mistake.name.removesuffix(" in the forward map")}
        wrong = [finding for finding in report.findings if finding.verdict is Verdict.WRONG]
        assert all(any(part in finding.diagnosis for part in names) for finding in wrong), f"{mistake}: {report}"


def test_a_normalised_psf_is_named_in_all_that_uses_it():
    report = judged("article", Normalised).report
    for function in ("value", "gradient", "hvp", "forward", "adjoint"):
        assert report[function].verdict is Verdict.WRONG
        assert "PSF normalised" in report[function].diagnosis
    assert "it is divided by its sum, 1.20" in report["forward"].diagnosis
    assert "PSF normalised" in judged("convolution-valid", Normalised).report["adjoint"].diagnosis


def test_a_small_number_in_a_norm_is_not_called_single_precision():
    report = judged("article", SmallNumberInNorm).report
    assert report.blame == ("value", "gradient")
    for function in report.blame:
        assert "a number added under the root" in report[function].diagnosis
        assert "1e-8" in report[function].diagnosis


def test_an_adjoint_that_is_shifted_is_alone_to_blame():
    class Shifted(Plain):
        def adjoint(self, y):
            return np.roll(super().adjoint(y), 1, 0)

    report = judged("article", Shifted).report
    assert report.blame == ("adjoint",)
    assert report.explanation == "gradient, hvp have the same fault from it"


def test_noise_in_all_functions_is_called_random():
    made = challenges.challenge("least-squares-tikhonov")
    rng = np.random.default_rng(0)
    found = {
        call: answer * (1 + 1e-9 * rng.standard_normal(answer.shape))
        for call, answer in answers(made, Plain(made.problem)).items()
    }
    report = challenges.judged(made, found).report
    assert all("random: the same input" in report[name].diagnosis for name in (*made.problem.functions, "determinism"))


@pytest.mark.parametrize("shape", [(5, 6), (13, 10), (30,)])
def test_counts_are_asked_at_dark_places(shape):
    """Zero counts, where no light is expected, and below."""
    for seed in range(5):
        made = challenges.challenge("poisson-total-variation", shape, seed)
        problem, x = made.problem, made.probes["x11"].array
        assert (problem.arrays["data"] == 0).any()
        assert x.min() < 0
        u = Plain(problem).forward(x) + problem.parameters["background"]
        assert 0 < u.min() <= problem.parameters["background"]
        assert any((call.function, call.point) == ("value", "x11") for call in made.calls)


def test_places_are_named():
    class Corner(Plain):
        def gradient(self, x):
            g = super().gradient(x)
            g[-1, -1] += 1e-4
            return g

    found = judged("article", Corner).report["gradient"]
    assert found.verdict is Verdict.WRONG
    assert found.where.startswith("corner (12, 9)")


def test_an_error_of_a_single_call_is_found():
    made = challenges.challenge("article")
    found = answers(made, Plain(made.problem))
    call = next(call for call in made.calls if call.function == "hvp" and call.direction == "d4")
    found[call] = found[call] * (1 + 1e-9)
    report = challenges.judged(made, found).report
    assert report.blame == ("hvp",)
    count = sum(other.function == "hvp" for other in made.calls)
    assert f"in 1 of {count} calls ({call.number:03})" in report["hvp"].where
    assert report["hvp"].diagnosis.startswith(f"like no usual mistake; largest in call {call.number:03}")


def test_lost_digits_without_a_name_are_no_verdict():
    made = challenges.challenge("convolution")
    found = answers(made, Plain(made.problem))
    noise = 2e-13 * np.random.default_rng(0).standard_normal((13, 10))
    found = {call: answer * (1 + noise) for call, answer in found.items()}
    report = challenges.judged(made, found).report
    assert report["forward"].verdict is Verdict.INCONCLUSIVE
    assert "rounding explains" in report["forward"].diagnosis
    assert report.verdict is Verdict.INCONCLUSIVE


def test_single_precision_is_right_where_it_is_asked_for():
    found = judged("article", precision="single")
    assert found.report.verdict is Verdict.PASS, str(found.report)
    assert 1e-6 < found.report["gradient"].detectable < 1e-3
    assert found.report.dtype == "float32"
    assert judged("article", SinglePsf, precision="single").report.verdict is Verdict.PASS
    assert judged("article", HalfGradient, precision="single").report.blame == ("gradient",)
    assert "PSF not flipped" in judged("convolution", Correlation, precision="single").report["forward"].diagnosis


def test_single_precision_is_wrong_elsewhere():
    made = challenges.challenge("article")
    report = challenges.judged(made, answers(made, Plain(made.problem, np.float32))).report
    assert all(report[name].verdict is Verdict.WRONG for name in made.problem.functions)
    assert all("single precision" in report[name].diagnosis for name in made.problem.functions)


def test_only_what_was_asked_for_is_judged():
    found = judged("article", functions=("gradient", "value"))
    assert [finding.property for finding in found.report.findings] == ["value", "gradient", "determinism"]
    assert [text.split(":")[0] for text in found.report.unchecked] == ["hvp", "forward", "adjoint"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"name": "artikel"}, "did you mean 'article'"),
        ({"name": "differences-wrap"}, "unknown problem"),
        ({"shape": (2, 9)}, "at least 3 pixels"),
        ({"shape": (3, 3, 3, 3)}, "1 to 3 axes"),
        ({"shape": (10000, 10000)}, "at most 262144"),
        ({"seed": -1}, "seed must be >= 0"),
        ({"precision": "half"}, "unknown precision"),
        ({"functions": ("values",)}, "did you mean 'value'"),
        ({"functions": ()}, "at least one"),
        ({"functions": ("value", "value")}, "each once"),
        ({"name": "convolution", "functions": ("hvp",)}, "unknown function of convolution"),
    ],
)
def test_bad_arguments(options, message):
    with pytest.raises(ValueError, match=message):
        challenges.challenge(**{"name": "article"} | options)


def test_probes_are_arranged_to_find_state():
    """The sequence has what its module promises."""
    made = challenges.challenge("article")
    seen = [(call.function, call.point, call.direction) for call in made.calls]
    arrays = {name: probe.array for name, probe in made.probes.items()}
    for function in made.problem.functions:
        asked = [entry for entry in seen if entry[0] == function]
        assert len(set(asked)) < len(asked), f"{function} is never asked for the same again"
    for a, b in (("x1", "x4"), ("d1", "d6"), ("y1", "y6")):
        a, b = arrays[a], arrays[b]
        assert not np.array_equal(a, b)
        assert a.sum() == b.sum() == sum(b.ravel())  # to the last bit, in any order
        assert (a**2).sum() == (b**2).sum() == sum((b**2).ravel()[::-1])
        assert np.linalg.norm(a) == np.linalg.norm(b)
        assert (a.flat[0], a.flat[-1]) == (b.flat[0], b.flat[-1])
    for a, b in (("x1", "x10"), ("y1", "y7")):
        assert not np.array_equal(arrays[a], arrays[b])
        assert np.array_equal(arrays[a].astype(np.float32), arrays[b].astype(np.float32))
    assert arrays["x1"].flat[0] == arrays["x3"].flat[0] == arrays["x4"].flat[0] == arrays["x8"].flat[0]
    assert np.count_nonzero(arrays["x1"] != arrays["x3"]) == np.count_nonzero(arrays["x1"] != arrays["x8"]) == 1
    assert 0 < np.max(np.abs(arrays["x1"] / arrays["x9"] - 1)) < 1e-6
    first = seen.index(("hvp", "x3", "d1"))
    assert all(point != "x3" for _, point, _ in seen[:first])
    pairs = list(pairwise(seen))
    assert any(a[0] == "value" and b[0] == "gradient" and a[1] != b[1] for a, b in pairs)
    assert any(a == b for a, b in pairs)
    assert seen[0][1] == "x1"
