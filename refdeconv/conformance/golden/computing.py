"""The outputs of a case from its definition, and how far rounding can move them.

Needs mpmath. Besides the outputs themselves, two things are computed of each:

- its *scale*: how far it moves, per unit, when every number of the input is moved relatively by plus or minus a tiny
  amount (the largest of a few patterns of signs, and its own size; of a functional's value also the sum of the sizes of
  all parts that it adds up). A computation in floating point whose rounding is as if its input had been moved by a few
  units in the last place is off by a few ``eps * scale``, whatever cancels in it.
- how far it moves when every number of the input is rounded to float32, which is what a computation in that precision
  does before it begins.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from random import Random
from typing import Any

import numpy as np
from mpmath import mp, mpf
from numpy.typing import NDArray

from refdeconv.conformance.golden.case import OUTPUTS, Case
from refdeconv.conformance.golden.definitions import DEFINITIONS, SIZES, arrays, differentiation, operators
from refdeconv.conformance.golden.definitions.differentiation import Derivative
from refdeconv.conformance.golden.part import Part

Array = NDArray[Any]
Outputs = dict[str, Derivative]

_PATTERNS = 3  # of signs
_MOVE = mpf(10) ** -30  # far above the digits of a derivative, far below what bends
_LARGEST_SINGLE = float(np.finfo(np.float32).max)


@dataclass(frozen=True)
class Computed:
    """An output of a case.

    Attributes
    ----------
    numbers : array of object
        mpmath numbers.
    bound : mpf
        On the error of each of them.
    scale : mpf
    moved_in_float32 : mpf or None
        How far it moves when the input is rounded; None where that is outside the range of float32, or the domain.
    """

    numbers: Array
    bound: Any
    scale: Any
    moved_in_float32: Any | None


def compute(case: Case) -> dict[str, Computed]:
    """All outputs of a case that are numbers."""
    with differentiation.many_digits():
        plain = _outputs(moved(case, arrays.number))
        scales = {name: _largest(output.numbers) for name, output in plain.items()}
        if "value" in plain:
            scales["value"] = SIZES[case.model](*_at(case))
        for pattern in range(_PATTERNS):
            signs = Random(f"{case.name} {pattern}")
            other = _outputs(moved(case, lambda x, s=signs: arrays.number(x) * (1 + s.choice((-1, 1)) * _MOVE)))  # type: ignore[misc]
            for name in scales:
                scales[name] = max(scales[name], _distance(other[name], plain[name]) / _MOVE)
        single = _in_single(case, plain)
        return {name: Computed(*output, scales[name], single.get(name)) for name, output in plain.items()}


def moved(case: Case, move: Callable[[float], Any]) -> Case:
    """The case with every real number of its input replaced."""
    fields = ("parameters", "point", "directions", "weights")
    return replace(case, **{name: _each_number(getattr(case, name), move) for name in fields})


def _each_number(value: Any, move: Callable[[float], Any]) -> Any:
    """The same structure with every real number in it replaced; whole numbers, names and masks are kept."""
    if isinstance(value, float | np.floating):
        return move(float(value))
    if isinstance(value, np.ndarray) and value.dtype.kind == "f":
        return arrays.filled(value.shape, lambda index: move(float(value[index])))
    if isinstance(value, tuple | list):
        return tuple(_each_number(part, move) for part in value)
    if isinstance(value, Mapping):
        return {name: _each_number(part, move) for name, part in value.items()}
    if isinstance(value, Part):
        return Part(value.model, _each_number(value.parameters, move))
    return value


def _at(case: Case) -> tuple[Any, Any]:
    exact = moved(case, arrays.number)
    return exact.parameters, exact.point


def _outputs(case: Case) -> Outputs:
    """The outputs at a case whose numbers are exact ones."""

    def forward(z: Array) -> Any:
        return DEFINITIONS[case.model](case.parameters, z)

    of_kind = {"functional": _of_functional, "linear operator": _of_operator, "map": _of_map}
    outputs = of_kind[case.kind](case, forward)
    found = {name: make() for name, make in outputs.items() if name not in case.specified}
    numbers = {name: given for name, given in case.specified.items() if name not in case.answers}
    given = {name: Derivative(arrays.exact(array), mpf(0)) for name, array in numbers.items()}
    return {name: (given | found)[name] for name in OUTPUTS[case.kind] if name not in case.answers}


def _of_functional(case: Case, f: Callable[[Array], Any]) -> dict[str, Callable[[], Derivative]]:
    u, directions = case.point, case.directions
    assert directions is not None
    return {
        "value": lambda: differentiation.value(f, u),
        "gradient": lambda: differentiation.gradient(f, u),
        "hvp": lambda: _stacked([differentiation.hvp(f, u, v) for v in directions]),
    }


def _of_operator(case: Case, forward: Callable[[Array], Array]) -> dict[str, Callable[[], Derivative]]:
    y = case.weights
    assert y is not None
    return {
        "forward": lambda: _rounded(forward(case.point)),
        "adjoint": lambda: _rounded(operators.adjoint(forward, case.point.shape, y)),
    }


def _of_map(case: Case, forward: Callable[[Array], Array]) -> dict[str, Callable[[], Derivative]]:
    z, w, directions = case.point, case.weights, case.directions
    assert w is not None
    assert directions is not None
    return {
        "forward": lambda: _rounded(forward(z)),
        "jvp": lambda: _stacked([differentiation.jvp(forward, z, v) for v in directions]),
        "vjp": lambda: differentiation.vjp(forward, z, w),
        "curvature": lambda: _stacked([differentiation.curvature(forward, z, w, v) for v in directions]),
    }


def _rounded(numbers: Array) -> Derivative:
    """Sums, and what rounding can have done to them: far less than the digits that are kept."""
    return Derivative(numbers, _largest(numbers) * mpf(10) ** -(2 * arrays.DIGITS))


def _stacked(parts: list[Derivative]) -> Derivative:
    numbers = arrays.filled((len(parts), *parts[0].numbers.shape), lambda i: parts[i[0]].numbers[i[1:]])
    return Derivative(numbers, max(part.error for part in parts))


def _in_single(case: Case, plain: Outputs) -> dict[str, Any]:
    """How far the outputs move when the input is rounded to float32; without those that leave its range."""
    try:
        rounded = _outputs(moved(case, _to_single))
    except (ArithmeticError, ValueError):
        return {}
    return {
        name: _distance(output, plain[name]) + output.error
        for name, output in rounded.items()
        if _largest(output.numbers) <= _LARGEST_SINGLE
    }


def _to_single(x: float) -> Any:
    if abs(x) > _LARGEST_SINGLE or (x != 0 and abs(x) < float(np.finfo(np.float32).tiny)):
        raise OverflowError(f"{x} is outside the range of float32")
    return mpf(float(np.float32(x)))


def _largest(numbers: Array) -> Any:
    return max((abs(x) for x in numbers.flat), default=mpf(0))


def _distance(a: Derivative, b: Derivative) -> Any:
    return _largest(np.asarray(a.numbers - b.numbers, dtype=object))  # a difference without axes is no array


def decimal(x: Any) -> str:
    """A number to so many decimal digits as are kept."""
    return str(mp.nstr(x, arrays.DIGITS, strip_zeros=True))
