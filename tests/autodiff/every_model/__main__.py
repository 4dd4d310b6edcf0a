"""``python -m tests.autodiff.every_model``: every model against every framework that is installed, as a table."""

import argparse
import importlib.util
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from .cancelling import CANCELLING, LIMIT
from .comparing import FEW_SHAPES, TOLERANCES, Row, is_within, largest_error, rows
from .namespaces import NAMESPACES
from .subjects import MANY_PIXELS, REASONS, models
from .tables import Shape

COMMAND = "python -m tests.autodiff.every_model"


def markdown(table: Sequence[Row]) -> str:
    """A line for each model and quantity, a column for each framework and precision."""
    frameworks = {(row["framework"], row["version"]) for row in table}
    columns = [(f, v, dtype) for f, v in sorted(frameworks) for dtype in TOLERANCES]
    worst = {(r["model"], r["quantity"], r["framework"], r["dtype"]): r for r in table}
    lines = [
        "# Every model by its definition, differentiated by the frameworks: the worst relative errors",
        "",
        f"Made by `{COMMAND} --json tests/autodiff/every_model/agreement.json --markdown "
        "tests/autodiff/every_model/agreement.md`. At least "
        f"{min(row['problems'] for row in table)} random problems for each number.",
        "",
        f"These are of the shapes {names_of(MANY_PIXELS)}, and in each problem the sizes, such as those of a PSF, are "
        f"drawn anew. Not so with JAX, which compiles each operation anew for every shape: it gets only the shapes "
        f"{names_of(FEW_SHAPES)}, and for each case and shape a single geometry (the sizes of PSFs, windows and the "
        "like); what it gets at least 100 of is other numbers in these.",
        "",
        "The tolerance is 1e-13 in float64 and 1e-5 in float32. Beyond it: "
        "(!) without an explanation, and the command ends with exit status 1; (c) by no more than the cancellation "
        "explains that is written below the table.",
        "",
        "| model | quantity | " + " | ".join(f"{f} {v}, {dtype}" for f, v, dtype in columns) + " |",
        "| --- | --- |" + " ---: |" * len(columns),
    ]
    for model, quantity in dict.fromkeys((row["model"], row["quantity"]) for row in table):
        cells = [worst.get((model, quantity, f, dtype)) for f, _, dtype in columns]
        numbers = " | ".join(f"{cell['worst']:.1e}{mark(cell)}" if cell else "" for cell in cells)
        lines.append(f"| {model} | {quantity} | {numbers} |")
    lines += [
        "",
        "A problem is drawn again where the terms that a framework subtracts in a smoothed norm, or in its second "
        f"derivative, are, by a formula, more than {LIMIT} times what they leave.",
        "",
        "Drawn all the same; the framework's rounding is larger, at most 4 times eps times that ratio, and refdeconv's "
        "is not (tests ask mpmath):",
        "",
    ]
    lines += [f"- {name}: {reason}." for name, reason in CANCELLING.items()]
    lines += ["", "Public, without a line:", "", *(f"- {name}: {reason}." for name, reason in REASONS.items())]
    return "\n".join(lines) + "\n"


def mark(row: Row) -> str:
    """Of a number beyond the tolerance."""
    return "" if is_within(row) else " (c)" if row["worst"] <= largest_error(row) else " (!)"


def names_of(shapes: Sequence[Shape]) -> str:
    return ", ".join(" x ".join(map(str, shape)) for shape in shapes)


def merged(file: Path | None, new: Sequence[Row]) -> list[Row]:
    """The new rows, and from a file those of frameworks and models that were not asked this time, in a fixed order."""
    old = json.loads(file.read_text(encoding="utf-8")) if file and file.exists() else []
    asked = {(row["framework"], row["model"]) for row in new}
    kept = [row for row in old if row["model"] in models() and (row["framework"], row["model"]) not in asked]
    frameworks, names = list(NAMESPACES), list(models())
    return sorted([*kept, *new], key=lambda row: (frameworks.index(row["framework"]), names.index(row["model"])))


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog=COMMAND, description=__doc__)
    parser.add_argument("--problems", type=int, default=100, help="at least so many of each model (100)")
    parser.add_argument("--only", action="append", choices=NAMESPACES, help="a framework; may be repeated")
    parser.add_argument("--model", action="append", choices=models(), help="a model; may be repeated")
    parser.add_argument("--json", type=Path, help="file for the rows; those not asked for this time are kept")
    parser.add_argument("--markdown", type=Path, help="file for the table")
    options = parser.parse_args(arguments)
    chosen = [name for name in NAMESPACES if importlib.util.find_spec(name) and name in (options.only or NAMESPACES)]
    if not chosen or options.problems < 1:
        parser.error("no such framework is installed" if not chosen else "--problems must be at least 1")

    count = len(chosen) * len(options.model or models())
    done = iter(range(1, count + 1))

    def show(framework: str, model: str) -> None:
        print(f"\r{next(done)}/{count} {framework}: {model:<48}", end="", file=sys.stderr, flush=True)

    new = [row for name in chosen for row in rows(NAMESPACES[name](), options.problems, COMMAND, show, options.model)]
    table = merged(options.json, new)
    print(file=sys.stderr)
    print(markdown(table), end="")
    if options.json:
        lines = ",\n".join(json.dumps(row) for row in table)
        options.json.write_text(f"[\n{lines}\n]\n", encoding="utf-8")
    if options.markdown:
        options.markdown.write_text(markdown(table), encoding="utf-8")
    beyond = [row for row in table if mark(row) == " (!)"]
    for row in beyond:
        print("beyond the tolerance:", json.dumps(row), file=sys.stderr)
    return 1 if beyond else 0


if __name__ == "__main__":
    sys.exit(main())
