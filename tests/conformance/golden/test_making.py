"""Making the suite: the same bytes again, whatever mpmath computes with; and never silently something else."""

import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("mpmath")

from mpmath import mp, mpf

from refdeconv.conformance.golden import making, suite
from refdeconv.conformance.golden.case import Case
from refdeconv.conformance.golden.cases import CASES
from refdeconv.conformance.golden.computing import compute

FAST = [
    case
    for case in CASES
    if case.name
    in ("convolution-mirror-large-psf-1d", "square-1d", "softmax-one-pixel", "square-root-at-zero", "entropy-outside")
]


@pytest.fixture
def made(tmp_path):
    """A suite of a few cases."""
    outputs = {case.name: making.stored_outputs(case) for case in FAST}
    making.write(tmp_path, FAST, outputs)
    return tmp_path, outputs


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_what_is_written_can_be_read(made):
    folder, outputs = made
    found = suite.read(folder)
    assert [case.name for case in found.cases] == [case.name for case in FAST]
    for case, given in zip(found.cases, FAST, strict=True):
        np.testing.assert_array_equal(case.point, given.point)
        for name, expected in case.outputs.items():
            np.testing.assert_array_equal(expected.numbers, outputs[case.name][name][0])
        assert case.answers == given.answers


def test_the_same_bytes_again(made, tmp_path_factory):
    folder, _ = made
    again = tmp_path_factory.mktemp("again")
    making.write(again, FAST, {case.name: making.stored_outputs(case) for case in FAST})
    assert contents(again) == contents(folder)
    assert making.recorded(FAST, folder).keys() == {case.name for case in FAST}
    making.write(again, FAST, making.recorded(FAST, folder))
    assert contents(again) == contents(folder)


def test_what_is_shipped_is_what_the_definitions_say():
    """A few cases; all of them: python -m refdeconv.conformance.golden."""
    outputs = {case.name: making.stored_outputs(case) for case in FAST}
    assert list(making.disagreements(FAST, outputs, suite.OWN)) == []
    assert outputs.keys() == making.recorded(FAST, suite.OWN).keys()


def test_the_inputs_shipped_are_those_of_the_cases():
    assert making.recorded(CASES, suite.OWN).keys() == {case.name for case in CASES}


def test_names_are_unique():
    assert len({case.name for case in CASES}) == len(CASES)


@pytest.mark.slow
def test_whatever_mpmath_computes_with(made, tmp_path_factory):
    folder, _ = made
    again = tmp_path_factory.mktemp("again")
    code = (
        "import sys; from pathlib import Path; from refdeconv.conformance.golden import making\n"
        "import mpmath; assert mpmath.libmp.BACKEND == 'python'\n"
        "cases = [case for case in making.CASES if case.name in sys.argv[2:]]\n"
        "making.write(Path(sys.argv[1]), cases, {case.name: making.stored_outputs(case) for case in cases})"
    )
    command = [sys.executable, "-c", code, str(again), *(case.name for case in FAST)]
    subprocess.run(command, env={**os.environ, "MPMATH_NOGMPY": "1"}, check=True)
    assert contents(again) == contents(folder)


class TestDisagreement:
    def test_outputs_of_other_numbers(self, made):
        folder, outputs = made
        numbers, said = outputs["square-1d"]["vjp"]
        changed = numbers.copy()
        changed[2] += 4 * said["bound"]
        outputs["square-1d"]["vjp"] = (changed, said)
        (line,) = making.disagreements(FAST, outputs, folder)
        assert line.startswith("square-1d: vjp is ")

    def test_other_inputs_are_another_case(self, made):
        folder, outputs = made
        cases = [replace(case, point=2 * case.point) for case in FAST]
        outputs = {
            name: {key: (numbers + 1, said) for key, (numbers, said) in o.items()} for name, o in outputs.items()
        }
        assert list(making.disagreements(cases, outputs, folder)) == []
        assert making.recorded(cases, folder) == {}

    def test_nothing_is_overwritten_unless_asked(self, made, monkeypatch, capsys):
        folder, outputs = made
        before = contents(folder)
        wrong = {key: (numbers + 1, said) for key, (numbers, said) in outputs["square-1d"].items()}
        monkeypatch.setattr(making, "CASES", FAST)
        monkeypatch.setattr(making, "_all", lambda wanted, jobs: (
            wrong if FAST[i].name == "square-1d" else outputs[FAST[i].name] for i in wanted
        ))  # fmt: skip
        assert making.main(["--out", str(folder)]) == 1
        assert "square-1d: forward is 1 from what is recorded" in capsys.readouterr().err
        assert contents(folder) == before
        assert making.main(["--out", str(folder), "--only-new"]) == 0
        assert contents(folder) == before
        assert making.main(["--out", str(folder), "--replace"]) == 0
        assert contents(folder) != before


def error_estimates_are_below_fifty_digits(cases):
    """What the suite's README says of the part of a bound that is estimated; of zeros nothing but noise is left."""
    for case in cases:
        for name, output in compute(case).items():
            assert output.bound <= max(output.scale * mpf(10) ** -50, mpf(10) ** -100), f"{name} of {case.name}"


def test_the_estimate_of_the_error_is_far_below_rounding():
    error_estimates_are_below_fifty_digits(FAST)


@pytest.mark.slow
def test_the_estimate_of_the_error_is_far_below_rounding_in_a_sample_of_all():
    error_estimates_are_below_fifty_digits(CASES[::16])


class TestComputing:
    def test_bounds_include_rounding(self):
        case = Case("square", "map", "Square", {"shape": (1,)}, np.array([0.1]), np.ones((2, 1)), np.ones(1))
        numbers, said = making.stored_outputs(case)["forward"]
        with mp.workdps(60):
            error = abs(mpf(0.1) ** 2 - mpf(float(numbers[0])))
            assert 0 < error <= said["bound"] < 1.02 * error

    def test_scales(self):
        """Of a difference, the scale is that of what cancels."""
        case = Case(
            "difference",
            "linear operator",
            "Gradient",
            {"shape": (2,)},
            np.array([1.0, 1 + 2**-40]),
            None,
            np.ones((1, 2)),
        )
        outputs = compute(case)
        assert 1.9 < outputs["forward"].scale <= 2.1
        assert outputs["forward"].moved_in_float32 == pytest.approx(2**-40)

    def test_out_of_the_range_of_float32(self):
        case = Case("exp", "map", "Exponential", {"shape": (1,)}, np.array([300.0]), np.ones((2, 1)), np.ones(1))
        assert all(output.moved_in_float32 is None for output in compute(case).values())

    def test_what_is_specified_is_kept(self):
        given = {"jvp": np.full((2, 1), 7.0)}
        case = Case("square", "map", "Square", {"shape": (1,)}, np.ones(1), np.ones((2, 1)), np.ones(1), given)
        numbers, said = making.stored_outputs(case)["jvp"]
        assert said["specified"]
        assert (numbers == 7).all()

    def test_rounded_up(self):
        assert making.rounded_up(mpf(0)) == 0
        for x in (mpf("1.2345678e-17"), mpf("9.999e3"), mpf("1e-400"), mpf(1)):
            assert x <= making.rounded_up(x) <= max(1.02 * float(x), 5e-324)
