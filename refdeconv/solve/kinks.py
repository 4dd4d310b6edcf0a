"""Minimisers at a kink: where a norm is zero no gradient tells, but a subgradient does."""

import math
from typing import Any

import numpy as np
import scipy.sparse.linalg

from refdeconv._arrays import Array, inner, norm
from refdeconv.calculus import Functional, LinearOperator
from refdeconv.calculus.functional import Composition, Multiple
from refdeconv.functionals import L2Norm

NEAR = 1e-2  # a norm whose value is below this part of the objective's is taken to be at its kink
TOLERANCE = 1e-6  # how far the subgradient may be from cancelling the other terms' gradient, relative to it
PRODUCTS = 500  # with each of the operator and its adjoint, to find out


def bound_at_kink(objective: Functional, x: Array, value: Any) -> float:
    """How far F(x) is from its minimum at most, relative to F(x), if that lies at a kink nearby; or infinity.

    Parameters
    ----------
    objective : Functional
        A sum of convex terms.
    x : ndarray
        The point.
    value : float
        The objective's value there.

    Returns
    -------
    float
        Infinity where no term is a norm near its kink, or its subgradients cannot cancel the other terms' gradient.

    Notes
    -----
    Derivation: derivations/solve.md, SOL.4
    """
    near, rest = [], np.zeros(x.shape)
    for term in objective.terms():
        parts = _as_norm(term)
        if parts is not None and term.value(x) <= NEAR * abs(value):
            near.append(parts)
        else:
            rest += term.gradient(x)
    if len(near) != 1:
        return math.inf
    scale, data, operator = near[0]
    weighted = scale * operator
    found = scipy.sparse.linalg.lsmr(weighted.T.to_scipy(), -rest.reshape(-1), atol=1e-8, btol=1e-8, maxiter=PRODUCTS)[
        0
    ].reshape(operator.output_shape)
    direction = found / max(1.0, float(norm(found)))  # a subgradient's direction is no longer than one
    if norm(weighted.adjoint(direction) + rest) > TOLERANCE * norm(rest):
        return math.inf
    residual = operator.forward(x) - (0 if data is None else data)
    gap = scale * (norm(residual) - inner(direction, residual))
    return float(gap / abs(value)) if value != 0 else 0.0


def _as_norm(term: Functional) -> tuple[float, Array | None, LinearOperator] | None:
    """A term c ||A x - d|| as the triple c, d, A; None for any other."""
    scale: float = 1.0
    operator: LinearOperator | None = None
    while not isinstance(term, L2Norm):
        if isinstance(term, Multiple):
            scale, term = scale * float(term.scale), term.functional
        elif isinstance(term, Composition) and isinstance(term.inner, LinearOperator):
            operator = term.inner if operator is None else term.inner @ operator
            term = term.outer
        else:
            return None
    return None if operator is None or scale <= 0 else (scale, term.data, operator)
