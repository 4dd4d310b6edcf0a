"""What is in a suite, against what was computed, and against what would be written."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from mpmath import mp, mpf
from numpy.typing import NDArray

from refdeconv.conformance import array_files
from refdeconv.conformance.array_files import FileError
from refdeconv.conformance.golden import suite
from refdeconv.conformance.golden.case import Case
from refdeconv.conformance.golden.contents import Stored, files_of, inputs
from refdeconv.conformance.golden.definitions import arrays
from refdeconv.conformance.golden.encoding import Numbers
from refdeconv.conformance.golden.suite import MANIFEST

Array = NDArray[Any]

_MOST = 2**24  # bytes in a file: far more than in any of ours


def recorded(cases: Iterable[Case], folder: Path) -> dict[str, Stored]:
    """What a suite has of these cases already, as it stands: of the same inputs."""
    if not (folder / MANIFEST).exists():
        return {}
    old = {case.name: case for case in suite.read(folder, whole=False).cases}
    same = [old[case.name] for case in cases if case.name in old and _same_inputs(case, old[case.name])]
    return {case.name: dict(case.stored()) for case in same}


def disagreements(cases: Iterable[Case], outputs: Mapping[str, Stored], folder: Path) -> Iterator[str]:
    """What is in a suite already, of the same inputs, and is not what was computed.

    Numbers may be as far from it as both bounds allow, and what is said of them by the last of their few digits, since
    another version of mpmath may round otherwise.
    """
    try:
        old = recorded(cases, folder)
    except FileError as error:
        yield f"what is in {folder} cannot be read: {error}"
        return
    for case, expected in old.items():
        for name, (numbers, said) in expected.items():
            yield from (f"{case}: {name} {complaint}" for complaint in _complaints(outputs[case][name], numbers, said))


def _complaints(computed: tuple[Array, dict[str, Any]], numbers: Array, said: Mapping[str, Any]) -> Iterator[str]:
    """What is recorded of an output, and is not what was computed of it."""
    found, about = computed
    distance = float(np.max(np.abs(found - numbers), initial=0.0)) if found.shape == numbers.shape else float("inf")
    if not distance <= said["bound"] + about["bound"]:
        yield f"is {distance:.2g} from what is recorded"
    for key in sorted(about.keys() | said.keys()):
        new, old = about.get(key), said.get(key)
        if not _same(new, old, about["scale"]):
            yield f"has {key} {new}, recorded is {old}"


def _same(new: Any, old: Any, scale: float) -> bool:
    """Whether two numbers are equal but for what is rounded off, far below the scale; other things are, or are not."""
    if isinstance(new, bool) or new is None or old is None:
        return new is old
    with mp.workdps(2 * arrays.DIGITS):
        few, distance = isinstance(new, float), abs(mpf(new) - mpf(old))  # the others are texts of many digits
        return bool(distance <= abs(mpf(new)) * mpf(0.011 if few else 10.0**-48) + scale * mpf(10.0**-48))


def _same_inputs(case: Case, old: suite.Recorded) -> bool:
    def said(given: Any) -> tuple[Any, bytes]:
        numbers = Numbers()
        entry = [given.kind, given.model, *inputs(given, numbers)]
        return entry, numbers.all().tobytes()

    return said(case) == said(old)


def differences(cases: Sequence[Case], folder: Path) -> Iterator[str]:
    """What a suite would be with the outputs that it has, and is not: inputs, formulas, files, and their order."""
    try:
        kept = recorded(cases, folder)
        missing = [case.name for case in cases if case.name not in kept]
        yield from (f"{name}: not recorded, or of other inputs" for name in missing)
        expected = {} if missing else files_of(cases, kept)
        found = {name: array_files.contents(folder, name, most=_MOST) for name in expected}
    except FileError as error:
        yield f"what is in {folder} cannot be read: {error}"
        return
    yield from (f"{name} is not what would be written" for name, data in expected.items() if found[name] != data)
