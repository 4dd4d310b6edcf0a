"""Reading and writing: images of the usual types, and records; whole or not at all."""

import json
import logging
import os
import signal
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from PIL import Image as PillowImage
from PIL import ImageOps, UnidentifiedImageError

from refdeconv._arrays import Array

_EXIF_ORIENTATION = 0x0112
READABLE = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".npy")
WRITABLE = (".tif", ".tiff", ".npy", ".png")


class InputError(Exception):
    """What the user gave cannot be used: a file, an option; the message names it and says what is allowed."""


@contextmanager
def input_errors() -> Iterator[None]:
    """What the library says of bad arguments, as an `InputError`; other errors stay what they are."""
    try:
        yield
    except (ValueError, TypeError) as error:
        raise InputError(str(error)) from error
    except MemoryError as error:
        raise InputError(f"too large for the memory of this machine: {error}") from error


@dataclass(frozen=True)
class Image:
    """An image as read: its values, the axis of its colour channels, and remarks that the user should see."""

    values: Array
    channel_axis: int | None
    remarks: tuple[str, ...] = ()


def read_image(path: Path, name: str) -> Image:
    """The image in a file.

    Parameters
    ----------
    path : Path
        PNG, JPEG, TIFF or NPY, told by its ending.
    name : str
        What the file is to the user, for messages.

    Raises
    ------
    InputError
        If it is missing, of another type, truncated, or not what its ending says.
    """
    if not path.exists():
        raise InputError(f"{name}: there is no file {path}")
    if path.is_dir():
        raise InputError(f"{name}: {path} is a folder, not a file")
    kind = path.suffix.lower()
    if kind not in READABLE:
        raise InputError(f"{name}: cannot read {path}: its ending must be one of {', '.join(READABLE)}")
    read = _read_npy if kind == ".npy" else _read_tiff if kind in (".tif", ".tiff") else _read_png_or_jpeg
    try:
        image = read(path)
    except Exception as error:  # each library has its own exceptions for a damaged file
        raise InputError(
            f"{name}: cannot read {path}, it may be damaged, truncated or not an image: {error}"
        ) from error
    if image.values.dtype.kind not in "biuf":
        raise InputError(f"{name}: {path} must hold real numbers, it holds {image.values.dtype}")
    return image


def _read_npy(path: Path) -> Image:
    return Image(np.load(path, allow_pickle=False), None)


def _read_tiff(path: Path) -> Image:
    logging.getLogger("tifffile").setLevel(logging.CRITICAL)  # what it would say is said in our own words
    with tifffile.TiffFile(path) as tiff:
        series = tiff.series[0]
        if any(page is None or not _is_complete(page, path.stat().st_size) for page in series.pages):
            raise ValueError("the file ends before its pixels do")
        values, axes, page = series.asarray(), series.axes, series.keyframe
        remarks = [] if len(tiff.series) == 1 else [f"{path} holds {len(tiff.series)} images: the first is used"]
        photometric = tifffile.PHOTOMETRIC(page.photometric)
        colormap = page.colormap  # read from the file while it is open
    if photometric == tifffile.PHOTOMETRIC.PALETTE:
        values, axes = np.moveaxis(colormap[:, values], 0, -1), f"{axes}S"
    elif photometric == tifffile.PHOTOMETRIC.MINISWHITE:
        values = ~values if values.dtype.kind in "bu" else -values
        remarks.append(f"{path} is stored with white as zero: inverted")
    elif photometric == tifffile.PHOTOMETRIC.SEPARATED:
        raise ValueError("its colours are those of inks (CMYK): convert it to RGB first")
    channel_axis = axes.index("S") - values.ndim if "S" in axes else None
    if channel_axis is not None and page.extrasamples:
        values = np.take(values, range(values.shape[channel_axis] - len(page.extrasamples)), axis=channel_axis)
        remarks.append(f"{path} has an alpha channel: it is left out")
        if values.shape[channel_axis] == 1:
            values, channel_axis = np.squeeze(values, channel_axis), None
    return Image(values, channel_axis, tuple(remarks))


def _is_complete(page: Any, size: int) -> bool:
    ends = (offset + count for offset, count in zip(page.dataoffsets, page.databytecounts, strict=True))
    return max(ends, default=0) <= size


def _read_png_or_jpeg(path: Path) -> Image:
    remarks = []
    header = path.read_bytes()[:26]
    if header.startswith(b"\x89PNG") and header[24] == 16 and header[25] in (2, 6):
        raise ValueError("colour PNG of 16 bits, of which Pillow would read 8: save it as TIFF")
    try:
        opened = PillowImage.open(path)
    except UnidentifiedImageError:
        raise ValueError("it is neither a PNG nor a JPEG") from None
    with opened as picture:
        upright = ImageOps.exif_transpose(picture)
        if upright.size != picture.size or picture.getexif().get(_EXIF_ORIENTATION, 1) != 1:
            remarks.append(f"{path} was turned upright, as its EXIF orientation says")
        if upright.mode == "CMYK":
            raise ValueError("its colours are those of inks (CMYK): convert it to RGB first")
        if "A" in upright.getbands() or "transparency" in upright.info:
            remarks.append(f"{path} has an alpha channel: it is left out")
        if upright.mode in ("P", "PA", "RGBA", "YCbCr"):
            upright = upright.convert("RGB")
        elif upright.mode == "LA":
            upright = upright.convert("L")
        values = np.asarray(upright)
    return Image(values, -1 if values.ndim == 3 else None, tuple(remarks))


