"""How far refdeconv and a framework are apart on one problem."""

import importlib.util
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from .installed import load
from .models import FRAMEWORKS, MODELS, Posed

QUANTITIES = ("value", "gradient", "hvp")
TOLERANCES: dict[str, float] = {"float64": 1e-13, "float32": 1e-5}  # relative; the issue's, for every model


def is_installed(framework: str) -> bool:
    return importlib.util.find_spec(framework) is not None


def answers(framework: str, posed: Posed, dtype: DTypeLike) -> tuple[dict[str, Any], str]:
    """What a framework computes, and its version; skips or fails the test where it is not installed."""
    model = MODELS[posed.model]
    program = model.theirs(load(f"{__package__}.{model.module}_{FRAMEWORKS[framework]}", framework), posed, dtype)
    x, v = posed.x.astype(dtype), posed.v.astype(dtype)
    found = {"value": program.value(x), "gradient": program.gradient(x), "hvp": program.hvp(x, v)}
    return found, program.version.split()[1]


def our_answers(posed: Posed, dtype: DTypeLike) -> dict[str, Any]:
    objective = MODELS[posed.model].ours(**posed.parameters)
    x, v = posed.x.astype(dtype), posed.v.astype(dtype)
    return {"value": objective.value(x), "gradient": objective.gradient(x), "hvp": objective.hvp(x, v)}


def errors(found: dict[str, Any], expected: dict[str, Any]) -> dict[str, float]:
    return {quantity: relative_error(found[quantity], expected[quantity]) for quantity in QUANTITIES}


def relative_error(found: Any, expected: Any) -> float:
    """The norm of the difference, in units of the norm of what is expected; of one shape and dtype, or it fails."""
    found, expected = np.asarray(found), np.asarray(expected)
    if (found.shape, found.dtype) != (expected.shape, expected.dtype):
        raise AssertionError(
            f"{found.dtype} of shape {found.shape}, expected {expected.dtype} of shape {expected.shape}"
        )
    found, expected = (np.ravel(array).astype(np.longdouble) for array in (found, expected))
    difference, size = np.linalg.norm(found - expected), np.linalg.norm(expected)
    return float(difference / size) if size else float(difference > 0)
