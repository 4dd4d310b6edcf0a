"""``refdeconv challenge`` and ``refdeconv judge``, as a user runs them."""

import json
import subprocess
import sys
from xml.etree import ElementTree

import numpy as np
import pytest
from click.testing import CliRunner

from refdeconv.cli.commands import refdeconv
from refdeconv.conformance import challenge as challenges
from tests.conformance.challenge.plain import Plain, answers
from tests.conformance.challenge.wrong import HalfGradient


def run(*arguments):
    return CliRunner().invoke(refdeconv, list(map(str, arguments)))


def answer(folder, implementation=Plain, change=lambda answer: answer):
    made = challenges.read(folder)
    for call, found in answers(made, implementation(made.problem)).items():
        np.save(folder / f"{call.answer}.npy", change(found))


@pytest.fixture
def folder(tmp_path):
    result = run("challenge", tmp_path / "mine", "--problem", "article", "--shape", "5x6", "--seed", "3")
    assert result.exit_code == 0, result.output
    assert "README.md says what to compute" in result.output
    assert f"refdeconv judge {tmp_path / 'mine'}" in result.output
    return tmp_path / "mine"


def test_right_answers(folder):
    answer(folder)
    result = run("judge", folder)
    assert result.exit_code == 0
    assert "PASS: at a point of 5 x 6, float64, seed 3" in result.output
    for function in ("value", "gradient", "hvp", "forward", "adjoint", "determinism"):
        assert function in result.output
    assert "would catch any error >=" in result.output


def test_wrong_answers(folder, tmp_path):
    answer(folder, HalfGradient)
    result = run("judge", folder, "--json", "--junit", tmp_path / "report.xml")
    assert result.exit_code == 1
    report = json.loads(result.stdout)
    assert report["problem"] == "article"
    assert report["verdict"] == "WRONG"
    assert report["blame"] == ["gradient"]
    assert report["target"] == str(folder)
    (wrong,) = [found for found in report["findings"] if found["verdict"] == "WRONG"]
    assert (wrong["property"], wrong["where"]) == ("gradient", "in all 18 calls")
    assert "factor 0.5" in wrong["diagnosis"]
    assert {call["number"] for call in report["calls"] if not call["right"]} == {
        call["number"] for call in report["calls"] if call["function"] == "gradient"
    }
    suite = ElementTree.parse(tmp_path / "report.xml").getroot().find("testsuite")
    assert suite.get("name") == "refdeconv judge"
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("6", "1", "0")
    assert "factor 0.5" in suite.find("testcase[@name='gradient']/failure").get("message")


def test_answers_without_a_verdict(folder, tmp_path):
    noise = 1 + 3e-13 * np.random.default_rng(0).standard_normal(30)
    answer(folder, change=lambda found: found * noise.reshape(5, 6) if found.ndim else found)
    result = run("judge", folder, "--junit", tmp_path / "report.xml")
    assert result.exit_code == 3
    assert "INCONCLUSIVE" in result.output
    assert ElementTree.parse(tmp_path / "report.xml").getroot().find("testsuite").get("errors") != "0"


def test_files_that_are_no_answers(folder):
    assert run("judge", folder).exit_code == 2
    answer(folder)
    np.save(folder / "answers/007.npy", np.full((5, 6), np.nan))
    result = run("judge", folder, "--json")
    assert result.exit_code == 2
    told = json.loads(result.stdout)
    assert told["verdict"] is None
    assert told["error"].startswith("answers/007.npy holds NaN or infinity at 30 of 30 entries")
    assert told["problems"][0]["files"] == ["answers/007.npy"]
    assert "Usage" not in result.stderr
    assert "Error: answers/007.npy holds NaN or infinity at 30 of 30 entries, first at (0, 0)" in result.stderr
    (folder / "inputs/x1.bin").write_bytes(bytes(240))
    assert "inputs/x1.bin is not what was written" in run("judge", folder).output


