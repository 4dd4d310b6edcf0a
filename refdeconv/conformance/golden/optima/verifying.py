"""Are the optima in a folder what they are said to be? Every proof is evaluated anew, from the files alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from refdeconv.conformance.golden.optima import large_article
from refdeconv.conformance.golden.optima.certificates import Proof, by_curvature, by_strong_convexity
from refdeconv.conformance.golden.optima.definitions import Definition, definition
from refdeconv.conformance.golden.optima.functions import UnprovenError
from refdeconv.conformance.golden.optima.intervals import context, exact, norm, upper
from refdeconv.conformance.golden.optima.reading import Optimum

Array = NDArray[Any]
MOST_UNKNOWNS = 100  # for proofs by the matrix of the Hessian
REQUIRED = Fraction(1, 10**12)
_SLACK = 2  # a stated bound may be this many times what is proven, and no more


@dataclass(frozen=True)
class Verified:
    """What was proven anew: bounds on the errors of the stated minimum and minimiser, no more than the stated ones."""

    name: str
    bound_on_minimum: Fraction
    bound_on_minimiser: Fraction
    gradient_norm: Fraction
    curvature: Fraction


def verify(optimum: Optimum) -> Verified:
    """Prove an optimum anew, and compare what it states with what is proven.

    Raises
    ------
    UnprovenError
        If the proof does not go through, or proves less than is stated, or much more; the message says what.
    """
    try:
        proof = prove(optimum)
    except UnprovenError as error:
        raise UnprovenError(f"{optimum.name}: {error}") from error
    except (ArithmeticError, ValueError, TypeError) as error:  # outside of the domain; arguments of another model
        raise UnprovenError(f"{optimum.name}: no proof can be evaluated there: {error}") from error
    found = bounds(optimum.minimum, optimum.remainder, proof)
    stated = optimum.bound_on_minimum, optimum.bound_on_minimiser, optimum.certificate["gradient_norm"]
    proven = found[0], found[1], proof.gradient_norm
    what = "error of the minimum", "distance from the minimiser", "norm of the gradient"
    for claim, bound, name in zip(stated, proven, what, strict=True):
        _compare(optimum.name, name, claim, bound)
    if optimum.method != "curvature":  # there the proof begins with what is stated
        _compare_curvature(optimum, proof)
    for claim, name in zip(stated[:2], what, strict=False):
        if claim > REQUIRED:
            raise UnprovenError(f"{optimum.name}: the {name} is only known to {float(claim):.1e}, more than 1e-12")
    return Verified(optimum.name, *found, proof.gradient_norm, proof.curvature)


def _compare(name: str, what: str, claim: Fraction, bound: Fraction) -> None:
    if claim < bound:
        raise UnprovenError(
            f"{name}: the {what} is said to be at most {float(claim):.3e}, proven is {float(bound):.3e}"
        )
    if claim > _SLACK * bound:
        raise UnprovenError(
            f"{name}: the {what} is said to be at most {float(claim):.3e}, which is true, but {float(bound):.3e} is "
            "proven: somebody has changed the bound"
        )


def _compare_curvature(optimum: Optimum, proof: Proof) -> None:
    claim = optimum.certificate["curvature"]
    if not claim <= proof.curvature <= _SLACK * claim:
        raise UnprovenError(
            f"{optimum.name}: the curvature is said to be {float(claim):.3e}, proven is {float(proof.curvature):.3e}"
        )


def bounds(minimum: Fraction, remainder: Array, proof: Proof) -> tuple[Fraction, Fraction]:
    """Bounds of the error of the stated minimum, and of the distance of the rounded minimiser (OPT.1)."""
    low, high = proof.value[0] - proof.gap, proof.value[1]
    iv = context()
    rounding = upper(norm(iv, [exact(iv, Fraction(float(entry))) for entry in remainder.ravel()]))
    return max(abs(minimum - low), abs(high - minimum)), rounding + proof.distance


def prove(optimum: Optimum) -> Proof:
    """What is proven of the minimiser with its remainder, by the method that the optimum names."""
    certificate, parameters = optimum.certificate, optimum.parameters
    missing = {"curvature", "radius", "gradient_norm"} - set(certificate)
    if missing:
        raise UnprovenError(f"the certificate lacks {', '.join(sorted(missing))}")
    if optimum.method == "curvature in whole numbers":
        if optimum.model != "problems.norm_and_gradient_norm" or set(parameters) != {"data", "psf", "mu"}:
            raise UnprovenError("whole numbers prove the article's problem with zeros outside alone")
        parts = (optimum.minimiser, optimum.remainder)
        data, psf, mu = (parameters[name] for name in ("data", "psf", "mu"))
        return large_article.prove(data, psf, mu, parts, certificate["radius"])
    _require_small(optimum)
    problem = definition(optimum.model, parameters)
    x = point(problem, optimum.minimiser, optimum.remainder)
    if optimum.method == "strong convexity":
        return by_strong_convexity(problem, x)
    return by_curvature(problem, x, certificate["curvature"], certificate["radius"])


def point(problem: Definition, minimiser: Array, remainder: Array) -> Sequence[Fraction]:
    """The exact sum, after its shape is found to be the problem's."""
    if minimiser.shape != problem.shape:
        raise UnprovenError(f"the minimiser has shape {minimiser.shape}, the unknown image {problem.shape}")
    pairs = zip(minimiser.ravel(), np.ravel(remainder), strict=True)
    return [Fraction(float(high)) + Fraction(float(low)) for high, low in pairs]


def _require_small(optimum: Optimum) -> None:
    """UnprovenError for what would take hours, before anything is made of it."""
    arrays = [optimum.minimiser, *(value for value in optimum.parameters.values() if isinstance(value, np.ndarray))]
    most = max(array.size for array in arrays)
    if most > MOST_UNKNOWNS:
        raise UnprovenError(f"{most} numbers are too many for a proof by matrices, which takes {MOST_UNKNOWNS}")
    data, factor = np.asarray(optimum.parameters.get("data")), optimum.parameters.get("factor", 1)
    if type(factor) is not int or not 1 <= factor <= MOST_UNKNOWNS:
        raise UnprovenError(f"the factor {factor!r} is not a whole number from 1 to {MOST_UNKNOWNS}")
    if factor > 1 and data.size * factor**data.ndim != optimum.minimiser.size:
        raise UnprovenError(
            f"the minimiser has shape {optimum.minimiser.shape}, {factor} times that of the data expected"
        )
