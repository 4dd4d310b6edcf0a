"""``refdeconv evidence``: the page of all that shows that the models are right."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.markup import escape

from refdeconv._arrays import choice
from refdeconv.cli import files
from refdeconv.cli.progress import consoles

if TYPE_CHECKING:
    from refdeconv.conformance.evidence import Evidence
    from refdeconv.conformance.evidence.gathering import Progress

PAGE, RECORD = "evidence.md", "evidence.json"
DEFAULT = Path("evidence")
FAILED, INTERRUPTED = 1, 130
_SECONDS_BETWEEN_LINES = 5.0


@click.command(short_help="Everything that shows that the models are right.")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=None,
    metavar="DIR",
    help="Folder for evidence.md and evidence.json; made if it does not exist. [default: evidence, or none with "
    "--model or --column]",
)
@click.option("--model", default=None, metavar="NAME", help="Only this model, such as L2Norm or problems.blind.")
@click.option("--column", default=None, metavar="NAME", help='Only this column of the page, such as "complex step".')
def evidence(out: Path | None, model: str | None, column: str | None) -> None:
    """Everything that shows that the models are right, on one page.

    Runs what is installed: the machine checks of the derivations, complex steps, the golden vectors of direct summation
    and mpmath, the autodiff frameworks, the contract tests. Some of it needs a source checkout: run it there, in an
    environment with the extras test and autodiff, for the whole page. With --model or --column, a part of it is
    printed, with the command of each cell. It takes a few minutes; nothing is written before the end.

    Exit status: 0 nothing failed (what was not run is listed), 1 something failed, 130 interrupted, 2 bad usage.

    \b
    Examples:
      refdeconv evidence
      refdeconv evidence --model Poisson --column "complex step"
    """
    try:
        raise SystemExit(run(out, model, column))
    except files.InputError as error:
        raise click.UsageError(str(error)) from error
    except KeyboardInterrupt:
        click.echo("Interrupted: nothing was written.", err=True)
        raise SystemExit(INTERRUPTED) from None


def run(out: Path | None, model: str | None, column: str | None) -> int:
    """Gather, write ``evidence.md`` and ``evidence.json``, and print what was found.

    Returns
    -------
    int
        The exit status: 0, or 1 if anything failed.
    """
    from refdeconv.conformance.evidence import checkout as checkouts
    from refdeconv.conformance.evidence import columns, gathering, models, page

    checkout = checkouts.find()
    with files.input_errors():
        if model is not None:
            choice(model, "model", [row.name for row in models.public_models()])
        if column is not None:
            choice(column, "column", [c.name for c in columns.all_columns(checkout)])
    whole = model is None and column is None
    folder = DEFAULT if out is None and whole else out
    destinations = () if folder is None else (folder / PAGE, folder / RECORD)
    for path in destinations:
        files.check_writable(path)
    messages, output = consoles()
    with _progress(messages) as progress:
        evidence = gathering.gather(model, column, progress=progress)
    with files.uninterrupted():
        if folder is not None:
            text = page.markdown(evidence, folder, checkout)
            _write(destinations, text, evidence)
    if not whole:
        _print_cells(output, evidence)
    _print_failures(output, evidence)
    counts = {state: len(evidence.all_with(state)) for state in ("passed", "failed", "not run")}
    models_in_words = f"{len(evidence.models)} model{'s' * (len(evidence.models) != 1)}"
    output.print(
        f"{models_in_words}: {counts['passed']} cells passed, {counts['failed']} failed, "
        f"{counts['not run']} were not run{_why(evidence)}"
    )
    for path in destinations:
        output.print(f"Wrote {path}")
    return 0 if evidence.passed else FAILED


def _write(destinations: tuple[Path, ...], text: str, evidence: Evidence) -> None:
    from refdeconv.conformance.evidence import record

    try:
        files.write_whole(destinations[0], lambda file: file.write_text(text, encoding="utf-8"))
        files.write_json(destinations[1], record.as_dict(evidence))
    except OSError as error:
        raise files.InputError(f"cannot write {error.filename or 'the page'}: {error.strerror or error}") from error


def _print_failures(output: Console, evidence: Evidence) -> None:
    for model, column, cell in evidence.all_with("failed"):
        output.print(f"FAILED {model.name}, {column.name}: {cell.remark}\n       {cell.command}", style="bold")


def _why(evidence: Evidence) -> str:
    """What to install, each once."""
    reasons = dict.fromkeys(f"{column.name} {cell.remark}" for _, column, cell in evidence.all_with("not run"))
    return "".join(f"\n  {reason}" for reason in reasons)


def _print_cells(output: Console, evidence: Evidence) -> None:
    """One line for each cell, with its command."""
    wide = max(len(column.name) for column in evidence.columns)
    for model in evidence.models:
        output.print(model.name, style="bold")
        for column in evidence.columns:
            cell = evidence.cell(model, column)
            if cell is not None:
                error = "" if cell.worst is None else f"{cell.worst:.1e}"
                count = "" if cell.count is None else f"({cell.count})"
                output.print(f"  {column.name:{wide}}  {cell.state:7}  {error:7} {count:>7}  {cell.command}")


@contextmanager
def _progress(console: Console) -> Iterator[Progress]:
    """A live line, or, where output is not a terminal, a line for each column and every few seconds."""
    if console.is_terminal:
        with console.status("starting") as live:
            yield lambda done, of, what: live.update(escape(f"{done + 1} of {of}: {what}"[: console.width - 4]))
        return
    last: dict[str, float | str] = {"time": -float("inf"), "column": ""}

    def line(done: int, of: int, what: str) -> None:
        column = what.split(":")[0]
        if column != last["column"] or time.monotonic() - float(last["time"]) >= _SECONDS_BETWEEN_LINES:
            last.update(time=time.monotonic(), column=column)
            console.print(f"{done + 1} of {of}: {what}"[:100])

    yield line
