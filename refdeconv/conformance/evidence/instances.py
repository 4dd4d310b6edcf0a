"""Instances of each public model, away from their defaults, which are in the package and so in every installation.

Those of the golden vectors; for what these do not have, compositions of a few public models.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

import refdeconv as rd
from refdeconv.calculus import Functional, Operator
from refdeconv.conformance.golden.cases import CASES
from refdeconv.conformance.golden.running import made

Array = NDArray[Any]


# Where one of two terms has a kink, so that its part of the gradient is specified; the rest is derived.
AT_KINKS: Mapping[str, frozenset[str]] = {
    "norms-flat-image": frozenset({"gradient"}),
    "norms-zero-residual": frozenset({"gradient"}),
}


@dataclass(frozen=True, eq=False)
class Instance:
    """A model at a point.

    Attributes
    ----------
    name : str
        What it is, for a reader.
    thing : Functional or Operator
        The model itself.
    point : array
        float64, where it is evaluated.
    specified : frozenset of str
        Outputs that are specified at this point and not derivatives, since it is a kink.
    """

    name: str
    thing: Functional | Operator
    point: Array
    specified: frozenset[str] = frozenset()


def instances(model: str) -> Iterator[Instance]:
    """All instances of the model of that public name."""
    for case in CASES:
        thing = made(case.model, case.parameters) if case.model == model else None
        if isinstance(thing, Functional | Operator):
            yield Instance(
                case.name, thing, case.point, frozenset(case.specified) | AT_KINKS.get(case.name, frozenset())
            )
    for name, (thing, point) in _COMPOSED.get(model, dict)().items():
        yield Instance(name, thing, point)


Composed = dict[str, tuple[Any, Array]]


def _draw(*shape: int) -> Array:
    return np.random.default_rng(list(shape)).standard_normal(shape)


def _parts() -> tuple[Any, Any, Any]:
    """A blur, differences and a map, of one shape."""
    shape = (5, 4)
    return rd.Convolution(_draw(2, 3), shape, "reflect"), rd.Gradient(shape, spacing=0.7), rd.Softplus(shape, 1.4)


def _functionals() -> Composed:
    K, D, m = _parts()
    misfit, z = rd.PseudoHuber(_draw(5, 4), 0.6) @ K, _draw(5, 4)
    return {
        "f @ A": (rd.L2Norm(_draw(5, 4)) @ K, z),
        "f @ m": (rd.LeastSquares(_draw(5, 4)) @ m, z),
        "f + c g": (misfit + 0.3 * rd.SmoothedGroupNorm(0.5) @ D, z),
        "(f - c g) @ m": ((misfit - 0.2 * rd.LogCosh(delta=0.8)) @ m, z),
    }


def _linear_operators() -> Composed:
    K, D, _ = _parts()
    x = _draw(5, 4)
    scaled = rd.Diagonal(_draw(5, 4))
    composed = {"A @ B": D @ K, "A + B": K + scaled, "c A - B": 1.7 * K - scaled, "A.T": D.T}
    return {name: (A, x if name != "A.T" else _draw(2, 5, 4)) for name, A in composed.items()}


def _maps() -> Composed:
    K, D, m = _parts()
    composed = {"m @ A": m @ K, "A @ m": D @ m, "m @ n": m @ rd.Square((5, 4)), "m + c n": m + 0.6 * rd.Square((5, 4))}
    return {name: (n, _draw(5, 4)) for name, n in composed.items()}


def _self_adjoint() -> Composed:
    w = _draw(5, 4)
    return {"v -> w <w, v> + 3 v": (rd.SelfAdjoint((5, 4), lambda v: w * (w * v).sum() + 3.0 * v), _draw(5, 4))}


# What is no class with parameters of its own: the rules by which models are composed.
_COMPOSED: Mapping[str, Callable[[], Composed]] = {
    "Functional": _functionals,
    "LinearOperator": _linear_operators,
    "Operator": _maps,
    "SelfAdjoint": _self_adjoint,
}
