"""The errors of refdeconv's formulas and a framework's derivatives of the definition, one against the other."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np

from .. import Array
from .subjects import MANY_PIXELS, Shape, Subject, draw

DTYPES: dict[str, type[np.floating[Any]]] = {"float64": np.float64, "float32": np.float32}
TOLERANCES = {"float64": 1e-13, "float32": 1e-5}


class Found(NamedTuple):
    """One comparison."""

    model: str
    case: str
    shape: Shape
    seed: int
    quantity: str
    error: float


def quantities(subject: Subject, xp: Any, x: Array, v: Array, w: Array) -> Iterator[tuple[str, Array, Any]]:
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


def compare(xp: Any, name: str, dtype: str, seeds: Iterable[int]) -> Iterator[Found]:
    """All comparisons of one case in one precision."""
    for seed in seeds:
        for shape in MANY_PIXELS:
            subject, rng = draw(name, shape, seed)
            x, v = subject.point, rng.standard_normal(subject.point.shape)
            w = rng.standard_normal(getattr(subject.ours, "output_shape", ()))
            x, v, w = (np.asarray(a, DTYPES[dtype]) for a in (x, v, w))
            for quantity, theirs, ours in quantities(subject, xp, x, v, w):
                yield Found(subject.model, name, shape, seed, quantity, relative_error(theirs, ours))


Progress = Callable[[str, str, str], None]  # framework, case, dtype


def rows(namespace: Any, names: Iterable[str], seeds: int, command: str, show: Progress) -> list[dict[str, Any]]:
    """The worst error per model, precision and quantity."""
    worst: dict[tuple[str, str, str], list[float]] = {}
    for name in names:
        for dtype in DTYPES:
            show(namespace.package, name, dtype)
            for found in compare(namespace, name, dtype, range(seeds)):
                worst.setdefault((found.model, dtype, found.quantity), []).append(found.error)
    return [
        {
            "model": model,
            "framework": namespace.package,
            "version": namespace.version,
            "dtype": dtype,
            "quantity": quantity,
            "problems": len(errors),
            "worst": float(f"{max(errors):.2e}"),
            "command": command,
        }
        for (model, dtype, quantity), errors in worst.items()
    ]
