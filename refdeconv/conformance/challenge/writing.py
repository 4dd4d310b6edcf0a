"""Writing a challenge: a folder with inputs, the list of calls, and a README that says what to do."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np

import refdeconv
from refdeconv._arrays import Array, Shape
from refdeconv.conformance.array_files import FileError, npy_bytes, raw_bytes, write_whole
from refdeconv.conformance.challenge import readme
from refdeconv.conformance.challenge.folder import FORMAT, MANIFEST, VERSION, Challenge, fingerprint
from refdeconv.conformance.challenge.probes import probes, sequence
from refdeconv.conformance.challenge.problem import drawn

_ABOUT = {"psf": "the point spread function", "data": "the blurred image", "weight": "the weight of each pixel of data"}


def challenge(
    name: str,
    shape: int | Shape = (13, 10),
    seed: int = 0,
    *,
    precision: str = "double",
    functions: tuple[str, ...] | None = None,
) -> Challenge:
    """A challenge: a problem with random numbers, and what is asked of an implementation of it.

    Parameters
    ----------
    name, shape, seed, precision, functions
        As in `problem.drawn`.

    Returns
    -------
    Challenge

    Raises
    ------
    TypeError, ValueError
        If an argument is not as described.
    """
    problem = drawn(name, shape, seed, precision=precision, functions=functions)
    return Challenge(problem, seed, probes(problem, seed), sequence(problem))


def write(folder: Path, made: Challenge) -> None:
    """Write a challenge into a new or empty folder.

    Parameters
    ----------
    folder : Path
        Where to; made if it does not exist. Nothing outside of it is written.
    made : Challenge
        What `challenge` returned.

    Raises
    ------
    FileError
        If there is something in the folder, or it cannot be written.
    """
    try:
        if folder.exists() and not folder.is_dir():
            raise FileError(f"{folder} is a file, not a folder")
        if folder.exists() and any(folder.iterdir()):
            raise FileError(f"{folder} is not empty, and nothing is overwritten: name a new folder, or empty this one")
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "answers").mkdir()
        _write(folder, made)
    except OSError as error:
        raise FileError(f"cannot write {error.filename or folder}: {error.strerror or error}") from error


def _write(folder: Path, made: Challenge) -> None:
    manifest, files = contents_of(made)
    for name, content in files.items():
        write_whole(folder, name, content)
    write_whole(folder, MANIFEST, readme.json_text(manifest).encode())  # last: without it there is no challenge


def contents_of(made: Challenge) -> tuple[dict[str, Any], dict[str, bytes]]:
    """The manifest of a challenge, and all other files by their names."""
    problem = made.problem
    files: dict[str, bytes] = {}
    arrays: dict[str, dict[str, Any]] = {"arrays": {}, "probes": {}}
    every = [("arrays", name, array, _ABOUT[name]) for name, array in problem.arrays.items()]
    every += [("probes", name, probe.array, probe.about) for name, probe in made.probes.items()]
    for kind, name, array, about in every:
        arrays[kind][name] = {"file": f"inputs/{name}", "shape": list(array.shape), "about": about}
        files |= {f"inputs/{name}{ending}": content for ending, content in _contents(array).items()}
    files["calls.csv"] = _calls(made).encode()
    files["parameters.csv"] = _parameters(made).encode()
    files["README.md"] = readme.text(made).encode()
    manifest = {
        "format": FORMAT,
        "version": VERSION,
        "refdeconv": refdeconv.__version__,
        "problem": problem.name,
        "shape": list(problem.shape),
        "data_shape": list(problem.data_shape),
        "seed": made.seed,
        "precision": problem.precision,
        "functions": list(problem.functions),
        "parameters": dict(problem.parameters),
        **arrays,
        "calls": [
            {
                "number": call.number,
                "function": call.function,
                "point": call.point,
                "direction": call.direction or None,
                "answer": call.answer,
                "shape": list(problem.answer_shape(call.function)),
            }
            for call in made.calls
        ],
        "files": {name: hashlib.sha256(content).hexdigest() for name, content in files.items()},
    }
    return manifest | {"sha256": fingerprint(manifest)}, files


def _contents(array: Array) -> dict[str, bytes]:
    array = np.asarray(array, np.float64)
    return {".npy": npy_bytes(array), ".bin": raw_bytes(array)}


def _calls(made: Challenge) -> str:
    lines = ["number,function,point,direction,answer"]
    for call in made.calls:
        direction = f"inputs/{call.direction}" if call.direction else "-"
        lines.append(f"{call.number},{call.function},inputs/{call.point},{direction},{call.answer}")
    return "\n".join(lines) + "\n"


def _parameters(made: Challenge) -> str:
    """Sizes and numbers, for programs that do not read JSON."""
    problem = made.problem
    rows: list[tuple[Any, ...]] = [("shape", *problem.shape), ("data_shape", *problem.data_shape)]
    if problem.about.blurs:
        rows += [("psf_shape", *problem.arrays["psf"].shape), ("origin", *problem.origin)]
    rows += [(name, repr(number)) for name, number in problem.parameters.items()]
    return "".join(",".join(map(str, row)) + "\n" for row in rows)
