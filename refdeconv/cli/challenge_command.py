"""``refdeconv challenge`` and ``refdeconv judge``: is an implementation in any language right?"""

import json
import os
import re
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from refdeconv._arrays import choice
from refdeconv.cli import files, junit
from refdeconv.cli.check_command import EXIT_STATUS, INTERRUPTED, NO_VERDICT, coloured
from refdeconv.cli.progress import CheckProgress, consoles
from refdeconv.conformance import challenge as challenges
from refdeconv.conformance.array_files import FileError
from refdeconv.conformance.challenge.folder import OWN_FILES, cut
from refdeconv.conformance.challenge.problem import BASES, LEAST, MOST, OBJECTIVE, SEEDS
from refdeconv.operators.convolution import BOUNDARIES

_LISTED = "\n".join(f"      {name:<30} {base.title}" for name, base in BASES.items())
_EDGES = ", ".join(boundary for boundary in BOUNDARIES if boundary != "constant")


def _shape(text: str) -> tuple[int, ...]:
    if not re.fullmatch(r"[0-9]{1,9}([xX][0-9]{1,9})*", text):
        raise files.InputError(f"--shape: {cut(text)} is not a shape, such as 13x10")
    return tuple(map(int, text.lower().split("x")))


def _functions(text: str | None) -> tuple[str, ...] | None:
    return None if text is None else tuple(name.strip() for name in text.split(","))


def _known(context: click.Context, parameter: click.Parameter, name: str) -> str:
    try:
        return choice(cut(name, str), "problem", challenges.NAMES)
    except ValueError as error:
        raise click.BadParameter(str(error), context, parameter) from None


def _folder(context: click.Context, parameter: click.Parameter, name: str) -> Path:
    if not name.strip():
        raise _Refused("DIR must be the name of a folder, such as mine")
    return Path(name)


class _Refused(click.ClickException):
    """What is wrong with files or arguments, in a line, without the usage."""

    exit_code = NO_VERDICT


@contextmanager
def _file_errors() -> Iterator[None]:
    try:
        yield
    except (FileError, files.InputError) as error:
        raise _Refused(str(error)) from error


@click.command(short_help="Challenge an implementation in any language: write what it has to compute.")
@click.argument("folder", metavar="DIR", callback=_folder)
@click.option(
    "--problem", "name", required=True, metavar="NAME", callback=_known, help="What to compute; the names are above."
)
@click.option(
    "--shape",
    default="13x10",
    show_default=True,
    metavar="SHAPE",
    help=f"Of the unknown image: 1 to 3 axes, at least {LEAST} pixels along each, at most {MOST} in all.",
)
@click.option(
    "--seed",
    type=click.IntRange(0, SEEDS - 1),
    default=0,
    show_default=True,
    metavar="N",
    help="Of the numbers: another, another.",
)
@click.option(
    "--precision",
    type=click.Choice(challenges.PRECISIONS),
    default="double",
    show_default=True,
    help="What the implementation computes in. Single: answers may be float32, and are judged as such.",
)
@click.option(
    "--functions",
    default=None,
    metavar="LIST",
    help=f"What to ask for, such as value,gradient. [default: all that there are: {','.join(OBJECTIVE)}]",
)
def challenge(folder: Path, name: str, shape: str, seed: int, precision: str, functions: str | None) -> None:
    """Write a folder DIR that asks an implementation, in any language, for its answers.

    DIR gets inputs, the list of the calls to make, and a README.md that says what to compute and where to put it.
    Your program writes its answers; then `refdeconv judge DIR` says whether they are right.
    """
    with _file_errors():
        try:
            made = challenges.challenge(name, _shape(shape), seed, precision=precision, functions=_functions(functions))
        except (TypeError, ValueError) as error:
            raise files.InputError(str(error)) from error
        challenges.write(folder, made)
    click.echo(
        f"Wrote {folder}: {name}, {len(made.calls)} calls of {', '.join(made.problem.functions)}\n"
        f"Next: {folder / 'README.md'} says what to compute and where to put it. Run your program, then:\n"
        f"  refdeconv judge {folder}"
    )


challenge.help = f"""{challenge.help}

    \b
    Problems:
{_LISTED}

    Names with a PSF may end with a boundary, such as article-reflect or convolution-valid: {_EDGES}. Without one it is
    constant, zeros beyond the edges.

    \b
    Example:
      refdeconv challenge mine --problem least-squares-total-variation --shape 20x30
      octave-cli mine.m
      refdeconv judge mine

    Exit status: 0 written, 2 bad usage, or a folder that is not empty or cannot be written.
    """


