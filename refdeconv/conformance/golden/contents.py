"""What the files of a suite hold: the manifest, the arrays, and their hashes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from numpy.typing import NDArray

from refdeconv.conformance import array_files
from refdeconv.conformance.golden import conventions, suite
from refdeconv.conformance.golden.case import OUTPUTS, Case
from refdeconv.conformance.golden.definitions import FORMULAS, arrays
from refdeconv.conformance.golden.encoding import Numbers, encoded_all
from refdeconv.conformance.golden.suite import MANIFEST, OWN, README, SCHEMA, SUMS

Array = NDArray[Any]
Stored = dict[str, tuple[Array, dict[str, Any]]]  # an output's float64 numbers, and what the manifest says of it


def files_of(cases: Sequence[Case], outputs: Mapping[str, Stored]) -> dict[str, bytes]:
    """The files of a suite, by their names."""
    files: dict[str, bytes] = {name: (OWN / name).read_bytes() for name in (SCHEMA, README)}
    numbers: dict[str, Numbers] = {}
    entries = [_entry(case, outputs[case.name], numbers) for case in cases]
    for name, collected in numbers.items():
        files[f"{name}.npy"] = array_files.npy_bytes(collected.all())
        files[f"{name}.bin"] = array_files.raw_bytes(collected.all())
    optima = {f"optima/{path.name}": path.read_bytes() for path in sorted((OWN / "optima").glob("*.*"))}
    files |= optima
    manifest = {
        "name": "refdeconv golden vectors",
        "version": conventions.VERSION,
        "schema": SCHEMA,
        "digits": arrays.DIGITS,
        "roundings": conventions.ROUNDINGS,
        "conventions": conventions.CONVENTIONS,
        "kinds": conventions.KINDS,
        "models": {name: FORMULAS[name] for name in sorted({case.model for case in cases} | _parts(entries))},
        "cases": entries,
        "optima": _optima(optima),
        "files": [_file(name, data) for name, data in sorted(files.items())],
    }
    suite.validate(manifest)
    files[MANIFEST] = _lines(manifest).encode()
    files[SUMS] = "".join(f"{_hash(data)}  {name}\n" for name, data in sorted(files.items())).encode()
    return files


def _optima(files: Mapping[str, bytes]) -> list[Any]:
    """The certified optima as their own manifest has them, their files named from the suite's folder."""

    def renamed(value: Any) -> Any:
        if isinstance(value, list):
            return [renamed(part) for part in value]
        if isinstance(value, dict):
            return {key: f"optima/{part}" if key == "npy" else renamed(part) for key, part in value.items()}
        return value

    own = files.get("optima/optima.json")
    return [] if own is None else [renamed(entry) for entry in json.loads(own)["optima"]]


def _entry(case: Case, outputs: Stored, files: dict[str, Numbers]) -> dict[str, Any]:
    file = f"arrays/{case.model}"
    numbers = files.setdefault(file, Numbers())
    parameters, point, directions, weights = inputs(case, numbers)
    said: dict[str, Any] = dict.fromkeys(OUTPUTS[case.kind])  # in this order
    said |= {name: {"answer": answer, "specified": True} for name, answer in case.answers.items()}
    for name, (array, about) in outputs.items():
        said[name] = about if "number" in about else {"array": numbers.add(array), **about}
    return {
        "name": case.name,
        "kind": case.kind,
        "model": case.model,
        "remark": case.remark,
        "file": file,
        "parameters": parameters,
        "point": point,
        "directions": directions,
        "weights": weights,
        "outputs": said,
    }


def _parts(value: Any) -> set[str]:
    """The models that are parts of others, anywhere in the manifest's entries."""
    if isinstance(value, list):
        return set().union(*map(_parts, value))
    if isinstance(value, dict):
        inside = set().union(*map(_parts, value.values()))
        return inside | {value["model"]} if "model" in value else inside
    return set()


def _lines(manifest: Mapping[str, Any]) -> str:
    """The manifest as JSON: a line for each case and each file, so that it can be read, and compared."""
    parts = []
    for key, value in manifest.items():
        if isinstance(value, list):
            lines = ",\n".join(f"  {_json(item)}" for item in value)
            text = f"[\n{lines}\n ]" if value else "[]"
        else:
            text = json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False).replace("\n", "\n ")
        parts.append(f" {json.dumps(key)}: {text}")
    return "{\n" + ",\n".join(parts) + "\n}\n"


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def _file(name: str, data: bytes) -> dict[str, Any]:
    return {"name": name, "bytes": len(data), "sha256": _hash(data)}


def _hash(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def inputs(case: Any, numbers: Numbers) -> tuple[Any, ...]:
    """Parameters, point, directions and weights of a case as the manifest has them."""
    given = (case.point, case.directions, case.weights)
    places = (None if array is None else numbers.add(array) for array in given)
    return encoded_all(case.parameters, numbers), *places
