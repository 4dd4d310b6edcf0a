"""Usual mistakes, each as an implementation that makes it: an answer that agrees with one of them is explained."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from itertools import combinations, product
from typing import Any

import numpy as np

from refdeconv._arrays import Array
from refdeconv.conformance.challenge.models import (
    Answer,
    Pieces,
    Term,
    convolution,
    fidelity,
    flat_fidelity,
    flat_regularizer,
    of_operator,
    pieces,
    regularizer,
)
from refdeconv.conformance.challenge.problem import Problem
from refdeconv.functionals import LeastSquares
from refdeconv.operators import Gradient
from refdeconv.operators.convolution import BOUNDARIES

Map = Callable[[Array], Array]


@dataclass(frozen=True)
class Alternative:
    """A mistake by its name, with what to correct, and what an implementation that makes it answers."""

    name: str
    text: str
    answer: Answer


def normalised(problem: Problem) -> Iterator[Alternative]:
    """Those that are looked at first: of an operator, they are a mere factor, too."""
    if not problem.about.blurs:
        return
    psf = problem.arrays["psf"]
    total = float(psf.sum())
    text = f"it is divided by its sum, {total:.6g}, and should be taken as it is"
    own, made = pieces(problem), pieces(replace(problem, arrays=dict(problem.arrays) | {"psf": psf / total}))
    yield Alternative("PSF normalised", text, made)
    yield Alternative("PSF normalised in the adjoint", text, replace(own, adjoint=made.adjoint))
    yield Alternative("PSF normalised in the forward map", text, replace(own, forward=made.forward))


def alternatives(problem: Problem) -> Iterator[Alternative]:
    """All others, the simplest first."""
    own = pieces(problem)
    yield from _of_points(own)
    yield from _of_layout(problem, own)
    if problem.about.blurs:
        yield from _of_the_blur(problem, own)
    else:
        yield from _of_differences(problem, own)
    if own.fidelity is not None:
        yield from _of_terms(problem, own)
        yield from _of_hessians(problem, own)
    yield from _of_rounding(problem, own)


# ---- Points and directions that are changed before they are used. ----


def _of_points(own: Pieces) -> Iterator[Alternative]:
    changes: tuple[tuple[str, str, Map], ...] = (
        ("negative pixels clipped", "they are taken as zero, and should be taken as they are", _clipped),
        ("absolute value of the image", "negative pixels should be taken as they are", np.abs),
    )
    for name, text, change in changes:
        yield Alternative(name, text, _of_changed(own, change))
    if own.fidelity is not None:

        def along_unit(function: str, x: Array, v: Array | None) -> Array:
            return own(function, x, v if v is None else v / np.sqrt(np.sum(v**2)))

        yield Alternative("direction normalised", "it is divided by its norm; take it as it is", along_unit)
        same = replace(own, adjoint=lambda y: y)
        yield Alternative("adjoint missing", "K^T is not applied to the derivative of the data term", same)


def _clipped(x: Array) -> Array:
    return np.maximum(x, 0)


def _of_changed(own: Pieces, change: Map) -> Answer:
    def answer(function: str, x: Array, v: Array | None) -> Array:
        return own(function, x if function == "adjoint" else change(x), v)

    return answer


# ---- Arrays read or written in the other order. ----


def _misread(array: Array) -> Array:
    """What stands in a file in C order, taken as Fortran order."""
    return np.ascontiguousarray(array.ravel().reshape(array.shape, order="F"))


def _miswritten(array: Array) -> Array:
    """What is found in C order of an array that was written in Fortran order."""
    return array.ravel(order="F").reshape(array.shape)


def _of_layout(problem: Problem, own: Pieces) -> Iterator[Alternative]:
    def wrong(made: Pieces, read: bool, write: bool) -> Answer:
        def answer(function: str, x: Array, v: Array | None) -> Array:
            if read:
                x, v = _misread(x), None if v is None else _misread(v)
            found = made(function, x, v)
            return _miswritten(found) if write else found

        return answer

    name, turn = "Fortran order", "where the files are in C order: reverse the shape and turn the axes around"
    yield Alternative(name, f"answers are written in it, {turn}", wrong(own, False, True))
    yield Alternative(name, f"points are read in it, {turn}", wrong(own, True, False))
    yield Alternative(name, f"points are read and answers are written in it, {turn}", wrong(own, True, True))
    for names in _subsets(tuple(problem.arrays)):
        arrays = dict(problem.arrays) | {each: _misread(problem.arrays[each]) for each in names}
        made = pieces(replace(problem, arrays=arrays))
        listed = " and ".join(names)
        yield Alternative(name, f"{listed}: read in it, {turn}", made)
        yield Alternative(
            name, f"all arrays, {listed} too, are read and written in it, {turn}", wrong(made, True, True)
        )


def _subsets(names: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    for count in range(1, len(names) + 1):
        yield from combinations(names, count)


# ---- The blur. ----


def _of_the_blur(problem: Problem, own: Pieces) -> Iterator[Alternative]:
    for name, text, make in _blurs(problem):
        try:
            blur = make()
        except ValueError:  # such as an origin outside of a PSF of one sample
            continue
        if blur.output_shape != problem.data_shape:
            continue
        both = replace(own, forward=blur.forward, adjoint=blur.adjoint)
        yield Alternative(name, text, both)
        if "adjoint" in problem.functions or own.fidelity is not None:
            yield Alternative(f"{name} in the adjoint", text, replace(own, adjoint=blur.adjoint))
            yield Alternative(f"{name} in the forward map", text, replace(own, forward=blur.forward))
    for name, text, adjoint in _adjoints(problem, own):
        yield Alternative(name, text, replace(own, adjoint=adjoint))


def _blurs(problem: Problem) -> Iterator[tuple[str, str, Callable[[], Any]]]:
    psf, origin = problem.arrays["psf"], np.array(problem.origin)
    turned = np.array(psf.shape) - 1 - origin
    flip = "turn it around: convolution and correlation are taken for each other"
    yield "PSF not flipped", flip, lambda: convolution(problem, np.flip(psf), origin=tuple(map(int, turned)))
    if psf.ndim > 1:
        for axis in range(psf.ndim):
            there = tuple(int(turned[a] if a == axis else origin[a]) for a in range(psf.ndim))
            yield (
                f"PSF not flipped along axis {axis}",
                f"{flip}, along that axis",
                partial(convolution, problem, np.flip(psf, axis), origin=there),
            )
        there = tuple(map(int, origin[::-1]))
        yield "PSF transposed", "its axes are taken for each other", lambda: convolution(problem, psf.T, origin=there)
    if problem.boundary == "valid":
        return  # no other boundary has answers of this shape, and the origin is of no influence
    steps = sorted((s for s in product((-1, 0, 1), repeat=psf.ndim) if any(s)), key=np.count_nonzero)
    for kernel, base, name in ((psf, origin, "PSF origin"), (np.flip(psf), turned, "PSF not flipped, and its origin")):
        for step in steps:
            at = tuple(int(o + s) for o, s in zip(base, step, strict=True))
            middle = " (k // 2 is taken for the middle?)" if at == tuple(k // 2 for k in psf.shape) else ""
            yield (
                f"{name} one pixel off",
                f"it is at {at}, and should be at {tuple(map(int, base))}{middle}",
                partial(convolution, problem, kernel, origin=at),
            )
    for boundary in BOUNDARIES:
        if boundary not in (problem.boundary, "valid"):
            yield (
                f"boundary '{boundary}'",
                f"that is what lies beyond the edges, where '{problem.boundary}' is due",
                partial(convolution, problem, boundary=boundary),
            )


def _adjoints(problem: Problem, own: Pieces) -> Iterator[tuple[str, str, Map]]:
    """What is taken for the adjoint, where blurred and unknown image have the same shape."""
    if problem.data_shape != problem.shape:
        return
    psf, shape = problem.arrays["psf"], np.array(problem.arrays["psf"].shape)
    yield "PSF not flipped in the adjoint", "the forward map is taken for its adjoint", own.forward
    turned = tuple(map(int, shape - 1 - np.array(problem.origin)))
    text = "flip the PSF and convolve again is not the adjoint here: what lies beyond the edges must be folded back"
    yield "boundary of the adjoint", text, convolution(problem, np.flip(psf), origin=turned).forward
    if turned != problem.origin:
        text = "the flipped PSF of even size is taken about the same index, which is another sample"
        yield "PSF origin one pixel off in the adjoint", text, convolution(problem, np.flip(psf)).forward


def _of_differences(problem: Problem, own: Pieces) -> Iterator[Alternative]:
    D = Gradient(problem.shape)
    for boundary in ("constant", "wrap"):
        other = of_operator(Gradient(problem.shape, boundary=boundary))
        text = f"the last difference is taken to what lies beyond the edge ('{boundary}'), and should be 0"
        yield Alternative(f"boundary '{boundary}'", text, other)
    text = "x[i] - x[i-1] is taken in place of x[i+1] - x[i]"
    axes = range(len(problem.shape))

    def back(differences: Array, step: int) -> Array:
        return np.stack([np.roll(each, step, axis) for axis, each in zip(axes, differences, strict=True)])

    backward = Pieces(lambda x: back(D.forward(x), 1), lambda y: D.adjoint(back(y, -1)))
    yield Alternative("backward differences", text, backward)


# ---- The terms of an objective. ----


def _of_terms(problem: Problem, own: Pieces) -> Iterator[Alternative]:
    for name, text, functional in _fidelities(problem):
        yield Alternative(name, text, replace(own, fidelity=Term.of(functional)))
    for name, text, functional in _regularizers(problem):
        term = functional if isinstance(functional, Term) else Term.of(functional)
        yield Alternative(name, text, replace(own, regularizer=term))
    if problem.base == "article":
        squared = LeastSquares(problem.arrays["data"]), LeastSquares() @ Gradient(problem.shape)
        text = "half the sum of squares, where its root is due"
        changed = Term.of(squared[0]), Term.of(squared[1])
        yield Alternative("squared norms", text, replace(own, fidelity=changed[0], regularizer=changed[1]))
        yield Alternative("squared norms", f"data term: {text}", replace(own, fidelity=changed[0]))
        yield Alternative("squared norms", f"regulariser: {text}", replace(own, regularizer=changed[1]))
        yield from _under_the_root(problem, own)
    if "weight" in problem.arrays and problem.data_shape == problem.shape:
        weight = problem.arrays["weight"]
        without = Term.of(fidelity(problem, weight=None))
        text = "it is applied after the adjoint, and should be before it"
        outside = replace(own, fidelity=without, adjoint=lambda y: weight * own.adjoint(y))
        yield Alternative("weight outside the adjoint", text, outside)


def _under_the_root(problem: Problem, own: Pieces) -> Iterator[Alternative]:
    """A small number beside the half of the sum of squares, or beside the sum, so that no zero is divided by."""
    data, D = problem.arrays["data"], Gradient(problem.shape)
    for power, half in product(range(-16, -1), (False, True)):
        number = 10.0**power
        added = number / 2 if half else number
        root = "sqrt((s + {})/2)" if half else "sqrt(s/2 + {})"
        text = f"{root.format(f'1e{power}')} stands where sqrt(s/2) is due"
        fit, rest = _smoothed_norm(lambda u: u - data, lambda r: r, added), _smoothed_norm(D.forward, D.adjoint, added)
        for part, made in (
            ("data term", replace(own, fidelity=fit)),
            ("regulariser", replace(own, regularizer=rest)),
            ("both norms", replace(own, fidelity=fit, regularizer=rest)),
        ):
            yield Alternative("a number added under the root", f"{part}: {text}", made)


def _smoothed_norm(inner: Map, back: Map, added: float) -> Term:
    """``sqrt(|r|^2 / 2 + added)`` of ``r = inner(u)``; back is the adjoint of inner's linear part."""
    zero: list[Array] = []

    def linear(v: Array) -> Array:
        if not zero:
            zero.append(inner(np.zeros_like(v)))
        return inner(v) - zero[0]

    def root(r: Array) -> Array:
        return np.sqrt(np.sum(r**2) / 2 + added)

    def hvp(u: Array, v: Array) -> Array:
        r, s = inner(u), linear(v)
        h = root(r)
        return back(s / (2 * h) - r * (np.sum(r * s) / (4 * h**3)))

    return Term(lambda u: root(inner(u)), lambda u: back(inner(u) / (2 * root(inner(u)))), hvp)


