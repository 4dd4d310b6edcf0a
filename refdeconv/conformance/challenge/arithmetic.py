"""Names for answers that were computed, or written, with too few digits; each is given to what looks like it alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from refdeconv._arrays import Array
from refdeconv.checks.faults.corrections import GOOD, Explanation, fitted
from refdeconv.conformance.challenge.folder import Challenge
from refdeconv.conformance.challenge.models import pieces
from refdeconv.conformance.challenge.noise import Reference, size_of
from refdeconv.conformance.challenge.observed import Observed

_LOOKED_AT = 2000  # entries
_FEW = range(2, 14)  # digits that are too few
_SINGLE = (1e-9, 1e-5)  # medians of relative errors that arithmetic in float32 makes
_SUMMED = 1e-10  # and of those of a sum, in which they cancel
_LARGEST = 1e-4
_ONE_SIDED = 5  # as many errors of one sign are no chance
# A multiple of a step fits, too: the smallest first.
_STEPS = (*(10.0**-k for k in range(12, 1, -1)), *(2.0**-k for k in range(40, 9, -1)), float(np.cbrt(2.0**-52)))
_WHOLE = 2e-3  # so near to a whole number
_COUNTABLE = 4e12  # numbers that are known better than that
_MOST = 0.8


def of_digits(observed: Observed) -> Iterator[Explanation]:
    """Numbers that went through text with few digits."""
    given = np.concatenate([np.ravel(array) for array in observed.given]).astype(np.float64)
    right = np.concatenate([np.ravel(each.answer) for each in observed.right]).astype(np.float64)
    some = np.flatnonzero(given)
    some = some[:: max(1, len(some) // _LOOKED_AT)]
    if len(some) < 4:
        return
    off = np.abs(given[some] - right[some])
    numbers = given[some].tolist()
    step = 10.0 ** np.floor(np.log10(np.abs(given[some])))
    for count in _FEW:
        if np.all(off <= step * 10.0 ** (1 - count)) and all(float(f"{n:.{count}g}") == n for n in numbers):
            yield _written(count, "digits")
            return
    for count in _FEW:
        if np.all(off <= 10.0**-count) and all(float(f"{n:.{count}f}") == n for n in numbers):
            yield _written(count, "digits after the point")
            return


def _written(count: int, kind: str) -> Explanation:
    text = f"written with {count} {kind}; write 17 (as with %.17g), so that each number comes back as it was"
    return Explanation("too few digits", None, text)


def of_differences(observed: Observed, reference: Reference) -> Iterator[Explanation]:
    """Finite differences: what is given, times the step, is a whole number of roundings of what was subtracted."""
    below = {"gradient": "value", "hvp": "gradient"}.get(observed.function)
    if below is None:
        return
    some = [i for i in observed.wrong if observed.given[i].size >= 4]
    for step in _STEPS:
        whole = sum(_in_roundings(observed, i, step, below, reference) for i in some)
        if some and whole >= max(2, len(some) / 2):
            text = (
                f"with a step of about {step:.3g}: each answer times the step is a whole number of roundings of the "
                f"{below}; derive the formula by hand"
            )
            yield Explanation("finite differences", None, text)
            return


def _in_roundings(observed: Observed, index: int, step: float, below: str, reference: Reference) -> bool:
    base = reference.quick(below, observed.calls[index].point)
    with np.errstate(all="ignore"):
        multiple = observed.given[index].astype(np.float64) * step / (np.spacing(np.abs(base)) / 4)
    multiple = multiple[(np.abs(multiple) < _COUNTABLE) & (multiple != 0)]
    if multiple.size < observed.given[index].size / 2:
        return False
    return bool(np.mean(np.abs(multiple - np.round(multiple)) < _WHOLE) >= _MOST)


def of_direction(observed: Observed, made: Challenge) -> Iterator[Explanation]:
    """Hessian products that are not linear in the direction: one of two calls is along a multiple of the other."""
    calls = {(call.point, call.direction): i for i, call in reversed(list(enumerate(observed.calls)))}
    along, far = calls.get(("x1", "d1")), calls.get(("x1", "d5"))
    if observed.function != "hvp" or along is None or far is None:
        return
    first, other = observed.given[along], observed.given[far]
    d1, d5 = (float(made.probes[name].array.ravel()[0]) for name in ("d1", "d5"))
    off = size_of(other - d5 / d1 * first)
    if off > 2 * (observed.right[far].bound + d5 / d1 * observed.right[along].bound):
        ratio = size_of(other) / (size_of(first) or 1.0)
        text = (
            f"along {d5 / d1:.0f} v it is {ratio:.4g} times what it is along v; is v scaled, or the product taken from "
            "finite differences?"
        )
        yield Explanation("not linear in the direction", None, text)


def of_single_precision(observed: Observed, made: Challenge) -> Iterator[Explanation]:
    """Errors of the size of float32's roundings, in most answers, and of both signs."""
    errors = [observed.errors[i] for i in observed.wrong]
    median = float(np.median(errors))
    least = _SUMMED if observed.function == "value" else _SINGLE[0]
    if 2 * len(errors) < len(observed.calls) or not least < median < _SINGLE[1] or max(errors) > _LARGEST:
        return
    if _one_sided(observed, made):
        return
    text = (
        f"errors of {median:.0e} of the answer, as arithmetic in float32 makes them somewhere inside; keep all numbers "
        "and sums in double precision"
    )
    yield Explanation("single precision", None, text)


