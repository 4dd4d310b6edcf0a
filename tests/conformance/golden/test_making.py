"""Making the suite: the same bytes again, whatever mpmath computes with; and never silently something else."""

import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("mpmath")

from mpmath import mp, mpf

from refdeconv.conformance.golden import comparing, making, suite
from refdeconv.conformance.golden.case import Case
from refdeconv.conformance.golden.cases import CASES
from refdeconv.conformance.golden.computing import compute
from refdeconv.conformance.golden.definitions import FORMULAS

FAST = [
    case
    for case in CASES
    if case.name
    in ("convolution-mirror-large-psf-1d", "square-1d", "softmax-one-pixel", "square-root-at-zero", "entropy-outside")
]


@pytest.fixture(scope="module")
def computed():
    return {case.name: making.stored_outputs(case) for case in FAST}


@pytest.fixture
def made(computed, tmp_path):
    """A suite of a few cases."""
    making.write(tmp_path, FAST, computed)
    return tmp_path, {name: dict(outputs) for name, outputs in computed.items()}


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
    assert comparing.recorded(FAST, folder).keys() == {case.name for case in FAST}
    making.write(again, FAST, comparing.recorded(FAST, folder))
    assert contents(again) == contents(folder)


def test_what_is_shipped_is_what_the_definitions_say(computed):
    """A few cases; all of them: python -m refdeconv.conformance.golden --check."""
    assert list(comparing.disagreements(FAST, computed, suite.OWN)) == []


def test_the_files_shipped_are_those_that_would_be_written():
    """Of these inputs, in this order, with these formulas."""
    assert list(comparing.differences(CASES, suite.OWN)) == []


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
        (line,) = comparing.disagreements(FAST, outputs, folder)
        assert line.startswith("square-1d: vjp is ")

    @pytest.mark.parametrize("key", ["bound", "scale", "moved_in_float32"])
    @pytest.mark.parametrize("factor", [1.02, 0.98, 1e3, 0])
    def test_what_is_said_of_numbers(self, made, key, factor):
        """A suite that grants more, or less, than was computed."""
        folder, outputs = made
        changed = {name: dict(of_case) for name, of_case in outputs.items()}
        numbers, said = outputs["square-1d"]["vjp"]
        changed["square-1d"]["vjp"] = (numbers, {**said, key: factor * said[key]})
        making.write(folder, FAST, changed)
        (line,) = comparing.disagreements(FAST, outputs, folder)
        assert line.startswith(f"square-1d: vjp has {key} ")

    @pytest.mark.parametrize("change", [{"moved_in_float32": None}, {"specified": True}])
    def test_what_is_said_in_words(self, made, change):
        folder, outputs = made
        numbers, said = outputs["square-1d"]["vjp"]
        outputs["square-1d"]["vjp"] = (numbers, said | change)
        (line,) = comparing.disagreements(FAST, outputs, folder)
        assert line.startswith(f"square-1d: vjp has {next(iter(change))} ")

    def test_decimals(self, tmp_path):
        case = next(case for case in CASES if case.name == "least-squares")
        outputs = {case.name: making.stored_outputs(case)}
        making.write(tmp_path, [case], outputs)
        assert list(comparing.disagreements([case], outputs, tmp_path)) == []
        numbers, said = outputs[case.name]["value"]
        last = "1" if said["decimal"][-1] != "1" else "2"
        outputs[case.name]["value"] = (numbers, {**said, "decimal": said["decimal"][:-3] + last + said["decimal"][-2:]})
        (line,) = comparing.disagreements([case], outputs, tmp_path)
        assert line.startswith("least-squares: value has decimal ")

    def test_other_inputs_are_another_case(self, made):
        folder, outputs = made
        cases = [replace(case, point=2 * case.point) for case in FAST]
        outputs = {
            name: {key: (numbers + 1, said) for key, (numbers, said) in o.items()} for name, o in outputs.items()
        }
        assert list(comparing.disagreements(cases, outputs, folder)) == []
        assert comparing.recorded(cases, folder) == {}

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


class TestCheck:
    """All cases again: of a suite of a few."""

    @pytest.fixture
    def check(self, made, monkeypatch):
        folder, outputs = made
        monkeypatch.setattr(making, "CASES", FAST)
        monkeypatch.setattr(making, "_all", lambda wanted, jobs: (outputs[FAST[i].name] for i in wanted))

        def run():
            before = contents(folder)
            status = making.main(["--check", "--out", str(folder)])
            assert contents(folder) == before
            return status

        return folder, run

    def test_as_written(self, check, capsys):
        assert check[1]() == 0
        assert "5 cases computed again, 0 differences" in capsys.readouterr().out

    def test_a_case_that_is_not_recorded(self, check, monkeypatch, capsys):
        folder, run = check
        outputs = {case.name: making.stored_outputs(case) for case in FAST[1:]}
        making.write(folder, FAST[1:], outputs)
        assert run() == 1
        assert f"{FAST[0].name}: not recorded" in capsys.readouterr().err

    def test_a_formula_that_changed(self, check, monkeypatch, capsys):
        monkeypatch.setitem(FORMULAS, "Square", "z[i]**3")
        assert check[1]() == 1
        assert "suite.json is not what would be written" in capsys.readouterr().err

    def test_a_file_that_is_missing(self, check, capsys):
        folder, run = check
        (folder / "arrays" / "Square.bin").unlink()
        assert run() == 1
        assert "Square.bin is missing" in capsys.readouterr().err

    def test_no_suite(self, check, capsys, tmp_path_factory):
        assert making.main(["--check", "--out", str(tmp_path_factory.mktemp("none"))]) == 1
        assert "not recorded" in capsys.readouterr().err


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
