"""Arrays in files that any language can read, and that are read with suspicion: whoever wrote them may have erred.

An array is a `.npy` file (little-endian, C order, never pickled) or a part of a raw `.bin` file, whose dtype and shape
then stand elsewhere. Nothing outside of the folder that is being read or written is ever opened.
"""

from __future__ import annotations

import hashlib
import io
import os
import tempfile
from collections.abc import Sequence
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

DTYPES = {"float64": "<f8", "float32": "<f4", "int64": "<i8", "uint8": "|u1"}  # by the names that manifests use
_MAGIC = b"\x93NUMPY"


class FileError(ValueError):
    """A file that is missing, damaged or not what it should be: the message names it and says what to do."""


def inside(folder: Path, name: str) -> Path:
    """The path of a file in a folder, by a relative name with forward slashes; FileError where that leads outside."""
    parts = name.split("/")
    if not name or "\\" in name or "\0" in name or ":" in name or any(part in ("", ".", "..") for part in parts):
        raise FileError(f"{name!r} is not the name of a file inside of {folder}: only plain relative names are read")
    path = folder.joinpath(*parts)
    if not path.resolve().is_relative_to(folder.resolve()):
        raise FileError(f"{name} points outside of {folder} (a link?): put the file itself there")
    return path


def contents(folder: Path, name: str, *, most: int, sha256: str | None = None) -> bytes:
    """What is in a file of at most so many bytes, after its hash is found to be right, if one is known."""
    path = inside(folder, name)
    if not path.exists():
        raise FileError(f"{name} is missing in {folder}")
    if not path.is_file():
        raise FileError(f"{name} in {folder} is not a file")
    size = path.stat().st_size
    if size > most:
        raise FileError(f"{name} has {size} bytes, and at most {most} are expected: is it the right array?")
    found = path.read_bytes()
    if sha256 is not None and hashlib.sha256(found).hexdigest() != sha256:
        raise FileError(f"{name} is not what was written (its sha256 differs): make the folder anew")
    return found


def read_npy(
    folder: Path,
    name: str,
    shape: Sequence[int],
    dtypes: Sequence[str] = ("float64",),
    *,
    sha256: str | None = None,
    finite: bool = True,
) -> Array:
    """The array in a `.npy` file, native and in C order, which must have the shape and one of the dtypes.

    Big-endian and Fortran-ordered files are read too: both are what they say they are. FileError names whatever else
    is wrong: a missing or cut file, pickled objects, another shape or dtype, NaN or infinity.
    """
    most = 16 * prod(shape) + 65536
    found = contents(folder, name, most=most, sha256=sha256)
    if not found.startswith(_MAGIC):
        raise FileError(f"{name} is not a .npy file: it does not begin as one")
    return _checked(_parsed(name, found), name, shape, dtypes, finite)


def _parsed(name: str, found: bytes) -> Array:
    try:
        array = np.lib.format.read_array(io.BytesIO(found), allow_pickle=False)
    except ValueError as error:
        if "pickle" in str(error) or "Object" in str(error):
            raise FileError(f"{name} holds Python objects, which are never loaded: write numbers") from error
        raise FileError(f"{name} is cut short or damaged: {error}") from error
    except Exception as error:  # a damaged header fails in any way
        raise FileError(f"{name} is damaged: {type(error).__name__}: {error}") from error
    return np.asarray(array)


def _checked(array: Array, name: str, shape: Sequence[int], dtypes: Sequence[str], finite: bool) -> Array:
    native = array.dtype.newbyteorder("=")
    if native.name not in dtypes:
        raise FileError(f"{name} has dtype {native.name}, allowed: {', '.join(dtypes)}")
    if array.shape != tuple(shape):
        raise FileError(f"{name} has shape {array.shape}, expected {tuple(shape)}")
    array = np.ascontiguousarray(array, native).reshape(shape)
    if finite and not np.isfinite(array).all():
        bad = int(np.size(array) - np.isfinite(array).sum())
        raise FileError(f"{name} holds NaN or infinity at {bad} of {array.size} entries")
    return array


def read_raw(
    folder: Path,
    name: str,
    shape: Sequence[int],
    dtype: str = "float64",
    *,
    offset: int = 0,
    sha256: str | None = None,
    finite: bool = True,
    most: int | None = None,
) -> Array:
    """The array in a raw file, little-endian and in C order; without `most` the file must hold it and nothing else."""
    size = prod(shape) * np.dtype(DTYPES[dtype]).itemsize
    found = contents(folder, name, most=size if most is None else most, sha256=sha256)
    if len(found) < offset + size or (most is None and len(found) != offset + size):
        raise FileError(f"{name} has {len(found)} bytes, expected {offset + size}: {dtype} of shape {tuple(shape)}")
    array = np.frombuffer(found, DTYPES[dtype], prod(shape), offset).reshape(shape)
    return _checked(array, name, shape, (dtype,), finite)


def npy_bytes(array: Array) -> bytes:
    """An array as the contents of a `.npy` file, little-endian and in C order."""
    little = np.ascontiguousarray(array, DTYPES[array.dtype.name]).reshape(array.shape)
    stream = io.BytesIO()
    np.lib.format.write_array(stream, little, version=(1, 0), allow_pickle=False)
    return stream.getvalue()


def raw_bytes(array: Array) -> bytes:
    """An array as raw numbers, little-endian and in C order."""
    return np.ascontiguousarray(array, DTYPES[array.dtype.name]).tobytes()


def write_whole(folder: Path, name: str, contents: bytes) -> str:
    """Write a file inside of a folder, whole or not at all; its sha256."""
    path = inside(folder, name)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(contents)
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    return hashlib.sha256(contents).hexdigest()
