"""What a golden vector is of: a model by its public name, its parameters, and where it is evaluated."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from numpy.typing import NDArray

Array = NDArray[Any]
Kind = Literal["functional", "linear operator", "map"]
# What an output can be instead of numbers: plus infinity, or nothing, which is an error.
Answer = Literal["infinite", "raises"]

# What is recorded of each kind; products with both directions are stacked along a first axis.
OUTPUTS: Mapping[Kind, tuple[str, ...]] = {
    "functional": ("value", "gradient", "hvp"),
    "linear operator": ("forward", "adjoint"),
    "map": ("forward", "jvp", "vjp", "curvature"),
}


@dataclass(frozen=True, eq=False)
class Case:
    """One model at one point.

    Attributes
    ----------
    name : str
        Unique; lower case, digits and hyphens, since files are called by it: "convolution-reflect-even-psf-2d".
    kind : str
        Regularisers and ready-made problems are functionals.
    model : str
        The public name below `refdeconv`: "Poisson", "regularizers.total_variation", "problems.blind".
    parameters : mapping
        Keyword arguments of the model: numbers, strings, tuples of whole numbers, bool, None, float64 or bool arrays.
        Values are exact: a definition takes the float64 numbers as they are.
    point : array
        float64, where it is evaluated; of a linear operator, what `forward` is applied to.
    directions : array of shape (2, *point.shape), or None
        float64, for Hessian and Jacobian products; None for linear operators.
    weights : array, or None
        float64 of the output's shape: what the adjoint (of the Jacobian) is applied to, and what weights the curvature.
    specified : mapping of str to array, or to "infinite" or "raises"
        Outputs that are specified and not derivatives, at kinks: "gradient" and "hvp" as the derivation page says.
        Outside of a domain a value is infinite, and to ask for a derivative there, or at the edge, raises an error.
    remark : str
        What is special about the case, for a reader.
    """

    name: str
    kind: Kind
    model: str
    parameters: Mapping[str, Any]
    point: Array
    directions: Array | None = None
    weights: Array | None = None
    specified: Mapping[str, Array | Answer] = field(default_factory=dict)
    remark: str = ""

    @property
    def answers(self) -> dict[str, Answer]:
        """The outputs that are no numbers."""
        return {name: given for name, given in self.specified.items() if isinstance(given, str)}