@click.command(short_help="Judge the answers of an implementation in any language.")
@click.argument("folder", metavar="DIR", callback=_folder)
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON, and nothing else, on standard output.")
@click.option(
    "--junit",
    "junit_path",
    type=click.Path(path_type=Path),
    default=None,
    metavar="FILE",
    help="Write the report as JUnit XML: WRONG is a failure, INCONCLUSIVE an error.",
)
def judge(folder: Path, as_json: bool, junit_path: Path | None) -> None:
    """Judge the answers in DIR, a folder that `refdeconv challenge` wrote.

    Says of value, gradient, Hessian product, forward map and adjoint whether they are right, how small an error would
    have been caught, and of what is wrong, where that is and what it looks like. Nothing outside of DIR is read.

    \b
    Exit status: 0 PASS, 1 WRONG, 3 INCONCLUSIVE,
                 2 bad usage, or files that are missing, changed or damaged, or hold NaN, 130 interrupted.
                 With 2 there is no verdict; JSON and JUnit then hold the error.

    \b
    Example:
      refdeconv judge mine --json --junit report.xml
    """
    with _file_errors():
        raise SystemExit(_judged(folder, as_json, junit_path))


def _judged(folder: Path, as_json: bool, junit_path: Path | None) -> int:
    if junit_path is not None:
        _check_junit(folder, junit_path)
    messages, _ = consoles()
    try:
        with CheckProgress(messages) as progress:
            found = challenges.judge(folder, progress)
    except KeyboardInterrupt:
        messages.print("Interrupted: there is no verdict.")
        return INTERRUPTED
    except FileError as error:
        _tell_error(folder, error, as_json, junit_path)
        raise
    except Exception:  # whatever it is, it is no verdict, and must not end with the status of one
        traceback.print_exc()
        messages.print("This is a fault of refdeconv, not of the answers: there is no verdict. Please report it.")
        return NO_VERDICT
    _print(folder, found, as_json)
    if junit_path is not None:
        _write_junit(folder, found, junit_path)
        messages.print(f"Wrote {junit_path}")
    return EXIT_STATUS[found.report.verdict]


def _check_junit(folder: Path, path: Path) -> None:
    """Find out before the work whether it can be written, and refuse what would change the challenge."""
    here, top = path.resolve(), folder.resolve()
    if here.is_relative_to(top):
        parts = here.relative_to(top).parts
        if len(parts) != 1 or parts[0] in OWN_FILES:
            raise files.InputError(f"--junit: {path} is among the challenge's own files, which are never overwritten")
    if not path.parent.is_dir():
        raise files.InputError(f"--junit: there is no folder {path.parent} to write {path.name} into: make it first")
    files.check_writable(path)


def _tell_error(folder: Path, error: FileError, as_json: bool, path: Path | None) -> None:
    """That there is no verdict, in the reports that were asked for: what reads them must not take it for a pass."""
    if as_json:
        problems = list(error.problems) if isinstance(error, challenges.AnswersError) else []
        about = {"target": str(folder), "verdict": None, "error": str(error), "problems": problems}
        click.echo(json.dumps(about, indent=2, allow_nan=False))
    if path is not None:
        case = junit.outcome("files", str(folder), 0.0, "error", str(error))
        try:
            junit.write_suite(path, "refdeconv judge", str(folder), [case], {"target": folder}, 0.0, str(error))
        except OSError as problem:
            raise files.InputError(f"cannot write {path}: {problem.strerror or problem}") from problem


def _write_junit(folder: Path, found: challenges.Judgement, path: Path) -> None:
    try:
        junit.write(path, found.report, str(folder), found.challenge.problem.name, suite_name="refdeconv judge")
    except OSError as error:
        raise files.InputError(f"cannot write {error.filename or path}: {error.strerror or error}") from error


def _print(folder: Path, found: challenges.Judgement, as_json: bool) -> None:
    """The report on standard output; a reader that has gone away changes nothing of the verdict."""
    if as_json:
        text = json.dumps({"target": str(folder), **found.to_dict()}, indent=2, allow_nan=False)
    else:
        problem = found.challenge.problem
        text = f"{folder}\n{problem.name}, {problem.precision} precision, {len(found.calls)} answers\n\n{found.report}"
    painted = sys.stdout.isatty() and "NO_COLOR" not in os.environ and not as_json
    try:
        click.echo(coloured(text) if painted else text, color=painted)
        sys.stdout.flush()
    except BrokenPipeError:
        sys.stderr.flush()
