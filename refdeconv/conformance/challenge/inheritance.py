"""Whether a gradient or a Hessian product is wrong only since the adjoint is, which both are computed with."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

import numpy as np

from refdeconv._arrays import Array
from refdeconv.checks.faults.corrections import EXACT, GOOD, explained, rearrangements
from refdeconv.conformance.challenge.alternatives import Alternative
from refdeconv.conformance.challenge.explaining import fit_of, place_of
from refdeconv.conformance.challenge.folder import Challenge
from refdeconv.conformance.challenge.models import pieces
from refdeconv.conformance.challenge.observed import Observed

Map = Callable[[Array], Array]

_SMALL_PART = 0.5  # of the pixels: an error that is confined to them is no coincidence


def inherited(cause: Observed, other: Observed, made: Challenge) -> bool:
    """Whether the recorded fault of the adjoint explains the error of another function.

    Parameters
    ----------
    cause : Observed
        The adjoint, which is wrong.
    other : Observed
        The gradient or the Hessian product, which is wrong.
    made : Challenge
        What was asked.

    Returns
    -------
    bool

    Notes
    -----
    Derivation: derivations/conformance/challenge.md, CHA.5
    """
    if other.function not in ("gradient", "hvp"):
        return False
    own = pieces(made.problem)
    for change in _changes(cause, made):
        if fit_of(Alternative("", "", replace(own, adjoint=_then(own.adjoint, change))), other, made) >= GOOD:
            return True
    return _confined(cause, other)


def _then(first: Map, second: Map) -> Map:
    return lambda y: second(first(y))


def _scaled(inside: Array, factor: float, x: Array) -> Array:
    return np.where(inside, factor * x, x)


def _changes(cause: Observed, made: Challenge) -> Iterator[Map]:
    """What was done to the results of the adjoint: a factor everywhere, or in a place, or a rearrangement."""
    given, right = (cause.row(list(arrays)) for arrays in (cause.given, [r.answer for r in cause.right]))
    shape = cause.right[0].answer.shape
    place = place_of(cause, made)
    mask = None if place is None else place.mask(shape)
    if mask is not None:
        some = np.tile(mask.ravel(), len(cause.given))
        size = float(right[some] @ right[some])
        factor = float(given[some] @ right[some]) / size if size > 0 else 0.0
        if explained(given - np.where(some, factor * right, right), cause.lacking) >= GOOD:
            yield partial(_scaled, mask, factor)
    for _, move, _ in rearrangements(shape):
        moved = cause.row([g - move(r.answer) for g, r in zip(cause.given, cause.right, strict=True)])
        if explained(moved, cause.lacking) >= GOOD:
            yield move


def _confined(cause: Observed, other: Observed) -> bool:
    """Whether the other is wrong only at pixels where the cause is, and these are few."""
    bad = np.zeros(cause.right[0].answer.shape, bool)
    for index in cause.wrong:
        right = cause.right[index]
        bad |= np.abs(cause.given[index] - right.answer) > right.bound / np.sqrt(right.answer.size)
    if not bad.any() or bad.mean() > _SMALL_PART:
        return False
    outside = [np.where(bad, 0, g - r.answer) for g, r in zip(other.given, other.right, strict=True)]
    return explained(other.row(outside), other.lacking) >= EXACT
