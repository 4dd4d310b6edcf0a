"""Real programs in other languages: C, compiled here, and GNU Octave; a right and a wrong answer each."""

import json
import subprocess
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from refdeconv.cli.commands import refdeconv
from tests.conformance import foreign

FOREIGN = Path(__file__).parent / "foreign"


def challenge(folder, *options):
    result = CliRunner().invoke(refdeconv, ["challenge", str(folder), *options])
    assert result.exit_code == 0, result.output
    assert f"refdeconv judge {folder}" in result.output


def verdict(folder):
    result = CliRunner().invoke(refdeconv, ["judge", str(folder), "--json"])
    report = json.loads(result.stdout)
    return result.exit_code, report, {found["property"]: found for found in report["findings"]}


def run(*command):
    subprocess.run(command, check=True, timeout=120, capture_output=True)


@pytest.fixture(scope="module")
def compiled(tmp_path_factory):
    """Compiles blur.c with some definitions."""
    compiler = foreign.compiler()

    def make(*definitions):
        program = tmp_path_factory.mktemp("blur") / "blur"
        run(*compiler, "-O2", "-std=c99", "-Wall", *definitions, str(FOREIGN / "blur.c"), "-o", str(program))
        return str(program)

    return make


def test_a_program_in_c_that_is_right(compiled, tmp_path):
    challenge(tmp_path / "c", "--problem", "convolution-reflect", "--shape", "11x14")
    run(compiled(), str(tmp_path / "c"))
    status, report, found = verdict(tmp_path / "c")
    assert (status, report["verdict"]) == (0, "PASS")
    assert found["forward"]["detectable"] < 1e-12
    assert found["adjoint"]["detectable"] < 1e-12


def test_a_program_in_c_that_forgets_to_fold(compiled, tmp_path):
    challenge(tmp_path / "c", "--problem", "convolution-reflect", "--shape", "11x14")
    run(compiled("-DNOT_FOLDED"), str(tmp_path / "c"))
    status, report, found = verdict(tmp_path / "c")
    assert (status, report["verdict"], report["blame"]) == (1, "WRONG", ["adjoint"])
    assert found["forward"]["verdict"] == "PASS"
    assert "boundary of the adjoint" in found["adjoint"]["diagnosis"]
    assert "border" in found["adjoint"]["where"]


@pytest.mark.slow
def test_a_program_in_c_that_adds_up_in_single_precision(compiled, tmp_path):
    challenge(tmp_path / "c", "--problem", "convolution-reflect", "--shape", "11x14")
    run(compiled("-DSUM=float"), str(tmp_path / "c"))
    status, report, found = verdict(tmp_path / "c")
    assert (status, report["blame"]) == (1, ["forward"])
    assert "single precision" in found["forward"]["diagnosis"]


def test_what_the_readme_says_to_c(tmp_path):
    """It compiles as it stands, and copies the points of all calls to where the answers belong."""
    compiler = foreign.compiler()
    folder, program = tmp_path / "c", tmp_path / "snippet.c"
    challenge(folder, "--problem", "differences", "--shape", "5x6")
    program.write_text(snippet(folder, "C (on little-endian machines):"))
    run(*compiler, "-std=c99", "-Wall", "-Werror", str(program), "-o", str(tmp_path / "snippet"))
    subprocess.run([tmp_path / "snippet"], cwd=folder, check=True, timeout=60)
    calls = (folder / "calls.csv").read_text().splitlines()[1:]
    assert len(calls) > 30
    for line in calls:
        _, _, point, _, answer = line.split(",")
        assert (folder / f"{answer}.bin").read_bytes() == (folder / f"{point}.bin").read_bytes()


def test_the_readme_speaks_of_directions_only_where_there_are_any(tmp_path):
    challenge(tmp_path / "c", "--problem", "convolution", "--precision", "single")
    challenge(tmp_path / "a", "--problem", "article")
    blur, article = ((tmp_path / name / "README.md").read_text() for name in "ca")
    assert "and directions" not in blur
    assert "(and the direction)" not in blur
    assert "(and the direction)" in article
    assert "The PSF does not sum to one, and is to be taken as it is." in blur
    assert "may be off by what arithmetic in float32 makes of them" in blur


@pytest.fixture
def octave():
    """Runs article.m on a folder."""
    command = foreign.octave()
    return lambda *arguments: run(*command, str(FOREIGN / "article.m"), *arguments)


def test_a_program_in_octave_that_is_right(octave, tmp_path):
    challenge(tmp_path / "m", "--problem", "article")
    octave(str(tmp_path / "m"))
    status, report, found = verdict(tmp_path / "m")
    assert (status, report["verdict"]) == (0, "PASS")
    assert set(found) == {"value", "gradient", "hvp", "forward", "adjoint", "determinism"}
    assert all(each["detectable"] < 1e-11 for each in found.values())


def test_a_program_in_octave_that_keeps_an_old_residual(octave, tmp_path):
    challenge(tmp_path / "m", "--problem", "article")
    octave(str(tmp_path / "m"), "stale")
    status, report, found = verdict(tmp_path / "m")
    assert (status, report["blame"]) == (1, ["gradient"])
    assert "stale" in found["gradient"]["diagnosis"]
    assert found["determinism"]["verdict"] == "WRONG"


@pytest.mark.slow
def test_a_program_in_octave_whose_adjoint_does_not_turn_the_psf(octave, tmp_path):
    challenge(tmp_path / "m", "--problem", "article")
    octave(str(tmp_path / "m"), "flip")
    status, report, found = verdict(tmp_path / "m")
    assert (status, report["blame"]) == (1, ["adjoint"])
    assert all("PSF not flipped" in found[name]["diagnosis"] for name in ("gradient", "hvp", "adjoint"))


def snippet(folder, language):
    """What the README of a challenge tells users of a language to write."""
    text = (folder / "README.md").read_text()
    return text.split(f"\n{language}", 1)[1].split("```text\n", 1)[1].split("```", 1)[0]


@pytest.mark.slow
@pytest.mark.parametrize("shape", ["7", "5x6", "4x5x3"])
def test_what_the_readme_says_to_octave(tmp_path, shape):
    """An array that is read and written as it says is the same again, and its entries are where they should be."""
    folder = tmp_path / "m"
    challenge(folder, "--problem", "convolution", "--shape", shape)
    code = snippet(folder, "MATLAB, Octave:") + "printf('%.17g', x(1, end));"
    program = tmp_path / "snippet.m"
    program.write_text(code)
    command = [*foreign.octave(), program]
    done = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True)
    assert (folder / "answers/001.bin").read_bytes() == (folder / "inputs/x1.bin").read_bytes()
    x1 = np.load(folder / "inputs/x1.npy")
    assert float(done.stdout) == x1[0].ravel()[-1]  # the last entry of the first row, in any number of axes


def test_what_the_readme_says_to_python(tmp_path, monkeypatch):
    folder = tmp_path / "p"
    challenge(folder, "--problem", "convolution")
    monkeypatch.chdir(folder)
    exec(snippet(folder, "Python:"), {"numpy": np})
    assert (folder / "answers/001.npy").read_bytes() == (folder / "inputs/x1.npy").read_bytes()
