"""What one cell of the page says, and what a column is."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from refdeconv.conformance.evidence.models import Model

Say = Callable[[str], None]  # how far the work has come, in words
State = Literal["passed", "failed", "not run"]


@dataclass(frozen=True)
class Cell:
    """What was found of one model in one way.

    Attributes
    ----------
    state : str
        "passed", "failed" or "not run".
    command : str
        What shows it.
    worst : float, optional
        The largest relative error, where errors were measured; infinite for one that cannot be measured.
    count : int, optional
        Of how many tests, cases or problems it is the result.
    remark : str
        What failed; or, where nothing was run, what is missing and how to install it.
    recorded : str
        Where the result is not of this run: with what it was recorded.
    details : mapping of str to float
        Worst errors of parts, such as of each precision.
    """

    state: State
    command: str
    worst: float | None = None
    count: int | None = None
    remark: str = ""
    recorded: str = ""
    details: Mapping[str, float] = field(default_factory=dict)


class Column(Protocol):
    """One way to find out whether models are right.

    Attributes
    ----------
    name : str
        In the page's head.
    says : str
        One sentence: what a number in it means.
    command : str
        What shows a cell, with NAME for the model.
    """

    name: str
    says: str
    command: str

    def run(self, models: Sequence[Model], say: Say) -> Mapping[str, Cell]:
        """The cells, by the models' names; a model that the column does not apply to has none."""
        ...


def not_run(models: Sequence[Model], command: str, remark: str) -> dict[str, Cell]:
    """A column that could not be run."""
    return {model.name: Cell("not run", command.replace("NAME", model.name), remark=remark) for model in models}
