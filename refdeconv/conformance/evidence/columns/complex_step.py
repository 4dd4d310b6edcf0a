"""Complex steps, taken by the package itself at the cases of the golden vectors."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from refdeconv.calculus import Functional, LinearOperator, Operator
from refdeconv.checks import identities
from refdeconv.conformance.evidence.cells import Cell, Say
from refdeconv.conformance.evidence.instances import Instance, instances
from refdeconv.conformance.evidence.models import Model

Array = NDArray[Any]

LIMIT = 1e-14
_STEP = 2.0**-200


class ComplexStep:
    """Every derivative against what it is the derivative of, every adjoint by the dot test."""

    name = "complex step"
    says = (
        "Largest relative error of derivatives in float64 against complex steps through what they are derivatives of: "
        "gradients through values, Hessian-vector products through gradients, Jacobian products and curvatures through "
        f"forward passes and Jacobians; adjoints by the dot test. Must be at most {LIMIT:.0e}."
    )
    command = 'refdeconv evidence --model NAME --column "complex step"'

    def run(self, models: Sequence[Model], say: Say) -> Mapping[str, Cell]:
        """At each instance that a model has."""
        cells = {}
        for model in models:
            command = self.command.replace("NAME", model.name)
            say(model.name)
            found = list(instances(model.name))
            if found:
                cells[model.name] = _worst(found, command)
            elif model.kind in ("functional", "linear operator", "map", "calculus"):
                cells[model.name] = Cell("failed", command, remark="there is no case of it")
        return cells


def _worst(found: Sequence[Instance], command: str) -> Cell:
    errors: dict[tuple[str, str], float] = {}
    for instance in found:
        for quantity, error in errors_of(instance):
            errors[instance.name, quantity] = error if np.isfinite(error) else float("inf")
    place = max(errors, key=errors.__getitem__)
    details: dict[str, float] = {}
    for (_, quantity), error in errors.items():
        details[quantity] = max(error, details.get(quantity, 0.0))
    passed, count = errors[place] <= LIMIT, len({name for name, _ in errors})
    remark = f"worst: {place[1]} of {place[0]}"
    return Cell("passed" if passed else "failed", command, errors[place], count, remark, details=details)


def errors_of(instance: Instance) -> Iterator[tuple[str, float]]:
    """Each quantity with its relative error."""
    thing, x = instance.thing, instance.point
    if isinstance(thing, Functional):
        yield from _functional(thing, x, instance.specified)
    elif isinstance(thing, LinearOperator):
        yield "forward", _step_error(thing.forward, thing.forward, x)
        yield "adjoint", _dot_test(thing)
    else:
        yield from _map(thing, x, instance.specified)


def _functional(f: Functional, x: Array, specified: frozenset[str]) -> Iterator[tuple[str, float]]:
    if "gradient" not in specified:
        yield "gradient", identities.gradient_error(f.value, f.gradient, x)
    if "hvp" not in specified:
        hessian = f.hessian(x)
        if hessian.forward(_direction(x)).any():  # a norm of one pixel bends nowhere: nothing to be relative to
            yield "hvp", identities.hvp_error(f.gradient, lambda _, v: hessian.forward(v), x)
            yield "symmetry", identities.hvp_symmetry_error(lambda _, v: hessian.forward(v), x)


def _map(m: Operator, z: Array, specified: frozenset[str]) -> Iterator[tuple[str, float]]:
    if specified:
        return
    jacobian = m.jacobian(z)
    yield "jvp", _step_error(m.forward, jacobian.forward, z)
    yield "vjp", _dot_test(jacobian)
    w = np.random.default_rng(1).standard_normal(m.output_shape)
    yield "curvature", _step_error(lambda c: m.jacobian(c).adjoint(w), m.curvature(z, w).forward, z)


def _dot_test(operator: LinearOperator) -> float:
    return identities.adjoint_error(operator.forward, operator.adjoint, operator.input_shape, operator.output_shape)


def _step_error(function: Callable[[Array], Array], slope: Callable[[Array], Array], x: Array) -> float:
    """A directional derivative against a complex step, relative to its norm."""
    v = _direction(x)
    step = _STEP * 2.0 ** np.round(np.log2(np.max(np.abs(x)) or 1.0))
    stepped, expected = np.asarray(function(x + 1j * step * v)), slope(v)
    if stepped.shape != expected.shape:
        return float("inf")
    difference, size = np.max(np.abs(stepped.imag / step - expected)), np.max(np.abs(expected))
    return float(difference / size if size else difference)


def _direction(x: Array) -> Array:
    return np.random.default_rng(0).standard_normal(x.shape)
