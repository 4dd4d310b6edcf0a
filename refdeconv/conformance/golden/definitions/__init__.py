"""Definitions of every model by direct summation in mpmath; nothing of the package's mathematics is imported here."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from typing import Any

# Each has its own DEFINITIONS: of linear operators and maps (parameters, z) -> array, of functionals -> number.
ROOMS = ("operators", "maps", "functionals", "regularizers", "problems")


def all_definitions() -> dict[str, Callable[..., Any]]:
    """The definitions of all models, by their public names."""
    names = [f"{__name__}.{room}" for room in ROOMS]
    rooms = [import_module(name).DEFINITIONS for name in names if find_spec(name)]
    return {name: definition for room in rooms for name, definition in room.items()}


DEFINITIONS = all_definitions()
