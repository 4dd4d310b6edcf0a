"""Find the optima, prove them, and write them with what proves them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from refdeconv import problems as ready_made
from refdeconv.calculus import Functional
from refdeconv.conformance.array_files import npy_bytes, raw_bytes, write_whole
from refdeconv.conformance.golden.optima import finding, finding_article, large_article
from refdeconv.conformance.golden.optima.certificates import Proof, by_curvature, by_strong_convexity
from refdeconv.conformance.golden.optima.definitions import definition
from refdeconv.conformance.golden.optima.functions import UnprovenError
from refdeconv.conformance.golden.optima.intervals import nearest, rounded_down, rounded_up
from refdeconv.conformance.golden.optima.problems import FULL_SIZE, Convex, full_size, small
from refdeconv.conformance.golden.optima.reading import FORMAT, MANIFEST, RAW, VERSION
from refdeconv.conformance.golden.optima.verifying import bounds

Array = NDArray[Any]
Solve = Callable[[Functional, Array], Array]
_DIGITS = 40
_RADII = [Fraction(1, 10**power) for power in range(3, 13)]

README = """How to read this folder: optima.json lists problems, each with the public name of its model in refdeconv,
its parameters, the minimiser, and the minimum as a decimal string. An array is {"npy": file, "dtype": ..., "shape":
..., "byte_offset": where it begins in optima.bin, "sha256": of the npy file}; both hold it little-endian, in C order
(the last axis runs fastest). uint8 arrays are truth values. The minimiser is rounded to float64; what that left stands
in "remainder", float32. "bound_on_minimum" is a proven bound of the error of "minimum"; "bound_on_minimiser" one of
the Euclidean distance of "minimiser" from the exact minimiser. "certificate" and "method" say how it is proven."""


def objective(model: str, parameters: Any) -> Functional:
    """The package's objective, by the public name of its model below `refdeconv`."""
    made: Functional = getattr(ready_made, model.removeprefix("problems."))(**parameters)
    return made


def make(folder: Path, solve: Solve) -> Iterator[str]:
    """Write all optima into a folder, and name each when it is proven.

    Parameters
    ----------
    folder : Path
        Where `optima.json` and the arrays go.
    solve : callable
        ``solve(functional, start)``, a minimiser to some five digits.
    """
    arrays = Arrays(folder)
    entries = []
    for problem in small():
        entries.append(_small(problem, arrays, solve))
        yield problem.name
    entries.append(_full_size(full_size(), arrays, solve))
    yield FULL_SIZE
    raw = arrays.write_raw()
    manifest = {"format": FORMAT, "version": VERSION, "readme": README, "raw": raw, "optima": entries}
    write_whole(folder, MANIFEST, (json.dumps(manifest, indent=1) + "\n").encode())


class Arrays:
    """Writes arrays as `.npy` files, and collects them for the raw file."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._raw = folder, b""

    def reference(self, name: str, array: Array) -> dict[str, Any]:
        """Write an array, and say where it is."""
        array = array.astype(np.uint8) if array.dtype == np.bool_ else array
        sha256 = write_whole(self._folder, f"{name}.npy", npy_bytes(array))
        offset = len(self._raw)
        self._raw += raw_bytes(array)
        self._raw += bytes(-len(self._raw) % 8)
        kind = {"dtype": array.dtype.name, "shape": list(array.shape)}
        return {"npy": f"{name}.npy", **kind, "byte_offset": offset, "sha256": sha256}

    def write_raw(self) -> dict[str, Any]:
        """Write the raw file, and say what it is."""
        write_whole(self._folder, RAW, self._raw)
        return {"file": RAW, "bytes": len(self._raw), "sha256": hashlib.sha256(self._raw).hexdigest()}


def _small(problem: Convex, arrays: Arrays, solve: Solve) -> dict[str, Any]:
    defined = definition(problem.model, problem.parameters)
    begin = finding.start(defined.shape, problem.parameters)
    x = finding.minimiser(defined, solve(objective(problem.model, problem.parameters), begin))
    high, low = finding.split(x, defined.shape)
    x = [Fraction(float(a)) + Fraction(float(b)) for a, b in zip(high.ravel(), low.ravel(), strict=True)]
    if defined.strong_convexity:
        curvature = Fraction(rounded_down(defined.strong_convexity))
        proof, method, radius = by_strong_convexity(defined, x), "strong convexity", Fraction(0)
    else:
        curvature, method = Fraction(rounded_down(Fraction(0.99 * finding.least_eigenvalue(defined, x)))), "curvature"
        proof, radius = _in_the_largest_ball(lambda r: by_curvature(defined, x, curvature, r), curvature)
    return _entry(problem, arrays, high, low, proof, method, curvature, radius)


def _in_the_largest_ball(prove: Callable[[Fraction], Proof], curvature: Fraction) -> tuple[Proof, Fraction]:
    """The proof in the largest ball that keeps nine tenths of the curvature."""
    for radius in _RADII:
        try:
            proof = prove(radius)
        except UnprovenError:
            continue
        if proof.curvature >= curvature * Fraction(9, 10):
            return proof, radius
    raise UnprovenError(f"no ball of a radius from {float(_RADII[-1])} to {float(_RADII[0])} proves the minimiser")


def _full_size(problem: Convex, arrays: Arrays, solve: Solve) -> dict[str, Any]:
    functional = objective(problem.model, problem.parameters)
    data, psf, mu = (problem.parameters[name] for name in ("data", "psf", "mu"))
    high, low = finding_article.refined(functional, data, psf, mu, solve(functional, data))
    radius = Fraction(1, 10**9)
    proof = large_article.prove(data, psf, mu, (high, low), radius)
    curvature = Fraction(rounded_down(proof.curvature))
    return _entry(problem, arrays, high, low, proof, "curvature in whole numbers", curvature, radius)


def _entry(
    problem: Convex,
    arrays: Arrays,
    high: Array,
    low: Array,
    proof: Proof,
    method: str,
    curvature: Fraction,
    radius: Fraction,
) -> dict[str, Any]:
    minimum = nearest((proof.value[0] + proof.value[1]) / 2, _DIGITS)
    bound_on_minimum, bound_on_minimiser = bounds(Fraction(minimum), low, proof)
    parameters = {
        name: {"array": arrays.reference(f"{problem.name}.{name}", value)} if isinstance(value, np.ndarray) else value
        for name, value in problem.parameters.items()
    }
    return {
        "name": problem.name,
        "model": problem.model,
        "parameters": parameters,
        "minimiser": arrays.reference(f"{problem.name}.minimiser", high),
        "remainder": arrays.reference(f"{problem.name}.remainder", low),
        "minimum": minimum,
        "bound_on_minimum": rounded_up(bound_on_minimum),
        "bound_on_minimiser": rounded_up(bound_on_minimiser),
        "method": method,
        "certificate": {
            "curvature": rounded_down(curvature),
            "radius": rounded_up(radius),
            "gradient_norm": rounded_up(proof.gradient_norm),
        },
    }
