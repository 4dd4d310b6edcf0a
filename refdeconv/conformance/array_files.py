"""Arrays in files that any language can read, and that are read with suspicion: whoever wrote them may have erred.

An array is a `.npy` file (little-endian, C order, never pickled) or a part of a raw `.bin` file, whose dtype and shape
then stand elsewhere. Nothing outside of the folder that is being read or written is ever opened.
"""

from __future__ import annotations

import hashlib
import io
import os
import re
import stat
import tempfile
import warnings
from collections.abc import Callable, Sequence
from math import prod
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

DTYPES = {"float64": "<f8", "float32": "<f4", "int64": "<i8", "uint8": "|u1"}  # by the names that manifests use
_HINT = ": is it the right array?"
_NUMBER = re.compile(
    rb"[+-]?((\d+\.?\d*|\.\d+)(e[+-]?\d+)?|nan|inf(inity)?)", re.IGNORECASE
)  # as most languages write it
_MAGIC = b"\x93NUMPY"
# What not every system has.
_NO_LINK, _NO_WAIT, _BINARY = (getattr(os, flag, 0) for flag in ("O_NOFOLLOW", "O_NONBLOCK", "O_BINARY"))


class FileError(ValueError):
    """A file that is missing, damaged or not what it should be: the message names it and says what to do."""


def inside(folder: Path, name: str) -> Path:
    """The path of a file in a folder, by a relative name with forward slashes; FileError where that leads outside."""
    parts = name.split("/")
    if not name or "\\" in name or "\0" in name or ":" in name or any(part in ("", ".", "..") for part in parts):
        raise FileError(f"{name!r} is not the name of a file inside of {folder}: only plain relative names are read")
    path = folder.joinpath(*parts)
    try:
        within = path.resolve().is_relative_to(folder.resolve())
    except (OSError, RuntimeError) as error:
        raise FileError(f"{name} in {folder} leads nowhere: {error}") from None
    if not within:
        raise FileError(f"{name} points outside of {folder} (a link?): put the file itself there")
    return path


def contents(folder: Path, name: str, *, most: int, sha256: str | None = None, hint: str = "") -> bytes:
    """What is in a file of at most so many bytes, after its hash is found to be right, if one is known.

    A hint is added to what is said of a file that is too long.
    """
    path = inside(folder, name)
    try:
        _check_regular(path.stat().st_mode, folder, name)
        # A link that appeared since is not followed, and a pipe that nobody writes to does not block.
        handle = os.open(path.resolve(), os.O_RDONLY | _NO_LINK | _NO_WAIT | _BINARY)
    except FileNotFoundError:
        raise FileError(f"{name} is missing in {folder}") from None
    except OSError as error:
        raise FileError(f"{name} in {folder} cannot be read: {error.strerror or error}") from error
    with os.fdopen(handle, "rb") as file:
        status = os.fstat(file.fileno())
        _check_regular(status.st_mode, folder, name)
        if status.st_size > most:
            raise FileError(f"{name} has {status.st_size} bytes, and at most {most} are expected{hint}")
        try:
            found = file.read(most + 1)
        except OSError as error:
            raise FileError(f"{name} in {folder} cannot be read: {error.strerror or error}") from error
    if len(found) > most:
        raise FileError(f"{name} grew while it was read: at most {most} bytes are expected")
    if sha256 is not None and hashlib.sha256(found).hexdigest() != sha256:
        raise FileError(f"{name} is not what was written (its sha256 differs): make the folder anew")
    return found


def _check_regular(mode: int, folder: Path, name: str) -> None:
    kinds = {stat.S_IFDIR: "folder", stat.S_IFIFO: "pipe", stat.S_IFSOCK: "socket"}
    if not stat.S_ISREG(mode):
        raise FileError(f"{name} in {folder} is not a file, but a {kinds.get(stat.S_IFMT(mode), 'device')}")


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
    found = contents(folder, name, most=most, sha256=sha256, hint=_HINT)
    return _parsed(name, found, shape, dtypes, finite)


def _parsed(name: str, found: bytes, shape: Sequence[int], dtypes: Sequence[str], finite: bool) -> Array:
    """The array in the contents of a `.npy` file: nothing is allocated before the header is found to be right."""
    if not found.startswith(_MAGIC):
        raise FileError(f"{name} is not a .npy file: it does not begin as one")
    stream = io.BytesIO(found)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of headers that were written by Python 2
            version = np.lib.format.read_magic(stream)
            has, fortran, dtype = _header_reader(name, version)(stream)
    except FileError:
        raise
    except Exception as error:  # a damaged header fails in any way
        raise FileError(f"{name} is cut short or damaged: its header is not that of an array of numbers") from error
    if dtype.hasobject:
        raise FileError(f"{name} holds Python objects, which are never loaded: write numbers")
    _check_dtype(dtype, name, dtypes)
    _check_shape(has, name, shape)
    data = found[stream.tell() :]
    expected = prod(shape) * dtype.itemsize
    if len(data) != expected:
        how = "cut short" if len(data) < expected else "longer than its header says"
        raise FileError(f"{name} is {how}: {len(data)} bytes of numbers, where {dtype} of shape {has} has {expected}")
    order: Literal["F", "C"] = "F" if fortran else "C"
    return _checked(np.frombuffer(data, dtype).reshape(has, order=order), name, shape, dtypes, finite)


