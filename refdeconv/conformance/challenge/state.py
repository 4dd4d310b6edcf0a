"""Answers that are right for another call: stale caches, buffers that are not cleared, answers that depend on order."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

import numpy as np

from refdeconv._arrays import Array
from refdeconv.checks.faults.corrections import Explanation
from refdeconv.conformance.challenge.folder import Challenge
from refdeconv.conformance.challenge.models import Pieces, pieces
from refdeconv.conformance.challenge.noise import Reference, Right, size_of
from refdeconv.conformance.challenge.observed import Observed
from refdeconv.conformance.challenge.probes import Call

_CLOSE = 1e-9  # of the size of an answer: so near it is that answer, in pieces computed in float64
_NEARER = 1e-3  # of the distance of that answer from the right one
_NAMED = 3  # calls that are listed
_FEW = 2  # repetitions that say nothing about chance
_NEARLY_ALL = 0.8


def repeats(observed: Observed, made: Challenge) -> list[tuple[int, int]]:
    """Pairs of calls with the same input, each with the first such call."""
    first: dict[tuple[bytes, bytes], int] = {}
    found = []
    for index, call in enumerate(observed.calls):
        names = (call.point, call.direction)
        point, direction = (made.probes[name].array.tobytes() if name else b"" for name in names)
        before = first.setdefault((point, direction), index)
        if before != index:
            found.append((before, index))
    return found


def differing(observed: Observed, pairs: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Those whose answers differ by more than rounding."""
    return [
        (i, j) for i, j in pairs if not size_of(observed.given[i] - observed.given[j]) <= 2 * observed.right[j].bound
    ]


def of_state(observed: Observed, made: Challenge, reference: Reference) -> Iterator[Explanation]:
    """Names for answers that depend on the calls before."""
    pairs = differing(observed, repeats(observed, made))
    if 0 in observed.wrong and not pairs:
        return  # before the first call there was nothing that it could depend on
    yield from _accumulated(observed)
    texts = [_stale(observed, index, made, reference) for index in observed.wrong]
    told = [text for text in texts if text]
    if told and len(told) == len(texts):
        more = f"; and {len(told) - _NAMED} more" if len(told) > _NAMED else ""
        yield Explanation("stale", None, "; ".join(told[:_NAMED]) + more)
        return
    if pairs and (by_chance := _by_chance(observed, pairs, repeats(observed, made))):
        yield Explanation("random", None, by_chance)
    elif pairs:
        i, j = pairs[0]
        states = ["wrong" if k in observed.wrong else "right" for k in (i, j)]
        text = f"the same input, {states[0]} in {observed.calls[i]} and {states[1]} in {observed.calls[j]}"
        yield Explanation("depends on the order of calls", None, text + (f"; {told[0]}" if told else ""))


def _by_chance(observed: Observed, pairs: list[tuple[int, int]], every: list[tuple[int, int]]) -> str:
    """Said of answers that differ nearly each time, and neither grow nor shrink from call to call; else empty."""
    if (
        len(every) < _FEW
        or len(pairs) < _NEARLY_ALL * len(every)
        or len(observed.wrong) < _NEARLY_ALL * len(observed.calls)
    ):
        return ""
    signed = [float(np.sum((g - r.answer) * r.answer)) / s**2 for g, r, s in _triples(observed)]
    steps = np.diff(signed)
    if max(np.mean(steps > 0), np.mean(steps < 0)) >= _NEARLY_ALL:
        return ""
    return (
        f"the same input has another answer in {len(pairs)} of {len(every)} repetitions, without any order in them: "
        "random numbers, threads that add up as they come, or memory that was never set"
    )


def _triples(observed: Observed) -> Iterator[tuple[Array, Right, float]]:
    return zip(observed.given, observed.right, observed.sizes, strict=True)


def _accumulated(observed: Observed) -> Iterator[Explanation]:
    """Each answer has all earlier ones in it."""
    total, fits = np.zeros_like(observed.given[0]), []
    for given, right in zip(observed.given, observed.right, strict=True):
        total = total + right.answer
        fits.append(size_of(given - total) <= _CLOSE * size_of(total))
    if len(fits) > 1 and all(fits):
        yield Explanation("accumulates", None, "each answer is the sum of all so far: a buffer is not cleared")


def _stale(observed: Observed, index: int, made: Challenge, reference: Reference) -> str:
    """Which other call an answer is right for; empty if none."""
    call, given = observed.calls[index], observed.given[index]
    for text, other in _candidates(call, made, reference):
        if not np.isfinite(other).all():  # outside of the domain
            continue
        apart = size_of(other - observed.right[index].answer)
        if size_of(given - other) <= min(_CLOSE * size_of(other), _NEARER * apart):
            return f"{call} has {text}"
    return ""


def _candidates(call: Call, made: Challenge, reference: Reference) -> Iterator[tuple[str, Array]]:
    """What a cache may hold: the answer, or a part of it, at a point or along a direction of an earlier call."""
    own = pieces(made.problem)
    objective = own.fidelity is not None and call.function not in ("forward", "adjoint")
    for point, seen in _earlier_points(call, made):
        with suppress(ValueError):  # outside of the domain, as what an adjoint is asked at may be
            yield f"the answer at {point}, {seen}", reference.quick(call.function, point, call.direction)
    if call.function == "hvp":
        for direction, seen in _earlier_directions(call, made):
            yield f"the answer along {direction}, {seen}", reference.quick("hvp", call.point, direction)
    if objective:
        for point, seen in _earlier_points(call, made):
            with suppress(ValueError):
                yield from _mixed(call, point, seen, own, reference)


def _mixed(call: Call, point: str, seen: str, own: Pieces, reference: Reference) -> Iterator[tuple[str, Array]]:
    here, there = (reference.arrays[name] for name in (call.point, point))
    v = reference.arrays[call.direction] if call.direction else None
    terms = "its data term", "its regulariser"
    for text, (x, z) in zip(terms, ((there, here), (here, there)), strict=True):
        fit, rest = own.terms(call.function, x, z, v)
        yield f"{text} at {point}, {seen}", np.asarray(fit + rest)


def _earlier_points(call: Call, made: Challenge) -> Iterator[tuple[str, str]]:
    """Points of the same shape of earlier calls, the latest first, each with that call."""
    shape, known = made.problem.point_shape(call.function), {call.point}
    for other in reversed(made.calls[: call.number - 1]):
        if other.point not in known and made.probes[other.point].array.shape == shape:
            known.add(other.point)
            yield other.point, f"where {other} ({other.function}) was"


def _earlier_directions(call: Call, made: Challenge) -> Iterator[tuple[str, str]]:
    known = {call.direction}
    for other in reversed(made.calls[: call.number - 1]):
        if other.direction and other.direction not in known:
            known.add(other.direction)
            yield other.direction, f"that of {other}"
