"""Regularisers and ready-made problems by their definitions: functions of the arguments of those of the same names."""

from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np

from tests.autodiff import Array

from . import functionals, operators, tables
from .functionals import FUNCTIONALS, huber_of_square, smooth
from .operators import place_of
from .tables import Definition, Shape

Spacing = float | Sequence[float]
Constraint = Callable[[Any, Any], Any]


def steps(spacing: Spacing, count: int) -> tuple[float, ...]:
    return tuple(spacing) if isinstance(spacing, Sequence | np.ndarray) else (float(spacing),) * count


def differences(shape: Shape, spacing: Spacing, boundary: str) -> Definition:
    return tables.first_differences(shape, steps(spacing, len(shape)), range(len(shape)), boundary)


def half_sum_of_squares(A: Definition) -> Definition:
    return lambda xp, x: xp.sum(A(xp, x) ** 2) / 2


def tikhonov(shape: Shape, of: str = "identity", *, spacing: Spacing = 1.0, boundary: str | None = None) -> Definition:
    if of == "identity":
        return half_sum_of_squares(lambda xp, x: x)
    if of == "gradient":
        return half_sum_of_squares(differences(shape, spacing, boundary or "free"))
    axes = range(len(shape))
    return half_sum_of_squares(tables.laplacian(shape, steps(spacing, len(shape)), axes, boundary or "reflect"))


def gradient_norm(shape: Shape, *, spacing: Spacing = 1.0, boundary: str = "free") -> Definition:
    squares = tikhonov(shape, "gradient", spacing=spacing, boundary=boundary)
    return lambda xp, x: xp.sqrt(squares(xp, x))


def squared_lengths(
    shape: Shape, isotropic: bool, spacing: Spacing, boundary: str, channel_axis: int | None
) -> Definition:
    """The squared length of the gradient at each pixel, over all channels; or the square of each difference."""
    channels = None if channel_axis is None else channel_axis % len(shape)
    axes = [axis for axis in range(len(shape)) if axis != channels]
    D = tables.first_differences(shape, steps(spacing, len(axes)), axes, boundary)
    together = (() if channels is None else (channels + 1,)) + ((0,) if isotropic else ())
    return lambda xp, x: functionals.squared_lengths(xp, D(xp, x), together)


def total_variation(
    shape: Shape,
    epsilon: float = 1e-3,
    *,
    isotropic: bool = True,
    spacing: Spacing = 1.0,
    boundary: str = "free",
    channel_axis: int | None = None,
) -> Definition:
    squares = squared_lengths(shape, isotropic, spacing, boundary, channel_axis)
    return lambda xp, x: xp.sum(smooth(xp, squares(xp, x), epsilon))


def huber_total_variation(
    shape: Shape,
    delta: float = 1e-3,
    *,
    isotropic: bool = True,
    spacing: Spacing = 1.0,
    boundary: str = "free",
    channel_axis: int | None = None,
) -> Definition:
    squares = squared_lengths(shape, isotropic, spacing, boundary, channel_axis)
    return lambda xp, x: xp.sum(huber_of_square(xp, squares(xp, x), delta))


def hessian_norm(shape: Shape, epsilon: float = 1e-3, *, spacing: Spacing = 1.0, boundary: str = "free") -> Definition:
    """Entries off the diagonal stand in the matrix twice."""
    entries = tables.second_differences(shape, steps(spacing, len(shape)), boundary)

    def value(xp: Any, x: Any) -> Any:
        return xp.sum(smooth(xp, sum((1 if a == b else 2) * e(xp, x) ** 2 for (a, b), e in entries.items()), epsilon))

    return value


