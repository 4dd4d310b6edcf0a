"""Cases of linear operators: every boundary, one to three axes, PSFs odd, even and larger than the image."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from refdeconv.conformance.golden.case import Case
from refdeconv.conformance.golden.cases.drawing import Draw
from refdeconv.conformance.golden.part import Part

BOUNDARIES = ("constant", "wrap", "reflect", "mirror", "nearest", "valid")
Shape = tuple[int, ...]

IMAGES: tuple[Shape, ...] = ((9,), (5, 6), (3, 4, 2))  # by the number of axes
PSFS: Mapping[str, tuple[Shape, ...]] = {"odd": ((5,), (3, 5), (3, 1, 1)), "even": ((4,), (4, 2), (2, 4, 2))}
OFF_CENTRE: Mapping[str, tuple[Shape, ...]] = {"odd": ((1,), (2, 3), (0, 0, 0)), "even": ((0,), (3, 1), (1, 2, 0))}
LARGE: tuple[tuple[Shape, Shape, Shape], ...] = (  # image, PSF, origin
    ((3,), (11,), (7,)),
    ((4, 5), (9, 2), (2, 0)),
    ((2, 1, 3), (3, 4, 2), (0, 3, 1)),
)


def cases() -> list[Case]:
    """All of them."""
    makers = (_convolutions, _varying_convolutions, _extensions, _differences, _sampling, _pointwise, _packed)
    return [case for make in makers for case in make()]


def linear(
    name: str, model: str, parameters: Mapping[str, Any], input_shape: Shape, output_shape: Shape, remark: str = ""
) -> Case:
    """A case of a linear operator, of which forward and adjoint are recorded at random arrays."""
    draw = Draw(name)
    point, weights = draw.uniform(input_shape), draw.uniform(output_shape)
    return Case(name, "linear operator", model, parameters, point, None, weights, remark=remark)


def convolved_shape(shape: Shape, sizes: Shape, boundary: str) -> Shape:
    """The shape of the blurred image."""
    return tuple(n - k + 1 for n, k in zip(shape, sizes, strict=True)) if boundary == "valid" else shape


def _convolutions() -> Iterator[Case]:
    for boundary in BOUNDARIES:
        for parity, psfs in PSFS.items():
            for shape, sizes, origin in zip(IMAGES, psfs, OFF_CENTRE[parity], strict=True):
                name = f"convolution-{boundary}-{parity}-psf-{len(shape)}d"
                yield _convolution(name, shape, sizes, boundary, origin, "origin off centre")
    for boundary in BOUNDARIES:
        name = f"convolution-{boundary}-default-origin"
        yield _convolution(name, (5, 7), (4, 3), boundary, None, "an even axis, an odd one, and the default origin")
    for boundary in BOUNDARIES[:-1]:
        for shape, sizes, origin in LARGE:
            name = f"convolution-{boundary}-large-psf-{len(shape)}d"
            yield _convolution(name, shape, sizes, boundary, origin, "a PSF larger than the image along an axis")
    yield _convolution("convolution-valid-one-pixel-left", (4, 3), (4, 2), "valid", None, "a PSF as long as the image")
    for boundary in BOUNDARIES[:-1]:
        name = f"convolution-{boundary}-one-pixel"
        yield _convolution(name, (1, 1), (3, 2), boundary, None, "an image of one pixel")
    for size, factor in (("huge", 2.0**500), ("tiny", 2.0**-500)):
        draw = Draw(f"convolution-{size}")
        psf, point, weights = draw.uniform((3, 2)), draw.uniform((5, 4)), draw.uniform((5, 4))
        parameters = {"psf": psf, "shape": (5, 4), "boundary": "reflect"}
        given = (parameters, factor * point, None, factor * weights)
        yield Case(draw.seed, "linear operator", "Convolution", *given, remark="values far from one")


def _convolution(name: str, shape: Shape, sizes: Shape, boundary: str, origin: Shape | None, remark: str) -> Case:
    parameters = {"psf": Draw(f"{name} psf").uniform(sizes, -0.2, 1.0), "shape": shape, "boundary": boundary}
    if origin is not None:
        parameters["origin"] = origin
    return linear(name, "Convolution", parameters, shape, convolved_shape(shape, sizes, boundary), remark)


def _varying_convolutions() -> Iterator[Case]:
    for boundary in BOUNDARIES:
        for axes, shape in enumerate(IMAGES):
            name, origin = f"varying-convolution-{boundary}-{len(shape)}d", (1, 0) if axes == 1 else None
            if boundary == "valid":  # the PSFs are of one shape, which decides that of the blurred image
                for parity, psfs in PSFS.items():
                    yield _varying(f"{name}-{parity}", shape, [psfs[axes]] * 2, boundary, origin)
            else:
                yield _varying(name, shape, [psfs[axes] for psfs in PSFS.values()], boundary, origin)


def _varying(name: str, shape: Shape, sizes: list[Shape], boundary: str, origin: Shape | None) -> Case:
    draw = Draw(f"{name} parameters")
    parameters = {
        "psfs": tuple(draw.uniform(each, -0.2, 1.0) for each in sizes),
        "weights": tuple(draw.uniform(shape) for _ in sizes),
        "shape": shape,
        "boundary": boundary,
    }
    if origin is not None:
        parameters["origin"] = origin
    return linear(name, "VaryingConvolution", parameters, shape, convolved_shape(shape, sizes[0], boundary))


def _extensions() -> Iterator[Case]:
    widths = (((2,), (3,)), ((1, 0), (2, 3)), ((1, 5, 0), (2, 0, 3)))
    for boundary in BOUNDARIES[:-1]:
        for shape, (before, after) in zip(IMAGES, widths, strict=True):
            name = f"extension-{boundary}-{len(shape)}d"
            yield _extension(name, shape, before, after, boundary)
        yield _extension(
            f"extension-{boundary}-far", (2, 1), (5, 2), (4, 3), boundary, "further than the image is long"
        )


def _extension(name: str, shape: Shape, before: Shape, after: Shape, boundary: str, remark: str = "") -> Case:
    extended = tuple(map(sum, zip(before, shape, after, strict=True)))
    parameters = {"shape": shape, "before": before, "after": after, "boundary": boundary}
    return linear(name, "Extension", parameters, shape, extended, remark)


def _differences() -> Iterator[Case]:
    spacings = ((0.7,), (0.7, 1.9), (0.7, 1.9, 1.3))
    for shape, spacing in zip(IMAGES, spacings, strict=True):
        d = len(shape)
        for boundary in ("free", "reflect", "constant", "wrap"):
            parameters = {"shape": shape, "spacing": spacing, "boundary": boundary}
            yield linear(f"gradient-{boundary}-{d}d", "Gradient", parameters, shape, (d, *shape))
            stacked = (d * (d + 1) // 2, *shape)
            yield linear(f"second-differences-{boundary}-{d}d", "SecondDifferences", parameters, shape, stacked)
            if boundary != "free":
                yield linear(f"laplacian-{boundary}-{d}d", "Laplacian", parameters, shape, shape)
        yield linear(f"cosine-transform-{d}d", "CosineTransform", {"shape": shape}, shape, shape)
    shape = (3, 4, 2)
    some = {"shape": shape, "axes": (2, 0), "spacing": (0.4, 2.5)}
    yield linear("gradient-some-axes", "Gradient", some, shape, (2, *shape), "axes out of order")
    yield linear("laplacian-some-axes", "Laplacian", some, shape, shape)
    yield linear("gradient-swapped-axes", "Gradient", {"shape": (3, 4), "axes": (1, 0)}, (3, 4), (2, 3, 4))
    yield linear("laplacian-one-axis", "Laplacian", {"shape": (3, 4), "axes": -1}, (3, 4), (3, 4))
    for model, name in (
        ("Gradient", "gradient"),
        ("SecondDifferences", "second-differences"),
        ("Laplacian", "laplacian"),
    ):
        lead = {"Gradient": (2,), "SecondDifferences": (3,), "Laplacian": ()}[model]
        yield linear(f"{name}-defaults", model, {"shape": (4, 5)}, (4, 5), (*lead, 4, 5), "all parameters left out")
        for boundary in ("reflect", "constant", "wrap"):
            thin = {"shape": (1, 4), "spacing": 0.6, "boundary": boundary}
            yield linear(f"{name}-{boundary}-thin", model, thin, (1, 4), (*lead, 1, 4), "an axis of one pixel")
    for sizes in ((1,), (8,), (2, 5)):
        name = f"cosine-transform-{'x'.join(map(str, sizes))}"
        yield linear(name, "CosineTransform", {"shape": sizes}, sizes, sizes)


def _sampling() -> Iterator[Case]:
    sampled: tuple[tuple[Shape, Any, Any, Shape], ...] = (
        ((9,), 2, 1, (4,)),
        ((5, 6), (2, 4), (0, 3), (3, 1)),
        ((3, 4, 2), (1, 3, 2), (2, 0, 1), (1, 2, 1)),
    )
    for shape, step, offset, kept in sampled:
        parameters = {"shape": shape, "step": step, "offset": offset}
        yield linear(f"subsampling-{len(shape)}d", "Subsampling", parameters, shape, kept)
    odd = {"shape": (4, 6), "step": 2, "offset": 1}
    yield linear("subsampling-odd-pixels", "Subsampling", odd, (4, 6), (2, 3), "as many pixels as with the offset 0")
    binned: tuple[tuple[Shape, Any, Shape], ...] = (
        ((9,), 3, (3,)),
        ((4, 6), (2, 3), (2, 2)),
        ((3, 4, 2), (1, 2, 2), (3, 2, 1)),
    )
    for shape, size, bins in binned:
        for mean in (True, False):
            name = f"binning-{'means' if mean else 'sums'}-{len(shape)}d"
            yield linear(name, "Binning", {"shape": shape, "size": size, "mean": mean}, shape, bins)
    for shape in IMAGES:
        name = f"selection-{len(shape)}d"
        mask = Draw(f"{name} mask").mask(shape)
        yield linear(name, "Selection", {"mask": mask}, shape, (int(mask.sum()),))


def _pointwise() -> Iterator[Case]:
    for shape in IMAGES:
        d = len(shape)
        yield linear(f"identity-{d}d", "Identity", {"shape": shape}, shape, shape)
        weights = Draw(f"diagonal-{d}d weights").uniform(shape, -2.0, 3.0)
        yield linear(f"diagonal-{d}d", "Diagonal", {"weights": weights}, shape, shape)
    yield linear("zero", "Zero", {"input_shape": (3, 4), "output_shape": (2, 5)}, (3, 4), (2, 5))


def _packed() -> Iterator[Case]:
    shapes = ((2, 3), (4,), (1, 2, 2))
    for index, shape in enumerate(shapes):
        yield linear(f"block-{index}", "Block", {"shapes": shapes, "index": index}, (14,), shape)
    remark = "forward is unpack, stacked; adjoint is pack"
    yield linear("packing", "Packing", {"shapes": ((2, 3),) * 3}, (18,), (3, 2, 3), remark)
    draw = Draw("block-diagonal parameters")
    blur = Part("Convolution", {"psf": draw.uniform((2, 3)), "shape": (3, 4), "boundary": "mirror", "origin": (1, 0)})
    parts = (blur, Part("Diagonal", {"weights": draw.uniform((5,))}), Part("Gradient", {"shape": (3, 2)}))
    yield linear("block-diagonal", "BlockDiagonal", {"operators": parts}, (23,), (29,))
