"""``refdeconv conformance verify-optima`` and ``make-optima``: prove the certified optima anew, or make them."""

import time
from pathlib import Path
from typing import Any

import click

import refdeconv as rd
from refdeconv.conformance.array_files import FileError
from refdeconv.conformance.golden.optima import making, reading, verifying
from refdeconv.conformance.golden.optima.functions import UnprovenError
from refdeconv.conformance.golden.optima.intervals import rounded_up
from refdeconv.conformance.golden.optima.problems import FULL_SIZE

_FOLDER = click.Path(path_type=Path, file_okay=False)


@click.command("verify-optima", short_help="Prove the certified optima anew, from their files.")
@click.argument("folder", type=_FOLDER, default=reading.FOLDER, required=False)
@click.option("--small", is_flag=True, help="Leave out the article's problem in its full size (some seconds).")
@click.option("--raw", is_flag=True, help="Take the arrays from optima.bin instead of the npy files.")
def verify_optima(folder: Path, small: bool, raw: bool) -> None:
    """Evaluate the proof of every optimum in FOLDER (default: the package's own) in interval arithmetic."""
    try:
        optima = reading.read(folder, raw=raw)
    except FileError as error:
        raise click.ClickException(str(error)) from error
    failed = sum(not _verified(each) for each in optima if not (small and each.name == FULL_SIZE))
    if failed:
        raise click.ClickException(f"{failed} of {len(optima)} optima are not proven")


def _verified(optimum: reading.Optimum) -> bool:
    begin = time.perf_counter()
    try:
        found = verifying.verify(optimum)
    except UnprovenError as error:
        click.echo(f"NOT PROVEN  {error}")
        return False
    except ImportError as error:
        raise click.ClickException(str(error)) from error
    minimum, minimiser = rounded_up(found.bound_on_minimum), rounded_up(found.bound_on_minimiser)
    seconds = time.perf_counter() - begin
    click.echo(f"PROVEN  {optimum.name:28} minimum +- {minimum:9} minimiser +- {minimiser:9} ({seconds:.2f} s)")
    return True


@click.command("make-optima", short_help="Find, prove and write the certified optima.")
@click.argument("folder", type=_FOLDER)
def make_optima(folder: Path) -> None:
    """Write the certified optima into FOLDER."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in making.make(folder, _solve):
        click.echo(f"Proven: {name}")


def _solve(functional: rd.Functional, start: Any) -> Any:
    return rd.minimize(functional, start).x
