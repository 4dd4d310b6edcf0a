"""The table of agreement: how far refdeconv and four autodiff frameworks are apart at worst, cell by cell.

``python -m tests.autodiff.agreement [--markdown FILE] [--json FILE] [--examples N]`` runs every cell (model, framework,
precision) of what is installed on random problems drawn with hypothesis, the same in each run of the same releases, and
writes the table. Exit status 1 if an error exceeds its tolerance. The committed table is `agreement.md`, made by::

    python -m tests.autodiff.agreement --markdown tests/autodiff/agreement.md --json tests/autodiff/agreement.json
"""

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from hypothesis import HealthCheck, Phase, given, settings

from . import comparing, drawing
from .installed import EXTRAS
from .limits import LIMITS
from .models import FRAMEWORKS, MODELS, Problem, posed

COMMAND = "python -m tests.autodiff.agreement"
EXAMPLES = 120
Row = dict[str, Any]


class Cell(NamedTuple):
    model: str
    framework: str
    dtype: str

    def errors(self, problem: Problem) -> tuple[dict[str, float], str]:
        """The relative errors on a problem, and the framework's version."""
        numbers, dtype = posed(problem), np.dtype(self.dtype).type
        theirs, version = comparing.answers(self.framework, numbers, dtype)
        return comparing.errors(theirs, comparing.our_answers(numbers, dtype)), version

    def rows(self, examples: int) -> Iterator[Row]:
        """The worst errors over so many problems, as rows of the table."""
        found: dict[Problem, tuple[dict[str, float], str]] = {}
        draw(self, examples, lambda problem: found.setdefault(problem, self.errors(problem)))
        for quantity in comparing.QUANTITIES:
            yield {
                **self._asdict(),
                "version": next(iter(found.values()))[1],
                "quantity": quantity,
                "problems": len(found),
                # One that is not a number is the worst of all.
                "worst": float(np.max([errors[quantity] for errors, _ in found.values()])),
                "command": COMMAND,
            }


def draw(cell: Cell, examples: int, use: Callable[[Problem], Any]) -> None:
    """Call `use` with each of so many problems, which are the same every time."""

    @settings(
        max_examples=examples,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(drawing.problems(cell.model, cell.framework))
    def each(problem: Problem) -> None:
        use(problem)

    each()


def is_within(row: Row) -> bool:
    return row["worst"] <= comparing.TOLERANCES[row["dtype"]]


def cells(frameworks: list[str]) -> list[Cell]:
    return [
        Cell(model, framework, dtype) for framework in frameworks for model in MODELS for dtype in comparing.TOLERANCES
    ]


# ---- The table ----


def markdown(rows: list[Row]) -> str:
    versions = {row["framework"]: row["version"] for row in rows}
    head = ["model", "precision", *(f"{framework} {version}" for framework, version in versions.items())]
    lines = [_line(head), _line(["---"] * len(head))]
    for model in MODELS:
        for dtype in comparing.TOLERANCES:
            found = [[row for row in rows if _is_of(row, model, framework, dtype)] for framework in versions]
            lines.append(_line([MODELS[model].title, dtype, *map(_errors, found)]))
    counts = [row["problems"] for row in rows]
    return _TEXT.format(
        least=min(counts), most=max(counts), table="\n".join(lines), limits="\n".join(_limits()), command=COMMAND
    )


_TEXT = """# refdeconv and the autodiff versions

Worst relative error of value / gradient / Hessian-vector product between refdeconv and each framework, over {least} to
{most} random problems a cell: images not square, PSFs odd and even and without symmetry, some larger than the image,
weights by pixel with some of them zero, data with zero counts, a background. The tolerance is 1e-13 in float64 and 1e-5
in float32. The error is the norm of the difference divided by the norm of refdeconv's result. JAX, which compiles for
every shape, gets the sizes of a short list.

Not drawn are

- images of fewer than 8 pixels: the Hessian of a norm projects its argument, on two or three pixels little or nothing
  is left of a direction, and the relative error of that remainder is one of the draw, not of a formula;
- a single row, column or plane of pixels where total variation is smoothed: where a pixel has one difference d only,
  what differentiating s = sqrt(d**2 + epsilon**2) leaves, 1 / s - d**2 / s**3, is a part (epsilon / s)**2 of its terms;
- an epsilon below 1/64, with the softplus below 1/8: the curvature of the smoothed total variation changes over a step
  of epsilon, so that a rounding of x counts x / epsilon times in it;
- with Autograd and TensorFlow, the few pairs of sizes that the second table names.

{table}

Every framework expresses every model. What stood in the way, and what was written instead:

{limits}

Made by `{command}`; the problems are drawn by `drawing.py`.
What the second table says that a framework does not do is executed by `test_limits.py`.
"""


def _is_of(row: Row, model: str, framework: str, dtype: str) -> bool:
    return (row["model"], row["framework"], row["dtype"]) == (model, framework, dtype)


def _errors(rows: list[Row]) -> str:
    return " / ".join(f"{row['worst']:.1e}" + ("" if is_within(row) else " (!)") for row in rows)


def _limits() -> Iterator[str]:
    yield _line(["framework", "models", "what it does not do", "instead"])
    yield _line(["---"] * 4)
    for limit in LIMITS:
        yield _line([limit.framework, limit.models, limit.what, limit.instead])


def _line(entries: list[str]) -> str:
    return f"| {' | '.join(entries)} |"


# ---- The command ----


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog=COMMAND, description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write the table there (default: print it)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the rows there")
    parser.add_argument("--examples", type=int, default=EXAMPLES, metavar="N", help=f"problems a cell ({EXAMPLES})")
    options = parser.parse_args(arguments)
    if options.examples < 1:
        parser.error(f"argument --examples: must be at least 1, got {options.examples}")

    rows = list(_all_rows(options.examples))
    if not rows:
        print('no framework is installed: pip install -e ".[test,autodiff]"', file=sys.stderr)
        return 1
    if options.json:
        options.json.write_text(as_json(rows), encoding="utf-8")
    if options.markdown:
        options.markdown.write_text(markdown(rows), encoding="utf-8")
    else:
        print(markdown(rows))
    beyond = [row for row in rows if not is_within(row)]
    for row in beyond:
        print("beyond the tolerance:", json.dumps(row), file=sys.stderr)
    return 1 if beyond else 0


def as_json(rows: list[Row]) -> str:
    return "[\n" + ",\n".join(json.dumps(row) for row in rows) + "\n]\n"


def _all_rows(examples: int) -> Iterator[Row]:
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    for framework in FRAMEWORKS:
        if not comparing.is_installed(framework):
            print(f'{framework} is not installed: pip install -e ".[{EXTRAS[framework]}]"', file=sys.stderr)
    todo = cells([framework for framework in FRAMEWORKS if comparing.is_installed(framework)])
    for count, cell in enumerate(todo, 1):
        started = time.perf_counter()
        print(f"{count:3}/{len(todo)}  {' '.join(cell):45}", end="", flush=True, file=sys.stderr)
        rows = list(cell.rows(examples))
        print(f"{_errors(rows)}  {time.perf_counter() - started:.1f} s", flush=True, file=sys.stderr)
        yield from rows


if __name__ == "__main__":
    sys.exit(main())
