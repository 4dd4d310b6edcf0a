"""Everything public that computes something derived by hand: the rows of the page."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any, Literal, NamedTuple

import refdeconv as rd
from refdeconv.calculus import Functional, LinearOperator, Operator

Kind = Literal["functional", "linear operator", "map", "calculus", "psf", "procedure"]

# In the order of the page. Those of the last three kinds have a derivation and a machine check, but no derivatives.
ROOMS = (
    "Functionals",
    "Regularisers",
    "Ready-made problems",
    "Linear operators",
    "Maps",
    "Calculus",
    "Point spread functions",
    "Solving and conventions",
)

_CITATION = re.compile(r"derivations/([\w/]+\.md),\s+((?:[A-Z][A-Z0-9]{2}\.[0-9]+(?:,\s+)?)+)")
LABEL = re.compile(r"\b[A-Z][A-Z0-9]{2}\.[0-9]+\b")


class Citation(NamedTuple):
    """What a docstring says of its derivation: a page below ``derivations/``, and labels on it."""

    page: str
    labels: tuple[str, ...]


def citations(text: str | None) -> list[Citation]:
    """What a docstring or a source cites, in its order: the line "Derivation: PAGE, LABELS".

    Parameters
    ----------
    text : str or None
        Any text; lines may be broken after a comma.

    Returns
    -------
    list of Citation
        One for each time that a page is named with labels.
    """
    return [Citation(page, tuple(LABEL.findall(labels))) for page, labels in _CITATION.findall(text or "")]


@dataclass(frozen=True)
class Model:
    """A public thing with a derivation.

    Attributes
    ----------
    name : str
        Below `refdeconv`: "L2Norm", "regularizers.tikhonov".
    room : str
        One of `ROOMS`.
    kind : str
        What it computes.
    citations : tuple of Citation
        Its derivation.
    """

    name: str
    room: str
    kind: Kind
    citations: tuple[Citation, ...]


def public_models() -> list[Model]:
    """All of them, by room; found by looking at what is public, so that none can be forgotten."""
    found = [
        Model(name, room, kind, tuple(cited))
        for name, thing, room, kind in _public_things()
        if (cited := citations(inspect.getdoc(thing)))  # the others read files or make images: nothing is derived
    ]
    return sorted(found, key=lambda model: ROOMS.index(model.room))


def with_definition(models: Sequence[Model]) -> list[Model]:
    """Those of which there is a formula that others can evaluate: all but the rules of the calculus."""
    kinds = ("functional", "linear operator", "map")
    return [model for model in models if model.kind in kinds and model.room != "Calculus"]


def named(name: str) -> Any:
    """The class or function of that public name.

    Raises
    ------
    AttributeError
        There is none.
    """
    thing: Any = rd
    for part in name.split("."):
        thing = getattr(thing, part)
    return thing


def _public_things() -> Iterator[tuple[str, Any, str, Kind]]:
    for name in rd.__all__:
        thing = getattr(rd, name)
        if inspect.isclass(thing):
            yield (name, thing, *_place(thing))
        elif inspect.isfunction(thing):
            yield name, thing, "Solving and conventions", "procedure"
    for name, thing in _functions_of(rd.regularizers):
        yield name, thing, "Regularisers", "functional"
    for name, thing in _functions_of(rd.problems):
        yield name, thing, "Ready-made problems", "functional"
    for name, thing in _functions_of(rd.psf):
        yield name, thing, "Point spread functions", "psf"
    for name, thing in _functions_of(rd.psf_origin):
        yield name, thing, "Solving and conventions", "procedure"


def _place(thing: type[Any]) -> tuple[str, Kind]:
    if not issubclass(thing, Functional | Operator):
        return "Calculus", "procedure"
    if thing in (Functional, LinearOperator, Operator):
        return "Calculus", "calculus"
    if issubclass(thing, Functional):
        return "Functionals", "functional"
    if issubclass(thing, LinearOperator):
        of_images = thing.__module__.startswith("refdeconv.operators")
        return "Linear operators" if of_images else "Calculus", "linear operator"
    return "Maps", "map"


def _functions_of(room: ModuleType) -> Iterator[tuple[str, Callable[..., Any]]]:
    """The public functions of a module or a package, by their names below `refdeconv`."""
    names = getattr(room, "__all__", [name for name in vars(room) if not name.startswith("_")])
    for name in names:
        thing = getattr(room, name)
        if inspect.isfunction(thing) and thing.__module__.startswith(room.__name__):
            yield f"{room.__name__.removeprefix('refdeconv.')}.{name}", thing
