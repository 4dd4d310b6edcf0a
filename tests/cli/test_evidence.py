"""``refdeconv evidence``: files whole or not at all, failures loud, bad usage explained."""

import json
import re

import pytest

from refdeconv.conformance.evidence import gathering
from tests.conformance.evidence.made_up import COLUMNS, FAILING


@pytest.fixture
def columns(monkeypatch):
    """Makes the command take made-up columns."""

    def take(made_up):
        for module in ("refdeconv.conformance.evidence.columns", "refdeconv.conformance.evidence.gathering"):
            monkeypatch.setattr(f"{module}.all_columns", lambda checkout: made_up)

    return take


def test_a_page_and_its_record(run, columns, tmp_path):
    columns(COLUMNS)
    result = run("evidence")
    assert result.exit_code == 0
    assert (tmp_path / "evidence/evidence.md").read_text().startswith("# Evidence\n")
    assert json.loads((tmp_path / "evidence/evidence.json").read_text())["passed"] is True
    assert re.search(r"7 cells passed, 0 failed, 1 were not run\n  contract tests needs x", result.stdout)
    assert "Wrote evidence/evidence.md" in result.stdout
    assert "2 of 4: complex step" in result.stderr


def test_a_failure_is_the_exit_status_and_bold(run, columns, tmp_path):
    columns(FAILING)
    result = run("evidence", "--out", "some/where")
    assert result.exit_code == 1
    assert "FAILED L2Norm, mpmath: hvp | of <it>\n       show it" in result.stdout
    assert "**FAILED inf**" in (tmp_path / "some/where/evidence.md").read_text()
    assert json.loads((tmp_path / "some/where/evidence.json").read_text())["passed"] is False


def test_a_part_is_printed_and_not_written(run, columns, tmp_path):
    columns(COLUMNS)
    result = run("evidence", "--model", "L2Norm", "--column", "complex step")
    assert result.exit_code == 0
    assert re.search(r"L2Norm\n  complex step  passed   1\.2e-16 +\(8\)  show it\n", result.stdout)
    assert not list(tmp_path.iterdir())
    assert run("evidence", "--model", "L2Norm", "--out", "part").exit_code == 0
    assert sorted(path.name for path in (tmp_path / "part").iterdir()) == ["evidence.json", "evidence.md"]


def test_near_misses_are_named(run, columns):
    columns(COLUMNS)
    result = run("evidence", "--model", "L2norm")
    assert result.exit_code == 2
    assert "did you mean 'L2Norm'?" in result.stderr
    result = run("evidence", "--column", "complexstep")
    assert result.exit_code == 2
    assert "did you mean 'complex step'?" in result.stderr


def test_where_it_cannot_write_it_does_not_begin(run, columns, tmp_path):
    columns(COLUMNS)
    (tmp_path / "file").write_text("")
    result = run("evidence", "--out", "file")
    assert result.exit_code == 2
    assert "file is a file, not a folder" in " ".join(result.stderr.split())


def test_ctrl_c_writes_nothing(run, columns, tmp_path, monkeypatch):
    columns(COLUMNS)

    def interrupted(*given, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr(gathering, "gather", interrupted)
    result = run("evidence")
    assert result.exit_code == 130
    assert "nothing was written" in result.stderr
    assert not list((tmp_path / "evidence").iterdir())


@pytest.mark.slow
@pytest.mark.parametrize("column", ["derivation", "symbolic check", "complex step", "contract tests", "mpmath"])
@pytest.mark.parametrize("model", ["Huber", "regularizers.tikhonov"])
def test_columns_of_the_real_page(run, model, column):
    result = run("evidence", "--model", model, "--column", column)
    assert result.exit_code == 0, result.output
    assert re.search(rf"{model}\n  {column}  passed ", result.stdout)
    assert "0 failed, 0 were not run" in result.stdout