def hessian_schatten(
    shape: Shape, epsilon: float = 1e-3, *, spacing: Spacing = 1.0, boundary: str = "free"
) -> Definition:
    """The sum of the smoothed eigenvalues of the matrix M of second differences.

    Frameworks differentiate eigenvalues twice only where they are distinct, and with the boundary 'free' M is zero at
    the corners. On two axes their sum has a formula without them: the square of ``sqrt(p + e) + sqrt(q + e)``, with p
    and q the squared eigenvalues and e the squared epsilon, is ``|M|**2 + 2 e + 2 sqrt((p + e) (q + e))``, in which
    ``p + q = |M|**2`` and ``p q = det(M)**2``.
    """
    entries = tables.second_differences(shape, steps(spacing, len(shape)), boundary)
    e = epsilon**2

    def value(xp: Any, x: Any) -> Any:
        if len(shape) == 1:
            return xp.sum(smooth(xp, entries[0, 0](xp, x) ** 2, epsilon))
        if len(shape) == 2:
            a, b, c = (entries[place](xp, x) for place in ((0, 0), (0, 1), (1, 1)))
            square = a**2 + 2 * b**2 + c**2
            product = (a * c - b**2) ** 2 + e * square + e**2
            return xp.sum(xp.sqrt(square + 2 * e + 2 * xp.sqrt(product)) - 2 * epsilon)
        flat = xp.concatenate([xp.reshape(entry(xp, x), (1, -1)) for entry in entries.values()])
        return xp.sum(functionals.nuclear(xp, flat, len(shape), epsilon))

    return value


def good_roughness(shape: Shape, *, spacing: Spacing = 1.0, boundary: str = "free") -> Definition:
    squares = tikhonov(shape, "gradient", spacing=spacing, boundary=boundary)
    return lambda xp, x: 8 * squares(xp, xp.sqrt(x))


def entropy(prior: Any, shape: Shape | None = None) -> Definition:
    return FUNCTIONALS[_class("Entropy")](SimpleNamespace(prior=prior, weight=None))


def smoothed_l1(shape: Shape, epsilon: float = 1e-3) -> Definition:
    return lambda xp, x: xp.sum(smooth(xp, x**2, epsilon))


def _class(name: str) -> type:
    return next(kind for kind in FUNCTIONALS if kind.__name__ == name)


REGULARIZERS: dict[str, Callable[..., Definition]] = {
    define.__name__: define
    for define in (
        tikhonov, gradient_norm, total_variation, huber_total_variation, hessian_norm, hessian_schatten, good_roughness,
        entropy, smoothed_l1,
    )
}  # fmt: skip


def data_term(name: str, data: Array, **options: Any) -> Definition:
    """A functional by the name of its class, of parameters instead of an instance."""
    defaults = {
        "Poisson": {"background": 0.0, "threshold": None},
        "PoissonGaussian": {"gain": 1.0, "read_noise": 1.0, "background": 0.0},
        "Anscombe": {"gain": 1.0, "read_noise": 0.0, "background": 0.0},
    }
    parameters = {"weight": None} | defaults.get(name, {}) | options
    return FUNCTIONALS[_class(name)](SimpleNamespace(data=data, **parameters))


def unknown_shape(data: Array, psf: Array, boundary: str) -> Shape:
    """That of the image; with 'valid' it is larger than the data by what the PSF reaches."""
    more = [k - 1 if boundary == "valid" else 0 for k in psf.shape]
    return tuple(n + m for n, m in zip(data.shape, more, strict=True))


def fitted(
    misfit: Definition,
    smoothness: Callable[[Shape], Definition],
    data: Array,
    psf: Array,
    mu: float,
    boundary: str,
    origin: Any,
) -> Definition:
    """``misfit(K x) + mu * smoothness(x)``"""
    shape = unknown_shape(data, psf, boundary)
    K, R = tables.blur(psf, shape, boundary, origin), smoothness(shape)
    return lambda xp, x: misfit(xp, K(xp, x)) + mu * R(xp, x)


def norm_and_gradient_norm(
    data: Array, psf: Array, mu: float = 0.2, *, boundary: str = "constant", origin: Any = None
) -> Definition:
    squares = data_term("LeastSquares", data)
    return fitted(lambda xp, y: xp.sqrt(squares(xp, y)), gradient_norm, data, psf, mu, boundary, origin)


