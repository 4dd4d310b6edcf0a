"""``refdeconv check``: is a user's own gradient, Hessian product or adjoint right?"""

import json
import os
import re
import sys
import traceback
from pathlib import Path
from typing import Any, TextIO

import click

from refdeconv import checks
from refdeconv.checks.report import Report, Verdict
from refdeconv.cli import check_subject, files, junit, user_code
from refdeconv.cli.check_subject import Subject
from refdeconv.cli.progress import CheckProgress, consoles

EXIT_STATUS = {Verdict.PASS: 0, Verdict.WRONG: 1, Verdict.INCONCLUSIVE: 3}
NO_VERDICT = 2
INTERRUPTED = 130
DRAWABLE = (".png", ".pdf", ".svg")

_COLOURS = {"PASS": "green", "WRONG": "red", "INCONCLUSIVE": "yellow"}
_VERDICT = re.compile(r"^( {2})?(PASS|WRONG|INCONCLUSIVE)\b", flags=re.MULTILINE)


def run(
    target: str,
    point: Path | None,
    shape: str | None,
    dtype: str | None,
    seed: int,
    as_json: bool,
    junit: Path | None,
    plot: Path | None,
    require_power: float | None,
    time_limit: float | None,
) -> int:
    """Load a candidate, check it, and say what was found.

    Returns
    -------
    int
        The exit status.
    """
    path, name = user_code.parse(target)
    user_code.check_exists(path)
    if point is not None and shape is not None:
        raise files.InputError("--point and --shape both say where to check: give one of them")
    _check_destinations(junit, plot, [path, *([point] if point else [])])
    given_limits = {"require_power": require_power, "time_limit": time_limit}
    limits = {name: limit for name, limit in given_limits.items() if limit is not None}  # the library has the defaults
    messages, _ = consoles()
    progress = CheckProgress(messages)
    with user_code.surroundings(path) as output:
        try:
            given, module = check_subject.subject(path, name)
            given = check_subject.with_point(given, module, point, shape, dtype, seed)
            with progress:
                report, interrupted = _checked(given, seed, progress, limits)
        except KeyboardInterrupt:
            messages.print(f"Interrupted, with nothing found so far{f' ({progress.stand})' if progress.stand else ''}.")
            return INTERRUPTED
        except files.InputError:
            raise
        except Exception:  # whatever it is, it is no verdict, and must not end with the status of one
            traceback.print_exc()
            messages.print("This is a fault of refdeconv, not of your code: there is no verdict. Please report it.")
            return NO_VERDICT
        with files.uninterrupted():
            if interrupted:
                messages.print("Interrupted: this is what was found so far.")
            _print(output, report, target, given, as_json=as_json, interrupted=interrupted)
            for written in _write(report, junit, plot, target, given, interrupted):
                messages.print(f"Wrote {written}")
    return INTERRUPTED if interrupted else EXIT_STATUS[report.verdict]


def _check_destinations(junit: Path | None, plot: Path | None, inputs: list[Path]) -> None:
    """Find out before the check whether its files can be written."""
    if plot is not None and plot.suffix.lower() not in DRAWABLE:
        raise files.InputError(f"--plot: cannot draw {plot}: its ending must be one of {', '.join(DRAWABLE)}")
    destinations = {"--junit": junit, "--plot": plot}
    for option, path in destinations.items():
        if path is None:
            continue
        if path.exists() and any(other.exists() and path.samefile(other) for other in inputs):
            raise files.InputError(f"{option}: {path} is an input of this run, which is never overwritten")
        files.check_writable(path)
    if junit is not None and plot is not None and junit.resolve() == plot.resolve():
        raise files.InputError(f"--junit and --plot are both {junit}")


def _checked(given: Subject, seed: int, progress: CheckProgress, limits: dict[str, float]) -> tuple[Report, bool]:
    """The report, and whether it was ended by Ctrl-C, which brings what was found so far if there is any."""
    try:
        with files.input_errors():
            report = checks.check(given.candidate, given.x, y_like=given.y_like, seed=seed, progress=progress, **limits)
        return report, False
    except KeyboardInterrupt as stop:
        found = next((thing for thing in stop.args if isinstance(thing, Report)), None)
        if found is None:
            raise
        return found, True
    except SystemExit as stop:
        raise files.InputError(f"the code under check ended the program (SystemExit {stop.code!r})") from stop


def _print(output: TextIO, report: Report, target: str, given: Subject, *, as_json: bool, interrupted: bool) -> None:
    """The report on standard output; a reader that has gone away changes nothing of the verdict."""
    if as_json:
        about: dict[str, Any] = {"target": target, "point": given.point, "interrupted": interrupted}
        text = json.dumps(about | report.to_dict(), indent=2, allow_nan=False)
    else:
        text = f"{target}\nPoint: {given.point}\n\n{report}"
    in_colour = output.isatty() and "NO_COLOR" not in os.environ and not as_json
    try:
        click.echo(coloured(text) if in_colour else text, file=output, color=in_colour)
        output.flush()
    except BrokenPipeError:
        sys.stderr.flush()


def coloured(text: str) -> str:
    """A report with its verdicts in colour."""

    def paint(match: re.Match[str]) -> str:
        return (match[1] or "") + click.style(match[2], fg=_COLOURS[match[2]], bold=True)

    return _VERDICT.sub(paint, text)


def _write(
    report: Report, junit_path: Path | None, plot: Path | None, target: str, given: Subject, interrupted: bool
) -> list[Path]:
    """The files that were asked for."""
    try:
        if junit_path is not None:
            junit.write(junit_path, report, target, given.point, interrupted=interrupted)
        if plot is not None:
            report.plot(plot)
    except OSError as error:
        raise files.InputError(f"cannot write {error.filename or 'the report'}: {error.strerror or error}") from error
    return [path for path in (junit_path, plot) if path is not None]
