"""A model that is a parameter of another one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, eq=False)
class Part:
    """A model by its public name, and its parameters, as in a Case.

    A parameter that a model takes as positional arguments, such as the operators of `Parallel`, is a tuple.
    """

    model: str
    parameters: Mapping[str, Any]
