"""Does a solver find the certified optima? Outcomes are those of golden vectors; outputs "minimiser" and "minimum".

The distance from the minimiser, in the Euclidean norm, may be the certified bound on that, and what the solver leaves:
`TOLERANCE` a pixel, in the root of the mean of squares. The value may be above the minimum by the certified bound on
that, and `EXCESS` of it; below it only by the bound and by what the value itself is rounded.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from math import isfinite, sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from refdeconv.calculus import Functional
from refdeconv.conformance.array_files import FileError
from refdeconv.conformance.golden.conventions import ROUNDINGS
from refdeconv.conformance.golden.optima.finding import start
from refdeconv.conformance.golden.optima.reading import Optimum
from refdeconv.conformance.golden.running import Comparison, Outcome, judged, made

Array = NDArray[Any]
Solve = Callable[[Functional, Array], Array]

TOLERANCE = 1e-5  # the solver's documented one, a pixel
EXCESS = 1e-9
XTOL = 1e-7  # what the solver is to be told: its last step is shorter than what is left along flat directions


def run(optimum: Optimum, solve: Solve, dtype: str = "float64") -> Outcome:
    """Solve an optimum's problem with ``solve(functional, start)``, from far away, and compare.

    Parameters
    ----------
    optimum : Optimum
    solve : callable
        Returns the minimiser that it finds; whatever it raises is wrong.
    dtype : {'float64', 'float32'}
        In float32 optima are left out.
    """
    if dtype != "float64":
        return Outcome(optimum, "LEFT OUT", (), "optima are certified, and found, in float64")
    try:
        functional = made(optimum.model, optimum.parameters)
        x = np.asarray(solve(functional, start(optimum.minimiser.shape, optimum.parameters)))
        value = float(functional.value(x))
    except FileError:
        raise
    except Exception as error:  # it should have answered
        return Outcome(optimum, "WRONG", (), f"{type(error).__name__}: {error}")
    if x.shape != optimum.minimiser.shape:
        return Outcome(optimum, "WRONG", (), f"minimiser has shape {x.shape}, expected {optimum.minimiser.shape}")
    return judged(optimum, (_of_minimiser(optimum, x), _of_minimum(optimum, value)))


def _of_minimiser(optimum: Optimum, x: Array) -> Comparison:
    distance = float(np.linalg.norm(x - optimum.minimiser))
    allowed = float(optimum.bound_on_minimiser) + TOLERANCE * sqrt(x.size)
    return Comparison("minimiser", distance if isfinite(distance) else float("inf"), allowed)


def _of_minimum(optimum: Optimum, value: float) -> Comparison:
    if not isfinite(value):
        return Comparison("minimum", float("inf"), 0.0)
    excess, size = float(Fraction(value) - optimum.minimum), float(abs(optimum.minimum))
    granted = EXCESS if excess > 0 else ROUNDINGS * float(np.finfo(np.float64).eps)
    return Comparison("minimum", abs(excess), float(optimum.bound_on_minimum) + granted * size)
