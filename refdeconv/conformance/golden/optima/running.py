"""Does a solver find the certified optima?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from refdeconv.calculus import Functional
from refdeconv.conformance.golden.optima.finding import start
from refdeconv.conformance.golden.optima.making import objective
from refdeconv.conformance.golden.optima.reading import Optimum

Array = NDArray[Any]


@dataclass(frozen=True)
class Run:
    """How far a solver's answer is from an optimum, in the image and in the value, relative to their sizes.

    `excess` is the solver's value less the minimum; it may be negative by what the value is rounded.
    """

    name: str
    distance: float
    excess: float


def run(optimum: Optimum, solve: Callable[[Functional, Array], Array]) -> Run:
    """Solve an optimum's problem with ``solve(functional, start)``, from far away, and compare."""
    functional = objective(optimum.model, optimum.parameters)
    x = solve(functional, start(optimum.minimiser.shape, optimum.parameters))
    minimum = float(optimum.minimum)
    distance = np.linalg.norm(x - optimum.minimiser) / np.linalg.norm(optimum.minimiser)
    return Run(optimum.name, float(distance), (float(functional.value(x)) - minimum) / abs(minimum))
