"""What is compared: an instance of refdeconv, the definition of the same, and a point.

Functionals, linear operators and maps are those of `tests.cases`, so that what is new there is compared, too. The
regularisers and the ready-made problems are drawn here, each with options away from its defaults.
"""

import functools
import math
import zlib
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

import refdeconv as rd
from refdeconv import problems, regularizers
from tests import cases
from tests.autodiff import Array
from tests.cases import SHAPES

from .composites import PROBLEMS, REGULARIZERS
from .functionals import FUNCTIONALS
from .operators import LINEAR, MAPS, definition
from .tables import Definition, Shape

Random = np.random.Generator
Arguments = tuple[tuple[Any, ...], dict[str, Any]]

# Public, but nothing to differentiate.
REASONS = {
    "Packing": "says where arrays stand in a vector; Block, BlockDiagonal and Parallel are the operators made of it",
    "PointwiseMap": "the base class of maps, abstract",
    "PositiveMap": "the base class of maps, abstract",
    "problems.FIDELITIES": "the names that by_name takes",
    "problems.POSITIVITY": "the names that by_name takes",
    "problems.REGULARIZERS": "the names that by_name takes",
    "problems.Model": "what by_name returns",
    "problems.Problem": "what article returns",
    "problems.astronaut": "an image",
}


class Subject(NamedTuple):
    """A model at a point; `kind` says of which derivatives there are."""

    model: str
    kind: str  # "functional", "linear" or "map"
    ours: Any
    define: Definition
    point: Array


def of_cases() -> Iterator[tuple[str, Callable[[Shape, Random], Subject]]]:
    """The cases whose names begin with that of a public class; the others are about the rules of composition."""
    for table, definitions, kind in (
        (cases.FUNCTIONALS, FUNCTIONALS, "functional"),
        (cases.LINEAR_OPERATORS, LINEAR, "linear"),
        (cases.MAPS, MAPS, "map"),
    ):
        public = {model.__name__ for model in definitions}
        for name, make in table.items():
            model = name.split()[0]
            if model in public and name not in LEFT_OUT:
                yield name, _maker(model, kind, make)


# They contain what is not a public model: a map of the tests, an operator made of a matrix.
LEFT_OUT = {"Affine @ m", "SmoothedNuclearNorm of 2 x 2 after A", "SmoothedNuclearNorm of 3 x 3 after A"}


def _maker(model: str, kind: str, make: Any) -> Callable[[Shape, Random], Subject]:
    def subject(shape: Shape, rng: Random) -> Subject:
        ours = make(shape, rng)
        like = shape if getattr(ours, "input_shape", None) is None else ours.input_shape
        return Subject(model, kind, ours, definition_of(ours), cases.point(make, like, rng))

    return subject


def definition_of(instance: Any) -> Definition:
    """The definition of a functional, of one after an operator, or of an operator."""
    if type(instance) in FUNCTIONALS:
        return FUNCTIONALS[type(instance)](instance)
    if isinstance(instance, rd.Functional):
        f, A = definition_of(instance.outer), definition(instance.inner)  # type: ignore[attr-defined]
        return lambda xp, x: f(xp, A(xp, x))
    return definition(instance)


# ---- Regularisers, with arguments that are drawn. ----


def spacing(shape: Shape, rng: Random) -> tuple[float, ...]:
    return tuple(map(float, rng.uniform(0.5, 2, len(shape))))


def of_differences(shape: Shape, rng: Random) -> dict[str, Any]:
    return {"spacing": spacing(shape, rng), "boundary": str(rng.choice(["free", "constant", "wrap"]))}


def variation(size: str, length: float) -> Callable[[Shape, Random], Arguments]:
    """Lengths of gradients, with or without channels."""

    def draw(shape: Shape, rng: Random) -> Arguments:
        options = of_differences(shape, rng) | {size: length, "isotropic": bool(rng.random() < 0.5)}
        if len(shape) > 1 and rng.random() < 0.5:
            options |= {"channel_axis": int(rng.integers(-len(shape), len(shape)))}
            options["spacing"] = options["spacing"][1:]
        return (shape,), options

    return draw


def tikhonov(shape: Shape, rng: Random) -> Arguments:
    of = str(rng.choice(["identity", "gradient", "laplacian"]))
    beyond = {
        "identity": [None],
        "gradient": ["free", "constant", "wrap"],
        "laplacian": ["reflect", "constant", "wrap"],
    }
    return (shape, of), {"spacing": spacing(shape, rng), "boundary": rng.choice(np.array(beyond[of], object))}


