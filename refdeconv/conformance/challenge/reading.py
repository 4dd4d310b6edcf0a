"""Reading a challenge and the answers to it, with suspicion: whatever is wrong with a file is said of that file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from math import prod
from pathlib import Path
from typing import Any

from refdeconv._arrays import Array, Shape
from refdeconv.conformance.array_files import FileError, contents, inside, read_npy, read_raw, read_text
from refdeconv.conformance.challenge.folder import (
    ENDINGS,
    LARGEST_MANIFEST,
    MANIFEST,
    TEXTS,
    Challenge,
    check_schema,
    fingerprint,
)
from refdeconv.conformance.challenge.probes import Call, Probe
from refdeconv.conformance.challenge.problem import BASES, LEAST, MOST, Problem, data_shape, parsed

_LARGEST_TEXT = 2**20  # of README.md and the tables


def read(folder: Path) -> Challenge:
    """The challenge in a folder, after every file of it is found to be what was written.

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
        If a file is missing, was changed, or is not what the manifest says.
    """
    if not folder.is_dir():
        raise FileError(f"there is no folder {folder}: refdeconv challenge makes it")
    manifest = _manifest(folder)
    problem = _problem(folder, manifest)
    shapes = {"x": problem.shape, "y": problem.data_shape}
    arrays = {
        name: Probe(_input(folder, manifest, entry, shapes.values()), entry["about"])
        for name, entry in manifest["probes"].items()
    }
    calls = tuple(_call(entry, number, problem, arrays) for number, entry in enumerate(manifest["calls"], 1))
    if {call.function for call in calls} != set(problem.functions):
        raise FileError(f"{MANIFEST}: functions are not those of the calls")
    for name in TEXTS:
        contents(folder, name, most=_LARGEST_TEXT, sha256=_hash(manifest, name))
    return Challenge(problem, manifest["seed"], arrays, calls)


def answers(folder: Path, made: Challenge) -> dict[Call, Array]:
    """What the implementation answered; FileError where any answer is missing or is no such array.

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
    FileError
        For the first that is wrong; of missing ones, all are counted.
    """
    dtypes = ("float64", "float32") if made.problem.precision == "single" else ("float64",)
    names = {call: _answer_name(folder, call) for call in made.calls}
    missing = [call.answer for call, name in names.items() if name is None]
    if missing:
        listed = ", ".join(missing[:3]) + (", ..." if len(missing) > 3 else "")
        raise FileError(
            f"{len(missing)} of {len(names)} answers are missing in {folder}: {listed}. Each is a file with the ending "
            ".npy, .bin or .txt: run your program (README.md says what it has to write), then judge again"
        )
    return {
        call: _answer(folder, name, made.problem.answer_shape(call.function), dtypes)
        for call, name in names.items()
        if name is not None
    }


def _manifest(folder: Path) -> dict[str, Any]:
    found = contents(folder, MANIFEST, most=LARGEST_MANIFEST)
    try:
        manifest = json.loads(found.decode("utf-8"), parse_constant=_refused)
    except (ValueError, RecursionError) as error:
        raise FileError(f"{MANIFEST} is not JSON: {str(error)[:200]}") from None
    check_schema(manifest)
    if fingerprint(manifest) != manifest["sha256"]:
        raise FileError(f"{MANIFEST} is not what was written (its sha256 differs): make the folder anew")
    checked: dict[str, Any] = manifest
    return checked


def _refused(word: str) -> float:
    raise ValueError(f"{word} is no number of JSON")


def _problem(folder: Path, manifest: Mapping[str, Any]) -> Problem:
    """The problem, if its parts fit together."""
    name, shape = manifest["problem"], tuple(manifest["shape"])
    try:
        base, boundary = parsed(name)
    except ValueError as error:
        raise FileError(f"{MANIFEST}: {error}") from None
    about = BASES[base]
    if min(shape) < LEAST or prod(shape) > MOST or len(shape) > 3:
        raise FileError(f"{MANIFEST}: shape {shape} is not that of a challenge")
    if set(manifest["parameters"]) != set(about.parameters) or set(manifest["arrays"]) != set(about.arrays):
        raise FileError(f"{MANIFEST}: parameters or arrays are not those of {name}")
    if not set(manifest["functions"]) <= set(about.functions):
        raise FileError(f"{MANIFEST}: {name} has the functions {', '.join(about.functions)}")
    arrays = {}
    if about.blurs:
        psf = manifest["arrays"]["psf"]
        if len(psf["shape"]) != len(shape) or any(k > n for k, n in zip(psf["shape"], shape, strict=True)):
            raise FileError(f"{MANIFEST}: psf has shape {psf['shape']}, the image {shape}")
        arrays["psf"] = _input(folder, manifest, psf, [tuple(psf["shape"])])
        blurred = data_shape(shape, arrays["psf"].shape, boundary)
        for key in about.arrays[1:]:
            arrays[key] = _input(folder, manifest, manifest["arrays"][key], [blurred])
    functions = tuple(function for function in about.functions if function in manifest["functions"])
    problem = Problem(
        name, base, boundary, shape, manifest["precision"], dict(manifest["parameters"]), arrays, functions
    )
    if list(problem.data_shape) != manifest["data_shape"]:
        raise FileError(f"{MANIFEST}: data_shape is {manifest['data_shape']}, expected {list(problem.data_shape)}")
    return problem


def _hash(manifest: Mapping[str, Any], name: str) -> str:
    if name not in manifest["files"]:
        raise FileError(f"{MANIFEST} has no sha256 of {name}: make the folder anew")
    return str(manifest["files"][name])


def _input(folder: Path, manifest: Mapping[str, Any], entry: Mapping[str, Any], allowed: Any) -> Array:
    """An input, in both of its files."""
    name, shape = entry["file"], tuple(entry["shape"])
    if shape not in {tuple(each) for each in allowed}:
        raise FileError(f"{MANIFEST}: {name} has shape {shape}, expected {' or '.join(map(str, allowed))}")
    array = read_npy(folder, f"{name}.npy", shape, sha256=_hash(manifest, f"{name}.npy"))
    raw = read_raw(folder, f"{name}.bin", shape, sha256=_hash(manifest, f"{name}.bin"))
    if array.tobytes() != raw.tobytes():
        raise FileError(f"{name}.npy and {name}.bin do not hold the same numbers: make the folder anew")
    return array


def _call(entry: Mapping[str, Any], number: int, problem: Problem, arrays: Mapping[str, Probe]) -> Call:
    call = Call(entry["number"], entry["function"], entry["point"], entry["direction"] or "")
    shapes = {call.point: problem.point_shape(call.function)}
    if (call.function == "hvp") != bool(call.direction):
        raise FileError(f"{MANIFEST}: {call} must have a direction if and only if it is of hvp")
    if call.direction:
        shapes[call.direction] = problem.shape
    right = call.number == number and call.answer == entry["answer"] and call.function in problem.functions
    if not right or tuple(entry["shape"]) != problem.answer_shape(call.function):
        raise FileError(f"{MANIFEST}: entry {number} of calls is not that of a call of {problem.name}")
    for name, shape in shapes.items():
        if name not in arrays or arrays[name].array.shape != shape:
            raise FileError(f"{MANIFEST}: {call} is at {name}, which is no array of shape {shape}")
    return call


def _answer_name(folder: Path, call: Call) -> str | None:
    """The file that holds an answer; None where there is none."""
    there = [f"{call.answer}{end}" for end in ENDINGS if _exists(folder, f"{call.answer}{end}")]
    if len(there) > 1:
        raise FileError(f"{' and '.join(there)} are both there: which is the answer? Delete the other")
    return there[0] if there else None


def _exists(folder: Path, name: str) -> bool:
    """Whether there is anything of that name, a link that leads nowhere included."""
    path = inside(folder, name)
    return path.exists() or path.is_symlink()


def _answer(folder: Path, name: str, shape: Shape, dtypes: tuple[str, ...]) -> Array:
    if name.endswith(".npy"):
        return _number(folder, name, dtypes) if shape == () else read_npy(folder, name, shape, dtypes)
    if name.endswith(".txt"):
        return read_text(folder, name, shape)
    path, size = inside(folder, name), 4 * prod(shape)
    half = path.is_file() and path.stat().st_size == size
    if half and "float32" not in dtypes:
        raise FileError(
            f"{name} has {size} bytes, expected {2 * size}: float64 of shape {shape}. Are these numbers of single "
            "precision? They are answers to a challenge with --precision single only"
        )
    return read_raw(folder, name, shape, "float32" if half else "float64")


def _number(folder: Path, name: str, dtypes: tuple[str, ...]) -> Array:
    """A number may also come as an array of one entry, as languages without numbers write it."""
    problem: FileError | None = None
    for shape in ((), (1,), (1, 1)):
        try:
            return read_npy(folder, name, shape, dtypes).reshape(())
        except FileError as error:
            problem = problem or error
            if "has shape" not in str(error):
                break
    assert problem is not None
    raise problem
