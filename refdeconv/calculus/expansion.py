"""A functional seen from one point."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from refdeconv._arrays import Array
from refdeconv.calculus.operator import LinearOperator


@dataclass(frozen=True)
class Expansion:
    """A functional seen from one point: value, gradient and Hessian there, each computed when it is asked for.

    What depends on the point alone (the forward pass of the operators below) was computed when the expansion was made,
    and the three share it. Nothing is cached: asking twice computes twice. The point is not copied: an array that is
    changed afterwards is another point.

    Attributes
    ----------
    value : callable
        () -> f(u)
    gradient : callable
        () -> grad f(u)
    hessian : callable
        () -> hess f(u), a self-adjoint `LinearOperator`

    Notes
    -----
    Derivation: derivations/calculus.md, CAL.4
    """

    value: Callable[[], Any]
    gradient: Callable[[], Array]
    hessian: Callable[[], LinearOperator]
