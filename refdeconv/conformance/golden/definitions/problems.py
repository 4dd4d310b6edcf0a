"""Ready-made objectives by their definitions: a data term of the blurred image, and a weight times a regulariser.

Put together of the plain sums of the functionals and regularisers; `parameters` are the keyword arguments of the public
functions. K is the convolution with the PSF, as `arrays.blur` writes it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
from mpmath import mp, mpf

from refdeconv.conformance.golden.definitions import functionals, regularizers
from refdeconv.conformance.golden.definitions.arrays import Exact, blur, exact, filled, indices, number, shape_of
from refdeconv.conformance.golden.definitions.functionals import Definition, Parameters, Parts, size_of, value_of


def norm_and_gradient_norm(parameters: Parameters, x: Exact) -> Iterator[Any]:
    """The article's, sqrt(sum((K x - data)**2) / 2) + mu * sqrt(sum((D x)**2) / 2), mu 0.2 by default."""
    yield from half_norm({"data": parameters["data"]}, blurred(parameters, x))
    yield from weighted(parameters, regularizers.gradient_norm({}, x))


def half_norm(parameters: Parameters, u: Exact) -> Iterator[Any]:
    """sqrt(sum((u - data)**2) / 2)."""
    for part in functionals.l2_norm(parameters, u):
        yield part / mp.sqrt(2)


def article(parameters: Parameters, x: Exact) -> Iterator[Any]:
    """As norm_and_gradient_norm, with the data K image, for the boundary 'constant'."""
    psf = parameters["psf"]
    data = blur(exact(parameters["image"]), exact(psf))
    yield from norm_and_gradient_norm({"data": data, "psf": psf, "mu": parameters.get("mu", 0.2)}, x)


def least_squares_tikhonov(parameters: Parameters, x: Exact) -> Iterator[Any]:
    """LeastSquares(data, weight) of K x, and mu * regularizers.tikhonov, of the differences by default."""
    yield from functionals.least_squares(some(parameters, "data", "weight"), blurred(parameters, x))
    yield from weighted(parameters, regularizers.tikhonov({"of": parameters.get("of", "gradient")}, x))


def least_squares_total_variation(parameters: Parameters, x: Exact) -> Iterator[Any]:
    """LeastSquares(data, weight) of K x, and mu * regularizers.total_variation.

    Epsilon is by default a hundredth of the range of the data.
    """
    yield from functionals.least_squares(some(parameters, "data", "weight"), blurred(parameters, x))
    yield from weighted(parameters, regularizers.total_variation(smoothing(parameters), x))


def robust_total_variation(parameters: Parameters, x: Exact) -> Iterator[Any]:
    """PseudoHuber(data, delta, weight) of K x, and mu * regularizers.total_variation.

    Delta and epsilon are by default a hundredth of the range of the data.
    """
    delta = parameters.get("delta") or typical(parameters["data"])
    misfit = {**some(parameters, "data", "weight"), "delta": delta}
    yield from functionals.pseudo_huber(misfit, blurred(parameters, x))
    yield from weighted(parameters, regularizers.total_variation(smoothing(parameters), x))


def least_squares_hessian_schatten(parameters: Parameters, x: Exact) -> Iterator[Any]:
    """LeastSquares(data, weight) of K x, and mu * regularizers.hessian_schatten.

    Epsilon is by default a hundredth of the range of the data.
    """
    yield from functionals.least_squares(some(parameters, "data", "weight"), blurred(parameters, x))
    yield from weighted(parameters, regularizers.hessian_schatten(smoothing(parameters), x))


def counts(parameters: Parameters, x: Exact) -> Iterator[Any]:
    """Poisson's divergence of the data from the blurred image."""
    yield from functionals.poisson(some(parameters, "data", "background", "weight"), blurred(parameters, x))


def poisson_total_variation(parameters: Parameters, x: Exact) -> Iterator[Any]:
    """Poisson(data, background, weight) of K x, and mu * regularizers.total_variation.

    Epsilon is by default a hundredth of the range of the data.
    """
    yield from counts(parameters, x)
    yield from weighted(parameters, regularizers.total_variation(smoothing(parameters), x))


def poisson_good_roughness(parameters: Parameters, x: Exact) -> Iterator[Any]:
    """Poisson(data, background, weight) of K x, and mu * regularizers.good_roughness."""
    yield from counts(parameters, x)
    yield from weighted(parameters, regularizers.good_roughness({}, x))


