"""The verdict on recorded answers: each function against the right answers, with power, place and name of a fault."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from refdeconv._arrays import Array
from refdeconv.checks.faults.corrections import Explanation
from refdeconv.checks.faults.places import EVERYWHERE
from refdeconv.checks.report import Finding, Property, Report, Verdict
from refdeconv.conformance.array_files import FileError
from refdeconv.conformance.challenge.answer_files import answers
from refdeconv.conformance.challenge.explaining import explain, place_of
from refdeconv.conformance.challenge.folder import Challenge
from refdeconv.conformance.challenge.inheritance import inherited
from refdeconv.conformance.challenge.noise import Reference, size_of
from refdeconv.conformance.challenge.observed import Observed
from refdeconv.conformance.challenge.probes import Call
from refdeconv.conformance.challenge.problem import OBJECTIVE
from refdeconv.conformance.challenge.reading import read
from refdeconv.conformance.challenge.state import differing, repeats

Progress = Callable[[int, int, str], None]

SLOPPY = 30.0  # an error of so many bounds, without a name, may be that of a formula that loses digits
_LISTED = 6


@dataclass(frozen=True, eq=False)
class Judgement:
    """What was found of the answers in a folder.

    Attributes
    ----------
    report : Report
        With a finding for each function that was asked for, and one for calls that were repeated.
    challenge : Challenge
        What was asked.
    calls : tuple of dict
        Of each call: its number, function, relative error, what rounding may make of it, and whether it is right.
    """

    report: Report
    challenge: Challenge
    calls: tuple[Mapping[str, Any], ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers, strings, lists and dictionaries; what is infinite is None."""
        about = {"problem": self.challenge.problem.name, "precision": self.challenge.problem.precision}
        return about | self.report.to_dict() | {"calls": [dict(call) for call in self.calls]}


def judge(folder: Path, progress: Progress | None = None) -> Judgement:
    """Say whether the answers in a folder are right.

    Parameters
    ----------
    folder : Path
        That of a challenge, with answers.
    progress : callable, optional
        Called as ``progress(done, of, what)``.

    Returns
    -------
    Judgement

    Raises
    ------
    FileError
        If a file is missing, changed, or not what it should be: there is no verdict then.

    Notes
    -----
    Derivation: derivations/conformance/challenge.md, CHA.1, CHA.2, CHA.3
    """
    made = read(folder)
    return judged(made, answers(folder, made), progress)


def judged(made: Challenge, given: Mapping[Call, Array], progress: Progress | None = None) -> Judgement:
    """The same for answers that are at hand.

    Parameters
    ----------
    made : Challenge
        What was asked.
    given : mapping of Call to array
        The answers.
    progress : callable, optional
        As in `judge`.

    Returns
    -------
    Judgement

    Raises
    ------
    FileError
        If the challenge cannot be computed.
    """
    began = time.perf_counter()
    try:
        reference = Reference(made.problem, {name: probe.array for name, probe in made.probes.items()})
        everything = _observed(made, given, reference, progress)
    except ValueError as error:
        raise FileError(f"the challenge's own numbers are of no use: {error}") from error
    found: dict[str, tuple[Finding, Explanation | None]] = {}
    for number, (function, observed) in enumerate(everything.items()):
        if progress is not None:
            progress(len(made.calls) + number, len(made.calls) + len(everything), f"what {function} looks like")
        found[function] = _finding(observed, made, reference)
    findings = [finding for finding, _ in found.values()]
    repeated = _of_repeats(everything, made, {function: why for function, (_, why) in found.items()})
    who, why = _blame(found, everything, made)
    report = Report(
        findings=(*findings, *repeated),
        blame=who,
        explanation=why,
        unchecked=tuple(
            f"{function}: it was not asked for when the folder was made"
            for function in OBJECTIVE
            if function in made.problem.about.functions and function not in made.problem.functions
        ),
        evaluations=len(given),
        seconds=time.perf_counter() - began,
        seed=made.seed,
        shape=made.problem.shape,
        dtype="float32" if made.problem.precision == "single" else "float64",
    )
    return Judgement(report, made, _listed(everything))


def _observed(
    made: Challenge, given: Mapping[Call, Array], reference: Reference, progress: Progress | None
) -> dict[str, Observed]:
    calls: dict[str, list[Call]] = {}
    right = {}
    for number, call in enumerate(made.calls):
        if progress is not None:
            progress(number, len(made.calls), "the right answers")
        right[call] = reference.right(call.function, call.point, call.direction)
        calls.setdefault(call.function, []).append(call)
    return {
        function: Observed(
            function,
            tuple(calls[function]),
            tuple(np.asarray(given[call], np.longdouble) for call in calls[function]),
            tuple(right[call] for call in calls[function]),
        )
        for function in made.problem.functions
    }