def check_writable(path: Path) -> None:
    """Find out before the work whether a file can be written there; missing folders are made.

    Raises
    ------
    InputError
        If it cannot.
    """
    folder = path.parent
    try:
        if folder.exists() and not folder.is_dir():
            raise NotADirectoryError(f"{folder} is a file, not a folder")
        folder.mkdir(parents=True, exist_ok=True)
        if path.is_dir():
            raise IsADirectoryError(f"{path} is a folder")
        with tempfile.TemporaryFile(dir=folder):
            pass
        if path.exists() and not os.access(path, os.W_OK):
            raise PermissionError(f"{path} is write-protected")
    except OSError as error:
        raise InputError(f"cannot write {path}: {error.strerror or error}") from error


def write_whole(path: Path, write: Callable[[Path], object]) -> None:
    """Write a file under another name beside it, and rename it when it is complete; a link is followed."""
    path = path.resolve()
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.stem}.", suffix=path.suffix)
    os.close(handle)
    temporary = Path(name)
    try:
        write(temporary)
        temporary.chmod(0o666 & ~_umask())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


@contextmanager
def uninterrupted() -> Iterator[None]:
    """A further Ctrl-C is ignored: what has been computed is written first."""
    try:
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    except ValueError:  # not in the main thread, which alone gets Ctrl-C
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def write_json(path: Path, record: dict[str, Any]) -> None:
    """Write a record as JSON."""
    text = json.dumps(record, indent=2, allow_nan=False, default=_plain) + "\n"
    write_whole(path, lambda file: file.write_text(text, encoding="utf-8"))


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic):
        return value.item() if not isinstance(value, np.longdouble) else float(value)
    return str(value)


def write_image(path: Path, image: Array, channel_axis: int | None, source: np.dtype[Any]) -> str:
    """Write an image, and say how.

    Parameters
    ----------
    path : Path
        Its ending decides the type, one of `WRITABLE`.
    image : ndarray
        The values.
    channel_axis : int or None
        The axis of the colour channels, if any.
    source : dtype
        The dtype of the image that it was made from: a PNG keeps the range of integers.

    Returns
    -------
    str
        What was written, in words.
    """
    if path.suffix.lower() == ".npy":
        write_whole(path, lambda file: np.save(file, image, allow_pickle=False))
        return f"{image.dtype} values as they are"
    if path.suffix.lower() == ".png":
        pixels, words = _as_png_pixels(image, source)
        if channel_axis is not None:
            pixels = np.moveaxis(pixels, channel_axis, -1)
        write_whole(path, lambda file: PillowImage.fromarray(pixels).save(file, format="png"))
        return words
    values = image.astype(np.float64) if image.dtype == np.longdouble else image
    layout: dict[str, Any] = {"photometric": "minisblack"}
    words = ""
    if channel_axis is not None and image.shape[channel_axis] == 3 and image.ndim == 3:
        last = channel_axis % image.ndim == image.ndim - 1
        layout = {"photometric": "rgb", "planarconfig": "contig" if last else "separate"}
        if not last:
            values = np.moveaxis(values, channel_axis, 0)
    elif image.ndim == 1:
        values, words = values[np.newaxis], ", as one row, which is the least that a TIFF holds"
    write_whole(path, lambda file: tifffile.imwrite(file, values, **layout))
    return f"{values.dtype} values as they are{words}"


def check_fits_png(path: Path, shape: tuple[int, ...], channel_axis: int | None) -> None:
    """Find out before the work whether a PNG can hold the image."""
    if path.suffix.lower() != ".png":
        return
    axes = len(shape) - (channel_axis is not None)
    channels = 1 if channel_axis is None else shape[channel_axis]
    if axes != 2 or channels not in (1, 3):
        raise InputError(f"cannot write {path}: a PNG holds 2-D images, grey or of 3 colours; write .tif or .npy")


def _as_png_pixels(image: Array, source: np.dtype[Any]) -> tuple[Array, str]:
    if source in (np.uint8, np.uint16):
        largest = np.iinfo(source).max
        depth = source if image.ndim == 2 else np.dtype(np.uint8)
        outside = np.count_nonzero((image < 0) | (image > largest))
        scaled = np.clip(image, 0, largest) * (np.iinfo(depth).max / largest)
        words = f"PNG, values clipped to the source's range 0 to {largest} ({outside} values were outside) and rounded"
        words += "" if depth == source else ", then scaled to 8 bits"
        return np.rint(scaled).astype(depth), words
    low, high = float(image.min()), float(image.max())
    scaled = (image.astype(np.float64) - low) * (255 / (high - low) if high > low else 0)
    words = f"PNG for looking at: scaled linearly, {low:.6g} is 0 and {high:.6g} is 255"
    return np.rint(scaled).astype(np.uint8), words
