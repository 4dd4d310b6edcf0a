"""What an example is, what is true there, and the verdict on what a framework gives."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import mpmath
import numpy as np

import refdeconv as rd
from tests.autodiff import Array

Quantity = Literal["value", "gradient", "hvp"]
Verdict = Literal["right", "wrong", "fails", "much memory"]  # the last of a gradient that is right
NAMES = ("autograd", "jax", "torch", "tensorflow")
TOLERANCES = {np.dtype(np.float64): 1e-12, np.dtype(np.float32): 2e-6}


@dataclass(frozen=True)
class Example:
    """One function at one point; `found` is what the releases in pitfalls.md were found to give.

    The truth is the derivative of `definition` in mpmath, or what `by_definition` says: at a kink, the subgradient of
    least norm.
    """

    title: str
    function: str
    quantity: Quantity
    x: Array
    found: dict[str, Verdict]
    ours: Callable[[], rd.Functional]
    parameters: tuple[Any, ...] = ()
    definition: Callable[..., Any] | None = None
    by_definition: Array | None = None
    to_ours: Callable[[Array], Array] = lambda array: array
    from_ours: Callable[[Array], Array] = lambda array: array

    @property
    def v(self) -> Array:
        """The direction of the Hessian-vector product: 1, 2, 3, ...; for a matrix, a symmetric one."""
        v = np.arange(1.0, self.x.size + 1).reshape(self.x.shape)
        return ((v + v.T) / 2 if self.function == "eigenvalues" else v).astype(self.x.dtype)

    def refdeconv(self) -> Array:
        """What refdeconv gives."""
        functional, x, v = self.ours(), self.to_ours(self.x), self.to_ours(self.v)
        if self.quantity == "value":
            return np.asarray(functional.value(x))
        return self.from_ours(functional.gradient(x) if self.quantity == "gradient" else functional.hvp(x, v))

    def truth(self) -> Array:
        """To the precision of float64."""
        if self.by_definition is not None:
            return self.by_definition
        with mpmath.workdps(60):
            return np.array(self._differentiated(), dtype=float).reshape(
                () if self.quantity == "value" else self.x.shape
            )

    def _differentiated(self) -> Any:
        x, v = ([mpmath.mpf(float(each)) for each in array.ravel()] for array in (self.x, self.v))
        parameters = [
            [mpmath.mpf(float(each)) for each in p.ravel()] if isinstance(p, np.ndarray) else mpmath.mpf(float(p))
            for p in self.parameters
        ]
        definition = self.definition
        assert definition is not None
        if self.quantity == "value":
            return definition(x, *parameters)
        # A step far below the scale on which the function changes: mpmath's own choice is not relative to x.
        scale = min([abs(each) for each in x if each] or [mpmath.mpf(1)])
        along = v if self.quantity == "hvp" else [mpmath.mpf(0)] * len(x)

        def moved(i: int, s: Any, t: Any) -> Any:
            return definition(
                [xj + s * (i == j) + t * vj for j, (xj, vj) in enumerate(zip(x, along, strict=True))], *parameters
            )

        def derivative(i: int) -> Any:
            with mpmath.workdps(120):
                h = mpmath.mpf(10) ** -25 * min(scale, 1)
                if self.quantity == "gradient":
                    return (moved(i, h, 0) - moved(i, -h, 0)) / (2 * h)
                corners = sum(s * t * moved(i, s * h, t * h) for s in (1, -1) for t in (1, -1))
                return corners / (4 * h * h)

        return [derivative(i) for i in range(len(x))]


def judge(found: Array | None, truth: Array, dtype: Any) -> Verdict:
    """Right to a few roundings, wrong, or none at all."""
    if found is None or not np.isfinite(found).all():
        return "fails"
    return "right" if relative_error(found, truth) <= TOLERANCES[np.dtype(dtype)] else "wrong"


def relative_error(found: Array, truth: Array) -> float:
    """Of the largest entry; where the truth is zero, the error itself."""
    return float(np.abs(found - truth).max() / (np.abs(truth).max() or 1))


def say(*verdicts: Verdict) -> dict[str, Verdict]:
    """Of each framework, in the order of NAMES; what a library does not offer is not in it."""
    return {name: verdict for name, verdict in zip(NAMES, verdicts, strict=True) if verdict}
