"""The package against golden vectors: every model is made from its recorded parameters, and evaluated.

What is allowed is the same formula for all cases (`conventions.CONVENTIONS`): the bound on the recorded array, and a
fixed number of roundings of the array's scale; in float32, where the input is rounded first, how far that moves it.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

import refdeconv as rd
from refdeconv.conformance.array_files import FileError
from refdeconv.conformance.golden.case import Answer
from refdeconv.conformance.golden.conventions import ROUNDINGS
from refdeconv.conformance.golden.part import Part
from refdeconv.conformance.golden.suite import Expected, Recorded

Array = NDArray[Any]
Status = Literal["PASS", "WRONG", "LEFT OUT"]
DTYPES = ("float64", "float32")
_ROOMS: Mapping[str, Any] = {"regularizers": rd.regularizers, "problems": rd.problems}


@dataclass(frozen=True)
class Comparison:
    """One output of a case against what is recorded.

    Attributes
    ----------
    output : str
        "value", "gradient", "hvp", "forward", "adjoint", "jvp", "vjp" or "curvature"; "minimiser" or "minimum".
    error : float
        The largest of its entries; infinite where it is not finite, or not an array of the right shape. Zero where
        the output should be infinite, or an error, and is.
    allowed : float
    scale : float
        That of the output as recorded, or zero.
    """

    output: str
    error: float
    allowed: float
    scale: float = 0.0

    @property
    def part(self) -> float:
        """The error as a part of what is allowed."""
        return self.error / self.allowed if self.error else 0.0


class Listed(Protocol):
    """What is listed of a case, and of a certified optimum."""

    @property
    def name(self) -> str:
        """Unique in a suite."""

    @property
    def kind(self) -> str:
        """That of a model, or "optimum"."""

    @property
    def model(self) -> str:
        """The public name."""

    @property
    def remark(self) -> str:
        """For a reader."""


@dataclass(frozen=True)
class Outcome:
    """What came of one case.

    Attributes
    ----------
    case : Recorded or Optimum
    status : str
        "PASS", "WRONG", or "LEFT OUT" where the case has numbers outside of the range of the dtype.
    comparisons : tuple of Comparison
    message : str
        What went wrong, or why it was left out.
    """

    case: Listed
    status: Status
    comparisons: tuple[Comparison, ...]
    message: str = ""

    @property
    def worst(self) -> Comparison | None:
        """The output that is nearest to what is allowed, or furthest beyond it."""
        return max(self.comparisons, key=lambda comparison: comparison.part, default=None)


def run(case: Recorded, dtype: str = "float64", make: Callable[[str, Mapping[str, Any]], Any] | None = None) -> Outcome:
    """Evaluate a model of the package and compare; whatever it raises is wrong.

    Parameters
    ----------
    case : Recorded
    dtype : {'float64', 'float32'}
        What the point is given in.
    make : callable, optional
        (name, parameters) -> model, to run something else than the package's own.
    """
    expected, answers = case.outputs, case.answers
    if dtype == "float32":
        expected = {name: output for name, output in expected.items() if output.moved_in_float32 is not None}
    if not expected and not answers:
        return Outcome(case, "LEFT OUT", (), "numbers outside of the range of float32")
    try:
        model = (make or made)(case.model, case.parameters)
        evaluate = _evaluations(model, case, np.dtype(dtype))
        with np.errstate(all="ignore"):
            complaints = [
                text for name, answer in answers.items() if (text := _not_answered(name, answer, evaluate[name]))
            ]
            got = {name: evaluate[name]() for name in expected}
    except FileError:
        raise
    except Exception as error:  # it should have answered
        return Outcome(case, "WRONG", (), f"{type(error).__name__}: {error}")
    complaints += [text for name, array in got.items() if (text := _complaint(name, array, expected[name], dtype))]
    if complaints:
        return Outcome(case, "WRONG", (), "; ".join(complaints))
    found = tuple(_compared(name, got[name], output, dtype) for name, output in expected.items())
    return judged(case, (*found, *(Comparison(name, 0.0, 0.0) for name in answers)))


def judged(case: Listed, found: tuple[Comparison, ...]) -> Outcome:
    """The outcome that comparisons make."""
    wrong = [c for c in found if not c.error <= c.allowed]
    said = "; ".join(f"{c.output} is off by {c.error:.2g}, allowed {c.allowed:.2g}" for c in wrong)
    return Outcome(case, "WRONG" if wrong else "PASS", found, said)


def made(name: str, parameters: Mapping[str, Any]) -> Any:
    """A model of the package by its public name; FileError where there is none of this name."""
    room, _, last = name.rpartition(".")
    owner = _ROOMS.get(room) if room else rd
    model = getattr(owner, last, None) if owner is not None and last in owner.__all__ else None
    kinds = (rd.Functional, rd.Operator, rd.Packing)
    if not (inspect.isclass(model) and issubclass(model, kinds)) and not (room and inspect.isfunction(model)):
        raise FileError(f"{name!r} is not a model of refdeconv")
    given = {key: _with_parts(value) for key, value in parameters.items()}
    several = [p.name for p in inspect.signature(model).parameters.values() if p.kind is p.VAR_POSITIONAL]
    positional = [each for key in several for each in given.pop(key, ())]
    result = model(*positional, **given)
    return getattr(result, "objective", result)  # of ready-made problems that come with their data


def _with_parts(value: Any) -> Any:
    if isinstance(value, Part):
        return made(value.model, value.parameters)
    if isinstance(value, tuple):
        return tuple(_with_parts(part) for part in value)
    if isinstance(value, dict):
        return {key: _with_parts(part) for key, part in value.items()}
    return value


def _not_answered(name: str, answer: Answer, evaluate: Callable[[], Any]) -> str:
    """What is wrong with an output that should be no numbers; nothing is an empty text."""
    try:
        got = evaluate()
    except ValueError as error:
        return "" if answer == "raises" else f"{name} should be infinite, but raises {type(error).__name__}: {error}"
    if answer == "raises":
        return f"{name} should raise a ValueError, and returns something"
    right = np.ndim(got) == 0 and got == np.inf
    return "" if right else f"{name} should be infinite, and is {str(got)[:50]}"


def _evaluations(model: Any, case: Recorded, dtype: np.dtype[Any]) -> dict[str, Callable[[], Any]]:
    """How to compute each output of a model at a case's point."""

    def cast(array: Array | None) -> Array:
        assert array is not None
        return array.astype(dtype)

    point = cast(case.point)
    if case.kind == "linear operator":
        forward, adjoint = _stacking(model) if isinstance(model, rd.Packing) else (model.forward, model.adjoint)
        return {"forward": lambda: forward(point), "adjoint": lambda: adjoint(cast(case.weights))}
    directions = cast(case.directions)
    if case.kind == "functional":
        return {
            "value": lambda: model.value(point),
            "gradient": lambda: model.gradient(point),
            "hvp": lambda: np.stack([model.hvp(point, v) for v in directions]),
        }
    weights = cast(case.weights)
    return {
        "forward": lambda: model.forward(point),
        "jvp": lambda: np.stack(list(map(model.jacobian(point).forward, directions))),
        "vjp": lambda: model.jacobian(point).adjoint(weights),
        "curvature": lambda: np.stack(list(map(model.curvature(point, weights).forward, directions))),
    }


