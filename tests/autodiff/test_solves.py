"""Whole solves with each framework's gradient and Hessian-vector product: the same optimum, the same image."""

import functools
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import refdeconv as rd

from . import solves
from .solves import PROGRAMS, SAME_IMAGE, SAME_VALUE, Solve


def small_problem() -> rd.problems.Problem:
    psf = np.random.default_rng(7).random((4, 5))
    return rd.problems.article(rd.problems.astronaut()[20:44, 60:87], psf / psf.sum())


@functools.cache
def ours(size: str) -> tuple[rd.problems.Problem, Solve]:
    problem = rd.problems.article() if size == "article" else small_problem()
    return problem, solves.solve("refdeconv", problem)


@pytest.mark.parametrize("size", ["small", pytest.param("article", marks=pytest.mark.slow)])
@pytest.mark.parametrize("name", PROGRAMS)
def test_each_framework_leads_to_the_same_optimum(name: str, size: str) -> None:
    solves.article_program(name)
    problem, reference = ours(size)
    found = solves.solve(name, problem)
    assert abs(found.value - reference.value) <= SAME_VALUE, found.version
    assert np.abs(found.image - reference.image).max() <= SAME_IMAGE, found.version
    assert found.products > found.iterations > 5  # Newton-CG has used the framework's products


@pytest.mark.parametrize("size", ["small", pytest.param("article", marks=pytest.mark.slow)])
def test_the_tolerance_is_tight_enough_for_the_comparison(size: str) -> None:
    """Where the solves end is the optimum: a tolerance a hundred times smaller moves neither value nor image."""
    problem, reference = ours(size)
    tighter = rd.minimize(problem.objective, problem.start(1), xtol=1e-10)
    assert abs(tighter.fun - reference.value) <= SAME_VALUE / 1000
    assert np.abs(tighter.x - reference.image).max() <= SAME_IMAGE / 1000


def test_command(tmp_path: Path, capsys: Any) -> None:
    solves.article_program("autograd")
    files = tmp_path / "table.md", tmp_path / "table.json"
    arguments = ["--only", "autograd", "--markdown", str(files[0]), "--json", str(files[1])]
    solves.main(arguments, small_problem)
    table = json.loads(files[1].read_text())
    assert [row["framework"] for row in table] == ["refdeconv", "autograd"]
    assert all(row["value_difference"] <= SAME_VALUE for row in table)
    assert capsys.readouterr().out in files[0].read_text()


def test_committed_table_is_of_all_frameworks_and_says_the_same() -> None:
    lines = (Path(__file__).parent / "solves.md").read_text().splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("|")][2:]
    assert {row[0].split()[0] for row in cells} == {"refdeconv", *PROGRAMS}
    assert all(float(row[2]) <= SAME_VALUE for row in cells)
    assert all(float(row[3]) <= SAME_IMAGE for row in cells[1:])
