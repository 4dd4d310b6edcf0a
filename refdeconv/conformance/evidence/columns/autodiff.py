"""Every model against four frameworks for automatic differentiation, which differentiate its definition.

The versions of the models in these frameworks are tests of the checkout: no framework is imported by the package.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

from refdeconv.conformance.evidence.cells import Cell, Say, not_run
from refdeconv.conformance.evidence.checkout import Checkout, CheckoutError
from refdeconv.conformance.evidence.models import Model, with_definition

LIMITS = {"float64": 1e-13, "float32": 1e-5}
RECORDED = "tests/autodiff/every_model/agreement.json"  # the rows of one run of all frameworks

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Framework:
    """By the names of its users, of its module, and of its package at pip."""

    name: str
    module: str
    package: str


_NAMES = {"autograd": "Autograd", "jax": "JAX", "torch": "PyTorch", "tensorflow": "TensorFlow"}
_PACKAGES = {"tensorflow": "tensorflow-cpu"}
FRAMEWORKS = tuple(Framework(name, module, _PACKAGES.get(module, module)) for module, name in _NAMES.items())

_SAYS = (
    f"Largest relative difference to what {FRAMEWORKS[0].name} makes of the definition, over random problems: values, "
    "gradients, Hessian-vector products; forward passes, adjoints, Jacobian products, curvatures. Shown in float64, "
    f"where it must be at most {LIMITS['float64']:.0e}; those in float32, at most {LIMITS['float32']:.0e}, are in the "
    "JSON."
)


class Autodiff:
    """One framework."""

    def __init__(self, framework: Framework, checkout: Checkout | None) -> None:
        self.framework, self.checkout = framework, checkout
        self.name = framework.name
        self.says = _SAYS if framework == FRAMEWORKS[0] else f"The same, with {framework.name}."
        self.command = f"python -m tests.autodiff.every_model --only {framework.module}"

    def run(self, models: Sequence[Model], say: Say) -> Mapping[str, Cell]:
        """Live where the framework is installed; else what was recorded where it was."""
        compared = with_definition(models)
        if self.checkout is None:
            return not_run(compared, self.command, "needs a source checkout: run it there")
        live = find_spec(self.framework.module) is not None
        try:
            rows = list(self._live(say) if live else self._recorded())
        except CheckoutError as reason:
            return not_run(compared, self.command, str(reason))
        install = f"needs {self.framework.name}: pip install {self.framework.package}"
        return {
            model.name: self._cell(model, [row for row in rows if row["model"] == model.name], live, install)
            for model in compared
        }

    def _live(self, say: Say) -> Iterator[Row]:
        assert self.checkout is not None
        yield from self.checkout.rows(["-m", "tests.autodiff.every_model", "--only", self.framework.module], say)

    def _recorded(self) -> Iterator[Row]:
        assert self.checkout is not None
        path = self.checkout.root / RECORDED
        if not path.exists():
            return
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
        except ValueError as error:
            raise CheckoutError(f"{RECORDED} is not JSON: {error}") from error
        yield from (row for row in found if row["framework"] == self.framework.module)

    def _cell(self, model: Model, rows: Sequence[Row], live: bool, install: str) -> Cell:
        command = self.command.replace("NAME", model.name)
        if not rows:
            return Cell("failed" if live else "not run", command, remark="no row of this model" if live else install)
        return cell_of(rows, command, "" if live else f"{self.framework.name} {rows[0]['version']}")


def cell_of(rows: Sequence[Row], command: str, recorded: str) -> Cell:
    """The worst of rows of one model and framework; what is no number is as bad as can be.

    A quantity with a remark in parentheses is one where the framework's own rounding is known to be larger, which
    a test holds against mpmath: it stands apart.
    """
    apart = [row for row in rows if "(" in row["quantity"]]
    rows = [row for row in rows if "(" not in row["quantity"]]
    worst: dict[str, float] = {}
    for row in rows:
        worst[row["dtype"]] = max(_error(row), worst.get(row["dtype"], 0.0))
    beyond = [row for row in rows if not _error(row) <= LIMITS[row["dtype"]]]
    where = ", ".join(f"{row['quantity']} in {row['dtype']}" for row in beyond)
    return Cell(
        "failed" if beyond else "passed",
        command,
        worst=max(map(_error, beyond)) if beyond else worst.get("float64"),
        count=max((row["problems"] for row in rows), default=0),
        remark=f"beyond the limit: {where}" if beyond else _said_of(apart),
        recorded=recorded,
        details=worst,
    )


def _error(row: Row) -> float:
    """Infinite where it is no number."""
    error = row["worst"]
    return float(error) if isinstance(error, int | float) and error == error else float("inf")


def _said_of(apart: Sequence[Row]) -> str:
    return "; ".join(f"apart: {row['quantity']} in {row['dtype']} {row['worst']:.1e}" for row in apart)
