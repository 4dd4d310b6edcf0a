"""Reading a suite of golden vectors, with suspicion: everything is checked before anything is used."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from refdeconv.conformance import array_files
from refdeconv.conformance.array_files import FileError
from refdeconv.conformance.golden.case import OUTPUTS, Answer
from refdeconv.conformance.golden.conventions import VERSION
from refdeconv.conformance.golden.encoding import decoded_all
from refdeconv.conformance.golden.optima import reading

Array = NDArray[Any]

OWN = Path(__file__).parent / "suite"
MANIFEST, SCHEMA, README, SUMS = "suite.json", "suite.schema.json", "README.md", "SHA256SUMS"
_MOST = 2**24  # bytes in a file: far more than in any of ours


@dataclass(frozen=True)
class Expected:
    """An output as recorded.

    Attributes
    ----------
    numbers : ndarray
        float64; without axes for a value.
    bound, scale : float
    moved_in_float32 : float or None
    specified : bool
    """

    numbers: Array
    bound: float
    scale: float
    moved_in_float32: float | None
    specified: bool


class Recorded:
    """A case as recorded; its arrays are read from its file when they are asked for."""

    def __init__(self, folder: Path, entry: Mapping[str, Any], sums: Mapping[str, str]) -> None:
        self._folder, self._entry, self._sums = folder, entry, sums
        self.name: str = entry["name"]
        self.kind: str = entry["kind"]
        self.model: str = entry["model"]
        self.remark: str = entry["remark"]

    @cached_property
    def parameters(self) -> dict[str, Any]:
        """As in a `Case`."""
        return decoded_all(self._entry["parameters"], self.array)

    @property
    def point(self) -> Array:
        """As in a `Case`."""
        return self.array(self._entry["point"])

    @property
    def directions(self) -> Array | None:
        """As in a `Case`."""
        place = self._entry["directions"]
        return None if place is None else self.array(place)

    @property
    def weights(self) -> Array | None:
        """As in a `Case`."""
        place = self._entry["weights"]
        return None if place is None else self.array(place)

    @property
    def outputs(self) -> dict[str, Expected]:
        """What was recorded of each output that is numbers."""
        return {name: self._expected(said) for name, said in self._said() if "answer" not in said}

    @property
    def answers(self) -> dict[str, Answer]:
        """As in a `Case`."""
        return {name: said["answer"] for name, said in self._said() if "answer" in said}

    def _said(self) -> Iterator[tuple[str, Any]]:
        """What the manifest says of each output, in order."""
        for name in OUTPUTS[self.kind]:  # type: ignore[index]
            yield name, self._entry["outputs"][name]

    def stored(self) -> Iterator[tuple[str, tuple[Array, dict[str, Any]]]]:
        """The numbers of each output, and all else that the manifest says of it."""
        for name, expected in self.outputs.items():
            said = self._entry["outputs"][name]
            yield name, (expected.numbers, {key: value for key, value in said.items() if key != "array"})

    def named_arrays(self) -> Iterator[tuple[str, Array]]:
        """All arrays of inputs and outputs, by names for files; scalars are left to the manifest."""
        for name, place in _places(self._entry["parameters"], "parameters"):
            yield name, self.array(place)
        for name in ("point", "directions", "weights"):
            if self._entry[name] is not None:
                yield name, self.array(self._entry[name])
        for name, output in self._entry["outputs"].items():
            if "array" in output:
                yield name, self.array(output["array"])

    def array(self, place: Mapping[str, Any]) -> Array:
        """The array that stands at a place in this case's file."""
        shape, start = tuple(place["shape"]), place["offset"]
        end = start + prod(shape)
        if end > self._numbers.size:
            raise FileError(f"{self.name} of {MANIFEST} names numbers beyond the end of {self._file}.npy")
        found = self._numbers[start:end].reshape(shape)
        if place["dtype"] == "bool":
            if not np.isin(found, (0, 1)).all():
                raise FileError(f"{self._file}.npy holds other numbers than 0 and 1 in a mask of {self.name}")
            return found.astype(np.bool_)
        return found.copy()

    @property
    def _file(self) -> str:
        return str(self._entry["file"])

    @cached_property
    def _numbers(self) -> Array:
        name = f"{self._file}.npy"
        shape = (int(self._entry["count"]),)
        return array_files.read_npy(self._folder, name, shape, sha256=_known(self._sums, name))

    def _expected(self, output: Mapping[str, Any]) -> Expected:
        numbers = self.array(output["array"]) if "array" in output else np.array(output["number"], dtype=np.float64)
        rest = {name: output[name] for name in ("bound", "scale", "moved_in_float32", "specified")}
        return Expected(numbers, **rest)