def second_order(shape: Shape, rng: Random) -> Arguments:
    return (shape, 0.4), {
        "spacing": spacing(shape, rng),
        "boundary": str(rng.choice(["free", "reflect", "constant", "wrap"])),
    }


def nuclear(shape: Shape, rng: Random) -> Arguments:
    """On three axes, only where no matrix is zero by the boundary: see `composites.hessian_schatten`."""
    arguments, options = second_order(shape, rng)
    return arguments, options | ({"boundary": "wrap"} if len(shape) == 3 else {})


DRAWN_REGULARIZERS: dict[str, Callable[[Shape, Random], Arguments]] = {
    "tikhonov": tikhonov,
    "gradient_norm": lambda shape, rng: ((shape,), of_differences(shape, rng)),
    "total_variation": variation("epsilon", 0.4),
    "huber_total_variation": variation("delta", 2.0),
    "hessian_norm": second_order,
    "hessian_schatten": nuclear,
    "good_roughness": lambda shape, rng: ((shape,), of_differences(shape, rng)),
    "entropy": lambda shape, rng: ((rng.uniform(0.3, 3, shape),), {}),
    "smoothed_l1": lambda shape, rng: ((shape, 0.4), {}),
}

# ---- Ready-made problems. ----

BOUNDARIES = ["constant", "wrap", "reflect", "mirror", "nearest", "valid"]


def observed(shape: Shape, rng: Random, **options: Any) -> Arguments:
    """Positive data and PSF, so that a positive image has a positive blur, and any boundary and origin."""
    sizes = tuple(int(rng.integers(1, n + 2)) for n in shape)
    boundary = str(rng.choice(BOUNDARIES))
    origin = tuple(int(rng.integers(k)) for k in sizes)
    arguments = rng.uniform(1, 5, shape), rng.uniform(0.1, 1, sizes), float(rng.uniform(0.05, 2))
    return arguments, {"boundary": boundary, "origin": origin} | options


def weighted(**options: Any) -> Callable[[Shape, Random], Arguments]:
    return lambda shape, rng: observed(shape, rng, weight=rng.uniform(0.2, 2, shape), **options)


def keeping_shape(arguments: Arguments) -> Arguments:
    """Without the boundary 'valid', which these do not have."""
    options = arguments[1]
    return arguments[0], options | ({"boundary": "reflect"} if options["boundary"] == "valid" else {})