def _fidelities(problem: Problem) -> Iterator[tuple[str, str, Any]]:
    if not problem.about.counts:
        data = problem.arrays["data"]
        yield "data missing", "the data term is that of K x alone", fidelity(problem, data=np.zeros_like(data))
        yield "data added", "K x + data stands for K x - data", fidelity(problem, data=-data)
    if "weight" in problem.arrays:
        weight = problem.arrays["weight"]
        for name, text, other in (
            ("weight missing", "multiply by the weight of each pixel", None),
            ("weight squared", "it multiplies the residual before that is squared, or twice", weight**2),
            ("root of the weight", "the weight itself is due", np.sqrt(weight)),
            ("weight divided by", "multiply by it", 1 / weight),
        ):
            yield name, text, fidelity(problem, weight=other)
    if "background" in problem.parameters:
        yield "background missing", "add it to K x", fidelity(problem, background=0.0)
    if "delta" in problem.parameters:
        delta = problem.parameters["delta"]
        yield "delta squared", "delta**2 stands where delta is due", fidelity(problem, delta=delta**2)


def _regularizers(problem: Problem) -> Iterator[tuple[str, str, Any]]:
    for boundary in ("wrap", "constant"):
        text = f"the last difference is taken to what lies beyond the edge ('{boundary}'), and should be 0"
        yield f"boundary '{boundary}' of the differences", text, regularizer(problem, boundary=boundary)
    if "epsilon" in problem.parameters:
        epsilon = problem.parameters["epsilon"]
        text = "epsilon**2 is due under the root"
        for name, other in (("epsilon not squared", epsilon**0.5), ("epsilon squared twice", epsilon**2)):
            functional = regularizer(problem, epsilon=other)
            yield name, text, functional
            yield name, f"{text}, here alone", _raised(functional, other - epsilon)
        if len(problem.shape) > 1:
            text = "each difference has a root of its own, and all of a pixel should have one"
            yield "anisotropic total variation", text, regularizer(problem, isotropic=False)