@dataclass(frozen=True)
class Suite:
    """A suite of golden vectors.

    Attributes
    ----------
    folder : Path
    manifest : mapping
        What is in ``suite.json``.
    sums : mapping
        The sha256 of each file, by its name.
    cases : tuple of Recorded
    optima : tuple of Optimum
        Read when asked for.
    """

    folder: Path
    manifest: Mapping[str, Any]
    sums: Mapping[str, str]
    cases: tuple[Recorded, ...]

    @cached_property
    def optima(self) -> tuple[reading.Optimum, ...]:
        """The certified optima; FileError where their files are damaged."""
        return tuple(reading.read(self.folder / "optima")) if self.manifest["optima"] else ()


def read(folder: Path = OWN, *, whole: bool = True) -> Suite:
    """The suite in a folder: manifest and files are compared with their hashes, a foreign manifest with the schema.

    Parameters
    ----------
    folder : Path
    whole : bool
        Whether files that no case is read from are looked at, too.

    Raises
    ------
    FileError
        If a file is missing, damaged, changed or not what it should be; the message names it.
    """
    if not folder.is_dir():
        raise FileError(f"there is no folder {folder}")
    sums = _read_sums(folder)
    manifest = _read_manifest(folder, sums)
    files = {file["name"]: file["sha256"] for file in manifest["files"]}
    for name, known in files.items() if whole else ():
        array_files.contents(folder, name, most=_MOST, sha256=known)
    cases = tuple(Recorded(folder, {**entry, "count": _count(manifest, entry)}, files) for entry in manifest["cases"])
    names = [case.name for case in cases]
    if len(set(names)) < len(names):
        raise FileError(f"{MANIFEST} has two cases of one name")
    return Suite(folder, manifest, sums, cases)


def _count(manifest: Mapping[str, Any], entry: Mapping[str, Any]) -> int:
    """How many numbers there are in the file of a case."""
    name = f"{entry['file']}.bin"
    size = next((file["bytes"] for file in manifest["files"] if file["name"] == name), None)
    if size is None:
        raise FileError(f"{MANIFEST} does not list {name}, which {entry['name']} is in")
    return int(size) // 8


def _known(sums: Mapping[str, str], name: str) -> str:
    if name not in sums:
        raise FileError(f"{MANIFEST} does not list {name}")
    return sums[name]


def _read_sums(folder: Path) -> dict[str, str]:
    """The hashes in SHA256SUMS, as sha256sum writes them."""
    text = array_files.contents(folder, SUMS, most=_MOST).decode("utf-8", errors="replace")
    sums = {}
    for line in text.splitlines():
        value, separator, name = line.partition("  ")
        if not separator or len(value) != 64:
            raise FileError(f"{SUMS} has a line that is not a hash, two spaces and a name: {line[:100]!r}")
        sums[name] = value
    return sums


def _read_manifest(folder: Path, sums: Mapping[str, str]) -> dict[str, Any]:
    if MANIFEST not in sums:
        raise FileError(f"{SUMS} does not list {MANIFEST}")
    text = array_files.contents(folder, MANIFEST, most=_MOST, sha256=sums[MANIFEST])
    try:
        manifest = json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise FileError(f"{MANIFEST} is not JSON: {error}") from error
    found = manifest.get("version") if isinstance(manifest, dict) else None
    if found != VERSION:
        raise FileError(f"{MANIFEST} is of version {found!r}, this reads version {VERSION}")
    if folder != OWN:  # the package's own is as the schema says: its tests have looked, in the second that this takes
        validate(manifest)
    return dict(manifest)


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not a number of JSON")


def validate(manifest: Any) -> None:
    """FileError where a manifest is not as the schema says."""
    try:
        import jsonschema
    except ModuleNotFoundError as error:
        raise FileError('to read a suite, jsonschema is needed: pip install "refdeconv[cli]"') from error
    schema = json.loads((OWN / SCHEMA).read_text(encoding="utf-8"))
    errors = jsonschema.Draft202012Validator(schema).iter_errors(manifest)
    worst = jsonschema.exceptions.best_match(errors)
    if worst is not None:
        raise FileError(f"{MANIFEST} is not as {SCHEMA} says, at {worst.json_path}: {worst.message[:300]}")


def _places(value: Any, name: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The arrays in encoded parameters, by names."""
    if isinstance(value, list):
        value = {str(index): part for index, part in enumerate(value)}
    if isinstance(value, dict):
        if "array" in value:
            yield name, value["array"]
            return
        for key, part in value.items():
            yield from _places(part, name if key in ("parameters", "mapping") else f"{name}-{key}")
