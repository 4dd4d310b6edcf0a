"""Long lists of parameters: every so many of them in the plain test command, and all in CI, which runs the slow ones.

Mutation testing runs these, too: the marker `thinned` tells them from what is slow by itself.
"""

from collections.abc import Sequence
from typing import Any

import pytest


def thinned(parameters: Sequence[Any], step: int, first: int = 0) -> list[Any]:
    """The same parameters, all but every so many, from the first on, marked as slow.

    The step should have no factor in common with the number of whatever the list is a product of, so that each of these
    is met.
    """
    return [each if (number - first) % step == 0 else _slow(each) for number, each in enumerate(parameters)]


def _slow(each: Any) -> Any:
    """A parameter, or several with a name (pytest.param), marked as slow."""
    marks = [pytest.mark.slow, pytest.mark.thinned]
    if hasattr(each, "values") and hasattr(each, "marks"):
        return pytest.param(*each.values, id=each.id, marks=[*each.marks, *marks])
    return pytest.param(each, marks=marks)
