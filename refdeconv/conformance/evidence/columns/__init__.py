"""The columns of the page, each a way to find out whether a model is right."""

from __future__ import annotations

from refdeconv.conformance.evidence.cells import Column
from refdeconv.conformance.evidence.checkout import Checkout
from refdeconv.conformance.evidence.columns.autodiff import FRAMEWORKS, Autodiff
from refdeconv.conformance.evidence.columns.complex_step import ComplexStep
from refdeconv.conformance.evidence.columns.derivation import Derivation
from refdeconv.conformance.evidence.columns.golden import DirectSummation, FiftyDigits
from refdeconv.conformance.evidence.columns.tests import ContractTests, SymbolicCheck


def all_columns(checkout: Checkout | None) -> list[Column]:
    """In the order of the page; those that need a checkout say so without one."""
    return [
        Derivation(checkout),
        SymbolicCheck(checkout),
        ComplexStep(),
        DirectSummation(),
        FiftyDigits(),
        *(Autodiff(framework, checkout) for framework in FRAMEWORKS),
        ContractTests(checkout),
    ]
