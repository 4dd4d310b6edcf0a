"""Reading and writing what the frameworks computed: `recorded/problems.json`, and a file a framework.

All numbers are decimal, the shortest that read back as the same float64 or float32. The inputs of a problem are stored
too, so that nothing depends on how a random stream is made; each has the sha256 of its inputs, and so has each result.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from . import Array
from .comparing import QUANTITIES
from .models import MODELS, Posed, Problem

FOLDER = Path(__file__).parent / "recorded"
PROBLEMS = "problems.json"
Answers = dict[tuple[str, str], dict[str, Any]]  # of a problem by its name, and a dtype by its name


class RecordError(ValueError):
    """A record that cannot be used."""


class Record(NamedTuple):
    """What one framework computed."""

    version: str
    answers: Answers


def sha256(posed: Posed) -> str:
    """Of everything that goes into a problem: names, shapes, and numbers as little-endian float64."""
    digest = hashlib.sha256(posed.model.encode())
    for name, numbers in [*posed.parameters.items(), ("x", posed.x), ("v", posed.v)]:
        array = np.asarray(numbers)
        digest.update(f"{name}{array.shape}".encode() + array.astype("<f8").tobytes())
    return digest.hexdigest()


# ---- Problems ----


def read_problems(folder: Path) -> dict[str, Posed]:
    """The recorded problems, by their names; none where there is no file."""
    path = folder / PROBLEMS
    if not path.exists():
        return {}
    problems = {}
    for row in _rows(path, "problems"):
        with _Named(path, "a problem"):
            arrays = {name: _numbers(value, "float64") for name, value in row["parameters"].items()}
            parameters = {name: _parameter(name, arrays[name]) for name in MODELS[row["model"]].needs}
            drawn = {name: tuple(row[name]) if "shape" in name else row[name] for name in Problem._fields}
            posed = Posed(Problem(**drawn), parameters, *(_numbers(row[name], "float64") for name in ("x", "v")))
            problems[row["problem"]], stored = posed, row["sha256"]
        if sha256(posed) != stored:
            raise RecordError(
                f"{path}: the inputs of {row['problem']} have sha256 {sha256(posed)}, but {stored} is written there: "
                "they were changed; take the file from version control"
            )
    return problems


def problems_text(problems: Mapping[str, Posed]) -> str:
    rows = (
        {
            "problem": name,
            **posed.problem._asdict(),
            "sha256": sha256(posed),
            "parameters": {name: _decimals(value, "float64") for name, value in posed.parameters.items()},
            "x": _decimals(posed.x, "float64"),
            "v": _decimals(posed.v, "float64"),
        }
        for name, posed in problems.items()
    )
    return _text({}, "problems", rows)


# ---- Answers ----


def read(folder: Path, framework: str, problems: Mapping[str, Posed]) -> Record | None:
    """What a framework computed; None where there is no file."""
    path = folder / f"{framework}.json"
    if not path.exists():
        return None
    answers: Answers = {}
    with _Named(path, "a version"):
        version = json.loads(path.read_text(encoding="utf-8"))["version"]
    for row in _rows(path, "results"):
        with _Named(path, "a result"):
            name, dtype, stored = row["problem"], row["dtype"], row["sha256"]
            answers[name, dtype] = {q: _numbers(row[q], dtype)[()] for q in QUANTITIES}
        if name not in problems or sha256(problems[name]) != stored:
            raise RecordError(
                f"{path}: the result of {name} in {dtype} was computed from inputs with sha256 {stored}, which "
                f"{folder / PROBLEMS} does not have under that name; take both files from version control"
            )
    return Record(version, answers)


def answers_text(framework: str, record: Record, problems: Mapping[str, Posed]) -> str:
    rows = (
        {
            "problem": name,
            "sha256": sha256(problems[name]),
            "dtype": dtype,
            **{q: _decimals(answer[q], dtype) for q in QUANTITIES},
        }
        for (name, dtype), answer in record.answers.items()
    )
    return _text({"framework": framework, "version": record.version}, "results", rows)


# ---- JSON ----


class _Named:
    """What is missing or is not what it should be in a file becomes an error that names it."""

    def __init__(self, path: Path, what: str) -> None:
        self._message = f"{path} has {what} that cannot be read"

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        if isinstance(error, (KeyError, TypeError, ValueError)):
            raise RecordError(
                f"{self._message} ({type(error).__name__}: {error}); take it from version control"
            ) from error


def _rows(path: Path, name: str) -> list[Any]:
    with _Named(path, "something"):
        return list(json.loads(path.read_text(encoding="utf-8"))[name])


def _text(head: dict[str, Any], name: str, rows: Iterable[Any]) -> str:
    """A row a line, so that a difference can be read."""
    body = ",\n".join(json.dumps(row, allow_nan=False, separators=(",", ":")) for row in rows)
    return f'{json.dumps(head)[:-1]}{", " if head else ""}"{name}": [\n{body}\n]}}\n'


def _decimals(numbers: Any, dtype: str) -> Any:
    """The shortest decimals, nested as the array is."""
    array = np.asarray(numbers)
    if array.dtype.kind == "i":
        return array.tolist()
    texts = array.astype(dtype)
    decimals = np.array([float(str(number)) for number in texts.ravel()]).reshape(texts.shape).tolist()
    assert np.array_equal(_numbers(decimals, dtype), texts)
    return decimals


def _numbers(decimals: Any, dtype: str) -> Array:
    return np.array(decimals, np.float64).astype(dtype)


def _parameter(name: str, numbers: Array) -> Any:
    """A shape, one number, or an array."""
    if name == "psf_shape":
        return tuple(int(size) for size in numbers)
    return numbers if numbers.ndim else float(numbers)
