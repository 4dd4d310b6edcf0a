"""The option ``--psf``: a file, or a kind of point spread function with its numbers."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from refdeconv import psf as psfs
from refdeconv._arrays import Array, Shape, choice
from refdeconv.cli.files import InputError, input_errors, read_image


@dataclass(frozen=True)
class Kind:
    """How a kind of PSF is written: its form, an example, how many numbers it takes, and what makes it of them."""

    form: str
    example: str
    fewest: int
    most: int | None
    make: Callable[..., Array]


def _airy(shape: Shape, *numbers: float) -> Array:
    if len(numbers) == 2:
        raise InputError("--psf airy takes one number, FIRST_ZERO, or three, WAVELENGTH,NUMERICAL_APERTURE,PIXEL_SIZE")
    if len(numbers) == 1:
        return psfs.airy(shape, numbers[0])  # type: ignore[arg-type]
    wavelength, aperture, pixel = numbers
    return psfs.airy(shape, wavelength=wavelength, numerical_aperture=aperture, pixel_size=pixel)  # type: ignore[arg-type]


def _one_or_each(function: Callable[..., Array]) -> Callable[..., Array]:
    """A function of a shape and a number, or one for each axis, as one of a shape and numbers."""
    return lambda shape, *numbers: function(shape, numbers[0] if len(numbers) == 1 else numbers)


KINDS = {
    "airy": Kind("FIRST_ZERO or airy:SHAPE:WAVELENGTH,NUMERICAL_APERTURE,PIXEL_SIZE", "31x31:4.5", 1, 3, _airy),
    "box": Kind("SIZE", "9x9:5 or box:9x9:5,2.5", 1, None, _one_or_each(psfs.box)),
    "defocus": Kind("RADIUS", "13x13:4.5", 1, 1, psfs.defocus),
    "delta": Kind("", "3x3", 0, 0, psfs.delta),
    "gaussian": Kind("SIGMA", "13x13:1,3 or gaussian:9x9:1.5", 1, None, _one_or_each(psfs.gaussian)),
    "moffat": Kind("FWHM,BETA", "25x25:4,2.5", 2, 2, psfs.moffat),
    "motion": Kind("LENGTH,ANGLE", "15x15:9,30", 1, 2, psfs.motion),
}


def read_psf(specification: str) -> tuple[Array, tuple[str, ...]]:
    """The PSF that ``--psf`` names, and remarks: ``KIND:SHAPE:NUMBERS``, or a file.

    Integer values, as in a PNG, are divided by their sum, since they cannot sum to one as they are.

    Raises
    ------
    InputError
        If there is no such kind or file, or its numbers are not as they should be.
    """
    if not specification:
        raise InputError("--psf is empty: give KIND:SHAPE:NUMBERS, such as gaussian:13x13:1,3, or a file")
    kind, *parts = specification.split(":")
    if Path(specification).exists() or (not parts and kind not in KINDS):
        return _from_file(specification)
    with input_errors():
        choice(kind, "kind of --psf", list(KINDS))
    shape, numbers = _parsed(specification, kind, parts)
    with input_errors():
        return KINDS[kind].make(shape, *numbers), ()


def _parsed(specification: str, kind: str, parts: list[str]) -> tuple[Shape, tuple[float, ...]]:
    """The shape and the numbers in the parts of a specification after its kind."""
    form = KINDS[kind]
    try:
        shape_text, *number_texts = parts
        shape = tuple(int(size) for size in shape_text.lower().split("x"))
        numbers = tuple(float(number) for text in number_texts for number in text.split(","))
        fits = len(number_texts) == (form.most != 0) and form.fewest <= len(numbers) <= (form.most or len(numbers))
    except ValueError:
        fits = False
    if not fits:
        raise InputError(
            f"--psf {specification}: expected {kind}:SHAPE{':' if form.form else ''}{form.form}, "
            f"for example {kind}:{form.example}"
        )
    return shape, numbers


def _from_file(specification: str) -> tuple[Array, tuple[str, ...]]:
    image = read_image(Path(specification), "--psf")
    if image.channel_axis is not None:
        raise InputError(f"--psf: {specification} is a colour image; a PSF has one value a pixel")
    values, remarks = image.values, image.remarks
    if values.dtype.kind in "biu" and values.sum() == 0:
        raise InputError(f"--psf: the integers in {specification} sum to zero, so that they cannot be normalised")
    if values.dtype.kind in "biu":
        remarks = (*remarks, f"the PSF in {specification} holds integers: divided by their sum, {values.sum()}")
        values = values / values.sum()
    return values, remarks