def _finding(observed: Observed, made: Challenge, reference: Reference) -> tuple[Finding, Explanation | None]:
    """The verdict on one function."""
    count = len(observed.calls)
    name: Any = observed.function
    passed = Finding(
        name,
        Verdict.PASS,
        max(observed.errors),
        max(observed.bounds),
        f"{count} calls, against longdouble",
        evaluations=count,
    )
    if not observed.wrong:
        return passed, None
    place = place_of(observed, made)
    why = explain(observed, made, reference, place)
    where = _calls_in_words(observed)
    if place is not None and place is not EVERYWHERE:
        where = f"{place}, {where}"
    if why is None and observed.excess <= SLOPPY:
        text = (
            f"up to {observed.excess:.2g} times what rounding explains, and like no usual mistake: a formula that "
            "loses digits, or an error too small to name"
        )
        return replace(passed, verdict=Verdict.INCONCLUSIVE, where=where, diagnosis=text), None
    worst = max(observed.wrong, key=lambda i: observed.errors[i])
    probe = made.probes[observed.calls[worst].point]
    text = (
        str(why) if why is not None else f"like no usual mistake; largest in {observed.calls[worst]}, at {probe.about}"
    )
    return replace(passed, verdict=Verdict.WRONG, where=where, diagnosis=text), why


def _calls_in_words(observed: Observed) -> str:
    wrong = [observed.calls[i].number for i in observed.wrong]
    if len(wrong) == len(observed.calls):
        return f"in all {len(wrong)} calls"
    listed = ", ".join(f"{number:03}" for number in wrong[:_LISTED]) + (", ..." if len(wrong) > _LISTED else "")
    return f"in {len(wrong)} of {len(observed.calls)} calls ({listed})"


def _of_repeats(
    everything: Mapping[str, Observed], made: Challenge, known: Mapping[str, Explanation | None]
) -> list[Finding]:
    """Whether the same input has the same answer, whatever was asked between."""
    error = detectable = 0.0
    count, different = 0, []
    for function, observed in everything.items():
        pairs = repeats(observed, made)
        count += len(pairs)
        for i, j in pairs:
            error = max(error, size_of(observed.given[i] - observed.given[j]) / observed.sizes[j])
            detectable = max(detectable, 2 * observed.bounds[j])
        different += [(function, observed.calls[i], observed.calls[j]) for i, j in differing(observed, pairs)]
    if not count:
        return []
    kind: Property = "determinism"
    method = f"{count} calls that came again"
    if not different:
        return [Finding(kind, Verdict.PASS, error, detectable, method)]
    functions = list(dict.fromkeys(function for function, _, _ in different))
    first = different[0]
    where = f"{first[0]}, {first[1]} and {first[2]}" + (f", and {len(different) - 1} more" if different[1:] else "")
    stale = [why for function in functions if (why := known[function]) is not None and why.fit is None]
    text = (
        str(stale[0])
        if stale
        else "the same input has other answers: they depend on what was asked before, or on chance"
    )
    return [Finding(kind, Verdict.WRONG, error, detectable, method, where, text)]


def _blame(
    found: Mapping[str, tuple[Finding, Explanation | None]], everything: Mapping[str, Observed], made: Challenge
) -> tuple[tuple[str, ...], str]:
    """The functions that are wrong, without those that are so because the blur that they use is."""
    wrong = {function: why for function, (finding, why) in found.items() if finding.verdict is Verdict.WRONG}
    for cause in ("forward", "adjoint"):
        if cause not in wrong:
            continue
        why = wrong[cause]
        name = "" if why is None else why.name.removesuffix(" in the adjoint")
        heirs = [
            function
            for function, other in wrong.items()
            if function != cause and other is not None and other.name.removesuffix(" in the adjoint") == name
        ]
        if cause == "adjoint" and "forward" not in wrong:
            heirs += [
                function
                for function in wrong
                if function not in heirs and inherited(everything[cause], everything[function], made)
            ]
        if heirs:
            rest = tuple(function for function in wrong if function not in heirs)
            return rest, f"{', '.join(heirs)} {'have' if heirs[1:] else 'has'} the same fault from it"
    return tuple(wrong), ""


def _listed(everything: Mapping[str, Observed]) -> tuple[dict[str, Any], ...]:
    rows = [
        {
            "number": call.number,
            "function": call.function,
            "point": call.point,
            "direction": call.direction or None,
            "error": error if math.isfinite(error) else None,
            "bound": bound if math.isfinite(bound) else None,
            "right": error <= bound,
        }
        for observed in everything.values()
        for call, error, bound in zip(observed.calls, observed.errors, observed.bounds, strict=True)
    ]
    return tuple(sorted(rows, key=lambda row: int(str(row["number"]))))
