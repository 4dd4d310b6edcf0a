"""What wrong answers look like: the simplest usual mistake that explains them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator

import numpy as np

from refdeconv._arrays import Array
from refdeconv.checks.faults.corrections import (
    EXACT,
    GOOD,
    Explanation,
    best,
    borders,
    explained,
    fitted,
    in_single_precision,
    interior,
    rearrangements,
)
from refdeconv.checks.faults.factors import digits, of_change
from refdeconv.checks.faults.location import in_map
from refdeconv.checks.faults.places import EVERYWHERE, Place
from refdeconv.conformance.challenge.alternatives import Alternative, alternatives, normalised
from refdeconv.conformance.challenge.arithmetic import (
    constant_in_squares,
    of_differences,
    of_digits,
    of_direction,
    of_single_precision,
)
from refdeconv.conformance.challenge.folder import Challenge
from refdeconv.conformance.challenge.models import pieces
from refdeconv.conformance.challenge.noise import Reference
from refdeconv.conformance.challenge.observed import Observed
from refdeconv.conformance.challenge.state import of_state

_TERMS = ("the data term", "the regulariser")
_PROMISING = 0.9  # of the error of a single answer, for a look at all of them
_ROUNDED = 1e-4  # relative errors that float32 may make
_MAPS = 16
_ONE = 1e-6  # a factor so near to one or zero is that


def place_of(observed: Observed, made: Challenge) -> Place | None:
    """Where answers are off, as arrays; None of numbers, and where every entry is off."""
    if observed.right[0].answer.ndim == 0:
        return None
    rest = observed.part(observed.wrong[:_MAPS])
    pairs = zip(rest.given, rest.right, rest.sizes, strict=True)
    maps = np.stack([np.asarray((g - r.answer) / size, np.float64) for g, r, size in pairs])
    noise = max(rest.bounds) / math.sqrt(maps[0].size)
    x1 = made.probes.get("x1")
    point = None if x1 is None or x1.array.shape != maps.shape[1:] else x1.array
    return in_map(maps, noise, point=point)


def explain(observed: Observed, made: Challenge, reference: Reference, place: Place | None) -> Explanation | None:
    """The likeliest name for what is wrong with the answers of a function, if any fits.

    Parameters
    ----------
    observed : Observed
        With at least one wrong answer.
    made : Challenge
        What was asked.
    reference : Reference
        The right answers.
    place : Place, optional
        Where the error is.

    Returns
    -------
    Explanation or None

    Notes
    -----
    Derivation: derivations/conformance/challenge.md, CHA.3
    """
    found: list[Explanation] = []
    looks: tuple[Callable[[], Iterator[Explanation]], ...] = (
        lambda: of_digits(observed),
        lambda: of_state(observed, made, reference),
        lambda: _named(observed, made, normalised(made.problem)),
        lambda: _whole(observed),
        lambda: of_differences(observed, reference),
        lambda: _named(observed, made, alternatives(made.problem)),
        lambda: _in_terms(observed, made),
        lambda: of_direction(observed, made),
        lambda: _in_place(observed, place),
        lambda: constant_in_squares(observed, made),
        lambda: of_single_precision(observed, made),
        lambda: _border(observed),
    )
    for look in looks:
        found += look()
        if any(e.fit is None or e.fit >= 1 - 1e-9 for e in found):
            break
    return next(iter(best(found)), None)


def _whole(observed: Observed) -> Iterator[Explanation]:
    """One number everywhere; what was set to zero, added, or moved."""
    given, lacking, what = observed.answers, observed.lacking, _names(observed.function)
    if not given.any():
        yield Explanation("set to zero", None, "all answers are zero")
        return
    model = fitted(given, lacking)
    if model.fit >= GOOD:
        yield from of_change(model, what, (observed.given[0].size, max(r.answer.size for r in observed.right)))
    yield from _added(observed)
    shape = observed.right[0].answer.shape
    for name, back, least in rearrangements(shape):
        moved = observed.row([r.answer - back(g) for g, r in zip(observed.given, observed.right, strict=True)])
        if (fit := explained(moved, lacking)) >= least:
            yield Explanation(name, fit)
    yield from _rotated(observed)
    if in_single_precision(observed.given, np.float64) and max(observed.errors) < _ROUNDED:
        yield Explanation("single precision", None, "every entry of the answers is a number of single precision")


def _rotated(observed: Observed) -> Iterator[Explanation]:
    """All entries one place too early or too late, in the order of the file."""
    if observed.right[0].answer.ndim < 2:
        return  # that is a shift along its axis
    for step in (-1, 1):
        for name, lost in (("rotated by one entry", False), ("off by one entry", True)):
            moved = []
            for given, right in zip(observed.given, observed.right, strict=True):
                back = np.roll(given.ravel(), step)
                if lost:
                    back[0 if step > 0 else -1] = right.answer.ravel()[0 if step > 0 else -1]
                moved.append(right.answer.ravel() - back)
            if (fit := explained(observed.row(moved), observed.lacking)) >= GOOD:
                place = "before" if step > 0 else "after"
                text = f"each number stands one place {place} its own, in C order: does an index start at 0 or at 1?"
                yield Explanation(name, fit, text)
                return


def _names(function: str) -> str:
    return "the Hessian product" if function == "hvp" else f"the {function}"


def _added(observed: Observed) -> Iterator[Explanation]:
    """The same number in all values, or in all entries of an answer."""
    differences = [g - r.answer for g, r in zip(observed.given, observed.right, strict=True)]
    if observed.function == "value":
        row = np.array(differences, np.float64)
        least = min(range(len(row)), key=lambda i: observed.right[i].bound)
        fit = explained(row - row[least], row)
        if fit >= GOOD:
            text = f"{row[least]:.6g} in all values; no derivative sees it, but it is not the value of the formula"
            yield Explanation("constant added", fit, text)
        return
    if observed.right[0].answer.size < 3:
        return
    centred = observed.row([d - d.mean() for d in differences])
    if (fit := explained(centred, observed.lacking)) >= GOOD:
        means = [float(d.mean()) for d in differences]
        same = np.ptp(means) <= _ONE * max(map(abs, means))
        text = (
            f"{digits(means[0])} in all entries" if same else "the same in all entries of an answer, the mean is wrong"
        )
        yield Explanation("constant added", fit, text)


def _named(observed: Observed, made: Challenge, mistakes: Iterable[Alternative]) -> Iterator[Explanation]:
    """The answers of an implementation that makes a usual mistake."""
    worst = max(observed.wrong, key=lambda i: observed.errors[i])
    alone = observed.part((worst,))
    with np.errstate(all="ignore"):
        for alternative in mistakes:
            if fit_of(alternative, alone, made) < _PROMISING:
                continue
            if (fit := fit_of(alternative, observed, made)) >= GOOD:
                yield Explanation(alternative.name, fit, alternative.text)


def fit_of(alternative: Alternative, observed: Observed, made: Challenge) -> float:
    """The part of the error that is that of an alternative."""
    left = []
    for call, given in zip(observed.calls, observed.given, strict=True):
        x = made.probes[call.point].array
        v = made.probes[call.direction].array if call.direction else None
        try:
            answer = alternative.answer(call.function, x, v)
        except (ValueError, ArithmeticError):  # outside of its domain
            return -math.inf
        if np.shape(answer) != given.shape:
            return -math.inf
        left.append(given - answer)
    row = observed.row(left)
    return explained(row, observed.lacking) if np.isfinite(row).all() else -math.inf


def _in_terms(observed: Observed, made: Challenge) -> Iterator[Explanation]:
    """Factors of the two terms of an objective."""
    own = pieces(made.problem)
    if own.fidelity is None or observed.function in ("forward", "adjoint"):
        return
    parts: tuple[list[Array], list[Array]] = [], []
    for call in observed.calls:
        x = made.probes[call.point].array.astype(np.longdouble)
        v = made.probes[call.direction].array.astype(np.longdouble) if call.direction else None
        for part, term in zip(parts, own.terms(call.function, x, x, v), strict=True):
            part.append(term)
    rows = [observed.row(part) for part in parts]
    model = fitted(np.stack(rows, axis=1), observed.answers)
    left = observed.answers - np.stack(rows, axis=1) @ model.coefficients
    if (fit := explained(left, observed.lacking)) < GOOD:
        return
    factors = [float(c) for c in model.coefficients]
    for (ratio, other), name in zip((factors, factors[::-1]), _TERMS, strict=True):
        if abs(other - 1) < _ONE < abs(ratio - 1):
            yield _of_term(ratio, name, fit, made.problem.parameters["mu"])
            return
    text = " and ".join(f"factor {digits(ratio)} of {name}" for ratio, name in zip(factors, _TERMS, strict=True))
    yield Explanation("factors of the terms", fit, text)


def _of_term(ratio: float, name: str, fit: float, mu: float) -> Explanation:
    if abs(ratio) < _ONE:
        return Explanation(f"{name.removeprefix('the ')} missing", fit, "the other term is right")
    if name == _TERMS[1] and abs(ratio * mu - 1) < _ONE:
        return Explanation("factor of the regulariser", fit, "mu is missing: it stands with factor 1")
    if name == _TERMS[1] and abs(ratio / mu - 1) < _ONE:
        return Explanation("factor of the regulariser", fit, "mu is there twice")
    if abs(ratio + 1) < _ONE:
        return Explanation("sign", fit, f"factor -1 of {name}")
    return Explanation(f"factor of {name.removeprefix('the ')}", fit, f"{name} is {digits(ratio)} times too large")


def _in_place(observed: Observed, place: Place | None) -> Iterator[Explanation]:
    """One number in a part of all answers."""
    if place is None or place is EVERYWHERE:
        return
    mask = place.mask(observed.right[0].answer.shape)
    if mask is None:
        return
    inside = observed.row([np.where(mask, g, 0) for g in observed.given])
    what = f"{_names(observed.function)} at {place}"
    differences = [g - r.answer for g, r in zip(observed.given, observed.right, strict=True)]
    outside = explained(observed.row([np.where(mask, 0, d) for d in differences]), observed.lacking)
    if not inside.any():
        if outside >= GOOD:
            yield Explanation("set to zero", outside, what)
        return
    model = fitted(inside, observed.lacking)
    if model.fit >= GOOD:
        yield from of_change(model, what)


def _border(observed: Observed) -> Iterator[Explanation]:
    """An error near the edges alone."""
    shape = observed.right[0].answer.shape
    for width in borders(shape):
        inside = interior(shape, width)
        if inside is None:
            continue
        pairs = zip(observed.given, observed.right, strict=True)
        left = observed.row([np.where(inside, g - r.answer, 0) for g, r in pairs])
        if (fit := explained(left, observed.lacking)) >= EXACT:
            yield Explanation("boundary", fit, f"all of the error is within {width} of an edge")
            return
