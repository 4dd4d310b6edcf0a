"""Linear operators and maps by their definitions: functions of an instance, of which only the parameters are read."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

import refdeconv as rd

from . import tables
from .tables import Definition, Shape, Table


def convolution(K: rd.Convolution) -> Definition:
    return tables.blur(K.psf, K.input_shape, K.boundary, K.origin)


def extension(E: rd.Extension) -> Definition:
    widths = zip(E.input_shape, E.before, E.after, strict=True)
    return tables.looked_up([np.arange(-b, n + a)[:, None] for n, b, a in widths], E.input_shape, E.boundary)


def gradient(D: rd.Gradient) -> Definition:
    return tables.first_differences(D.input_shape, D.spacing, D.axes, D.boundary)


def laplacian(L: rd.Laplacian) -> Definition:
    return tables.laplacian(L.input_shape, L.spacing, L.axes, L.boundary)


def second_differences(S: rd.SecondDifferences) -> Definition:
    """The entries of the upper triangle, those off the diagonal times the root of two."""
    entries = tables.second_differences(S.input_shape, S.spacing, S.boundary)
    return tables.stacked(
        Table(entry.index, entry.coefficient * (1 if a == b else math.sqrt(2))) for (a, b), entry in entries.items()
    )


def subsampling(S: rd.Subsampling) -> Definition:
    kept = zip(S.input_shape, S.offset, S.step, strict=True)
    return tables.looked_up([np.arange(first, n, step)[:, None] for n, first, step in kept], S.input_shape)


def binning(B: rd.Binning) -> Definition:
    return bins(B.input_shape, B.size, B.mean)


def bins(shape: Shape, size: Shape, mean: bool) -> Table:
    places = [np.arange(n).reshape(-1, block) for n, block in zip(shape, size, strict=True)]
    return tables.looked_up(places, shape, coefficient=1 / math.prod(size) if mean else 1.0)


def selection(S: rd.Selection) -> Definition:
    return pixels(np.flatnonzero(S.mask))


def pixels(index: Any) -> Table:
    """Some entries of a flat array."""
    return Table(index[..., None], np.ones((1,) * index.ndim + (1,)))


def cosine_transform(C: rd.CosineTransform) -> Definition:
    """``c_k sum_i x[i] cos(pi k (2 i + 1) / (2 n))``, along each axis."""
    basis = np.ones((1, 1))
    for n in C.input_shape:
        k, i = np.arange(n)[:, None], np.arange(n)
        # The angle modulo a whole turn, so that it is rounded once.
        cosines = np.cos(np.pi * (k * (2 * i + 1) % (4 * n)) / (2 * n))
        basis = np.kron(basis, np.sqrt(np.where(k == 0, 1, 2) / n) * cosines)
    index = np.broadcast_to(np.arange(len(basis)), basis.shape)
    shape = (*C.input_shape, len(basis))
    return Table(index.reshape(shape), basis.reshape(shape))


def varying_convolution(V: rd.VaryingConvolution) -> Definition:
    blurs = [convolution(K) for K in V.convolutions]
    return lambda xp, x: sum(K(xp, xp.constant(w, x) * x) for K, w in zip(blurs, V.weights, strict=True))


def block(B: rd.Block) -> Definition:
    return pixels(place_of(B.packing.shapes, B.index))


def place_of(shapes: tuple[Shape, ...], which: int) -> Any:
    """Where an array stands in the vector of several, one after the other in C order."""
    first = sum(math.prod(shape) for shape in shapes[:which])
    return first + np.arange(math.prod(shapes[which])).reshape(shapes[which])


def parallel(P: rd.Parallel) -> Definition:
    shapes = tuple(m.input_shape for m in P.operators)
    places = [place_of(shapes, which) for which in range(len(shapes))]
    maps = [definition(m) for m in P.operators]

    def apply(xp: Any, z: Any) -> Any:
        parts = [m(xp, xp.take(z, place)) for m, place in zip(maps, places, strict=True)]
        return xp.concatenate([xp.reshape(part, (-1,)) for part in parts])

    return apply


def zero(Z: rd.Zero) -> Definition:
    index = np.zeros((*Z.output_shape, 1), int)
    return Table(index, 0.0 * index)


def affine(m: rd.Affine) -> Definition:
    linear = definition(m.operator)
    return lambda xp, z: linear(xp, z) + xp.constant(m.offset, z)


def softplus(m: rd.Softplus) -> Definition:
    return lambda xp, z: xp.log1p(xp.exp(float(m.sharpness) * z)) / float(m.sharpness)


def sigmoid(m: rd.Sigmoid) -> Definition:
    def apply(xp: Any, z: Any) -> Any:
        lower, upper = xp.constant(m.lower, z), xp.constant(m.upper, z)
        return lower + (upper - lower) / (1 + xp.exp(-z))

    return apply


def softmax(xp: Any, z: Any) -> Any:
    return xp.exp(z) / xp.sum(xp.exp(z))


def blind_convolution(m: rd.BlindConvolution) -> Definition:
    """``sum_j k[j] x[i + origin - j]``, of image and PSF in one vector."""
    shape, sizes = m.packing.shapes
    if isinstance(m.boundary, str):
        return bilinear(shape, sizes, m.boundary, m.origin)
    continued = m.boundary.output_shape
    image, psf = place_of((shape, sizes), 0), place_of((shape, sizes), 1)
    extend, blurred = definition(m.boundary), bilinear(continued, sizes, "valid", None)

    def apply(xp: Any, z: Any) -> Any:
        wide = xp.reshape(extend(xp, xp.take(z, image)), (-1,))
        return blurred(xp, xp.concatenate([wide, xp.take(z, psf.ravel())]))

    return apply


def bilinear(shape: Shape, sizes: Shape, boundary: str, origin: Shape | None) -> Definition:
    beyond = "constant" if boundary == "valid" else boundary
    index, inside = tables.window(tables.blurring(shape, sizes, boundary, origin), shape, beyond)
    samples = place_of((shape, sizes), 1).ravel()
    return lambda xp, z: xp.sum(xp.constant(inside, z) * xp.take(z, index) * xp.take(z, samples), -1)


LINEAR: dict[type, Callable[[Any], Definition]] = {
    rd.Convolution: convolution,
    rd.Extension: extension,
    rd.Gradient: gradient,
    rd.Laplacian: laplacian,
    rd.SecondDifferences: second_differences,
    rd.Subsampling: subsampling,
    rd.Binning: binning,
    rd.Selection: selection,
    rd.VaryingConvolution: varying_convolution,
    rd.Identity: lambda _: lambda xp, x: 1.0 * x,
    rd.Diagonal: lambda W: lambda xp, x: xp.constant(W.weights, x) * x,
    rd.CosineTransform: cosine_transform,
    rd.Block: block,
    rd.BlockDiagonal: parallel,
}
MAPS: dict[type, Callable[[Any], Definition]] = {
    rd.Affine: affine,
    rd.Square: lambda _: lambda xp, z: z * z,
    rd.Exponential: lambda _: lambda xp, z: xp.exp(z),
    rd.Softplus: softplus,
    rd.Sigmoid: sigmoid,
    rd.SquareRoot: lambda m: lambda xp, z: xp.sqrt(z + float(m.epsilon)),
    rd.Softmax: lambda _: softmax,
    rd.Parallel: parallel,
    rd.BlindConvolution: blind_convolution,
}
# What cases of these are made of besides.
OTHERS: dict[type, Callable[[Any], Definition]] = {rd.Zero: zero}


def definition(m: Any) -> Definition:
    """The definition of an instance."""
    return (LINEAR | MAPS | OTHERS)[type(m)](m)
