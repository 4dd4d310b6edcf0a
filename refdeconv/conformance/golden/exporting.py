"""A suite written out for others: whole, or not at all."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from refdeconv.conformance import array_files
from refdeconv.conformance.array_files import FileError
from refdeconv.conformance.golden.suite import SUMS, Suite


def export(suite: Suite, folder: Path, *, unpacked: bool = False) -> int:
    """Copy a suite that was read to a folder that does not exist, or is empty; how many files were written.

    Parameters
    ----------
    suite : Suite
    folder : Path
    unpacked : bool
        Whether to write each array also as a file of its own, in its shape: ``unpacked/CASE/NAME.npy``.

    Raises
    ------
    FileError
        If there is something in the folder, or it cannot be written.
    """
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        raise FileError(f"{folder} is not a folder: name one that does not exist, or is empty")
    if folder.exists() and any(folder.iterdir()):
        raise FileError(f"{folder} is not empty: nothing in it is overwritten; name another folder, or empty it")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    except OSError as error:
        raise FileError(f"cannot write to {folder.parent}: {error.strerror or error}") from error
    try:
        for name, known in suite.sums.items():
            found = array_files.contents(suite.folder, name, most=2**24, sha256=known)
            array_files.write_whole(temporary, name, found)
        shutil.copyfile(suite.folder / SUMS, temporary / SUMS)
        if unpacked:
            _unpack(suite, temporary)
        temporary.chmod(0o755)
        if folder.exists():
            folder.rmdir()
        count = sum(path.is_file() for path in temporary.rglob("*"))
        temporary.rename(folder)
    except OSError as error:
        raise FileError(f"cannot write {folder}: {error.strerror or error}") from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return count


def _unpack(suite: Suite, folder: Path) -> None:
    for case in suite.cases:
        for name, array in case.named_arrays():
            numbers = array.astype("uint8") if array.dtype == bool else array
            array_files.write_whole(folder, f"unpacked/{case.name}/{name}.npy", array_files.npy_bytes(numbers))