def _one_sided(observed: Observed, made: Challenge) -> bool:
    """Whether the errors are along the answer, or one of its terms, and always to the same side: no roundings are."""
    for direction in _directions(observed, made):
        signs = []
        for index in observed.wrong:
            error = (observed.given[index] - observed.right[index].answer).astype(np.float64).ravel()
            along = direction(index).astype(np.float64).ravel()
            if not along.any():
                continue
            size = float(error @ error)
            share = float(error @ along) / np.sqrt(size * float(along @ along))
            if abs(share) > 0.7:
                signs.append(share > 0)
        if len(signs) >= _ONE_SIDED and len(set(signs)) == 1:
            return True
    return False


def _directions(observed: Observed, made: Challenge) -> list[Callable[[int], Array]]:
    found: list[Callable[[int], Array]] = [lambda index: observed.right[index].answer]
    own = pieces(made.problem)
    if own.fidelity is None or observed.function in ("forward", "adjoint"):
        return found

    def term(index: int, which: int) -> Array:
        call = observed.calls[index]
        x = made.probes[call.point].array
        v = made.probes[call.direction].array if call.direction else None
        return np.asarray(own.terms(call.function, x, x, v)[which])

    return [*found, lambda index: term(index, 0), lambda index: term(index, 1)]


def constant_in_squares(observed: Observed, made: Challenge) -> Iterator[Explanation]:
    """A small number under the root of a norm: what is added to the value's square is the same in all calls."""
    if observed.function != "value" or made.problem.base != "article":
        return
    own = pieces(made.problem)
    for which, name in enumerate(("the data term", "the regulariser")):
        added = []
        for given, right, call in zip(observed.given, observed.right, observed.calls, strict=True):
            x = made.probes[call.point].array.astype(np.longdouble)
            term = own.terms("value", x, x, None)[which]
            factor = 1 if which == 0 else made.problem.parameters["mu"]
            added.append(((term + given - right.answer) ** 2 - term**2) / factor**2)
        row = np.array(added, np.float64)
        errors = np.array([g - r.answer for g, r in zip(observed.given, observed.right, strict=True)], np.float64)
        # The change of the root, by its first-order size, so that calls with large errors count most.
        weights = errors / np.where(row == 0, 1, row)
        model = fitted(weights[:, None], errors)
        if model.fit >= GOOD and row[np.argmax(np.abs(errors))] > 0:
            number = float(model.coefficients[0])
            text = f"{name}: sqrt(s + {number:.3g}) stands where sqrt(s) is due, with s half the sum of squares"
            yield Explanation("a number added under the root", model.fit, text)
            return
