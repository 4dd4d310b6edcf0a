"""Everything that the page says: which models, which columns, what was found, where and with what."""

from __future__ import annotations

import platform
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import PackageNotFoundError, version

import refdeconv as rd
from refdeconv.conformance.evidence import checkout as checkouts
from refdeconv.conformance.evidence.cells import Cell, Column, Say
from refdeconv.conformance.evidence.columns import all_columns
from refdeconv.conformance.evidence.models import Model, public_models

Progress = Callable[[int, int, str], None]  # columns done, of how many, what is being done

# Whatever the figures may depend on.
_PACKAGES = (
    "numpy",
    "scipy",
    "scikit-image",
    "ducc0",
    "mpmath",
    "sympy",
    "pytest",
    "autograd",
    "jax",
    "torch",
    "tensorflow",
    "tensorflow-cpu",
)


@dataclass(frozen=True)
class Evidence:
    """What was found.

    Attributes
    ----------
    models : sequence of Model
        The rows.
    columns : sequence of Column
        The columns.
    cells : mapping
        By the names of column and model; what does not apply is not there.
    versions : mapping
        Of everything that the figures depend on and that is installed.
    system : str
        Operating system and processor.
    began : datetime
        When the run began.
    seconds : float
        How long it took.
    commit : str or None
        Of the checkout, with "+" where files differ from it.
    """

    models: Sequence[Model]
    columns: Sequence[Column]
    cells: Mapping[str, Mapping[str, Cell]]
    versions: Mapping[str, str]
    system: str
    began: datetime
    seconds: float
    commit: str | None

    def cell(self, model: Model, column: Column) -> Cell | None:
        """What one column found of one model."""
        return self.cells.get(column.name, {}).get(model.name)

    def all_with(self, state: str) -> list[tuple[Model, Column, Cell]]:
        """The cells of that state, row by row."""
        every = ((model, column, self.cell(model, column)) for model in self.models for column in self.columns)
        return [(model, column, cell) for model, column, cell in every if cell is not None and cell.state == state]

    @property
    def passed(self) -> bool:
        """Nothing failed."""
        return not self.all_with("failed")


def gather(
    model: str | None = None,
    column: str | None = None,
    *,
    columns: Sequence[Column] | None = None,
    progress: Progress = lambda done, of, what: None,
) -> Evidence:
    """Run what is installed.

    Parameters
    ----------
    model, column : str, optional
        Only the row, only the column of that name.
    columns : sequence of Column, optional
        Instead of those of the page.
    progress : callable, optional
        Called with the number of columns done, that of all, and what is being done, in words.

    Returns
    -------
    Evidence
    """
    began, clock = datetime.now(UTC), time.monotonic()
    checkout = checkouts.find()
    models = [row for row in public_models() if model in (None, row.name)]
    chosen = [c for c in (all_columns(checkout) if columns is None else columns) if column in (None, c.name)]
    cells = {}
    for done, one in enumerate(chosen):
        progress(done, len(chosen), one.name)
        cells[one.name] = _run(one, models, partial(_say, progress, done, len(chosen), one.name))
    return Evidence(
        models=models,
        columns=chosen,
        cells=cells,
        versions=installed(),
        system=f"{platform.system()} {platform.machine()}",
        began=began,
        seconds=time.monotonic() - clock,
        commit=checkout.commit() if checkout else None,
    )


def _say(progress: Progress, done: int, of: int, column: str, what: str) -> None:
    progress(done, of, f"{column}: {what}")


def _run(column: Column, models: Sequence[Model], say: Say) -> Mapping[str, Cell]:
    """The column's cells; one that ends with an error has failed, and does not take the others with it."""
    try:
        return column.run(models, say)
    except Exception as error:
        remark = f"ended with {type(error).__name__}: {error}"
        return {m.name: Cell("failed", column.command.replace("NAME", m.name), remark=remark) for m in models}


def installed() -> dict[str, str]:
    """The versions of everything that is there."""
    found = {"refdeconv": rd.__version__, "python": platform.python_version()}
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
