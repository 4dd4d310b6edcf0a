"""Computing the suite, and writing it: ``python -m refdeconv.conformance.golden``."""

from __future__ import annotations

import argparse
import hashlib
import json
import multiprocessing
import os
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from mpmath import mp, mpf
from numpy.typing import NDArray

from refdeconv.conformance import array_files
from refdeconv.conformance.array_files import FileError
from refdeconv.conformance.golden import conventions, suite
from refdeconv.conformance.golden.case import OUTPUTS, Case
from refdeconv.conformance.golden.cases import CASES
from refdeconv.conformance.golden.computing import Computed, compute, decimal
from refdeconv.conformance.golden.definitions import FORMULAS, arrays
from refdeconv.conformance.golden.encoding import Numbers, encoded_all
from refdeconv.conformance.golden.suite import MANIFEST, OWN, README, SCHEMA, SUMS

Array = NDArray[Any]
Stored = dict[str, tuple[Array, dict[str, Any]]]  # an output's float64 numbers, and what the manifest says of it


def main(arguments: Sequence[str] | None = None) -> int:
    """Compute all cases, compare with what is there, and write; 1 where that disagrees."""
    parser = argparse.ArgumentParser(prog="python -m refdeconv.conformance.golden", description=__doc__)
    parser.add_argument("--out", type=Path, default=OWN, metavar="DIR", help="where to; default: in the package")
    parser.add_argument("--replace", action="store_true", help="the definitions changed: overwrite what disagrees")
    parser.add_argument("--only-new", action="store_true", help="keep what is recorded of the same inputs as it stands")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, metavar="N", help="processes; default: all")
    options = parser.parse_args(arguments)
    kept = recorded(CASES, options.out) if options.only_new else {}
    wanted = [index for index, case in enumerate(CASES) if case.name not in kept]
    outputs = kept | dict(zip((CASES[index].name for index in wanted), _all(wanted, options.jobs), strict=True))
    disagreeing = list(disagreements(CASES, outputs, options.out))
    for line in disagreeing:
        print(line, file=sys.stderr)
    if disagreeing and not options.replace:
        print("Nothing was written. If the definitions changed on purpose: --replace", file=sys.stderr)
        return 1
    write(options.out, CASES, outputs)
    print(f"{len(wanted)} cases computed, {len(kept)} kept, in {options.out}")
    return 0


def _all(wanted: Sequence[int], jobs: int) -> Iterator[Stored]:
    """The outputs of cases, in order, with a word of how far it is."""
    start = time.monotonic()
    with multiprocessing.get_context("spawn").Pool(jobs) as pool:
        for done, stored in enumerate(pool.imap(stored_outputs_of, wanted), 1):
            if sys.stderr.isatty():
                left = (time.monotonic() - start) / done * (len(wanted) - done)
                print(f"\r{done} of {len(wanted)} cases, {left:4.0f} s left ", end="", file=sys.stderr, flush=True)
            yield stored
    if sys.stderr.isatty():
        print(file=sys.stderr)


def stored_outputs_of(index: int) -> Stored:
    """The outputs of one of the cases, as they are stored."""
    try:
        return stored_outputs(CASES[index])
    except Exception as error:
        raise RuntimeError(f"{CASES[index].name}: {type(error).__name__}: {error}") from error


def stored_outputs(case: Case) -> Stored:
    """The outputs of a case as they are stored: float64 numbers, and what is said of them."""
    return {name: _stored(output, name in case.specified) for name, output in compute(case).items()}


def _stored(output: Computed, specified: bool) -> tuple[Array, dict[str, Any]]:
    with mp.workdps(4 * arrays.DIGITS):
        numbers = np.empty(output.numbers.shape, dtype=np.float64)
        error = mpf(0)
        for index in arrays.indices(numbers.shape):
            x = output.numbers[index]
            numbers[index] = float(x) if abs(x) > output.bound else 0.0  # what may be zero is
            error = max(error, abs(x - mpf(float(numbers[index]))))
        moved = output.moved_in_float32
        said: dict[str, Any] = {
            "bound": rounded_up(error + output.bound),
            "scale": rounded_up(output.scale),
            "moved_in_float32": None if moved is None else rounded_up(moved),
            "specified": specified,
        }
        if numbers.ndim == 0:
            said |= {"number": float(numbers), "decimal": decimal(output.numbers[()])}
    return numbers, said


def rounded_up(x: Any) -> float:
    """A number of few digits that is at least x, which is not negative."""
    if x == 0:
        return 0.0
    few = float(mp.nstr(x * mpf("1.006"), 3))
    return max(few, 5e-324)


def recorded(cases: Iterable[Case], folder: Path) -> dict[str, Stored]:
    """What a suite has of these cases already, as it stands: of the same inputs."""
    if not (folder / MANIFEST).exists():
        return {}
    old = {case.name: case for case in suite.read(folder, whole=False).cases}
    same = [old[case.name] for case in cases if case.name in old and _same_inputs(case, old[case.name])]
    return {case.name: dict(case.stored()) for case in same}


def disagreements(cases: Iterable[Case], outputs: Mapping[str, Stored], folder: Path) -> Iterator[str]:
    """What is in a suite already, and further from what was computed than both bounds allow; of the same inputs."""
    if not (folder / MANIFEST).exists():
        return
    try:
        old = {case.name: case for case in suite.read(folder, whole=False).cases}
    except FileError as error:
        yield f"what is in {folder} cannot be read: {error}"
        return
    for case in cases:
        if case.name in old and _same_inputs(case, old[case.name]):
            for name, expected in old[case.name].outputs.items():
                numbers, said = outputs[case.name][name]
                distance = float(np.max(np.abs(numbers - expected.numbers), initial=0.0))
                if not distance <= expected.bound + said["bound"]:
                    yield f"{case.name}: {name} is {distance:.2g} from what is recorded"


def _same_inputs(case: Case, old: suite.Recorded) -> bool:
    def said(given: Any) -> tuple[Any, bytes]:
        numbers = Numbers()
        entry = [given.kind, given.model, *_inputs(given, numbers)]
        return entry, numbers.all().tobytes()

    return said(case) == said(old)


def _inputs(case: Any, numbers: Numbers) -> tuple[Any, ...]:
    """Parameters, point, directions and weights of a case as the manifest has them."""
    given = (case.point, case.directions, case.weights)
    places = (None if array is None else numbers.add(array) for array in given)
    return encoded_all(case.parameters, numbers), *places


def write(folder: Path, cases: Sequence[Case], outputs: Mapping[str, Stored]) -> None:
    """The whole suite; files of an earlier one that are not in it any more are removed."""
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
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in files.items():
        array_files.write_whole(folder, name, data)
    for path in (folder / "arrays").iterdir():
        if f"arrays/{path.name}" not in files:
            path.unlink()


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
    parameters, point, directions, weights = _inputs(case, numbers)
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
