"""Cases of maps: forward, and products of Jacobian and curvature; also where they bend sharply, or are nearly flat."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from refdeconv.conformance.golden.case import Case
from refdeconv.conformance.golden.cases.drawing import Draw
from refdeconv.conformance.golden.cases.operators import BOUNDARIES, Shape, convolved_shape
from refdeconv.conformance.golden.part import Part

Array = NDArray[Any]

IMAGES: tuple[Shape, ...] = ((7,), (3, 5), (2, 4, 3))
BLIND: Mapping[str, tuple[tuple[Shape, Shape, Shape], ...]] = {  # image, PSF, origin
    "odd": (((7,), (3,), (2,)), ((4, 3), (3, 3), (1, 0)), ((2, 3, 3), (1, 3, 1), (0, 2, 0))),
    "even": (((6,), (4,), (0,)), ((3, 5), (2, 4), (1, 3)), ((3, 2, 2), (2, 2, 2), (1, 0, 1))),
    "large": (((3,), (7,), (4,)), ((3, 2), (2, 5), (0, 4)), ((2, 2, 1), (1, 2, 4), (0, 1, 3))),
}


def cases() -> list[Case]:
    """All of them."""
    makers = (_pointwise, _singular, _softmax, _made_of_others, _blind)
    return [case for make in makers for case in make()]


def smooth_map(
    name: str, model: str, parameters: Mapping[str, Any], point: Array, output_shape: Shape, remark: str = ""
) -> Case:
    """A case of a map at a point, along two random directions and with random weights."""
    draw = Draw(name)
    directions, weights = draw.uniform((2, *point.shape)), draw.uniform(output_shape)
    return Case(name, "map", model, parameters, point, directions, weights, remark=remark)


def pointwise(name: str, model: str, point: Array, remark: str = "", **parameters: Any) -> Case:
    """A case of a map that keeps the shape."""
    return smooth_map(name, model, {"shape": point.shape, **parameters}, point, point.shape, remark)


def _pointwise() -> Iterator[Case]:
    for shape in IMAGES:
        d = f"{len(shape)}d"
        draw = Draw(f"pointwise {d}")
        yield pointwise(f"square-{d}", "Square", draw.uniform(shape, -2, 2))
        yield pointwise(f"exponential-{d}", "Exponential", draw.uniform(shape, -3, 3))
        yield pointwise(f"softplus-{d}", "Softplus", draw.uniform(shape, -3, 3), sharpness=2.3)
        yield pointwise(f"square-root-{d}", "SquareRoot", draw.uniform(shape, 0.1, 4), epsilon=0.03)
        lower = draw.uniform(shape, -2, 0)
        upper = lower + draw.uniform(shape, 0.5, 2)
        yield pointwise(f"sigmoid-{d}", "Sigmoid", draw.uniform(shape, -3, 3), lower=lower, upper=upper)
    plain = Draw("pointwise defaults").uniform((3, 4), 0.1, 2)
    for name in ("Square", "Exponential", "Softplus", "SquareRoot", "Sigmoid"):
        label = "square-root" if name == "SquareRoot" else name.lower()
        yield pointwise(f"{label}-defaults", name, plain, "all parameters left out")
    yield pointwise("sigmoid-numbers", "Sigmoid", plain - 1, lower=-1.5, upper=0.25)


def _singular() -> Iterator[Case]:
    steps = np.array([0.1, 9.999999999999999e-06, 1e-9, 1e-13])  # not by powers, whose last bit is the processor's
    zero = np.zeros((2, 3))
    far = np.array([[40.0, 700, 30], [-40, -700, -3]])
    yield pointwise("square-at-zero", "Square", zero, "the slope is zero, the second derivative is not")
    yield pointwise("square-near-zero", "Square", np.concatenate([steps, -steps]), "small numbers of both signs")
    yield pointwise("exponential-far", "Exponential", far, "near overflow and near underflow")
    yield pointwise("softplus-at-zero", "Softplus", zero, "where it bends most", sharpness=50.0)
    yield pointwise("softplus-far", "Softplus", far, "nearly flat, or nearly the identity")
    yield pointwise("softplus-sharp", "Softplus", 0.01 * far, "where the bend is narrow", sharpness=1e4)
    yield pointwise("sigmoid-at-zero", "Sigmoid", zero, "halfway", lower=-0.3, upper=2.0)
    yield pointwise("sigmoid-far", "Sigmoid", far, "nearly at the bounds; from 0 the small distance is kept")
    yield pointwise("square-root-near-zero", "SquareRoot", steps, "slopes as large as they come")
    yield pointwise("square-root-of-epsilon", "SquareRoot", zero, "at zero, where epsilon is all", epsilon=1e-6)


def _softmax() -> Iterator[Case]:
    for shape in IMAGES:
        d = f"{len(shape)}d"
        yield pointwise(f"softmax-{d}", "Softmax", Draw(f"softmax {d}").uniform(shape, -2, 2))
    yield pointwise("softmax-flat", "Softmax", np.full((3, 4), 0.5), "all equal")
    yield pointwise(
        "softmax-far", "Softmax", np.array([[30.0, 0, 12], [-20, 29, 3]]), "one or two of nearly all weight"
    )
    yield pointwise("softmax-one-pixel", "Softmax", np.array([0.7]), "a constant: its derivatives are zero")
    yield pointwise("softmax-large", "Softmax", 1000 + Draw("softmax large").uniform((2, 3)), "exp(z) would overflow")


def _made_of_others() -> Iterator[Case]:
    for boundary, (shape, sizes) in zip(("wrap", "reflect"), (((7,), (4,)), ((3, 4), (2, 3))), strict=True):
        name = f"affine-{len(shape)}d"
        draw = Draw(f"{name} parameters")
        blur = Part("Convolution", {"psf": draw.uniform(sizes), "shape": shape, "boundary": boundary})
        parameters = {"operator": blur, "offset": draw.uniform(shape)}
        yield smooth_map(name, "Affine", parameters, draw.uniform(shape), shape)
    draw = Draw("parallel parameters")
    lower = draw.uniform((2, 2), -2, 0)
    parts = (
        Part("Square", {"shape": (2, 3)}),
        Part("Gradient", {"shape": (3, 2), "boundary": "wrap"}),
        Part("Softmax", {"shape": (5,)}),
        Part("Sigmoid", {"shape": (2, 2), "lower": lower, "upper": lower + 1.5}),
    )
    point = draw.uniform((21,), -2, 2)
    yield smooth_map("parallel", "Parallel", {"operators": parts}, point, (27,), "of maps and a linear operator")
    nested = (Part("BlindConvolution", {"image_shape": (2, 3), "psf_shape": (2, 2)}), Part("Exponential", {"shape": 4}))
    yield smooth_map("parallel-nested", "Parallel", {"operators": nested}, draw.uniform((14,)), (10,))


def _blind() -> Iterator[Case]:
    for boundary in BOUNDARIES:
        for parity, sizes in BLIND.items():
            for image, psf, origin in sizes:
                if parity == "large" and boundary == "valid":
                    continue
                name = f"blind-convolution-{boundary}-{parity}-psf-{len(image)}d"
                yield _blind_case(name, image, psf, boundary, origin)
        yield _blind_case(f"blind-convolution-{boundary}-default-origin", (3, 4), (2, 3), boundary)
    draw = Draw("blind-convolution-operator boundary")
    continued = {"shape": (3, 4), "before": (1, 0), "after": (1, 2), "boundary": "reflect"}
    yield _blind_case("blind-convolution-extension", (3, 4), (3, 2), Part("Extension", continued))
    wide = Part("Convolution", {"psf": draw.uniform((2, 2)), "shape": (4, 5), "boundary": "wrap"})
    yield _blind_case("blind-convolution-operator", (4, 5), (2, 3), wide, remark="the image is blurred before")
    case = _blind_case("blind-convolution-zero-psf", (3, 4), (3, 2), "constant")
    point = np.where(np.arange(case.point.size) < 12, case.point, 0.0)
    remark = "a PSF of zeros: the image does not matter, and what it would change by is zero"
    yield smooth_map(case.name, case.model, case.parameters, point, (3, 4), remark)


def _blind_case(
    name: str, image: Shape, psf: Shape, boundary: Any, origin: Shape | None = None, remark: str = ""
) -> Case:
    parameters = {"image_shape": image, "psf_shape": psf, "boundary": boundary}
    if origin is not None:
        parameters["origin"] = origin
    if isinstance(boundary, Part):
        full = {"blind-convolution-extension": (5, 6), "blind-convolution-operator": (4, 5)}[name]
        shape = convolved_shape(full, psf, "valid")
    else:
        shape = convolved_shape(image, psf, boundary)
    point = Draw(f"{name} point").uniform((prod(image) + prod(psf),), -0.4, 1.0)
    return smooth_map(name, "BlindConvolution", parameters, point, shape, remark)