def _header_reader(name: str, version: tuple[int, int]) -> Callable[[io.BytesIO], Any]:
    """What reads the header of a version."""
    if version == (1, 0):
        return np.lib.format.read_array_header_1_0
    if version in ((2, 0), (3, 0)):  # they differ in the letters of field names, and there are no fields here
        return np.lib.format.read_array_header_2_0
    raise FileError(f"{name} has version {version[0]}.{version[1]} of the .npy format, allowed: 1.0, 2.0, 3.0")


def _check_dtype(dtype: np.dtype[Any], name: str, dtypes: Sequence[str]) -> None:
    if dtype.newbyteorder("=").name not in dtypes:
        raise FileError(f"{name} has dtype {dtype.newbyteorder('=').name}, allowed: {', '.join(dtypes)}")


def _check_shape(has: tuple[int, ...], name: str, shape: Sequence[int]) -> None:
    if has != tuple(shape) or any(isinstance(size, bool) for size in has):
        raise FileError(f"{name} has shape {has}, expected {tuple(shape)}")


def _checked(array: Array, name: str, shape: Sequence[int], dtypes: Sequence[str], finite: bool) -> Array:
    """The array, native, in C order and with memory of its own."""
    _check_dtype(array.dtype, name, dtypes)
    _check_shape(array.shape, name, shape)
    native = array.dtype.newbyteorder("=")
    array = np.array(array, native, order="C").reshape(shape)
    if finite and not np.isfinite(array).all():
        bad = np.argwhere(~np.isfinite(array))
        first = f", first at {tuple(map(int, bad[0]))}" if array.ndim else ""
        raise FileError(f"{name} holds NaN or infinity at {len(bad)} of {array.size} entries{first}")
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
    found = contents(folder, name, most=offset + size if most is None else most, sha256=sha256, hint=_HINT)
    if offset < 0 or len(found) < offset + size or (most is None and len(found) != offset + size):
        raise FileError(f"{name} has {len(found)} bytes, expected {offset + size}: {dtype} of shape {tuple(shape)}")
    array = np.frombuffer(found, DTYPES[dtype], prod(shape), offset).reshape(shape)
    return _checked(array, name, shape, (dtype,), finite)


def read_text(
    folder: Path, name: str, shape: Sequence[int], *, sha256: str | None = None, finite: bool = True
) -> Array:
    """The float64 array in a text file: a number on each line, in C order, nothing else."""
    size = prod(shape)
    found = contents(folder, name, most=64 * size + 64, sha256=sha256, hint=_HINT)
    _check_encoding(name, found)
    lines = found.split()
    if len(lines) != size:
        commas = "; are they separated by commas? Write a number a line" if b"," in found else ""
        raise FileError(f"{name} holds {len(lines)} numbers, expected {size}: shape {tuple(shape)}{commas}")
    for line in lines:
        if not _NUMBER.fullmatch(line):
            raise FileError(f"{name} is not a list of numbers: {_why_no_number(line)}")
    array = np.array([float(line) for line in lines]).reshape(shape)
    return _checked(array, name, shape, ("float64",), finite)


def _check_encoding(name: str, found: bytes) -> None:
    if found.startswith(b"\xef\xbb\xbf"):
        raise FileError(f"{name} is not a list of numbers: it begins with a byte order mark; write UTF-8 without one")
    if found.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise FileError(
            f"{name} is not a list of numbers: it is text in UTF-16, as some shells on Windows write it with >; write "
            "ASCII or UTF-8"
        )
    if b"\0" in found:
        raise FileError(f"{name} is not a list of numbers: it is no text (raw numbers belong into a file with .bin)")


def _why_no_number(word: bytes) -> str:
    text = word[:24].decode("ascii", "replace") + ("..." if len(word) > 24 else "")
    if _NUMBER.fullmatch(word.replace(b",", b".", 1)):
        return f"{text!r} has a decimal comma, write a point"
    if _NUMBER.fullmatch(word.upper().replace(b"D", b"E", 1)):
        return f"{text!r} has Fortran's exponent D, write E"
    return f"{text!r} is none, write such as -1.5e-3"


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