def poisson_entropy(parameters: Parameters, x: Exact) -> Iterator[Any]:
    """Poisson(data, background, weight) of K x, and mu * regularizers.entropy, the prior by default the data's mean."""
    prior = parameters.get("prior")
    yield from counts(parameters, x)
    prior = mean(parameters["data"]) if prior is None else prior
    yield from weighted(parameters, regularizers.entropy({"prior": prior}, x))


def super_resolution(parameters: Parameters, x: Exact) -> Iterator[Any]:
    """LeastSquares(data) of B K x, and mu * regularizers.total_variation.

    B takes the means over blocks of factor pixels along each axis. The boundary is by default 'reflect', epsilon a
    hundredth of the range of the data.
    """
    factor, fine = parameters["factor"], blurred({"boundary": "reflect", **parameters}, x)
    block = list(indices((factor,) * x.ndim))

    def coarse(i: tuple[int, ...]) -> Any:
        return mp.fsum(fine[tuple(factor * a + b for a, b in zip(i, j, strict=True))] for j in block) / len(block)

    binned = filled(np.shape(parameters["data"]), coarse)
    yield from functionals.least_squares(some(parameters, "data"), binned)
    yield from weighted(parameters, regularizers.total_variation(smoothing(parameters), x))


def inpainting(parameters: Parameters, x: Exact) -> Iterator[Any]:
    """Sum of (K x - data)**2 / 2 over the pixels where the mask is True, and mu * regularizers.total_variation.

    The boundary is by default 'reflect', epsilon a hundredth of the range of the data at these pixels.
    """
    seen, data, mask = blurred({"boundary": "reflect", **parameters}, x), exact(parameters["data"]), parameters["mask"]
    for i in indices(data.shape):
        if mask[i]:
            yield (seen[i] - data[i]) ** 2 / 2
    measured = [data[i] for i in indices(data.shape) if mask[i]]
    yield from weighted(parameters, regularizers.total_variation(smoothing(parameters, measured), x))


def blind(parameters: Parameters, z: Exact) -> Iterator[Any]:
    """LeastSquares(data) of K x, and mu * regularizers.total_variation of x = z**2.

    K is the blur by the PSF exp(q) / sum(exp(q)); the point is z and then q, each in C order. Epsilon is by default a
    hundredth of the range of the data.
    """
    data, psf_shape = exact(parameters["data"]), shape_of(parameters["psf_shape"])
    image = filled(data.shape, lambda i: z[: data.size].reshape(data.shape)[i] ** 2)
    exponentials = [mp.exp(q) for q in z[data.size :]]
    psf = np.array([t / mp.fsum(exponentials) for t in exponentials], dtype=object).reshape(psf_shape)
    seen = blur(image, psf, parameters.get("boundary", "constant"), parameters.get("origin"))
    yield from functionals.least_squares({"data": data}, seen)
    yield from weighted(parameters, regularizers.total_variation(smoothing(parameters), image))


# ---- By name. ----

FIDELITIES: Mapping[str, Parts] = {
    "l2-norm": half_norm,
    "least-squares": functionals.least_squares,
    "poisson": functionals.poisson,
    "poisson-gaussian": functionals.poisson_gaussian,
    "anscombe": functionals.anscombe,
    "pseudo-huber": functionals.pseudo_huber,
    "huber": functionals.huber,
    "log-cosh": functionals.log_cosh,
    "smoothed-l1": functionals.smoothed_l1,
    "cauchy": functionals.cauchy,
    "student-t": functionals.student_t,
}

REGULARIZERS: Mapping[str, tuple[Parts, Mapping[str, Any]]] = {
    "gradient-norm": (regularizers.gradient_norm, {}),
    "tikhonov": (regularizers.tikhonov, {}),
    "tikhonov-gradient": (regularizers.tikhonov, {"of": "gradient"}),
    "tikhonov-laplacian": (regularizers.tikhonov, {"of": "laplacian"}),
    "total-variation": (regularizers.total_variation, {}),
    "anisotropic-total-variation": (regularizers.total_variation, {"isotropic": False}),
    "huber-total-variation": (regularizers.huber_total_variation, {}),
    "hessian-norm": (regularizers.hessian_norm, {}),
    "hessian-schatten": (regularizers.hessian_schatten, {}),
    "good-roughness": (regularizers.good_roughness, {}),
    "entropy": (regularizers.entropy, {}),
    "smoothed-l1": (regularizers.smoothed_l1, {}),
}

