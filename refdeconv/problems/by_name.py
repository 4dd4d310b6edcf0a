"""Objectives put together by name: data term, regulariser, boundary and constraint."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from refdeconv import functionals, regularizers
from refdeconv._arrays import Array, Shape, choice, real_array, real_number
from refdeconv.calculus import Functional
from refdeconv.operators import Convolution, Exponential, Sigmoid, Softplus, Square
from refdeconv.problems.ready_made import Origin, blur, typical_smoothing


def _l2_norm(data: ArrayLike) -> Functional:
    return regularizers.ROOT_HALF * functionals.L2Norm(data)


FIDELITIES: Mapping[str, Callable[..., Functional]] = {
    "l2-norm": _l2_norm,
    "least-squares": functionals.LeastSquares,
    "poisson": functionals.Poisson,
    "poisson-gaussian": functionals.PoissonGaussian,
    "anscombe": functionals.Anscombe,
    "pseudo-huber": functionals.PseudoHuber,
    "huber": functionals.Huber,
    "log-cosh": functionals.LogCosh,
    "smoothed-l1": functionals.SmoothedL1,
    "cauchy": functionals.Cauchy,
    "student-t": functionals.StudentT,
}

REGULARIZERS: Mapping[str, Callable[..., Functional]] = {
    "gradient-norm": regularizers.gradient_norm,
    "tikhonov": regularizers.tikhonov,
    "tikhonov-gradient": partial(regularizers.tikhonov, of="gradient"),
    "tikhonov-laplacian": partial(regularizers.tikhonov, of="laplacian"),
    "total-variation": regularizers.total_variation,
    "anisotropic-total-variation": partial(regularizers.total_variation, isotropic=False),
    "huber-total-variation": regularizers.huber_total_variation,
    "hessian-norm": regularizers.hessian_norm,
    "hessian-schatten": regularizers.hessian_schatten,
    "good-roughness": regularizers.good_roughness,
    "entropy": regularizers.entropy,
    "smoothed-l1": regularizers.smoothed_l1,
}

POSITIVITY: Mapping[str, Callable[[Shape], Square | Exponential | Softplus]] = {
    "square": Square,
    "exponential": Exponential,
    "softplus": Softplus,
}
NEED_POSITIVE = ("good-roughness", "entropy")
_FLOOR = 1e-3  # of the image's mean: what a start is raised to, where the map cannot reach or leave zero
_MARGIN = 1e-2  # of the distance of the bounds: how far from them a start stays


@dataclass(frozen=True, eq=False)
class Model:
    """A deconvolution problem in the variables in which it is solved.

    Attributes
    ----------
    objective : Functional
        What is minimised, a functional of the variables z.
    blur : Convolution
        From the unknown image to the data.
    constraint : Operator or None
        The map from z to the image, where the image is constrained; without it z is the image.

    Notes
    -----
    Derivation: derivations/problems/ready_made.md, RDY.5
    """

    objective: Functional
    blur: Convolution
    constraint: Square | Exponential | Softplus | Sigmoid | None

    def image(self, z: Array) -> Array:
        """The image that the variables z stand for."""
        return z if self.constraint is None else self.constraint.forward(z)

    def variables(self, image: Array) -> Array:
        """The variables that stand for an image, which is first brought into the range of the constraint."""
        if self.constraint is None:
            return image
        if isinstance(self.constraint, Sigmoid):
            return self.constraint.inverse(image, margin=_MARGIN)
        brightness = float(np.mean(np.maximum(image, 0)))
        return self.constraint.inverse(image, floor=_FLOOR * brightness if brightness > 0 else 1.0)

    def seen(self, image: Array) -> Array:
        """The part of the unknown image that lies under the data: all of it, unless the boundary is 'valid'."""
        return image[self.blur.inside]

    def unseen(self, image: Array) -> Array:
        """An image of the data's shape, continued to the unknown image's by its edge pixels."""
        unknown = self.blur.input_shape
        if image.shape == unknown:
            return image
        around = [(part.start, n - part.stop) for part, n in zip(self.blur.inside, unknown, strict=True)]
        return np.pad(image, around, mode="edge")


def by_name(
    data: ArrayLike,
    psf: ArrayLike,
    mu: float = 0.2,
    *,
    fidelity: str | Functional = "l2-norm",
    regularizer: str | Functional = "gradient-norm",
    boundary: str = "constant",
    positivity: str | None = None,
    bounds: Sequence[ArrayLike] | None = None,
    fidelity_options: Mapping[str, Any] | None = None,
    regularizer_options: Mapping[str, Any] | None = None,
    origin: Origin = None,
    workers: int | None = None,
) -> Model:
    """The objective ``fidelity(K x) + mu * regularizer(x)``, each part by its name, for images x or constrained ones.

    Parameters
    ----------
    data : array_like
        The blurred image.
    psf : array_like
        The point spread function, with as many axes.
    mu : float
        Weight of the regulariser, > 0; what it means depends on the two parts.
    fidelity : str or Functional
        'l2-norm' (the article's), 'least-squares', 'poisson', 'poisson-gaussian', 'anscombe', 'pseudo-huber', 'huber',
        'log-cosh', 'smoothed-l1', 'cauchy', 'student-t'; or a functional of arrays of the data's shape.
    regularizer : str or Functional
        'gradient-norm' (the article's), 'tikhonov', 'tikhonov-gradient', 'tikhonov-laplacian', 'total-variation',
        'anisotropic-total-variation', 'huber-total-variation', 'hessian-norm', 'hessian-schatten', 'good-roughness',
        'entropy', 'smoothed-l1'; or a functional of images.
    boundary, origin, workers
        As in `Convolution`. With 'valid' the unknown image is larger than the data.
    positivity : {'square', 'exponential', 'softplus'}, optional
        Images are kept positive by solving for z with ``x = z**2``, ``exp(z)`` or ``log(1 + exp(z))``.
    bounds : pair of float or array_like, optional
        Images are kept between the two by a sigmoid; not together with `positivity`.
    fidelity_options, regularizer_options : mapping, optional
        Further parameters of the two, by name: ``{"background": 4.0}``, ``{"epsilon": 1e-2, "spacing": (2, 1, 1)}``.
        By default, an epsilon, delta or scale is a hundredth of the data's range, and the prior of 'entropy' the data's
        mean; pixels of weight zero do not count.

    Returns
    -------
    Model

    Raises
    ------
    TypeError, ValueError
        If an argument is not as described, or a name is unknown (a near match is suggested).

    Notes
    -----
    Derivation: derivations/problems/ready_made.md, RDY.5
    """
    data = real_array(data, "data")
    mu = real_number(mu, "mu", minimum=0, exclusive=True)
    K = blur(data, psf, boundary, origin, workers)
    measured = without_masked(data, fidelity_options)
    if regularizer in NEED_POSITIVE and positivity is None and bounds is None and measured.min() <= 0:
        raise ValueError(
            f"regularizer {regularizer!r} is for positive images, and the data have values <= 0: give "
            "positivity='square', or bounds"
        )
    misfit = _fidelity(fidelity, data, measured, fidelity_options)
    smoothness = _regularizer(regularizer, measured, K.input_shape, regularizer_options)
    objective = misfit @ K + mu * smoothness
    constraint = _constraint(K.input_shape, positivity, bounds)
    return Model(objective if constraint is None else objective @ constraint, K, constraint)


def without_masked(data: Array, fidelity_options: Mapping[str, Any] | None) -> Array:
    """The data with the mean of the others at pixels of weight zero, so that what stands there matters to nothing."""
    weight = fidelity_options.get("weight") if isinstance(fidelity_options, Mapping) else None
    if weight is None or np.shape(weight) != data.shape:
        return data
    hidden = np.asarray(weight) == 0
    return np.where(hidden, data[~hidden].mean(), data) if hidden.any() and not hidden.all() else data


def _fidelity(
    fidelity: str | Functional, data: Array, measured: Array, options: Mapping[str, Any] | None
) -> Functional:
    if not isinstance(fidelity, str):
        return _given(fidelity, "fidelity", data.shape, options)
    make = FIDELITIES[choice(fidelity, "fidelity", list(FIDELITIES))]
    checked = _checked(options, "fidelity_options", make, leave_out="data")
    return make(data, **_scaled(checked, make, measured))


def _scaled(options: dict[str, Any], make: Callable[..., Functional], data: Array) -> dict[str, Any]:
    """The options with the sizes that part small from large, where they were not given, in the units of the data."""
    for size in {"epsilon", "delta", "scale"} & set(inspect.signature(make).parameters):
        options.setdefault(size, typical_smoothing(data))
    return options


def _regularizer(
    regularizer: str | Functional, data: Array, shape: Shape, options: Mapping[str, Any] | None
) -> Functional:
    if not isinstance(regularizer, str):
        return _given(regularizer, "regularizer", shape, options)
    name = choice(regularizer, "regularizer", list(REGULARIZERS))
    make = REGULARIZERS[name]
    checked = _checked(options, "regularizer_options", make, leave_out="shape")
    _scaled(checked, make, data)
    if name == "entropy" and "prior" not in checked:
        checked["prior"] = data.mean()
    return make(shape=shape, **checked)


def _given(functional: Any, name: str, shape: Shape, options: Mapping[str, Any] | None) -> Functional:
    if not isinstance(functional, Functional):
        raise TypeError(f"{name} must be a name or a refdeconv Functional, got {type(functional).__name__}")
    if options:
        raise ValueError(f"{name}_options go with the name of a {name}, not with a Functional, which has its own")
    if functional.input_shape not in (None, shape):
        raise ValueError(f"{name} takes arrays of shape {functional.input_shape}, here they have shape {shape}")
    return functional


def _checked(
    options: Mapping[str, Any] | None, name: str, make: Callable[..., Functional], leave_out: str
) -> dict[str, Any]:
    if options is not None and not isinstance(options, Mapping):
        raise TypeError(f"{name} must map names to values, got {type(options).__name__}")
    fixed = set(make.keywords) if isinstance(make, partial) else set()
    allowed = [parameter for parameter in inspect.signature(make).parameters if parameter not in {leave_out, *fixed}]
    for option in options or {}:
        if not allowed:
            raise ValueError(f"{name}: {option!r} has no meaning here; this one has no options ('least-squares' has)")
        choice(option, f"option in {name}", allowed)
    return dict(options or {})


def _constraint(
    shape: Shape, positivity: str | None, bounds: Sequence[ArrayLike] | None
) -> Square | Exponential | Softplus | Sigmoid | None:
    if positivity is not None and bounds is not None:
        raise ValueError("positivity and bounds exclude each other: bounds=(0, highest) does both")
    if bounds is not None:
        if not isinstance(bounds, Sequence | np.ndarray) or isinstance(bounds, str) or len(bounds) != 2:
            raise ValueError(f"bounds needs two values, the lower and the upper, got {bounds!r}")
        try:
            return Sigmoid(shape, *bounds)
        except (TypeError, ValueError) as error:
            raise type(error)(f"bounds: {error}") from None
    if positivity is None:
        return None
    return POSITIVITY[choice(positivity, "positivity", list(POSITIVITY))](shape)
