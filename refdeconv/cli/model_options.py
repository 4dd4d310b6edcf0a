"""Options of the model on the command line: NAME=VALUE, with numbers, lists of numbers, true and false, or files."""

from pathlib import Path
from typing import Any

from refdeconv.cli import files

_WORDS = {"true": True, "false": False}


def parse(texts: tuple[str, ...], option: str) -> dict[str, Any]:
    """The options as a mapping.

    Parameters
    ----------
    texts : tuple of str
        Such as ``epsilon=0.1``, ``spacing=2,1,1``, ``isotropic=false`` or ``weight=mask.npy``.
    option : str
        The option of the command line that they were given by, for messages.

    Returns
    -------
    dict

    Raises
    ------
    InputError
        If one of them cannot be read.
    """
    parsed: dict[str, Any] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        name = name.strip().replace("-", "_")
        if not equals or not name or not value.strip():
            raise files.InputError(f"{option}: {text!r} is not of the form NAME=VALUE, such as epsilon=0.1")
        if name in parsed:
            raise files.InputError(f"{option}: {name} is given twice")
        parsed[name] = _value(value.strip(), f"{option} {name}")
    return parsed


def numbers(text: str, option: str) -> tuple[float, ...]:
    """Numbers between commas."""
    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError:
        raise files.InputError(f"{option}: {text!r} is not a number, or numbers between commas") from None


def _value(text: str, option: str) -> Any:
    if text.lower() in _WORDS:
        return _WORDS[text.lower()]
    if Path(text).suffix.lower() in files.READABLE:
        return files.read_image(Path(text), option).values
    found = numbers(text, option)
    return found[0] if len(found) == 1 else found