def article(image: Array, psf: Array, mu: float = 0.2) -> Definition:
    """Of the blurred image, which this sums itself."""
    index, coefficient = tables.blur(psf, image.shape, "constant")
    return norm_and_gradient_norm((coefficient * image.ravel()[index]).sum(-1), psf, mu)


def least_squares_tikhonov(
    data: Array, psf: Array, mu: float, *, of: str = "gradient", weight: Any = None, boundary: str, origin: Any = None
) -> Definition:
    misfit = data_term("LeastSquares", data, weight=weight)
    return fitted(misfit, lambda shape: tikhonov(shape, of), data, psf, mu, boundary, origin)


def with_total_variation(misfit: Definition, data: Array, psf: Array, mu: float, epsilon: float, **blur: Any) -> Any:
    return fitted(misfit, lambda shape: total_variation(shape, epsilon), data, psf, mu, **({"origin": None} | blur))


def least_squares_total_variation(
    data: Array, psf: Array, mu: float, *, epsilon: float, weight: Any = None, **blur: Any
) -> Definition:
    return with_total_variation(data_term("LeastSquares", data, weight=weight), data, psf, mu, epsilon, **blur)


def robust_total_variation(
    data: Array, psf: Array, mu: float, *, delta: float, epsilon: float, weight: Any = None, **blur: Any
) -> Definition:
    misfit = data_term("PseudoHuber", data, delta=delta, weight=weight)
    return with_total_variation(misfit, data, psf, mu, epsilon, **blur)


def least_squares_hessian_schatten(
    data: Array, psf: Array, mu: float, *, epsilon: float, weight: Any = None, boundary: str, origin: Any = None
) -> Definition:
    misfit = data_term("LeastSquares", data, weight=weight)
    return fitted(misfit, lambda shape: hessian_schatten(shape, epsilon), data, psf, mu, boundary, origin)


def poisson_total_variation(
    data: Array, psf: Array, mu: float, *, epsilon: float, background: Any = 0.0, weight: Any = None, **blur: Any
) -> Definition:
    misfit = data_term("Poisson", data, background=background, weight=weight)
    return with_total_variation(misfit, data, psf, mu, epsilon, **blur)


def poisson_good_roughness(
    data: Array,
    psf: Array,
    mu: float,
    *,
    background: Any = 0.0,
    weight: Any = None,
    boundary: str = "constant",
    origin: Any = None,
) -> Definition:
    misfit = data_term("Poisson", data, background=background, weight=weight)
    return fitted(misfit, good_roughness, data, psf, mu, boundary, origin)


def poisson_entropy(
    data: Array,
    psf: Array,
    mu: float,
    *,
    prior: Any,
    background: Any = 0.0,
    weight: Any = None,
    boundary: str = "constant",
    origin: Any = None,
) -> Definition:
    misfit = data_term("Poisson", data, background=background, weight=weight)
    return fitted(misfit, lambda shape: entropy(prior, shape), data, psf, mu, boundary, origin)


def super_resolution(
    data: Array, psf: Array, mu: float, *, factor: int, epsilon: float, boundary: str = "reflect", origin: Any = None
) -> Definition:
    shape = tuple(factor * n for n in data.shape)
    K, R = tables.blur(psf, shape, boundary, origin), total_variation(shape, epsilon)
    B, misfit = operators.bins(shape, (factor,) * len(shape), mean=True), data_term("LeastSquares", data)
    return lambda xp, x: misfit(xp, B(xp, K(xp, x))) + mu * R(xp, x)


def inpainting(
    data: Array, psf: Array, mu: float, *, mask: Array, epsilon: float, boundary: str = "reflect", origin: Any = None
) -> Definition:
    """Missing pixels have the weight zero."""
    return least_squares_total_variation(
        data, psf, mu, epsilon=epsilon, weight=mask.astype(float), boundary=boundary, origin=origin
    )


