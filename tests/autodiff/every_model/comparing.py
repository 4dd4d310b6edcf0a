"""The errors of refdeconv's formulas and a framework's derivatives of the definition, one against the other."""

import functools
import itertools
import math
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from tests.autodiff import Array

from .cancelling import CANCELLING, LIMIT, cancellation, cancellation_of_value
from .namespaces import NAMESPACES, Namespace
from .subjects import MAKERS, MANY_PIXELS, Subject, draws, models
from .tables import Shape

DTYPES: dict[str, type[np.floating[Any]]] = {"float64": np.float64, "float32": np.float32}
FEW_SHAPES: list[Shape] = [(6, 3), (3, 2, 5)]
TOLERANCES = {"float64": 1e-13, "float32": 1e-5}


Progress = Callable[[str, str], None]  # framework, model
Row = dict[str, Any]


class Found(NamedTuple):
    """One comparison."""

    model: str
    case: str
    shape: Shape
    seed: int
    quantity: str
    error: float


def quantities(subject: Subject, xp: Namespace, x: Array, v: Array, w: Array) -> Iterator[tuple[str, Array, Any]]:
    """What each of the two computes: name, theirs, ours. A linear operator's adjoint is the framework's VJP."""
    ours, define = subject.ours, subject.define
    call = lambda x: define(xp, x)  # noqa: E731
    if subject.kind == "functional":
        yield "value", xp.forward(call, x), ours.value(x)
        yield "gradient", xp.gradient(call, x), ours.gradient(x)
        yield "hvp", xp.hvp(call, x, v), ours.hvp(x, v)
        return
    yield "forward", xp.forward(call, x), ours.forward(x)
    if subject.kind == "linear":
        yield "adjoint", xp.vjp(call, x, w), ours.adjoint(w)
        return
    yield "jvp", xp.jvp(call, x, v), ours.jacobian(x).forward(v)
    yield "vjp", xp.vjp(call, x, w), ours.jacobian(x).adjoint(w)
    curved = lambda z: xp.sum(xp.constant(w, z) * define(xp, z))  # noqa: E731
    yield "curvature", xp.hvp(curved, x, v), ours.curvature(x, w).forward(v)


def relative_error(theirs: Array, ours: Any) -> float:
    """Of the norm of the difference; infinite for another shape, dtype, or where one is not finite."""
    ours = np.asarray(ours)
    if (theirs.shape, theirs.dtype) != (ours.shape, ours.dtype) or not np.isfinite(theirs).all():
        return np.inf
    difference, size = (float(np.linalg.norm(np.ravel(a).astype(float))) for a in (theirs - ours, ours))
    return 0.0 if difference == 0 else difference / size if size else np.inf


def compare(
    xp: Namespace, name: str, dtype: str, seeds: Iterable[int], shapes: Iterable[Shape] = MANY_PIXELS
) -> Iterator[Found]:
    """All comparisons of one case in one precision."""
    for shape, seed in itertools.product(shapes, seeds):
        subject, x, v, w = drawn(name, shape, seed, dtype, xp.geometries)
        for quantity, theirs, ours in quantities(subject, xp, x, v, w):
            yield Found(subject.model, name, shape, seed, quantity, relative_error(theirs, ours))


def drawn(
    name: str, shape: Shape, seed: int, dtype: str, geometries: int | None = None, *, limit: float = LIMIT
) -> tuple[Subject, Array, Array, Array]:
    """A subject, a point, and directions in its space and in that of its results.

    Drawn again where of the terms of the framework's value or HVP too little is left: `cancelling` says why, and how
    much.
    """
    rng = draws(name, shape, seed, geometries)
    while True:
        subject = MAKERS[name](shape, rng)
        x, v = subject.point, rng.standard_normal(subject.point.shape)
        w = rng.standard_normal(getattr(subject.ours, "output_shape", ()))
        lost = max(cancellation(subject.ours, x, v), cancellation_of_value(subject.ours, x))
        if name in CANCELLING or lost <= limit:
            x, v, w = (np.asarray(a, DTYPES[dtype]) for a in (x, v, w))
            return subject, x, v, w


def shapes_for(xp: Namespace | type[Namespace]) -> list[Shape]:
    """All of those in `tests.cases`, or a few where each takes long."""
    return FEW_SHAPES if xp.geometries else MANY_PIXELS


def is_within(row: Row) -> bool:
    return bool(row["worst"] <= TOLERANCES[row["dtype"]])


def largest_error(row: Row) -> float:
    """The tolerance; where a framework's terms cancel, what their rounding explains, if that is more."""
    explained = 0.0
    for case in CANCELLING:
        if row["quantity"] == f"hvp ({case})":
            explained = rounding_of_terms(NAMESPACES[row["framework"]], case, row["dtype"], row["problems"])
    return max(TOLERANCES[row["dtype"]], explained)


@functools.cache
def rounding_of_terms(xp: Namespace | type[Namespace], name: str, dtype: str, problems: int) -> float:
    """The largest error of an HVP that the rounding of the framework's terms explains, over a case's problems."""
    shapes = shapes_for(xp)
    found = (
        drawn(name, shape, seed, dtype, xp.geometries)
        for shape, seed in itertools.product(shapes, range(problems // len(shapes)))
    )
    return roundings(dtype) * max(cancellation(subject.ours, x, v) for subject, x, v, _ in found)


def roundings(dtype: str) -> float:
    """A few: of the root, the quotients and their products."""
    return 4 * float(np.finfo(DTYPES[dtype]).eps)


def rows(
    xp: Namespace, problems: int, command: str, show: Progress, only: Container[str] | None = None
) -> Iterator[Row]:
    """The worst error per model, precision and quantity, of at least so many problems for each."""
    shapes = shapes_for(xp)
    for model, names in models().items():
        if only is not None and model not in only:
            continue
        show(xp.package, model)
        seeds, regular = seeds_for(names, problems, shapes), [name for name in names if name not in CANCELLING]
        for dtype in DTYPES:
            errors: dict[str, list[float]] = {}
            for name in regular:
                for found in compare(xp, name, dtype, seeds, shapes):
                    errors.setdefault(found.quantity, []).append(found.error)
            for name in set(names) - set(regular):
                for found in compare(xp, name, dtype, seeds, shapes):
                    errors.setdefault(f"{found.quantity} ({name})", []).append(found.error)
            for quantity, each in errors.items():
                yield row(xp, model, dtype, quantity, each, command)


def seeds_for(names: Sequence[str], problems: int, shapes: Sequence[Shape]) -> range:
    """Of each case of a model, so that there are at least so many problems in all."""
    regular = sum(name not in CANCELLING for name in names)
    return range(math.ceil(problems / regular / len(shapes)))


def row(xp: Namespace, model: str, dtype: str, quantity: str, errors: list[float], command: str) -> Row:
    return {
        "model": model,
        "framework": xp.package,
        "version": xp.version,
        "dtype": dtype,
        "quantity": quantity,
        "problems": len(errors),
        "worst": float(f"{max(errors):.2e}"),
        "command": command,
    }
