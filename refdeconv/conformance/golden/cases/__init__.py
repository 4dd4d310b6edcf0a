"""The cases of golden vectors, one file a room; each exports ``cases()``."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec

from refdeconv.conformance.golden.case import Case

ROOMS = ("operators", "maps", "functionals", "regularizers", "problems", "singular")


def all_cases() -> tuple[Case, ...]:
    """All cases, in order."""
    rooms = [import_module(f"{__name__}.{room}") for room in ROOMS if find_spec(f"{__name__}.{room}")]
    return tuple(case for room in rooms for case in room.cases())


CASES = all_cases()
