"""The evidence as a page of Markdown."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path

from refdeconv.conformance.evidence.cells import Cell, Column
from refdeconv.conformance.evidence.checkout import Checkout
from refdeconv.conformance.evidence.gathering import Evidence
from refdeconv.conformance.evidence.models import ROOMS, Citation, Model

_LISTED = 30  # failures; all are in the tables
RECORDED, NOT_RUN = "†", "-"


def markdown(evidence: Evidence, folder: Path, checkout: Checkout | None) -> str:
    """The page, to be written into a folder: links to derivations lead from there.

    Parameters
    ----------
    evidence : Evidence
        What was found.
    folder : Path
        Where the page will be.
    checkout : Checkout or None
        Where the derivations are.

    Returns
    -------
    str
    """
    pages = _way_to_pages(folder, checkout)
    parts = [*_top(evidence), *_legend(evidence)]
    for room in ROOMS:
        rows = [model for model in evidence.models if model.room == room]
        if rows:
            parts += [f"## {room}", "\n".join(table(evidence, rows, pages))]
    parts += [*_absent(evidence), *_versions(evidence)]
    return "\n\n".join(parts) + "\n"


def table(evidence: Evidence, models: Sequence[Model], pages: str | None) -> Iterator[str]:
    """The lines of one table, with the columns that apply to any of the models."""
    columns = [c for c in evidence.columns if any(evidence.cell(model, c) for model in models)]
    yield _row(["model", *(_head(evidence, column) for column in columns)])
    yield _row(["---", *("---" if column.name == "derivation" else "--:" for column in columns)])
    for model in models:
        yield _row(
            [f"`{model.name}`", *(_text(model, column, evidence.cell(model, column), pages) for column in columns)]
        )


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _head(evidence: Evidence, column: Column) -> str:
    recorded = any(cell.recorded for cell in evidence.cells.get(column.name, {}).values())
    return f"{column.name} {RECORDED}" if recorded else column.name


def _text(model: Model, column: Column, cell: Cell | None, pages: str | None) -> str:
    """What a cell shows: an error to two digits, or how many tests passed; bold where it failed."""
    if cell is None:
        return ""
    if column.name == "derivation":
        text = "<br>".join(_cited(citation, pages) for citation in model.citations)
        return f"**FAILED** {text}" if cell.state == "failed" else text
    if cell.state == "not run":
        return NOT_RUN
    if cell.state == "failed":
        figure = f" {cell.worst:.1e}" if cell.worst is not None else ""
        return f"**FAILED{figure}**"
    if cell.worst is not None:
        return f"{cell.worst:.1e}" if cell.worst else "0"
    return "passed" if cell.count is None or column.name == "symbolic check" else f"{cell.count}"


def _cited(citation: Citation, pages: str | None) -> str:
    text = abbreviated(citation.labels)
    return text if pages is None else f"[{text}]({pages}{citation.page})"


def abbreviated(labels: Sequence[str]) -> str:
    """Such as ``CNV.1-3, CNV.5``: neighbours are joined."""
    numbered = [(label.split(".")[0], int(label.split(".")[1])) for label in labels]
    joined = groupby(enumerate(numbered), key=lambda item: (item[1][0], item[1][1] - item[0]))
    runs = [[label for _, label in run] for _, run in joined]
    return ", ".join(f"{run[0][0]}.{run[0][1]}" + (f"-{run[-1][1]}" if len(run) > 1 else "") for run in runs)


def _top(evidence: Evidence) -> Iterator[str]:
    yield "# Evidence"
    of = f" of commit `{evidence.commit[:10]}`" if evidence.commit else ""
    of += " with changes" if (evidence.commit or "").endswith("+") else ""
    where = f"{evidence.began:%d %B %Y}, {evidence.system}, in {evidence.seconds:.0f} seconds"
    yield (
        "For each public model, everything that shows that its hand-derived formulas are right, the worst error found, "
        f"and the command that shows it. Written by `refdeconv evidence`{of} on {where}; the same as data, with the "
        "command of every single cell, is in [evidence.json](evidence.json)."
    )
    failed = evidence.all_with("failed")
    cells = sum(len(column) for column in evidence.cells.values())
    absent = len(evidence.all_with("not run"))
    if not failed:
        rest = f" {absent} were not run: [why](#not-run)." if absent else ""
        yield f"**Nothing failed:** {cells - absent} cells passed, of {len(evidence.models)} models.{rest}"
        return
    lines = [f"- `{m.name}`, {c.name}: {_plain(cell.remark)} (`{cell.command}`)" for m, c, cell in failed[:_LISTED]]
    if len(failed) > _LISTED:
        lines.append(f"- and {len(failed) - _LISTED} more")
    yield "\n".join([f"**{len(failed)} of {cells} cells FAILED:**", "", *lines])


def _legend(evidence: Evidence) -> Iterator[str]:
    yield "## How to read it"
    yield (
        "An error is relative, and the worst of all that were measured; a whole number is that of tests that passed; "
        f"{NOT_RUN} was not run; an empty cell does not apply (what has no derivatives has tests of its own, which the "
        "README's table links). In the commands, NAME is the model's name as it stands in the table, PAGE that of its "
        "derivation."
    )
    lines = [_row(["column", "what it says", "command"]), _row(["---", "---", "---"])]
    lines += [_row([_head(evidence, c).replace(" ", "\u00a0"), c.says, f"`{c.command}`"]) for c in evidence.columns]
    yield "\n".join(lines)
    recorded = sorted(
        {cell.recorded for column in evidence.cells.values() for cell in column.values() if cell.recorded}
    )
    if recorded:
        yield (
            f"{RECORDED} Not installed where this page was written: recorded with {', '.join(recorded)}, in the "
            "committed table of `tests/autodiff/every_model`."
        )


def _absent(evidence: Evidence) -> Iterator[str]:
    """Why cells are empty that could have been filled, once each."""
    reasons: dict[tuple[str, str], list[str]] = {}
    for model, column, cell in evidence.all_with("not run"):
        reasons.setdefault((column.name, cell.remark), []).append(model.name)
    if reasons:
        yield "## Not run"
        yield "\n".join(
            f"- {column}, {'1 model' if len(names) == 1 else f'{len(names)} models'}: {_plain(remark)}"
            for (column, remark), names in reasons.items()
        )


def _versions(evidence: Evidence) -> Iterator[str]:
    yield "## Versions"
    yield ", ".join(f"{name} {number}" for name, number in evidence.versions.items())


def _plain(text: str) -> str:
    """In one line, without what Markdown would read as its own."""
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;").replace("*", "\\*").replace("_", "\\_")


def _way_to_pages(folder: Path, checkout: Checkout | None) -> str | None:
    """What leads from the folder to the derivations, if it is in the checkout."""
    if checkout is None or not folder.resolve().is_relative_to(checkout.root.resolve()):
        return None
    way = os.path.relpath(checkout.root.resolve() / "derivations", folder.resolve()).replace(os.sep, "/")
    return "" if way == "." else f"{way}/"
