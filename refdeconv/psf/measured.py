"""Point spread functions that were measured: of an array, or of a file; and the checks of any array as a PSF."""

from __future__ import annotations

import math
import os
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from refdeconv._arrays import Array, Shape, choice, image_shape, real_array, real_number

CENTRES = ("peak", "centroid")
READABLE = (".npy", ".tif", ".tiff", ".png", ".jpg", ".jpeg")
_LOSS_WORTH_SAYING = 0.01


def from_array(
    array: ArrayLike,
    *,
    background: float | str | None = None,
    centre: str | None = "peak",
    shape: int | tuple[int, ...] | None = None,
    normalise: bool = True,
) -> Array:
    """A measured PSF, such as the image of a bead or a star, made one that can be used.

    In this order: the background is subtracted, what is then negative is set to zero, the window is moved by whole
    pixels so that the centre comes to lie at sample ``(shape - 1) // 2``, and the samples are divided by their sum.

    Parameters
    ----------
    array : array_like
        Real and finite, in any number of dimensions.
    background : float or 'edge', optional
        What to subtract: a number, or the median of the outermost samples. By default nothing.
    centre : {'peak', 'centroid'} or None
        What comes to lie at the centre: the largest sample (the first of equal ones), the sample nearest to the
        centroid (of two equally near, the first), or, for None, what is at sample ``(array.shape - 1) // 2``.
    shape : int or tuple of int, optional
        Shape of the result, by default that of the array. Samples beyond it are cut off, missing ones are zero.
    normalise : bool
        Whether to divide by the sum.

    Returns
    -------
    ndarray of float64
        Non-negative; of sum one if normalised.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as described, or nothing above zero remains.

    Warns
    -----
    UserWarning
        If more than one per cent of the sum is cut off.

    Notes
    -----
    A shift by parts of a pixel would interpolate, and so change the PSF: it is left to the user, or to the `origin` of
    `Convolution`, which is by whole samples too.

    Derivation: derivations/psf/measured.md, PSF.13
    """
    samples = real_array(array, "array").astype(np.float64)
    target = samples.shape if shape is None else image_shape(shape)
    if samples.ndim == 0 or len(target) != samples.ndim:
        raise ValueError(f"shape must have as many axes as array, of shape {samples.shape}, got {target}")
    if not isinstance(normalise, bool | np.bool_):
        raise TypeError(f"normalise must be True or False, got {normalise!r}")
    samples = np.maximum(samples - _level(samples, background), 0)
    if not samples.any():
        raise ValueError("array has nothing above zero once the background is subtracted")
    brightest = samples.max()
    relative = samples / brightest  # whose sum and moments cannot overflow
    window = _window(relative, _central_index(relative, centre), target)
    kept = window.sum() / relative.sum()
    if kept == 0:
        raise ValueError(f"shape {target} cuts off all that array has above zero")
    if kept < 1 - _LOSS_WORTH_SAYING:
        warnings.warn(f"psf: {1 - kept:.1%} of its sum lies outside of the window of shape {target}", stacklevel=2)
    return window / window.sum() if normalise else window * brightest


def _level(samples: Array, background: float | str | None) -> float:
    if background is None:
        return 0.0
    if not isinstance(background, str):
        return float(real_number(background, "background"))
    choice(background, "background", ["edge"])
    outermost = np.ones(samples.shape, bool)
    outermost[(slice(1, -1),) * samples.ndim] = False
    return float(np.median(samples[outermost]))


