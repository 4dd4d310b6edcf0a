"""Maps by their definitions: each takes parameters and a point, and returns m(z); derivatives are taken by differences.

Models that are made of others are given them as `Part`s. The docstrings are published in the suite as the formulas that
readers implement.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import prod
from typing import Any

from mpmath import mp

from refdeconv.conformance.golden.definitions import arrays, operators
from refdeconv.conformance.golden.definitions.arrays import Exact, exact, filled, number, shape_of, total

Parameters = Mapping[str, Any]
Definition = Callable[[Parameters, Exact], Exact]


def pointwise(function: Callable[[Any], Any], z: Exact) -> Exact:
    """A function of one number at each pixel."""
    return filled(z.shape, lambda index: function(z[index]))


def square(parameters: Parameters, z: Exact) -> Exact:
    """m(z)[i] = z[i]**2"""
    return pointwise(lambda t: t * t, z)


def exponential(parameters: Parameters, z: Exact) -> Exact:
    """m(z)[i] = exp(z[i])"""
    return pointwise(mp.exp, z)


def softplus(parameters: Parameters, z: Exact) -> Exact:
    """m(z)[i] = log(1 + exp(s z[i])) / s, s the `sharpness`, by default 1."""
    s = number(parameters.get("sharpness", 1))
    return pointwise(lambda t: mp.log1p(mp.exp(s * t)) / s, z)


def sigmoid(parameters: Parameters, z: Exact) -> Exact:
    """m(z)[i] = lower[i] + (upper[i] - lower[i]) / (1 + exp(-z[i])), the bounds by default 0 and 1, or numbers."""
    bounds = [exact(parameters.get(name, default)) for name, default in (("lower", 0), ("upper", 1))]
    low, high = (filled(z.shape, lambda i, b=bound: b[i] if b.ndim else b[()]) for bound in bounds)  # type: ignore[misc]
    return filled(z.shape, lambda i: low[i] + (high[i] - low[i]) / (1 + mp.exp(-z[i])))


def square_root(parameters: Parameters, z: Exact) -> Exact:
    """m(z)[i] = sqrt(z[i] + epsilon), epsilon by default 0."""
    epsilon = number(parameters.get("epsilon", 0))
    return pointwise(lambda t: mp.sqrt(t + epsilon), z)


def softmax(parameters: Parameters, z: Exact) -> Exact:
    """m(z)[i] = exp(z[i]) / sum_j exp(z[j])"""
    exponentials = pointwise(mp.exp, z)
    whole = total(exponentials)
    return pointwise(lambda t: t / whole, exponentials)


def affine(parameters: Parameters, z: Exact) -> Exact:
    """m(z) = A z + offset, A the linear `operator`."""
    return evaluated(parameters["operator"], z) + exact(parameters["offset"])


def blind_convolution(parameters: Parameters, z: Exact) -> Exact:
    """m(z)[i] = sum_j k[j] x[i + origin - j], as of Convolution, z the image x and after it the PSF k, each in C order.

    Where `boundary` is an operator E, x is continued by it: m(z)[i] = sum_j k[j] (E x)[i + (size of k) - 1 - j], at all
    i for which that lies inside for all j.
    """
    x, psf = operators.unpacked([parameters["image_shape"], parameters["psf_shape"]], z)
    boundary = parameters.get("boundary", "constant")
    if not isinstance(boundary, str):
        x, boundary = evaluated(boundary, x), "valid"
    return arrays.blur(x, psf, boundary, parameters.get("origin"))


def parallel(parameters: Parameters, z: Exact) -> Exact:
    """The `operators`, each applied to its own part of the vector z; the results one after the other, in C order."""
    parts: Sequence[Any] = parameters["operators"]
    inputs = operators.unpacked([input_shape(part) for part in parts], z)
    return operators.packed([evaluated(part, image) for part, image in zip(parts, inputs, strict=True)])


def evaluated(part: Any, z: Exact) -> Exact:
    """A model that is a part of another, at a point."""
    definition: Definition = (operators.DEFINITIONS | DEFINITIONS)[part.model]
    return definition(part.parameters, z)


def input_shape(part: Any) -> arrays.Index:
    """The shape of what a part takes, as far as parts are used here."""
    parameters = part.parameters
    if part.model in ("Diagonal", "Selection"):
        return tuple(parameters["weights" if part.model == "Diagonal" else "mask"].shape)
    if part.model == "BlindConvolution":
        return (sum(prod(shape_of(parameters[name])) for name in ("image_shape", "psf_shape")),)
    return shape_of(parameters["shape"])


DEFINITIONS: dict[str, Definition] = {
    "Affine": affine,
    "BlindConvolution": blind_convolution,
    "BlockDiagonal": parallel,
    "Exponential": exponential,
    "Parallel": parallel,
    "Sigmoid": sigmoid,
    "Softmax": softmax,
    "Softplus": softplus,
    "Square": square,
    "SquareRoot": square_root,
}
