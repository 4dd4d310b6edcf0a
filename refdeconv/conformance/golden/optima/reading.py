"""Certified optima from files, as they were written by `making`, or by somebody else.

A folder holds `optima.json`, an `.npy` file for every array, and all arrays once more in `optima.bin`, for those who
cannot read `.npy`: each array's dtype, shape and offset there stand in `optima.json`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from refdeconv.conformance.array_files import DTYPES, FileError, contents, read_npy, read_raw

Array = NDArray[Any]
FORMAT, VERSION = "refdeconv certified optima", 1
MANIFEST, RAW = "optima.json", "optima.bin"
FOLDER = Path(__file__).parent.parent / "suite" / "optima"
METHODS = ("strong convexity", "curvature", "curvature in whole numbers")
_MOST_BYTES, _MOST_PIXELS = 2**24, 2**16
_DECIMAL = re.compile(r"-?\d{1,60}(\.\d{1,60})?(e-?\d{1,3})?")


@dataclass(frozen=True, eq=False)
class Optimum:
    """A problem, its minimiser and minimum, and what proves them; decimals are exact, as fractions.

    Attributes
    ----------
    name, model, parameters
        As in `problems.Convex`.
    minimiser : ndarray of float64
        The minimiser, rounded.
    remainder : ndarray of float32
        What the rounding left, to be added exactly: the proof is about the sum.
    minimum : Fraction
        The minimum, to 40 digits.
    bound_on_minimum, bound_on_minimiser : Fraction
        No less than the error of `minimum`, and the distance of `minimiser` from the minimiser (Euclidean norm).
    method : str
        One of `METHODS`.
    certificate : mapping of str to Fraction
        What the proof needs to be told: "curvature", a lower bound at the minimiser; "radius", of the ball in which it
        is used; and "gradient_norm", an upper bound that was found.
    """

    name: str
    model: str
    parameters: Mapping[str, Any]
    minimiser: Array
    remainder: Array
    minimum: Fraction
    bound_on_minimum: Fraction
    bound_on_minimiser: Fraction
    method: str
    certificate: Mapping[str, Fraction]

    @property
    def kind(self) -> str:
        """Among golden vectors: "optimum"."""
        return "optimum"

    @property
    def remark(self) -> str:
        """For a reader: what is certified."""
        size = "x".join(map(str, self.minimiser.shape))
        bounds = f"minimum +- {float(self.bound_on_minimum):.2e}, minimiser +- {float(self.bound_on_minimiser):.2e}"
        return f"{size} pixels, {bounds}, by {self.method}."


def read(folder: Path = FOLDER, *, raw: bool = False) -> list[Optimum]:
    """All optima in a folder.

    Parameters
    ----------
    folder : Path
        Default: those that the package brings.
    raw : bool
        Whether to take the arrays from the raw file.

    Raises
    ------
    FileError
        If a file is missing or damaged, or does not hold what it should.
    """
    manifest = _manifest(folder)
    known = _field(manifest, "raw", dict)
    if raw:
        contents(folder, RAW, most=_MOST_BYTES, sha256=_field(known, "sha256", str))
    return [_optimum(folder, entry, raw) for entry in _field(manifest, "optima", list)]


def _manifest(folder: Path) -> dict[str, Any]:
    try:
        manifest = json.loads(contents(folder, MANIFEST, most=_MOST_BYTES))
    except (ValueError, RecursionError) as error:
        if isinstance(error, FileError):
            raise
        raise FileError(f"{MANIFEST} is not JSON: {error}") from error
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise FileError(f"{MANIFEST} does not say that its format is {FORMAT!r}")
    if manifest.get("version") != VERSION:
        raise FileError(f"{MANIFEST} has version {manifest.get('version')!r}, only {VERSION} is read")
    return manifest


def _field(entry: Any, name: str, kind: type) -> Any:
    if not isinstance(entry, dict) or not isinstance(entry.get(name), kind):
        raise FileError(f"{MANIFEST}: {name!r} is missing, or not of type {kind.__name__}, where it is expected")
    return entry[name]


def decimal(text: Any) -> Fraction:
    """The number that a string of decimal digits is, exactly; FileError for anything else."""
    if not isinstance(text, str) or not _DECIMAL.fullmatch(text):
        raise FileError(f"{MANIFEST}: {text!r} is not a decimal number in a string, such as '1.5e-30'")
    return Fraction(text)


def _optimum(folder: Path, entry: Any, raw: bool) -> Optimum:
    method = _field(entry, "method", str)
    if method not in METHODS:
        raise FileError(f"{MANIFEST}: method {method!r} is none of {', '.join(METHODS)}")
    minimiser, remainder = (_array(folder, _field(entry, name, dict), raw) for name in ("minimiser", "remainder"))
    if minimiser.dtype != np.float64 or remainder.shape != minimiser.shape:
        raise FileError(f"{MANIFEST}: a minimiser is float64, and its remainder of the same shape")
    return Optimum(
        name=_field(entry, "name", str),
        model=_field(entry, "model", str),
        parameters={name: _parameter(folder, value, raw) for name, value in _field(entry, "parameters", dict).items()},
        minimiser=minimiser,
        remainder=remainder,
        minimum=decimal(entry.get("minimum")),
        bound_on_minimum=decimal(entry.get("bound_on_minimum")),
        bound_on_minimiser=decimal(entry.get("bound_on_minimiser")),
        method=method,
        certificate={name: decimal(value) for name, value in _field(entry, "certificate", dict).items()},
    )


def _parameter(folder: Path, value: Any, raw: bool) -> Any:
    if isinstance(value, dict):
        return _array(folder, _field(value, "array", dict), raw)
    if isinstance(value, str | int | float):
        return value
    raise FileError(f"{MANIFEST}: a parameter is a number, a string or an array, not {value!r}")


def _array(folder: Path, reference: Any, raw: bool) -> Array:
    """An array by what the manifest says of it; uint8 stands for truth values."""
    dtype, sizes = _field(reference, "dtype", str), _field(reference, "shape", list)
    if dtype not in DTYPES or not all(type(n) is int and n > 0 for n in sizes) or prod(sizes) > _MOST_PIXELS:
        raise FileError(f"{MANIFEST}: no array of dtype {dtype!r} and shape {sizes} is read")
    if raw:
        offset = _field(reference, "byte_offset", int)
        if offset < 0:
            raise FileError(f"{MANIFEST}: the offset {offset} is before the beginning of {RAW}")
        array = read_raw(folder, RAW, sizes, dtype, offset=offset, most=_MOST_BYTES)
    else:
        array = read_npy(
            folder, _field(reference, "npy", str), sizes, (dtype,), sha256=_field(reference, "sha256", str)
        )
    return array.astype(np.bool_) if dtype == "uint8" else array
