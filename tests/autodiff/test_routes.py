"""The article's two routes and refdeconv's reach the same picture."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import refdeconv as rd

from . import routes
from .installed import need
from .test_solves import small_problem


def optimum(problem: rd.problems.Problem) -> Any:
    return rd.minimize(problem.objective, problem.start(1), xtol=1e-9)


@pytest.mark.parametrize("name", ["autograd", "tensorflow", "refdeconv"])
def test_each_route_reaches_the_same_picture(name: str) -> None:
    problem = small_problem()
    if name != "refdeconv":
        need(name)
    route = {
        "autograd": routes.autograd_route,
        "tensorflow": lambda problem: routes.tensorflow_route(problem, routes.LARGE_EPSILON),
        "refdeconv": routes.refdeconv_route,
    }[name](problem)
    best = optimum(problem)
    assert np.abs(route.image - best.x).max() <= routes.SAME_IMAGE
    assert route.values[-1] == pytest.approx(best.fun, abs=1e-8)
    assert route.values[0] > 2 * route.values[-1]
    assert route.values[-1] == pytest.approx(problem.objective.value(route.image), rel=1e-12)
    assert route.evaluations == sorted(route.evaluations)
    assert route.seconds == sorted(route.seconds)


def test_adam_with_its_usual_epsilon_does_not_arrive() -> None:
    """If this fails, TensorFlow's Adam has changed for the better, and the figure's text has to."""
    need("tensorflow")
    problem = small_problem()
    route = routes.tensorflow_route(problem, routes.USUAL_EPSILON)
    best = optimum(problem)
    assert min(route.values[100:]) > best.fun * 1.05
    assert np.abs(route.image - best.x).max() > 100 * routes.SAME_IMAGE


def test_recording_leaves_the_articles_solve_as_it_is() -> None:
    program, problem = routes.article_program("autograd"), small_problem()
    untouched = program.grad
    route = routes.autograd_route(problem)
    assert program.grad is untouched
    assert np.array_equal(
        route.image.ravel(), program.solve(problem.blurred, problem.psf, routes.MU, problem.start(0)).x
    )


@pytest.mark.slow
def test_command(tmp_path: Path, capsys: Any) -> None:
    for name in ("autograd", "tensorflow"):
        need(name)
    routes.main(["--out", str(tmp_path), "--json", str(tmp_path / "routes.json")])
    autograd, usual, large, ours = json.loads((tmp_path / "routes.json").read_text())
    for row in (autograd, large, ours):
        assert row["image_difference"] <= routes.SAME_IMAGE
        assert abs(row["above_optimum"]) <= 1e-9
    assert usual["above_optimum"] > 1
    assert (tmp_path / "routes.png").stat().st_size > 10_000
    lines = capsys.readouterr().out.splitlines()  # one a route
    for line, row in zip(lines, (autograd, usual, large, ours), strict=True):
        assert line.startswith(row["route"])
