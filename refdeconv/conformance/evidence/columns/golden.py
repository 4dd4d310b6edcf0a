"""Golden vectors, computed from the definitions at 50 digits: values by direct summation, and derivatives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from refdeconv.conformance.evidence.cells import Cell, Say
from refdeconv.conformance.evidence.models import Model


class GoldenVectors:
    """Some of the outputs that golden vectors have."""

    name: str
    says: str
    outputs: frozenset[str]
    command = "refdeconv conformance run --filter NAME"

    def run(self, models: Sequence[Model], say: Say) -> Mapping[str, Cell]:
        """Each vector of each model."""
        raise NotImplementedError


class DirectSummation(GoldenVectors):
    """What the definition says, as it is."""

    name = "direct summation"
    says = (
        "Largest relative error in float64 of values and forward passes against their definitions, summed pixel by "
        "pixel at 50 digits (golden vectors)."
    )
    outputs = frozenset({"value", "forward"})


class FiftyDigits(GoldenVectors):
    """What is derived from the definition, in mpmath."""

    name = "mpmath"
    says = (
        "Largest relative error in float64 of gradients, Hessian-vector products, adjoints, Jacobian products and "
        "curvatures against derivatives of the definition in mpmath at 50 digits (golden vectors)."
    )
    outputs = frozenset({"gradient", "hvp", "adjoint", "jvp", "vjp", "curvature"})