def _central_index(samples: Array, centre: str | None) -> Shape:
    """The index of the sample that comes to lie at the centre."""
    if centre is None:
        return tuple((size - 1) // 2 for size in samples.shape)
    if choice(centre, "centre", CENTRES) == "peak":
        return tuple(map(int, np.unravel_index(samples.argmax(), samples.shape)))
    indices: tuple[Array, ...] = np.indices(samples.shape, sparse=True)
    moments = [np.sum(index * samples) / samples.sum() for index in indices]
    return tuple(math.ceil(moment - 0.5 - 1e-9) for moment in moments)


def _window(samples: Array, central: Shape, shape: Shape) -> Array:
    """A window of this shape, the central sample at ``(shape - 1) // 2``, with zeros where there are no samples."""
    window = np.zeros(shape)
    source, target = [], []
    for index, old, new in zip(central, samples.shape, shape, strict=True):
        shift = (new - 1) // 2 - index
        first, last = max(0, shift), max(0, min(new, old + shift))
        target.append(slice(first, last))
        source.append(slice(first - shift, max(0, last - shift)))
    window[tuple(target)] = samples[tuple(source)]
    return window


def from_file(
    path: str | os.PathLike[str],
    *,
    background: float | str | None = None,
    centre: str | None = "peak",
    shape: int | tuple[int, ...] | None = None,
    normalise: bool = True,
) -> Array:
    """A measured PSF in a file, through `from_array`.

    Parameters
    ----------
    path : path
        NPY, TIFF, PNG or JPEG, told by its ending. TIFF is read by tifffile, PNG and JPEG by Pillow; both come with
        scikit-image.
    background, centre, shape, normalise
        As in `from_array`.

    Returns
    -------
    ndarray of float64
        As of `from_array`.

    Raises
    ------
    TypeError, ValueError
        If the ending is another, the file has colours or is not what its ending says, or an argument is not allowed.
    OSError
        If there is no such file, or it cannot be read.
    ImportError
        If the library that reads it is not installed; the message says which.

    Notes
    -----
    Derivation: derivations/psf/measured.md, PSF.13
    """
    file = Path(path)
    kind = file.suffix.lower()
    if kind not in READABLE:
        raise ValueError(f"path must end in one of {', '.join(READABLE)}, got {file}")
    read = _read_npy if kind == ".npy" else _read_tiff if kind in (".tif", ".tiff") else _read_picture
    try:
        values = read(file)
    except (OSError, ImportError):
        raise
    except Exception as error:  # each library has its own exceptions for a damaged file
        raise ValueError(f"path: cannot read {file}: {error}") from error
    return from_array(values, background=background, centre=centre, shape=shape, normalise=normalise)


def _read_npy(file: Path) -> Any:
    return np.load(file, allow_pickle=False)


def _read_tiff(file: Path) -> Any:
    try:
        import tifffile
    except ImportError as error:
        raise ImportError(f"to read {file}, install tifffile (pip install tifffile)") from error
    with tifffile.TiffFile(file) as tiff:
        series = tiff.series[0]
        if "S" in series.axes or series.keyframe.photometric == tifffile.PHOTOMETRIC.PALETTE:
            raise ValueError("it is a colour image; a PSF has one value a pixel")
        return series.asarray()


def _read_picture(file: Path) -> Any:
    try:
        from PIL import Image
    except ImportError as error:
        raise ImportError(f"to read {file}, install Pillow (pip install pillow)") from error
    with Image.open(file) as picture:
        if len(picture.getbands()) > 1 or picture.mode == "P":
            raise ValueError(f"it is a colour image (mode {picture.mode}); a PSF has one value a pixel")
        return np.asarray(picture)


def as_psf(psf: ArrayLike, shape: Shape, *, stacklevel: int = 2) -> Array:
    """The array as a PSF for images of the given shape, after the checks that a blur deserves.

    Parameters
    ----------
    psf : array_like
        Real, finite, not all zero, with as many axes as `shape`.
    shape : tuple of int
        Shape of the image that it is meant for.
    stacklevel : int
        As in `warnings.warn`, counted from this function's caller.

    Returns
    -------
    ndarray
        A read-only copy, not normalised.

    Raises
    ------
    TypeError, ValueError
        If it is not such an array.

    Warns
    -----
    UserWarning
        If it does not sum to one, or has negative entries: both are accepted, but seldom meant.
    """
    array = real_array(psf, "psf")
    if array.ndim != len(shape):
        hint = "; for a colour image, give channel_axis" if array.ndim == len(shape) - 1 else ""
        raise ValueError(f"psf has {array.ndim} axes (shape {array.shape}), the image has {len(shape)} {shape}{hint}")
    if not array.any():
        raise ValueError("psf is zero everywhere: there is nothing to deconvolve with")
    total, lowest = float(array.sum()), float(array.min())
    remarks = []
    if abs(total - 1) > 1e-3:
        remarks.append(f"sums to {total:.6g}, not to 1 (brightness is not kept; psf / psf.sum() would keep it)")
    if lowest < 0:
        remarks.append(f"has negative entries (the lowest is {lowest:.3g})")
    if remarks:
        warnings.warn(f"psf {' and '.join(remarks)}; it is used as given", UserWarning, stacklevel=stacklevel + 1)
    return array
