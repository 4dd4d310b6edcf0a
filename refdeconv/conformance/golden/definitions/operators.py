"""Linear operators by their definitions: each takes parameters and an image, and returns A x.

The adjoint is not written down: it is taken from the definition's columns, one for each pixel. The docstrings are
published in the suite as the formulas that readers implement.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import prod
from typing import Any

import numpy as np
from mpmath import mp, mpf

from refdeconv.conformance.golden.definitions import arrays
from refdeconv.conformance.golden.definitions.arrays import Exact, exact, filled, for_each, indices, inner, shape_of

Parameters = Mapping[str, Any]
Definition = Callable[[Parameters, Exact], Exact]


def convolution(parameters: Parameters, x: Exact) -> Exact:
    """(A x)[i] = sum_j psf[j] x[i + origin - j], x continued beyond its edges as `boundary` says.

    With 'valid', (A x)[i] = sum_j psf[j] x[i + (size of psf) - 1 - j], at all i for which that lies inside for all j.
    """
    return arrays.blur(x, exact(parameters["psf"]), parameters.get("boundary", "constant"), parameters.get("origin"))


def varying_convolution(parameters: Parameters, x: Exact) -> Exact:
    """A x = sum_j K_j (weights[j] * x), the product pixel by pixel, and K_j the Convolution with psfs[j]."""
    rest = (parameters.get("boundary", "constant"), parameters.get("origin"))
    pairs = zip(parameters["psfs"], parameters["weights"], strict=True)
    return sum_of([arrays.blur(exact(weight) * x, exact(psf), *rest) for psf, weight in pairs])


def sum_of(images: list[Exact]) -> Exact:
    """The sum of images, pixel by pixel."""
    return filled(images[0].shape, lambda index: mp.fsum(image[index] for image in images))


def extension(parameters: Parameters, x: Exact) -> Exact:
    """(A x)[i] = x[i - before], x continued beyond its edges as `boundary` says; `before` + shape + `after` pixels."""
    before, after = (for_each(parameters[name], x.ndim) for name in ("before", "after"))
    shape = [b + n + a for b, n, a in zip(before, x.shape, after, strict=True)]
    boundary = parameters["boundary"]
    return filled(shape, lambda i: arrays.pixel(x, [k - b for k, b in zip(i, before, strict=True)], boundary))


def gradient(parameters: Parameters, x: Exact) -> Exact:
    """(A x)[a, i] = (x[i + e] - x[i]) / spacing[a], e the unit step along axis axes[a] (all axes by default).

    Across the far edge stands what `boundary` says; with 'free', the default, the difference there is 0.
    """
    options = (parameters.get("spacing", 1), parameters.get("axes"), parameters.get("boundary", "free"))
    return arrays.differences(x, *options)


def second_differences(parameters: Parameters, x: Exact) -> Exact:
    """The upper triangle, row by row, of the matrix of second differences at each pixel, along a new first axis.

    (A x)[(a, a), i] = (x[i + e_a] - 2 x[i] + x[i - e_a]) / spacing[a]**2, and for a < b
    (A x)[(a, b), i] = sqrt(2) (x[i + e_a + e_b] - x[i + e_a] - x[i + e_b] + x[i]) / (spacing[a] spacing[b]), with e_a
    the unit step along axis a. Beyond the edges stands what `boundary` says; with 'free', the default, an entry that
    needs a pixel there is 0.
    """
    return arrays.second_differences(x, parameters.get("spacing", 1), parameters.get("boundary", "free"))


def laplacian(parameters: Parameters, x: Exact) -> Exact:
    """(A x)[i] = sum_a (x[i + e_a] - 2 x[i] + x[i - e_a]) / spacing[a]**2, the sum over `axes` (all by default).

    Beyond the edges stands what `boundary` says, by default 'reflect'.
    """
    options = (parameters.get("spacing", 1), parameters.get("boundary", "reflect"), parameters.get("axes"))
    return arrays.laplacian(x, *options)


def cosine_transform(parameters: Parameters, x: Exact) -> Exact:
    """Along each axis of n pixels, one after the other, (A x)[k] = c_k sum_i x[i] cos(pi k (2 i + 1) / (2 n)).

    c_0 = sqrt(1 / n), and c_k = sqrt(2 / n) for the others.
    """
    for axis in range(x.ndim):
        x = np.moveaxis(_cosines_along_first(np.moveaxis(x, axis, 0)), 0, axis)
    return x


def _cosines_along_first(x: Exact) -> Exact:
    n = len(x)

    def coefficient(index: arrays.Index) -> Any:
        k, rest = index[0], index[1:]
        terms = (x[(i, *rest)] * mp.cos(mp.pi * k * (2 * i + 1) / (2 * n)) for i in range(n))
        return mp.sqrt(mpf(1 if k == 0 else 2) / n) * mp.fsum(terms)

    return filled(x.shape, coefficient)


def identity(parameters: Parameters, x: Exact) -> Exact:
    """A x = x"""
    return x.copy()


def diagonal(parameters: Parameters, x: Exact) -> Exact:
    """(A x)[i] = weights[i] x[i]"""
    return exact(parameters["weights"]) * x


def zero(parameters: Parameters, x: Exact) -> Exact:
    """A x = 0, of shape output_shape."""
    return arrays.zeros(shape_of(parameters["output_shape"]))


def subsampling(parameters: Parameters, x: Exact) -> Exact:
    """(A x)[i] = x[offset + step i], for all i for which that lies inside."""
    step, offset = (for_each(parameters.get(name, 0), x.ndim) for name in ("step", "offset"))
    shape = [-(-(n - o) // s) for n, o, s in zip(x.shape, offset, step, strict=True)]
    return filled(shape, lambda i: x[tuple(o + s * k for o, s, k in zip(offset, step, i, strict=True))])


def binning(parameters: Parameters, x: Exact) -> Exact:
    """(A x)[i] = c sum_j x[size i + j], j over a block of shape `size`; c = 1 / (pixels in it) if `mean`, else 1."""
    size = for_each(parameters["size"], x.ndim)
    count = mpf(prod(size)) if parameters.get("mean", True) else mpf(1)

    def block(i: arrays.Index) -> Any:
        inside = (tuple(k * s + j for k, s, j in zip(i, size, offset, strict=True)) for offset in indices(size))
        return mp.fsum(x[index] for index in inside) / count

    return filled([n // s for n, s in zip(x.shape, size, strict=True)], block)


def selection(parameters: Parameters, x: Exact) -> Exact:
    """A x = the pixels of x where `mask` is true, in C order, as a vector."""
    mask = np.asarray(parameters["mask"], dtype=bool)
    return vector([x[index] for index in indices(x.shape) if mask[index]])


def vector(numbers: list[Any]) -> Exact:
    """Numbers as an array of one axis."""
    return filled((len(numbers),), lambda index: numbers[index[0]])


def unpacked(shapes: Any, z: Exact) -> list[Exact]:
    """The arrays of some shapes that stand in a vector, one after the other, each in C order."""
    parts, start = [], 0
    for shape in map(shape_of, shapes):
        size = prod(shape)
        parts.append(z[start : start + size].reshape(shape))
        start += size
    return parts


def packed(images: list[Exact]) -> Exact:
    """The vector of all arrays, one after the other, each in C order."""
    return vector([image[index] for image in images for index in indices(image.shape)])


def packing(parameters: Parameters, z: Exact) -> Exact:
    """The arrays of `shapes` that stand in the vector z one after the other, each in C order.

    Here they are of one shape, and stacked along a new first axis; the adjoint packs them.
    """
    parts = unpacked(parameters["shapes"], z)
    return filled((len(parts), *parts[0].shape), lambda index: parts[index[0]][index[1:]])


def block(parameters: Parameters, z: Exact) -> Exact:
    """Of the arrays of `shapes` that stand in the vector z one after the other, each in C order, the one of `index`."""
    return unpacked(parameters["shapes"], z)[parameters["index"]].copy()


def adjoint(forward: Callable[[Exact], Exact], shape: arrays.Index, y: Exact) -> Exact:
    """A^T y by the columns of A: (A^T y)[i] = <A e_i, y>, e_i the image of zeros with one at i."""

    def at(index: arrays.Index) -> Any:
        unit = arrays.zeros(shape)
        unit[index] = mpf(1)
        return inner(forward(unit), y)

    return filled(shape, at)


DEFINITIONS: dict[str, Definition] = {
    "Binning": binning,
    "Block": block,
    "Convolution": convolution,
    "CosineTransform": cosine_transform,
    "Diagonal": diagonal,
    "Extension": extension,
    "Gradient": gradient,
    "Identity": identity,
    "Laplacian": laplacian,
    "Packing": packing,
    "SecondDifferences": second_differences,
    "Selection": selection,
    "Subsampling": subsampling,
    "VaryingConvolution": varying_convolution,
    "Zero": zero,
}
