"""Value, gradient and Hessian-vector product of eight models: refdeconv against four autodiff frameworks."""

import ast
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings

from . import agreement, comparing, drawing
from .agreement import Cell
from .models import FRAMEWORKS, Problem, posed

HERE = Path(__file__).parent
ALL = agreement.cells(list(FRAMEWORKS))


def agree(cell: Cell, examples: int) -> None:
    @settings(max_examples=examples, deadline=None)
    @given(drawing.problems(cell.model, cell.framework))
    def each(problem: Problem) -> None:
        errors, version = cell.errors(problem)
        assert all(error <= comparing.TOLERANCES[cell.dtype] for error in errors.values()), (
            f"{cell.framework} {version}: relative errors {errors}"
        )

    each()


@pytest.mark.slow
@pytest.mark.parametrize("cell", ALL, ids="-".join)
def test_agreement(cell: Cell) -> None:
    agree(cell, agreement.EXAMPLES)


@pytest.mark.parametrize("cell", ALL, ids="-".join)
def test_agreement_on_a_few(cell: Cell) -> None:
    agree(cell, 8)


@pytest.mark.parametrize("model", ["least-squares-tv", "three-dimensional"])
def test_drawn_problems_are_different_non_square_and_asymmetric(model: str) -> None:
    drawn: list[Problem] = []
    agreement.draw(Cell(model, "torch", "float64"), agreement.EXAMPLES, drawn.append)
    assert len(set(drawn)) >= 100
    assert all(len(set(problem.shape)) > 1 for problem in drawn)
    assert {size % 2 for problem in drawn for size in problem.psf_shape} == {0, 1}
    assert any(k > n for problem in drawn for k, n in zip(problem.psf_shape, problem.shape, strict=True))
    weights = [posed(problem).parameters["weight"] for problem in drawn]
    assert all(len(np.unique(weight)) > 2 for weight in weights)
    assert any((weight == 0).any() for weight in weights)


@pytest.mark.parametrize("name", [f"{kind}_{name}" for kind in ("article", "models") for name in FRAMEWORKS.values()])
def test_programs_share_no_code_with_refdeconv(name: str) -> None:
    body = ast.parse((HERE / f"{name}.py").read_text(encoding="utf-8")).body
    imports = [node for node in body if isinstance(node, ast.Import | ast.ImportFrom)]
    own = [node for node in imports if isinstance(node, ast.ImportFrom) and node.level]
    assert [alias.name for node in own for alias in node.names] == ["Array", "Program"]
    assert "refdeconv" not in "".join(ast.unparse(node) for node in imports)


def test_committed_table_is_complete_and_within_the_tolerances() -> None:
    rows = json.loads((HERE / "agreement.json").read_text(encoding="utf-8"))
    found = [(row["model"], row["framework"], row["dtype"], row["quantity"]) for row in rows]
    assert found == [(*cell, quantity) for cell in ALL for quantity in comparing.QUANTITIES]
    assert all(agreement.is_within(row) and row["problems"] >= 100 for row in rows)
    assert (HERE / "agreement.md").read_text(encoding="utf-8") == agreement.markdown(rows)


def test_an_error_beyond_the_tolerance_is_marked(tmp_path, monkeypatch, capsys) -> None:
    wrong = {**dict(zip(("model", "framework", "dtype"), ALL[0], strict=True)), "version": "1", "problems": 1}
    rows = [
        {**wrong, "quantity": q, "worst": w} for q, w in zip(comparing.QUANTITIES, (0.0, 1e-3, np.nan), strict=True)
    ]
    monkeypatch.setattr(agreement, "_all_rows", lambda examples: iter(rows))
    assert agreement.main(["--markdown", str(tmp_path / "table.md"), "--json", str(tmp_path / "rows.json")]) == 1
    assert "0.0e+00 / 1.0e-03 (!) / nan (!)" in (tmp_path / "table.md").read_text(encoding="utf-8")
    assert capsys.readouterr().err.count("beyond the tolerance") == 2