def test_errors_of_files_are_in_junit_too(folder, tmp_path):
    assert run("judge", folder, "--junit", tmp_path / "report.xml").exit_code == 2
    suite = ElementTree.parse(tmp_path / "report.xml").getroot().find("testsuite")
    assert (suite.get("tests"), suite.get("errors")) == ("1", "1")
    assert "95 of 95 answers are missing" in suite.find("testcase/error").get("message")
    result = run("judge", folder, "--junit", tmp_path / "nowhere/report.xml")
    assert result.exit_code == 2
    assert "there is no folder" in result.output
    assert not (tmp_path / "nowhere").exists()


def test_errors_take_one_line(folder, tmp_path):
    for arguments in (
        ("judge", tmp_path / "nothing"),
        ("judge", ""),
        ("judge", folder / "README.md"),
        ("judge", "n" * 5000),
        ("challenge", "", "--problem", "article"),
        ("challenge", folder, "--problem", "article"),
        ("challenge", tmp_path / "new", "--problem", "article", "--shape", "x" * 5000),
    ):
        result = run(*arguments)
        assert result.exit_code == 2
        assert result.output.startswith("Error: ")
        assert result.output.count("\n") == 1
        assert len(result.output) < 400
    assert "is a file" in run("judge", folder / "README.md").output
    assert len(run("challenge", tmp_path / "new", "--problem", "a" * 9000).output) < 2000


def test_judging_imports_no_figures():
    code = (
        "import sys; from refdeconv.cli.commands import refdeconv\n"
        "try: refdeconv(['judge', '/nowhere/at/all'])\n"
        "except SystemExit: pass\n"
        "print([name for name in ('matplotlib', 'PIL.ImageFont', 'torch', 'mpmath') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_a_report_is_not_written_over_the_challenge(folder):
    answer(folder)
    for name in ("challenge.json", "README.md", "answers/001.npy", "answers/new.xml", "inputs/x1.npy"):
        result = run("judge", folder, "--junit", folder / name)
        assert result.exit_code == 2
        assert "are never overwritten" in result.output
    assert run("judge", folder, "--junit", folder / "report.xml").exit_code == 0
    assert run("judge", folder, "--junit", folder / "report.xml").exit_code == 0  # its own report may be replaced
    assert run("judge", folder).exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--problem", "artcle"], "did you mean 'article'?"),
        ([], "Missing option '--problem'"),
        (["--problem", "article", "--shape", "5"], ""),
        (["--problem", "article", "--shape", "5X6"], ""),
        (["--problem", "article", "--seed", str(2**63)], "--seed"),
        (["--problem", "article", "--shape", "5x"], "is not a shape, such as 13x10"),
        (["--problem", "article", "--shape", "2x2"], "at least 3 pixels"),
        (["--problem", "article", "--shape", "99999x99999"], "at most 262144"),
        (["--problem", "article", "--functions", "value,gradients"], "did you mean 'gradient'?"),
        (["--problem", "article", "--seed", "-1"], "--seed"),
        (["--problem", "article", "--precision", "half"], "--precision"),
    ],
)
def test_arguments(tmp_path, arguments, message):
    result = run("challenge", tmp_path / "mine", *arguments)
    assert result.exit_code == (2 if message else 0)
    assert message in result.output
    assert (tmp_path / "mine").exists() == (not message)


def test_a_folder_that_is_not_empty(folder):
    result = run("challenge", folder, "--problem", "convolution")
    assert result.exit_code == 2
    assert "is not empty, and nothing is overwritten" in result.output


def test_help_lists_the_problems():
    text = run("challenge", "--help").output
    assert all(name in text for name in challenges.NAMES if "-wrap" not in name and "-" not in name)
    assert "at least 3 pixels along each, at most 262144 in all" in " ".join(text.split())
    assert "Exit status: 0 PASS, 1 WRONG, 3 INCONCLUSIVE" in run("judge", "--help").output
