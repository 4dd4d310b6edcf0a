"""Golden vectors, computed from the definitions at 50 digits: values by direct summation, and derivatives."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache

from refdeconv.conformance.array_files import FileError
from refdeconv.conformance.evidence.cells import Cell, Say, not_run
from refdeconv.conformance.evidence.checkout import CheckoutError, need
from refdeconv.conformance.evidence.models import Model, with_definition
from refdeconv.conformance.golden import running, suite
from refdeconv.conformance.golden.conventions import ROUNDINGS


class GoldenVectors:
    """Some of the outputs that golden vectors have."""

    name: str
    says: str
    outputs: frozenset[str]
    command = "refdeconv conformance run --filter NAME"

    def run(self, models: Sequence[Model], say: Say) -> Mapping[str, Cell]:
        """All vectors of each model that has some."""
        try:
            need("jsonschema", extra="cli")
            cases = recorded()
        except CheckoutError as missing:
            return not_run(with_definition(models), self.command, str(missing))
        except FileError as error:  # the package's own files are damaged
            return _all_failed(with_definition(models), self.command, str(error))
        cells = {}
        for model in models:
            say(model.name)
            command = self.command.replace("NAME", model.name)
            outcomes = [_outcome(case) for case in cases if case.model == model.name]
            if outcomes:
                cells[model.name] = self._cell(outcomes, command)
            elif model in with_definition(models):
                cells[model.name] = Cell("failed", command, remark="there is no golden vector of it")
        return cells

    def _cell(self, outcomes: Sequence[running.Outcome], command: str) -> Cell:
        wrong = [outcome for outcome in outcomes if self._is_wrong(outcome)]
        details: dict[str, float] = {}
        place, worst = "", -1.0
        for case, output, error in self._errors(outcomes):
            details[output] = max(error, details.get(output, 0.0))
            if error > worst:
                place, worst = f"worst: {output} of {case}", error
        return Cell(
            "failed" if wrong else "passed",
            command,
            worst if details else None,
            len(outcomes),
            f"{wrong[0].case.name}: {wrong[0].message}" if wrong else place,
            details=details,
        )

    def _is_wrong(self, outcome: running.Outcome) -> bool:
        """Whether one of these outputs is, or all are, since nothing could be compared."""
        if outcome.status != "WRONG" or not outcome.comparisons:
            return outcome.status == "WRONG"
        return any(c.output in self.outputs and not c.error <= c.allowed for c in outcome.comparisons)

    def _errors(self, outcomes: Iterable[running.Outcome]) -> Iterator[tuple[str, str, float]]:
        """Case, output, and the largest error relative to the output's scale."""
        for outcome in outcomes:
            for c in outcome.comparisons:
                if c.output in self.outputs:
                    yield outcome.case.name, c.output, c.error / c.scale if c.scale else c.error


class DirectSummation(GoldenVectors):
    """What the definition says, as it is."""

    name = "direct summation"
    says = (
        "Largest error in float64 of values and forward passes against their definitions, summed pixel by pixel at 50 "
        "digits: the golden vectors. It is relative to the scale that is recorded with them, of which "
        f"{ROUNDINGS} roundings are allowed."
    )
    outputs = frozenset({"value", "forward"})


class FiftyDigits(GoldenVectors):
    """What is derived from the definition, in mpmath."""

    name = "mpmath"
    says = (
        "The same of gradients, Hessian-vector products, adjoints, Jacobian products and curvatures, against "
        "derivatives of the definition in mpmath, right to 50 digits."
    )
    outputs = frozenset({"gradient", "hvp", "adjoint", "jvp", "vjp", "curvature"})


def _all_failed(models: Sequence[Model], command: str, remark: str) -> dict[str, Cell]:
    return {model.name: Cell("failed", command.replace("NAME", model.name), remark=remark) for model in models}


@cache
def recorded() -> tuple[suite.Recorded, ...]:
    """The package's own golden vectors, read once."""
    return suite.read().cases


@cache
def _outcome(case: suite.Recorded) -> running.Outcome:
    return running.run(case)
