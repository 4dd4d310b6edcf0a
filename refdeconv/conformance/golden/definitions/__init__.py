"""Definitions of every model by direct summation in mpmath; nothing of the package's mathematics is imported here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import Any

# Each has DEFINITIONS by public names: of operators and maps (parameters, z) -> array, of functionals -> number. Those
# of functionals also have PARTS, generators of what is summed, and SIZES, the sums of the sizes of that.
_NAMES = [f"{__name__}.{room}" for room in ("operators", "maps", "functionals", "regularizers", "problems")]
_ROOMS: list[ModuleType] = [import_module(name) for name in _NAMES if find_spec(name)]


def _all(table: str) -> dict[str, Callable[..., Any]]:
    """A table of all rooms that have it, in one."""
    tables: list[Mapping[str, Callable[..., Any]]] = [getattr(room, table, {}) for room in _ROOMS]
    return {name: entry for each in tables for name, entry in each.items()}


DEFINITIONS = _all("DEFINITIONS")
SIZES = _all("SIZES")
FORMULAS = {name: " ".join((entry.__doc__ or "").split()) for name, entry in (DEFINITIONS | _all("PARTS")).items()}