def blind(
    data: Array, psf_shape: Shape, mu: float, *, epsilon: float, boundary: str = "constant", origin: Any = None
) -> Definition:
    """Of image and PSF in one vector: the image is its square, the PSF its softmax."""
    shape = data.shape
    image, psf = place_of((shape, psf_shape), 0), place_of((shape, psf_shape), 1).ravel()
    misfit, R = data_term("LeastSquares", data), total_variation(shape, epsilon)
    blurred = operators.bilinear(shape, psf_shape, boundary, origin)

    def value(xp: Any, z: Any) -> Any:
        x, k = xp.take(z, image) ** 2, operators.softmax(xp, xp.take(z, psf))
        together = xp.concatenate([xp.reshape(x, (-1,)), k])
        return misfit(xp, blurred(xp, together)) + mu * R(xp, x)

    return value


FIDELITIES = {
    "least-squares": "LeastSquares",
    "poisson": "Poisson",
    "poisson-gaussian": "PoissonGaussian",
    "anscombe": "Anscombe",
    "pseudo-huber": "PseudoHuber",
    "huber": "Huber",
    "log-cosh": "LogCosh",
    "smoothed-l1": "SmoothedL1",
    "cauchy": "Cauchy",
    "student-t": "StudentT",
}
BY_NAME: dict[str, Callable[..., Definition]] = {
    "gradient-norm": gradient_norm,
    "tikhonov": tikhonov,
    "tikhonov-gradient": lambda shape: tikhonov(shape, "gradient"),
    "tikhonov-laplacian": lambda shape: tikhonov(shape, "laplacian"),
    "total-variation": total_variation,
    "anisotropic-total-variation": lambda shape, epsilon: total_variation(shape, epsilon, isotropic=False),
    "huber-total-variation": huber_total_variation,
    "hessian-norm": hessian_norm,
    "hessian-schatten": hessian_schatten,
    "good-roughness": good_roughness,
    "entropy": lambda shape, prior: entropy(prior, shape),
    "smoothed-l1": smoothed_l1,
}
POSITIVITY: dict[str | None, Constraint] = {
    None: lambda xp, z: z,
    "square": lambda xp, z: z**2,
    "exponential": lambda xp, z: xp.exp(z),
    "softplus": lambda xp, z: xp.log1p(xp.exp(z)),
}


def by_name(
    data: Array,
    psf: Array,
    mu: float = 0.2,
    *,
    fidelity: str,
    regularizer: str,
    boundary: str = "constant",
    positivity: str | None = None,
    bounds: tuple[float, float] | None = None,
    fidelity_options: dict[str, Any],
    regularizer_options: dict[str, Any],
    origin: Any = None,
) -> Definition:
    if fidelity == "l2-norm":
        squares = data_term("LeastSquares", data)
        misfit = lambda xp, y: xp.sqrt(squares(xp, y))  # noqa: E731
    else:
        misfit = data_term(FIDELITIES[fidelity], data, **fidelity_options)
    F = fitted(
        misfit, lambda shape: BY_NAME[regularizer](shape, **regularizer_options), data, psf, mu, boundary, origin
    )
    if bounds is not None:
        lower, upper = bounds
        return lambda xp, z: F(xp, lower + (upper - lower) / (1 + xp.exp(-z)))
    return lambda xp, z: F(xp, POSITIVITY[positivity](xp, z))


PROBLEMS: dict[str, Callable[..., Definition]] = {
    define.__name__: define
    for define in (
        article, norm_and_gradient_norm, least_squares_tikhonov, least_squares_total_variation, robust_total_variation,
        least_squares_hessian_schatten, poisson_total_variation, poisson_good_roughness, poisson_entropy,
        super_resolution, inpainting, blind, by_name,
    )
}  # fmt: skip