POSITIVITY: Mapping[str, Callable[[Any], Any]] = {
    "square": lambda t: t**2,
    "exponential": mp.exp,
    "softplus": lambda t: mp.log(1 + mp.exp(t)),
}


def by_name(parameters: Parameters, z: Exact) -> Iterator[Any]:
    """The data term `fidelity` of K x, and mu * the `regularizer` of x, both by name, with their options.

    By default the article's: 'l2-norm', sqrt(sum((K x - data)**2) / 2), and 'gradient-norm', mu 0.2. The point is x, or
    with 'positivity' z where x is z**2, exp(z) or log(1 + exp(z)), or with bounds
    lower + (upper - lower) / (1 + exp(-z)). An epsilon, delta or scale is by default a hundredth of the data's range,
    the prior of the entropy their mean, of the pixels whose weight is not zero.
    """
    data, x = parameters["data"], constrained(parameters, z)
    measured = without_masked(data, parameters.get("fidelity_options") or {})
    sizes = dict.fromkeys(("epsilon", "delta", "scale"), typical(measured))
    misfit = {**sizes, **(parameters.get("fidelity_options") or {}), "data": data}
    yield from FIDELITIES[parameters.get("fidelity", "l2-norm")](misfit, blurred(parameters, x))
    parts, fixed = REGULARIZERS[parameters.get("regularizer", "gradient-norm")]
    options = {**sizes, "prior": mean(measured), **(parameters.get("regularizer_options") or {}), **fixed}
    yield from weighted(parameters, parts(options, x))


def without_masked(data: Any, options: Parameters) -> list[Any]:
    """The data of the pixels that count."""
    weight = functionals.parameter(options, "weight", 1, np.shape(data))
    return [d for d, w in zip(exact(data).flat, weight.flat, strict=True) if w != 0]


def constrained(parameters: Parameters, z: Exact) -> Exact:
    """The image that the variables stand for."""
    if parameters.get("bounds") is not None:
        lower, upper = (functionals.parameter({"": bound}, "", 0, z.shape) for bound in parameters["bounds"])
        return filled(z.shape, lambda i: lower[i] + (upper[i] - lower[i]) / (1 + mp.exp(-z[i])))
    if parameters.get("positivity") is not None:
        return filled(z.shape, lambda i: POSITIVITY[parameters["positivity"]](z[i]))
    return z


# ---- What they share. ----


def blurred(parameters: Parameters, x: Exact) -> Exact:
    """K x."""
    return blur(x, exact(parameters["psf"]), parameters.get("boundary", "constant"), parameters.get("origin"))


def weighted(parameters: Parameters, parts: Iterator[Any]) -> Iterator[Any]:
    """The parts times mu."""
    mu = number(parameters.get("mu", 0.2))
    for part in parts:
        yield mu * part


def some(parameters: Parameters, *names: str) -> Parameters:
    """Those of the names that are given."""
    return {name: parameters[name] for name in names if name in parameters}


def smoothing(parameters: Parameters, data: Any = None) -> Parameters:
    """The epsilon of total variation, by default from the data."""
    return {"epsilon": parameters.get("epsilon") or typical(parameters["data"] if data is None else data)}


def typical(data: Any) -> Any:
    """A hundredth of the range of the data, of one where they are all equal."""
    numbers: list[Any] = list(exact(data).flat)
    return (max(numbers) - min(numbers) or mpf(1)) / 100


def mean(data: Any) -> Any:
    """The mean of the data."""
    numbers: list[Any] = list(exact(data).flat)
    return mp.fsum(numbers) / len(numbers)


PARTS: dict[str, Parts] = {
    "problems.article": article,
    "problems.blind": blind,
    "problems.by_name": by_name,
    "problems.inpainting": inpainting,
    "problems.least_squares_hessian_schatten": least_squares_hessian_schatten,
    "problems.least_squares_tikhonov": least_squares_tikhonov,
    "problems.least_squares_total_variation": least_squares_total_variation,
    "problems.norm_and_gradient_norm": norm_and_gradient_norm,
    "problems.poisson_entropy": poisson_entropy,
    "problems.poisson_good_roughness": poisson_good_roughness,
    "problems.poisson_total_variation": poisson_total_variation,
    "problems.robust_total_variation": robust_total_variation,
    "problems.super_resolution": super_resolution,
}

DEFINITIONS: dict[str, Definition] = {name: value_of(parts) for name, parts in PARTS.items()}
SIZES: dict[str, Definition] = {name: size_of(parts) for name, parts in PARTS.items()}
