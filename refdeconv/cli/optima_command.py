"""``refdeconv conformance verify-optima`` and ``make-optima``: prove the certified optima anew, or make them."""

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

import refdeconv as rd
from refdeconv.cli import files, junit
from refdeconv.conformance.array_files import FileError
from refdeconv.conformance.golden.optima import making, reading, verifying
from refdeconv.conformance.golden.optima.functions import UnprovenError
from refdeconv.conformance.golden.optima.intervals import rounded_up
from refdeconv.conformance.golden.optima.problems import FULL_SIZE

UNPROVEN = 1
_FOLDER = click.Path(path_type=Path, file_okay=False)


@dataclass(frozen=True)
class _Outcome:
    """What came of one proof: its bounds as decimals, or why there is none."""

    optimum: reading.Optimum
    seconds: float
    bounds: tuple[str, str] | None = None
    message: str = ""

    @property
    def status(self) -> str:
        return "PROVEN" if self.bounds else "NOT PROVEN"

    def __str__(self) -> str:
        if not self.bounds:
            return f"NOT PROVEN  {self.message}"
        minimum, minimiser = self.bounds
        figures = f"minimum +- {minimum:9} minimiser +- {minimiser:9} ({self.seconds:.2f} s)"
        return f"PROVEN  {self.optimum.name:28} {figures}"


@click.command("verify-optima", short_help="Prove the certified optima anew, from their files.")
@click.argument("folder", type=_FOLDER, default=reading.FOLDER, required=False)
@click.option("--small", is_flag=True, help="Leave out the article's problem in its full size (some seconds).")
@click.option("--raw", is_flag=True, help="Take the arrays from optima.bin instead of the npy files.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, and nothing else, on standard output.")
@click.option(
    "--junit",
    "junit_path",
    type=click.Path(path_type=Path),
    default=None,
    metavar="FILE",
    help="Write the outcomes as JUnit XML: a test for each optimum.",
)
def verify_optima(folder: Path, small: bool, raw: bool, as_json: bool, junit_path: Path | None) -> None:
    """Evaluate the proof of every optimum in FOLDER (default: the package's own) in interval arithmetic.

    Exit status: 0 all proven, 1 something is not, 2 bad usage, or files that are missing or damaged.
    """
    try:
        if junit_path is not None:
            files.check_writable(junit_path)
        optima = [each for each in reading.read(folder, raw=raw) if not (small and each.name == FULL_SIZE)]
    except (FileError, files.InputError) as error:
        raise click.UsageError(str(error)) from error
    outcomes = []
    for optimum in optima:
        outcomes.append(_verified(optimum))
        if not as_json:
            click.echo(str(outcomes[-1]))
    failed = sum(outcome.bounds is None for outcome in outcomes)
    summary = f"{len(optima) - failed} of {len(optima)} optima are proven"
    if as_json:
        click.echo(json.dumps({"verdict": _verdict(failed), "optima": list(map(_record, outcomes))}, indent=2))
    else:
        click.echo(f"\n{_verdict(failed)}: {summary}")
    if junit_path is not None:
        _write_junit(junit_path, outcomes, failed)
    raise SystemExit(UNPROVEN if failed else 0)


def _verified(optimum: reading.Optimum) -> _Outcome:
    begin = time.perf_counter()
    try:
        found = verifying.verify(optimum)
    except UnprovenError as error:
        return _Outcome(optimum, time.perf_counter() - begin, message=str(error))
    except ImportError as error:
        raise click.UsageError(str(error)) from error
    bounds = rounded_up(found.bound_on_minimum), rounded_up(found.bound_on_minimiser)
    return _Outcome(optimum, time.perf_counter() - begin, bounds)


def _verdict(failed: int) -> str:
    return "NOT PROVEN" if failed else "PROVEN"


def _record(outcome: _Outcome) -> dict[str, Any]:
    optimum = outcome.optimum
    minimum, minimiser = outcome.bounds or (None, None)
    return {
        "name": optimum.name,
        "model": optimum.model,
        "method": optimum.method,
        "status": outcome.status,
        "message": outcome.message,
        "bound_on_minimum": minimum,
        "bound_on_minimiser": minimiser,
        "seconds": outcome.seconds,
    }


def _write_junit(path: Path, outcomes: Sequence[_Outcome], failed: int) -> None:
    tests = [
        junit.outcome(
            each.optimum.name,
            f"conformance.{each.optimum.model}",
            each.seconds,
            "" if each.bounds else "failure",
            each.message,
        )
        for each in outcomes
    ]
    known = {"verdict": _verdict(failed), "version": rd.__version__}
    seconds, output = sum(each.seconds for each in outcomes), "\n".join(map(str, outcomes))
    try:
        junit.write_suite(path, "refdeconv conformance verify-optima", "refdeconv", tests, known, seconds, output)
    except (OSError, files.InputError) as error:
        raise click.UsageError(f"{path}: {error}") from error


@click.command("make-optima", short_help="Find, prove and write the certified optima.")
@click.argument("folder", type=_FOLDER)
def make_optima(folder: Path) -> None:
    """Write the certified optima into FOLDER."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in making.make(folder, _solve):
        click.echo(f"Proven: {name}")


def _solve(functional: rd.Functional, start: Any) -> Any:
    return rd.minimize(functional, start).x
