"""``refdeconv conformance``: golden vectors, listed, run, and written out for others."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
import numpy as np

import refdeconv as rd
from refdeconv import _fft
from refdeconv.cli import files, junit
from refdeconv.conformance.array_files import FileError
from refdeconv.conformance.golden import exporting, running, suite
from refdeconv.conformance.golden.optima import running as optima_running
from refdeconv.conformance.golden.optima.reading import Optimum
from refdeconv.conformance.golden.running import Listed, Outcome
from refdeconv.conformance.golden.suite import Recorded, Suite

WRONG = 1
_JUNIT_KINDS = {"PASS": "", "WRONG": "failure", "LEFT OUT": "skipped"}


@click.group(short_help="Golden vectors: run the package against them, or take them away.")
def conformance() -> None:
    """Golden vectors: inputs and outputs of every model.

    They were computed from the definitions by direct summation, to 50 digits, by code that uses nothing of the
    package. Their layout can be read in any language: see README.md and suite.json in what `export` writes.
    """


_filter = click.option(
    "--filter", "text", default="", metavar="TEXT", help="Only cases with this text in their name, model or kind."
)
_suite = click.option(
    "--suite",
    "folder",
    type=click.Path(path_type=Path),
    default=suite.OWN,
    metavar="DIR",
    help="A suite that was exported. Default: the package's own.",
)
_as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON, and nothing else, on standard output.")


@conformance.command("list", short_help="The cases, a line each.")
@_filter
@_as_json
@_suite
def list_command(text: str, as_json: bool, folder: Path) -> None:
    """The cases, a line each: name, kind, model, and what is special about it. Certified optima are cases, too."""
    with _usage_errors():
        cases = _chosen(suite.read(folder), text)
    if as_json:
        known = [{"name": c.name, "kind": c.kind, "model": c.model, "remark": c.remark} for c in cases]
        _print(json.dumps({"cases": known}, indent=2))
        return
    widths = [max(len(getattr(case, name)) for case in cases) for name in ("name", "kind", "model")]
    for case in cases:
        columns = [f"{getattr(case, n):{w}}" for n, w in zip(("name", "kind", "model"), widths, strict=True)]
        _print("  ".join([*columns, case.remark]).rstrip())


@conformance.command("run", short_help="The package against its golden vectors.")
@_filter
@_as_json
@click.option(
    "--junit",
    "junit_path",
    type=click.Path(path_type=Path),
    default=None,
    metavar="FILE",
    help="Write the outcomes as JUnit XML: a test for each case.",
)
@click.option(
    "--dtype",
    type=click.Choice(running.DTYPES),
    default="float64",
    show_default=True,
    help="The precision that models are given their points in.",
)
@_suite
def run_command(text: str, as_json: bool, junit_path: Path | None, dtype: str, folder: Path) -> None:
    """The package against its golden vectors.

    Of each case: the worst error over all outputs, and what is allowed, which is the bound on the vector and 16
    roundings of its scale (the README of the suite says why). The environment variable REFDECONV_FFT, scipy or ducc0,
    decides which FFT is run.

    The problems of certified optima are solved, and the solver's distance from the minimiser and its excess over the
    minimum are compared with the certified bounds and the solver's tolerance: 1e-5 a pixel, 1e-9 of the minimum.

    Exit status: 0 all right, 1 something is wrong, 2 bad usage, or a suite that cannot be read.
    """
    with _usage_errors():
        if junit_path is not None:
            files.check_writable(junit_path)
        start = time.monotonic()
        cases = _chosen(suite.read(folder), text)
        outcomes = [_run(case, dtype) for case in cases]
        seconds = time.monotonic() - start
    known = {
        "verdict": "WRONG" if any(outcome.status == "WRONG" for outcome in outcomes) else "PASS",
        "version": rd.__version__,
        "dtype": dtype,
        "fft": _fft.BACKEND,
        "numpy": np.__version__,
    }
    lines = _lines(outcomes, known)
    if junit_path is not None:
        with _usage_errors():
            _write_junit(junit_path, outcomes, known, seconds, "\n".join(lines))
    _print(json.dumps({**known, "cases": list(map(_record, outcomes))}, indent=2) if as_json else "\n".join(lines))
    raise SystemExit(WRONG if known["verdict"] == "WRONG" else 0)


@conformance.command("export", short_help="Write the golden vectors out for others.")
@click.argument("folder", type=click.Path(path_type=Path), metavar="DIR")
@click.option(
    "--unpacked",
    is_flag=True,
    help="Write each array also as a .npy file of its own, in its shape: unpacked/CASE/NAME.npy.",
)
def export_command(folder: Path, unpacked: bool) -> None:
    """Write the golden vectors out for others, with a README that says how to read them.

    DIR must not exist, or be empty. It is written whole or not at all.
    """
    with _usage_errors():
        found = suite.read()
        count = exporting.export(found, folder, unpacked=unpacked)
    _print(f"{len(found.cases)} cases in {count} files in {folder}: see {folder / suite.README}")


@contextmanager
def _usage_errors() -> Iterator[None]:
    """What is wrong with files is said in one line, not in a traceback."""
    try:
        yield
    except (FileError, files.InputError) as error:
        raise click.UsageError(str(error)) from error
    except OSError as error:
        raise click.UsageError(f"{error.filename or 'a file'}: {error.strerror or error}") from error


def _run(case: Recorded | Optimum, dtype: str) -> Outcome:
    return optima_running.run(case, _solve, dtype) if isinstance(case, Optimum) else running.run(case, dtype)


def _solve(functional: rd.Functional, start: Any) -> Any:
    return rd.minimize(functional, start, xtol=optima_running.XTOL).x


def _chosen(found: Suite, text: str) -> list[Recorded | Optimum]:
    def named(case: Listed) -> bool:
        return any(text in part for part in (case.name, case.model, case.kind))

    listed: list[Recorded | Optimum] = [*found.cases, *found.optima]
    cases = [case for case in listed if named(case)]
    if not cases:
        raise files.InputError(
            f"--filter: no case has {text!r} in its name, model or kind: see refdeconv conformance list"
        )
    return cases


def _lines(outcomes: Sequence[Outcome], known: dict[str, Any]) -> list[str]:
    """A line for each case, and one for all."""
    width = max(len(outcome.case.name) for outcome in outcomes)
    lines = []
    for outcome in outcomes:
        worst = outcome.worst
        figures = f"{worst.output:9} error {worst.error:8.1e}, allowed {worst.allowed:7.1e}" if worst else ""
        said = outcome.message if outcome.status != "PASS" else ""
        lines.append(f"{outcome.status:8}  {outcome.case.name:{width}}  {figures:45}  {said}".rstrip())
    counts = {status: sum(outcome.status == status for outcome in outcomes) for status in _JUNIT_KINDS}
    part = max((outcome.worst.part for outcome in outcomes if outcome.worst), default=0.0)
    numbers = ", ".join(f"{count} {status}" for status, count in counts.items())
    where = f"{known['dtype']}, {known['fft']}"
    return [*lines, "", f"{known['verdict']}: {numbers}; {where}; the worst error is {part:.2g} of what is allowed"]


def _record(outcome: Outcome) -> dict[str, Any]:
    """An outcome for JSON, which has no infinity."""

    def plain(error: float) -> float | None:
        return error if np.isfinite(error) else None

    case = outcome.case
    return {
        "name": case.name,
        "kind": case.kind,
        "model": case.model,
        "status": outcome.status,
        "message": outcome.message,
        "outputs": {c.output: {"error": plain(c.error), "allowed": c.allowed} for c in outcome.comparisons},
    }


def _write_junit(path: Path, outcomes: Sequence[Outcome], known: dict[str, Any], seconds: float, output: str) -> None:
    part = seconds / len(outcomes)
    tests = [
        junit.outcome(each.case.name, f"conformance.{each.case.model}", part, _JUNIT_KINDS[each.status], each.message)
        for each in outcomes
    ]
    junit.write_suite(path, "refdeconv conformance run", "refdeconv", tests, known, seconds, output)


def _print(text: str) -> None:
    """On standard output; a reader that has gone away changes nothing of the outcome."""
    try:
        click.echo(text)
    except BrokenPipeError:
        sys.stderr.flush()