def super_resolution(shape: Shape, rng: Random) -> Arguments:
    coarse = tuple(-(-n // 2) for n in shape)
    return keeping_shape(observed(coarse, rng, factor=2, epsilon=0.4))


def inpainting(shape: Shape, rng: Random) -> Arguments:
    mask = rng.random(shape) < 0.7
    mask[(0,) * len(shape)] = True
    return observed(shape, rng, mask=mask, epsilon=0.4)


def blind(shape: Shape, rng: Random) -> Arguments:
    (data, psf, mu), options = keeping_shape(observed(shape, rng, epsilon=0.4))
    return (data, psf.shape, mu), options


FIDELITY_OPTIONS: dict[str, dict[str, float]] = {
    "l2-norm": {},
    "least-squares": {},
    "poisson": {"background": 0.5},
    "poisson-gaussian": {"gain": 1.3, "read_noise": 0.7},
    "anscombe": {"read_noise": 0.4},
    "pseudo-huber": {"delta": 0.8},
    "huber": {"delta": 0.8},
    "log-cosh": {"delta": 0.8},
    "smoothed-l1": {"epsilon": 0.6},
    "cauchy": {"scale": 0.8},
    "student-t": {"scale": 0.8, "degrees": 3.0},
}
REGULARIZER_OPTIONS: dict[str, dict[str, float]] = {
    "gradient-norm": {},
    "tikhonov": {},
    "tikhonov-gradient": {},
    "tikhonov-laplacian": {},
    "total-variation": {"epsilon": 0.4},
    "anisotropic-total-variation": {"epsilon": 0.4},
    "huber-total-variation": {"delta": 0.4},
    "hessian-norm": {"epsilon": 0.4},
    "hessian-schatten": {"epsilon": 0.4},
    "good-roughness": {},
    "entropy": {"prior": 1.5},
    "smoothed-l1": {"epsilon": 0.4},
}


def by_name(shape: Shape, rng: Random) -> Arguments:
    """Any data term, regulariser, boundary and constraint."""
    fidelity = str(rng.choice(list(problems.FIDELITIES)))
    names = [name for name in problems.REGULARIZERS if (name, len(shape)) != ("hessian-schatten", 3)]
    regularizer = str(rng.choice(names))
    constraint: dict[str, Any] = {"positivity": str(rng.choice(list(problems.POSITIVITY)))}
    if rng.random() < 0.3:
        constraint = {"bounds": (0.1, 4.0)}
    return observed(
        shape,
        rng,
        fidelity=fidelity,
        regularizer=regularizer,
        fidelity_options=FIDELITY_OPTIONS[fidelity],
        regularizer_options=REGULARIZER_OPTIONS[regularizer],
        **constraint,
    )


def article(shape: Shape, rng: Random) -> Arguments:
    (image, psf, mu), _ = observed(shape, rng)
    return (image, psf / psf.sum(), mu), {}


def on_planes(draw: Callable[[Shape, Random], Arguments]) -> Callable[[Shape, Random], Arguments]:
    """A volume's last plane instead of the volume; see `composites.hessian_schatten`."""
    return lambda shape, rng: draw(shape if len(shape) < 3 else shape[1:], rng)


DRAWN_PROBLEMS: dict[str, Callable[[Shape, Random], Arguments]] = {
    "article": article,
    "norm_and_gradient_norm": observed,
    "least_squares_tikhonov": lambda shape, rng: weighted(of=str(rng.choice(["identity", "gradient", "laplacian"])))(
        shape, rng
    ),
    "least_squares_total_variation": weighted(epsilon=0.4),
    "robust_total_variation": weighted(delta=0.8, epsilon=0.4),
    "least_squares_hessian_schatten": on_planes(weighted(epsilon=0.4)),
    "poisson_total_variation": weighted(background=0.5, epsilon=0.4),
    "poisson_good_roughness": weighted(background=0.5),
    "poisson_entropy": weighted(background=0.5, prior=1.7),
    "super_resolution": super_resolution,
    "inpainting": inpainting,
    "blind": blind,
    "by_name": by_name,
}


def of_composites() -> Iterator[tuple[str, Callable[[Shape, Random], Subject]]]:
    for module, definitions, draws in (
        (regularizers, REGULARIZERS, DRAWN_REGULARIZERS),
        (problems, PROBLEMS, DRAWN_PROBLEMS),
    ):
        for name, draw in draws.items():
            model = f"{module.__name__.removeprefix('refdeconv.')}.{name}"
            yield model, _composite(model, getattr(module, name), definitions[name], draw)


def _composite(
    model: str,
    function: Callable[..., Any],
    define: Callable[..., Definition],
    draw: Callable[[Shape, Random], Arguments],
) -> Callable[[Shape, Random], Subject]:
    def subject(shape: Shape, rng: Random) -> Subject:
        arguments, options = draw(shape, rng)
        made = function(*arguments, **options)
        ours = getattr(made, "objective", made)
        like = shape if ours.input_shape is None else ours.input_shape
        point = rng.uniform(0.5, 3, like)
        return Subject(model, "functional", ours, define(*arguments, **options), point)

    return subject


MAKERS = dict(of_cases()) | dict(of_composites())

# The relative error of a single number is that of its cancellation, on both sides; single pixels have tests elsewhere.
MANY_PIXELS = [shape for shape in SHAPES if math.prod(shape) >= 7]


class Draws:
    """Random numbers of which the whole ones, which are sizes, repeat: JAX compiles anew for every shape."""

    def __init__(self, *seed: int, geometry: int) -> None:
        self._values, self._sizes = np.random.default_rng(seed), np.random.default_rng([*seed[:-1], geometry])

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sizes if name == "integers" else self._values, name)


def draws(name: str, shape: Shape, seed: int, geometries: int | None = None) -> Any:
    """The generator of a case's numbers; with `geometries`, of only so many sizes per shape."""
    geometry = seed % geometries if geometries else seed
    return Draws(zlib.crc32(name.encode()), MANY_PIXELS.index(shape), seed, geometry=geometry)


@functools.cache
def models() -> dict[str, list[str]]:
    """The cases of each model."""
    rng = np.random.default_rng(0)
    of: dict[str, list[str]] = {}
    for name, make in MAKERS.items():
        of.setdefault(make(MANY_PIXELS[-1], rng).model, []).append(name)
    return of
