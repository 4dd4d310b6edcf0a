"""The article's own solve, in Autograd, beside refdeconv's; that their derivatives agree is in `test_agreement`."""

from types import ModuleType

import numpy as np
import pytest

import refdeconv as rd

from .installed import load


def autograd_program() -> ModuleType:
    return load(f"{__package__}.article_autograd", "autograd")


def test_autograd_solve_reaches_the_same_optimum() -> None:
    autograd = autograd_program()
    psf = np.random.default_rng(7).random((7, 6))
    problem = rd.problems.article(rd.problems.astronaut()[20:60, 60:93], psf / psf.sum())
    theirs = autograd.solve(problem.blurred, problem.psf, 0.2, problem.start(0))
    ours = rd.minimize(problem.objective, problem.start(0))
    assert ours.fun == pytest.approx(theirs.fun, rel=1e-9)


@pytest.mark.slow
def test_autograd_solve_of_the_whole_article() -> None:
    autograd = autograd_program()
    problem = rd.problems.article()
    result = autograd.solve(problem.blurred, problem.psf, 0.2, problem.start(0))
    # A number that was found with Autograd before refdeconv existed; it ends a little above the optimum.
    assert result.fun == pytest.approx(2.0585316790, abs=1e-9)
