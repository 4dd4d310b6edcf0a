"""Reading the answers to a challenge, with suspicion: of all files that are of no use, it is said at once why."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from refdeconv._arrays import Array, Shape
from refdeconv.checks.faults.location import in_map
from refdeconv.checks.faults.places import EVERYWHERE
from refdeconv.conformance.array_files import FileError, inside, read_npy, read_raw, read_text
from refdeconv.conformance.challenge.folder import ENDINGS, Challenge
from refdeconv.conformance.challenge.probes import Call

_LISTED = 6
_MAPS = 16
_FILES = 10000  # that are looked at for names that were meant


class AnswersError(FileError):
    """Answers that are of no use.

    Attributes
    ----------
    problems : tuple of dict
        Of each kind of problem: ``what`` it is, the ``files``, and of NaN, its ``function``, the number of ``calls``
        with it, ``of`` how many, and ``where``.
    """

    def __init__(self, message: str, problems: tuple[dict[str, Any], ...]) -> None:
        super().__init__(message)
        self.problems = problems


@dataclass(frozen=True)
class _Bad:
    """An answer that is of no use."""

    call: Call
    name: str
    why: str
    mask: Array | None = None  # where it is not finite, if that is all that is wrong


def answers(folder: Path, made: Challenge) -> dict[Call, Array]:
    """What the implementation answered.

    Parameters
    ----------
    folder : Path
        Of the challenge.
    made : Challenge
        What `read` returned.

    Returns
    -------
    dict
        An array for each call.

    Raises
    ------
    AnswersError
        Where any answer is missing, or is no such array, or holds NaN or infinity; of all answers at once.
    """
    dtypes = ("float64", "float32") if made.problem.precision == "single" else ("float64",)
    found: dict[Call, Array] = {}
    missing: list[Call] = []
    bad: list[_Bad] = []
    for call in made.calls:
        name = call.answer
        try:
            there = _answer_name(folder, call)
            if there is None:
                missing.append(call)
                continue
            name = there
            array = _answer(folder, name, made.problem.answer_shape(call.function), dtypes)
        except FileError as error:
            bad.append(_Bad(call, name, str(error)))
            continue
        finite = np.isfinite(array)
        if finite.all():
            found[call] = array
        else:
            bad.append(_Bad(call, name, _not_finite(name, finite), ~finite))
    if missing or bad:
        raise _error(folder, made, missing, bad)
    return found


def _error(folder: Path, made: Challenge, missing: list[Call], bad: list[_Bad]) -> AnswersError:
    """All that is wrong, what is most of a riddle last."""
    lines: list[str] = []
    problems: list[dict[str, Any]] = []
    others: dict[str, list[_Bad]] = {}
    for each in bad:
        if each.mask is None:
            others.setdefault(each.why.replace(each.name, "", 1), []).append(each)
    for group in others.values():
        names = [each.name for each in group]
        lines.append(group[0].why + (f"; the same of {', '.join(names[1:])}" if names[1:] else ""))
        problems.append({"what": group[0].why, "files": names})
    if missing:
        lines.append(_of_missing(folder, made, missing))
        problems.append({"what": "missing", "files": [call.answer for call in missing]})
    holes = [each for each in bad if each.mask is not None]
    if holes:
        told = list(_of_nan(made, holes))
        text = "; ".join(
            f"{row['function']}: NaN or infinity in {row['calls']} of {row['of']} calls {row['where']}" for row in told
        )
        lines.append(f"{holes[0].why}. In all: {text}. {_cause(made)}")
        problems += told
    return AnswersError("\n".join(lines), tuple(problems))


def _not_finite(name: str, finite: Array) -> str:
    where = np.argwhere(~finite)
    first = f", first at {tuple(map(int, where[0]))}" if finite.ndim else ""
    return f"{name} holds NaN or infinity at {len(where)} of {finite.size} entries{first}"


def _of_nan(made: Challenge, holes: list[_Bad]) -> Iterator[dict[str, Any]]:
    """A row for each function."""
    for function in made.problem.functions:
        own = [each for each in holes if each.call.function == function]
        if not own:
            continue
        listed = ", ".join(f"{each.call.number:03}" for each in own[:_LISTED]) + (", ..." if own[_LISTED:] else "")
        yield {
            "what": "NaN or infinity",
            "function": function,
            "calls": len(own),
            "of": sum(call.function == function for call in made.calls),
            "where": f"({listed}){_place(own)}",
            "files": [each.name for each in own],
        }


def _place(own: list[_Bad]) -> str:
    masks = np.stack([each.mask for each in own[:_MAPS] if each.mask is not None])
    if masks.ndim == 1:
        return ""
    place = in_map(masks.astype(np.float64), 1e-3)
    if place is EVERYWHERE:
        count, size = int(masks.any(axis=0).sum()), masks[0].size
        return ", everywhere" if count == size else f", at {count} of {size} entries"
    return f", at {place}"


def _cause(made: Challenge) -> str:
    if made.problem.about.counts:
        return (
            "The usual cause is 0 * log(0) where no photon was counted, which is 0 here, or 0 / 0, the logarithm of a "
            "negative number, or a background that was left out"
        )
    return "The usual causes are 0 / 0, 0 * log(0), the root of a negative number, and entries that were never written"


def _of_missing(folder: Path, made: Challenge, missing: list[Call]) -> str:
    listed = ", ".join(call.answer for call in missing[:3]) + (", ..." if len(missing) > 3 else "")
    text = (
        f"{len(missing)} of {len(made.calls)} answers are missing in {folder}: {listed}. Each is a file with the "
        "ending .npy, .bin or .txt: run your program (README.md says what it has to write), then judge again"
    )
    return text + _near_misses(folder, {call.number for call in missing})


def _near_misses(folder: Path, missing: set[int]) -> str:
    """Files that may have been meant."""
    try:
        with os.scandir(inside(folder, "answers")) as entries:
            names = sorted(entry.name for entry in islice(entries, _FILES))
    except (OSError, FileError):
        return ""
    for name in names:
        match = re.fullmatch(r"(?:answers?[-_ ]?)?(\d{1,9})(\.[A-Za-z0-9]{1,8})?", name, flags=re.IGNORECASE)
        if match and int(match[1]) in missing:
            ending = (match[2] or "").lower()
            right = f"{int(match[1]):03}{ending if ending in ENDINGS else ' with one of these endings'}"
            return f". There is answers/{name}: its name must be {right}"
    return ""


def _answer_name(folder: Path, call: Call) -> str | None:
    """The file that holds an answer; None where there is none."""
    there = [f"{call.answer}{end}" for end in ENDINGS if _exists(folder, f"{call.answer}{end}")]
    if len(there) > 1:
        raise FileError(f"{' and '.join(there)} are both there: which is the answer? Delete the other")
    return there[0] if there else None


def _exists(folder: Path, name: str) -> bool:
    """Whether there is anything of that very name, a link that leads nowhere included."""
    path = inside(folder, name)
    return path.exists() or path.is_symlink()


def _answer(folder: Path, name: str, shape: Shape, dtypes: tuple[str, ...]) -> Array:
    if name.endswith(".npy"):
        if shape == ():
            return _number(folder, name, dtypes)
        return read_npy(folder, name, shape, dtypes, finite=False)
    if name.endswith(".txt"):
        return read_text(folder, name, shape, finite=False)
    path, size = inside(folder, name), 4 * prod(shape)
    half = path.is_file() and path.stat().st_size == size
    if half and "float32" not in dtypes:
        raise FileError(
            f"{name} has {size} bytes, expected {2 * size}: float64 of shape {shape}. Are these numbers of single "
            "precision? They are answers to a challenge with --precision single only"
        )
    return read_raw(folder, name, shape, "float32" if half else "float64", finite=False)


def _number(folder: Path, name: str, dtypes: tuple[str, ...]) -> Array:
    """A number may also come as an array of one entry, as languages without numbers write it."""
    problem: FileError | None = None
    for shape in ((), (1,), (1, 1)):
        try:
            return read_npy(folder, name, shape, dtypes, finite=False).reshape(())
        except FileError as error:
            problem = problem or error
            if "has shape" not in str(error):
                break
    assert problem is not None
    raise problem
