"""refdeconv against what four frameworks computed when they were installed somewhere, and how that is recorded."""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from . import comparing, record, records
from .installed import need
from .models import FRAMEWORKS, MODELS, Posed
from .records import Record


@cache
def problems() -> Mapping[str, Posed]:
    return records.read_problems(records.FOLDER)


@cache
def recorded(framework: str) -> Record:
    found = records.read(records.FOLDER, framework, problems())
    assert found is not None
    return found


@pytest.mark.parametrize("dtype", comparing.TOLERANCES)
@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_refdeconv_agrees_with_what_was_recorded(framework: str, model: str, dtype: str) -> None:
    names = [name for name, posed in problems().items() if posed.model == model]
    assert len(names) >= 4
    for name in names:
        ours = comparing.our_answers(problems()[name], np.dtype(dtype).type)
        errors = comparing.errors(recorded(framework).answers[name, dtype], ours)
        assert all(error <= comparing.TOLERANCES[dtype] for error in errors.values()), (
            f"{name}: relative errors to {framework} {recorded(framework).version}: {errors}"
        )


def test_records_are_complete_and_small() -> None:
    assert set(problems()) >= set(record.PROBLEMS)
    for framework in FRAMEWORKS:
        assert set(recorded(framework).answers) == {(n, dtype) for n in problems() for dtype in comparing.TOLERANCES}
    assert sum(path.stat().st_size for path in records.FOLDER.iterdir()) < 500_000


@pytest.mark.slow
@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_framework_still_computes_what_was_recorded(framework: str) -> None:
    need(framework)
    assert not list(record.disagreements(framework, record.computed(framework, problems()), recorded(framework)))


# ---- The command, with Autograd alone ----


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the records, for a few problems."""
    need("autograd")
    monkeypatch.setattr(comparing, "is_installed", lambda framework: framework == "autograd")
    few = {name: problem for name, problem in record.PROBLEMS.items() if name.endswith("/0")}
    monkeypatch.setattr(record, "PROBLEMS", few)
    kept = {name: problems()[name] for name in few}
    for framework in ("autograd", "torch"):
        answers = {key: answer for key, answer in recorded(framework).answers.items() if key[0] in kept}
        text = records.answers_text(framework, Record(recorded(framework).version, answers), kept)
        (tmp_path / f"{framework}.json").write_text(text, encoding="utf-8")
    (tmp_path / records.PROBLEMS).write_text(records.problems_text(kept), encoding="utf-8")
    return tmp_path


def run(folder: Path) -> int:
    return record.main(["--folder", str(folder)])


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def tampered(path: Path, row: int, rows: str, change) -> bytes:
    """Change a row of a file; what the file then holds."""
    content = json.loads(path.read_text(encoding="utf-8"))
    change(content[rows][row])
    path.write_text(json.dumps(content), encoding="utf-8")
    return path.read_bytes()


def test_what_agrees_stays_as_it_is(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = contents(folder)
    assert run(folder) == 0
    changed = {name for name, text in contents(folder).items() if text != before[name]}
    installed = comparing.answers("autograd", problems()["article/0"], np.float64)[1]
    assert changed == (set() if installed == recorded("autograd").version else {"autograd.json"})
    assert 'left out, not installed: torch: pip install -e ".[autodiff]"' in capsys.readouterr().err


@pytest.mark.parametrize("dtype", comparing.TOLERANCES)
@pytest.mark.parametrize("quantity", comparing.QUANTITIES)
def test_disagreement_is_named_and_nothing_is_written(
    folder: Path, capsys: pytest.CaptureFixture[str], quantity: str, dtype: str
) -> None:
    def change(row) -> None:
        assert (row["problem"], row["dtype"]) == ("reflect/0", dtype)
        by = 3 * comparing.TOLERANCES[dtype]
        if quantity == "value":
            row["value"] *= 1 + by
        else:
            row[quantity][1][2] += by * float(np.linalg.norm(row[quantity]))

    place = 2 * list(MODELS).index("reflect") + list(comparing.TOLERANCES).index(dtype)
    tampered(folder / "autograd.json", place, "results", change)
    (folder / records.PROBLEMS).write_text(
        (folder / records.PROBLEMS).read_text() + "\n"
    )  # so that it would be written
    before = contents(folder)
    assert run(folder) == 1
    assert contents(folder) == before
    said = capsys.readouterr().err
    assert f"{quantity} of reflect/0 in {dtype} is" in said
    assert f"at most {comparing.TOLERANCES[dtype]:g} is rounding" in said
    assert said.endswith("nothing was written\n")
    assert said.count(" is rounding") == 1


def test_other_versions_and_new_problems_are_recorded(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = json.loads((folder / "autograd.json").read_text())
    (folder / "autograd.json").write_text(json.dumps({**content, "version": "0.1"}))
    again = record.PROBLEMS["blind/0"]._replace(seed=99)
    monkeypatch.setattr(record, "PROBLEMS", {**record.PROBLEMS, "blind/again": again})
    assert run(folder) == 0
    now = records.read_problems(folder)
    found = records.read(folder, "autograd", now)
    assert found.version != "0.1"
    assert now["blind/again"].problem == again
    assert ("blind/again", "float32") in found.answers
    assert ("article/0", "float64") in found.answers


def test_a_name_stands_for_one_problem(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    other = record.PROBLEMS["valid/0"]._replace(mu=0.5)
    monkeypatch.setattr(record, "PROBLEMS", {**record.PROBLEMS, "valid/0": other})
    before = contents(folder)
    assert run(folder) == 1
    assert contents(folder) == before
    assert "problem valid/0 is Problem(" in capsys.readouterr().err


def test_changed_inputs_are_noticed(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def change(row) -> None:
        row["parameters"]["psf"][0][1] += 1 / 256

    tampered(folder / records.PROBLEMS, 1, "problems", change)
    assert run(folder) == 1
    assert "the inputs of least-squares-tv/0 have sha256" in capsys.readouterr().err


def test_results_of_other_inputs_are_noticed(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tampered(folder / "autograd.json", 3, "results", lambda row: row.update(sha256="0" * 64))
    assert run(folder) == 1
    assert "autograd.json: the result of least-squares-tv/0 in float32 was computed" in capsys.readouterr().err


@pytest.mark.parametrize(
    "text", ["", "[]", '{"results": []}', '{"version": "1"}', '{"results": [{}]}', '{"results": [3]}']
)
def test_unreadable_files_are_named(folder: Path, capsys: pytest.CaptureFixture[str], text: str) -> None:
    (folder / "autograd.json").write_text(text)
    assert run(folder) == 1
    assert "autograd.json has " in capsys.readouterr().err


def test_what_is_not_finite_is_not_recorded(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    (folder / "autograd.json").unlink()
    monkeypatch.setattr(comparing, "answers", lambda *_: (dict.fromkeys(comparing.QUANTITIES, np.float64("nan")), "1"))
    assert run(folder) == 1
    assert "value of article/0 in float64 is not finite" in capsys.readouterr().err
    assert not (folder / "autograd.json").exists()
