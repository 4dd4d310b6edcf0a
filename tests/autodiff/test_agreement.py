"""Value, gradient and Hessian-vector product of eight models: refdeconv against four autodiff frameworks."""

import ast
import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings

from . import agreement, comparing, drawing
from .agreement import Cell
from .models import FRAMEWORKS, MODELS, Problem, posed

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


@pytest.mark.parametrize("framework", ["torch", "jax"])  # all sizes, and a short list; the others lack a few pairs
@pytest.mark.parametrize("model", MODELS)
def test_drawn_problems_are_different_non_square_and_asymmetric(model: str, framework: str) -> None:
    drawn: list[Problem] = []
    agreement.draw(Cell(model, framework, "float64"), agreement.EXAMPLES, drawn.append)
    assert len(set(drawn)) >= 100
    assert all(len(set(problem.shape)) > 1 for problem in drawn)
    for axis in range(MODELS[model].ndim):
        assert {problem.psf_shape[axis] % 2 for problem in drawn} == {0, 1}
    assert any(k > n for problem in drawn for k, n in zip(problem.psf_shape, problem.shape, strict=True))
    assert len({problem.mu for problem in drawn}) > 30
    asymmetric = [problem for problem in drawn if is_asymmetric(psf_of(problem))]
    assert len(asymmetric) >= 0.9 * len(drawn)


def psf_of(problem: Problem) -> np.ndarray:
    """Of a blind problem, where it is unknown, at the point."""
    posed_ = posed(problem)
    if "psf" in posed_.parameters:
        return posed_.parameters["psf"]
    return posed_.x[math.prod(problem.shape) :].reshape(problem.psf_shape)


def is_asymmetric(psf: np.ndarray) -> bool:
    """On each axis along which it has more than one sample, of which there is one, and about its centre."""
    axes = [axis for axis, size in enumerate(psf.shape) if size > 1]
    return bool(axes) and not any(np.array_equal(psf, np.flip(psf, each)) for each in (None, *axes))


@pytest.mark.parametrize("model", [name for name, model in MODELS.items() if "weight" in model.needs])
def test_drawn_weights_differ_by_pixel_and_some_are_zero(model: str) -> None:
    """Of all but the article's model and the blind one, which have none."""
    drawn: list[Problem] = []
    agreement.draw(Cell(model, "torch", "float64"), agreement.EXAMPLES, drawn.append)
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