def _stacking(packing: rd.Packing) -> tuple[Callable[[Array], Array], Callable[[Array], Array]]:
    return lambda z: np.stack(packing.unpack(z)), lambda y: packing.pack(*y)


def _complaint(name: str, got: Any, expected: Expected, dtype: str) -> str:
    """What is wrong with the form of an answer; nothing is an empty text."""
    found = np.asarray(got)
    if found.shape != expected.numbers.shape:
        return f"{name} has shape {found.shape}, expected {expected.numbers.shape}"
    if found.dtype != np.dtype(dtype) and name != "value":
        return f"{name} has dtype {found.dtype}, expected {dtype}"
    return "" if found.dtype.kind == "f" else f"{name} is not real: {found.dtype}"


def _compared(name: str, got: Any, expected: Expected, dtype: str) -> Comparison:
    limits = np.finfo(dtype)
    rounding = float(limits.eps) * expected.scale + float(limits.smallest_subnormal)
    moved = expected.moved_in_float32 or 0.0 if dtype == "float32" else 0.0
    allowed = expected.bound + ROUNDINGS * rounding + moved
    distance = np.abs(np.asarray(got, dtype=np.float64) - expected.numbers)
    error = float(np.max(distance)) if np.isfinite(distance).all() else float("inf")
    return Comparison(name, error, allowed, expected.scale)
