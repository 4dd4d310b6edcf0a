"""Reading a challenge, with suspicion: it must be, to the last bit, what is written for its problem, shape and seed."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from refdeconv.conformance.array_files import FileError, contents
from refdeconv.conformance.challenge.folder import (
    LARGEST_MANIFEST,
    MANIFEST,
    Challenge,
    check_schema,
    command,
    cut,
    fingerprint,
)
from refdeconv.conformance.challenge.writing import challenge, contents_of

_LARGEST_README = 2**20
_README = "README.md"  # words: those of another version of the package may differ, while what is asked is the same
_MOST_DIGITS = 400  # of a number in a manifest


def read(folder: Path) -> Challenge:
    """The challenge in a folder, after every file of it is found to be what `write` writes for it.

    Parameters
    ----------
    folder : Path
        Where `write` put it.

    Returns
    -------
    Challenge

    Raises
    ------
    FileError
        If a file is missing, was changed, or is not what is written for this problem, shape, seed and precision.

    Notes
    -----
    Derivation: derivations/conformance/challenge.md, CHA.4
    """
    _check_folder(folder)
    manifest = _manifest(folder)
    made = _made(manifest)
    expected, files = contents_of(made)
    _compare(manifest, expected)
    for name, content in files.items():
        if name == _README:
            contents(folder, name, most=_LARGEST_README, sha256=manifest["files"][name])
        elif contents(folder, name, most=max(len(content), 2**16)) != content:
            raise FileError(
                f"{name} is not what was written (its sha256 differs): make the folder anew, with {command(manifest)}"
            )
    return made


def _check_folder(folder: Path) -> None:
    try:
        if folder.is_dir():
            return
        there = folder.exists()
    except (OSError, ValueError):
        raise FileError(f"there is no folder {cut(folder, str)}: no folder can have this name") from None
    if there:
        raise FileError(
            f"{cut(folder, str)} is a file; there is no folder of that name: name what refdeconv challenge made"
        )
    raise FileError(f"there is no folder {cut(folder, str)}: refdeconv challenge makes it")


def _manifest(folder: Path) -> dict[str, Any]:
    found = contents(folder, MANIFEST, most=LARGEST_MANIFEST)
    try:
        manifest = json.loads(
            found.decode("utf-8"),
            parse_constant=_refused,
            parse_int=_whole,
            parse_float=_finite,
            object_pairs_hook=_without_repetition,
        )
    except RecursionError:
        raise FileError(f"{MANIFEST} is not JSON of a challenge: it is nested too deeply") from None
    except UnicodeDecodeError:
        raise FileError(f"{MANIFEST} is not JSON: it is no text in UTF-8") from None
    except FileError:
        raise
    except ValueError as error:
        raise FileError(f"{MANIFEST} is not JSON: {cut(error, str)}") from None
    check_schema(manifest)
    if fingerprint(manifest) != manifest["sha256"]:
        raise FileError(
            f"{MANIFEST} is not what was written (its sha256 differs): make the folder anew with refdeconv challenge"
        )
    checked: dict[str, Any] = manifest
    return checked


def _refused(word: str) -> float:
    raise ValueError(f"{word} is no number of JSON")


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise FileError(f"{MANIFEST} is not a challenge: {cut(digits, str)} is larger than float64 can hold")
    return number


def _whole(digits: str) -> int:
    if len(digits) > _MOST_DIGITS:
        raise FileError(f"{MANIFEST} is not a challenge: it has a number of {len(digits)} digits")
    return int(digits)


def _without_repetition(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        seen: set[str] = set()
        for twice, _ in pairs:
            if twice in seen:
                break
            seen.add(twice)
        raise FileError(f"{MANIFEST} is not a challenge: it has {cut(twice)} twice in one object")
    return found


def _made(manifest: Mapping[str, Any]) -> Challenge:
    """The challenge that a manifest says it is."""
    try:
        return challenge(
            manifest["problem"],
            tuple(manifest["shape"]),
            manifest["seed"],
            precision=manifest["precision"],
            functions=tuple(manifest["functions"]),
        )
    except (TypeError, ValueError) as error:
        raise FileError(f"{MANIFEST}: {cut(error, str, 300)}") from None


def _compare(manifest: Mapping[str, Any], expected: Mapping[str, Any]) -> None:
    """Refuse whatever differs from what is written, but for the words of the README and the version that wrote it."""
    given, due = (dict(each) for each in (manifest, expected))
    for each in (given, due):
        each["files"] = {name: sha256 for name, sha256 in each["files"].items() if name != _README}
        for key in ("refdeconv", "sha256"):
            del each[key]
    different = [key for key in due if json.dumps(given[key], sort_keys=True) != json.dumps(due[key], sort_keys=True)]
    if not different and _README in manifest["files"]:
        return
    other = manifest["refdeconv"] != expected["refdeconv"]
    wrote = f"; it was written by refdeconv {cut(manifest['refdeconv'], str, 40)}, this is {expected['refdeconv']}"
    raise FileError(
        f"{MANIFEST} is not what `{command(manifest)}` writes: {' and '.join(different or ['files'])} "
        f"{'differ' if different[1:] else 'differs'}{wrote if other else ''}. It is not judged: make the folder anew"
    )
