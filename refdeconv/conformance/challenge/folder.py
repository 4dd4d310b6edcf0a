"""A challenge in a folder: its manifest, and what is the same for writing and reading it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Any

from refdeconv.conformance.array_files import FileError
from refdeconv.conformance.challenge.probes import Call, Probe
from refdeconv.conformance.challenge.problem import Problem

MANIFEST = "challenge.json"
TEXTS = ("README.md", "calls.csv", "parameters.csv")
OWN_FILES = (MANIFEST, *TEXTS)
FORMAT, VERSION = "refdeconv-challenge", 2
ENDINGS = (".npy", ".bin", ".txt")  # of answers; inputs have the first two
LARGEST_MANIFEST = 2**20


@dataclass(frozen=True, eq=False)
class Challenge:
    """A problem, the arrays that it is asked at, and the calls in their order."""

    problem: Problem
    seed: int
    probes: Mapping[str, Probe]
    calls: tuple[Call, ...]


def fingerprint(manifest: Mapping[str, Any]) -> str:
    """The sha256 of a manifest, without the entry that holds it."""
    rest = {key: entry for key, entry in manifest.items() if key != "sha256"}
    text = json.dumps(rest, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def schema() -> dict[str, Any]:
    """The JSON Schema of manifests."""
    text = resources.files("refdeconv.conformance.challenge").joinpath("challenge.schema.json").read_text("utf-8")
    found: dict[str, Any] = json.loads(text)
    return found


def check_schema(manifest: Any) -> None:
    """FileError where a manifest is not as its schema says."""
    try:
        import jsonschema
    except ModuleNotFoundError:
        raise FileError('challenge.json is checked with jsonschema: pip install "refdeconv[cli]"') from None
    if isinstance(manifest, dict) and manifest.get("format") == FORMAT and manifest.get("version") != VERSION:
        raise FileError(
            f"{MANIFEST} is of version {cut(manifest.get('version'))}, this refdeconv reads version {VERSION}: make "
            "the folder anew with refdeconv challenge, or judge it with the refdeconv that wrote it"
        )
    error = jsonschema.Draft202012Validator(schema()).evolve().iter_errors(manifest)
    first = jsonschema.exceptions.best_match(error)
    if first is not None:
        raise FileError(f"{MANIFEST} is not a challenge, at {cut(first.json_path, str)}: {cut(first.message, str)}")


def cut(thing: Any, text: Callable[[Any], str] = repr, most: int = 100) -> str:
    """What stands in a file, in words that are not too long."""
    try:
        said = text(thing)
    except ValueError:  # a whole number that has more digits than Python writes
        return "a number of thousands of digits"
    return said if len(said) <= most else f"{said[: most - 20]} ... (cut)"


def command(manifest: Mapping[str, Any]) -> str:
    """What writes such a challenge."""
    functions = ",".join(manifest["functions"])
    return (
        f"refdeconv challenge DIR --problem {cut(manifest['problem'], str)} --shape "
        f"{'x'.join(map(str, manifest['shape']))} --seed {cut(manifest['seed'], str)} "
        f"--precision {manifest['precision']} --functions {functions}"
    )