def _raised(functional: Any, each: float) -> Term:
    """With as much added for each pixel: where the root has another epsilon than what is subtracted from it."""
    return replace(Term.of(functional), value=lambda x: functional.value(x) + each * x.size)


def _of_hessians(problem: Problem, own: Pieces) -> Iterator[Alternative]:
    """Without the curvature of what is inside: Gauss-Newton, lagged diffusivity, reweighting, Fisher scoring."""
    assert own.fidelity is not None
    assert own.regularizer is not None
    fit, rest = flat_fidelity(problem), flat_regularizer(problem)
    fits = own.fidelity if fit is None else replace(own.fidelity, hvp=fit)
    rests = own.regularizer if rest is None else replace(own.regularizer, hvp=rest)
    name, text = "Gauss-Newton used as Hessian", "the exact Hessian is due, here it lacks the curvature of"
    if fit is not None:
        yield Alternative(name, f"{text} the data term", replace(own, fidelity=fits))
    if rest is not None:
        yield Alternative(name, f"{text} the regulariser", replace(own, regularizer=rests))
    if fit is not None and rest is not None:
        yield Alternative(name, f"{text} both terms", replace(own, fidelity=fits, regularizer=rests))


# ---- Precision. ----


def _of_rounding(problem: Problem, own: Pieces) -> Iterator[Alternative]:
    if problem.precision == "single":
        return
    for name, array in problem.arrays.items():
        arrays = dict(problem.arrays) | {name: _single(array)}
        yield Alternative("single precision", f"{name} is kept in it", pieces(replace(problem, arrays=arrays)))

    def answer(function: str, x: Array, v: Array | None) -> Array:
        return own(function, _single(x), None if v is None else _single(v))

    yield Alternative("single precision", "points are kept in it", answer)


def _single(array: Array) -> Array:
    return array.astype(np.float32).astype(array.dtype)
