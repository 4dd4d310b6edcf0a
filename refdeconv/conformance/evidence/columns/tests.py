"""What the tests of the checkout say: the machine check of each page, and the contract of each model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from refdeconv.conformance.evidence.cells import Cell, Say, not_run
from refdeconv.conformance.evidence.checkout import Checkout, CheckoutError, PytestResult, need
from refdeconv.conformance.evidence.models import Model

_PAGE_TEST = "tests/test_derivations.py::test_the_python_of_the_page_runs"
_REMARK = 300  # characters of a failed test's message that are kept


class SymbolicCheck:
    """The Python of each derivation page, executed."""

    name = "symbolic check"
    says = (
        "The machine check of the derivation page ran: sympy differentiates the definition on 2 to 4 pixels, the "
        "difference to the page's formula simplifies to exactly 0, and the code agrees with the formula."
    )
    command = f'python -m pytest "{_PAGE_TEST}[PAGE]"'

    def __init__(self, checkout: Checkout | None) -> None:
        self.checkout = checkout

    def run(self, models: Sequence[Model], say: Say) -> Mapping[str, Cell]:
        """A page that several models share is executed once."""
        commands = {model.name: " && ".join(self._command(page) for page in _pages(model)) for model in models}
        pages = sorted({page for model in models for page in _pages(model)})
        try:
            need("sympy", "mpmath")
            results = _in(self.checkout).pytest([f"{_PAGE_TEST}[{page}]" for page in pages], say)
        except CheckoutError as reason:
            return {name: Cell("not run", command, remark=str(reason)) for name, command in commands.items()}
        by_page = {result.name.split("[", 1)[1].removesuffix("]"): result for result in results if "[" in result.name}
        return {
            model.name: _verdict([by_page[page] for page in _pages(model) if page in by_page], commands[model.name])
            for model in models
        }

    def _command(self, page: str) -> str:
        return self.command.replace("PAGE", page)


class ContractTests:
    """The tests that every operator, map and functional must pass, whatever it computes."""

    name = "contract tests"
    says = (
        "How many tests of the contract passed: derivatives by complex step in three precisions, analyticity, dot test "
        "and dense matrix, symmetry, dtypes, memory layouts, inputs unchanged, refusal of wrong shapes, threads."
    )
    command = "python -m pytest tests/test_contracts.py --model NAME"

    def __init__(self, checkout: Checkout | None) -> None:
        self.checkout = checkout

    def run(self, models: Sequence[Model], say: Say) -> Mapping[str, Cell]:
        """One run of all, or of one model; each test says in its report which model it is about."""
        tested = [model for model in models if model.kind in ("functional", "linear operator", "map", "calculus")]
        if not tested:
            return {}
        one = ["--model", tested[0].name] if len(tested) == 1 else []
        try:
            results = _in(self.checkout).pytest(["tests/test_contracts.py", *one], say)
        except CheckoutError as reason:
            return not_run(tested, self.command, str(reason))
        by_model: dict[str, list[PytestResult]] = {}
        for result in results:
            by_model.setdefault(result.properties.get("model", ""), []).append(result)
        return {
            model.name: _verdict(by_model.get(model.name, []), self.command.replace("NAME", model.name))
            for model in tested
        }


def _pages(model: Model) -> list[str]:
    return list(dict.fromkeys(citation.page for citation in model.citations))


def _in(checkout: Checkout | None) -> Checkout:
    if checkout is None:
        raise CheckoutError("needs a source checkout: run it there")
    return checkout


def _verdict(results: Sequence[PytestResult], command: str) -> Cell:
    if not results:
        return Cell("failed", command, remark="no such test was found")
    failures = [result for result in results if not result.passed]
    if failures:
        remark = f"{len(failures)} of {len(results)} failed; the first: {failures[0].name}: {failures[0].message}"
        return Cell("failed", command, count=len(failures), remark=remark[:_REMARK])
    if all(result.skipped for result in results):
        return Cell("not run", command, remark="skipped")
    return Cell("passed", command, count=len(results))
