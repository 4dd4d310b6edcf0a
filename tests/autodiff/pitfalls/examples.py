"""The examples: a function, a point, what is true there by definition, and what refdeconv gives."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import mpmath
import numpy as np

import refdeconv as rd
from tests.autodiff import Array

Quantity = Literal["value", "gradient", "hvp"]
Verdict = Literal["right", "wrong", "fails"]
NAMES = ("autograd", "jax", "torch", "tensorflow")
TOLERANCES = {np.dtype(np.float64): 1e-12, np.dtype(np.float32): 2e-6}


@dataclass(frozen=True)
class Example:
    """One function at one point; `found` is what the releases in pitfalls.md were found to give.

    The truth is the derivative of `definition` in mpmath, or what `by_definition` says: at a kink, the subgradient of
    least norm.
    """

    title: str
    function: str
    quantity: Quantity
    x: Array
    found: dict[str, Verdict]
    ours: Callable[[], rd.Functional]
    parameters: tuple[Any, ...] = ()
    definition: Callable[..., Any] | None = None
    by_definition: Array | None = None
    to_ours: Callable[[Array], Array] = lambda array: array
    from_ours: Callable[[Array], Array] = lambda array: array

    @property
    def v(self) -> Array:
        """The direction of the Hessian-vector product: 1, 2, 3, ...; for a matrix, a symmetric one."""
        v = np.arange(1.0, self.x.size + 1).reshape(self.x.shape)
        return ((v + v.T) / 2 if self.function == "eigenvalues" else v).astype(self.x.dtype)

    def refdeconv(self) -> Array:
        """What refdeconv gives."""
        functional, x, v = self.ours(), self.to_ours(self.x), self.to_ours(self.v)
        if self.quantity == "value":
            return np.asarray(functional.value(x))
        return self.from_ours(functional.gradient(x) if self.quantity == "gradient" else functional.hvp(x, v))

    def truth(self) -> Array:
        """To the precision of float64."""
        if self.by_definition is not None:
            return self.by_definition
        with mpmath.workdps(60):
            return np.array(self._differentiated(), dtype=float).reshape(
                () if self.quantity == "value" else self.x.shape
            )

    def _differentiated(self) -> Any:
        x, v = ([mpmath.mpf(float(each)) for each in array.ravel()] for array in (self.x, self.v))
        parameters = [
            [mpmath.mpf(float(each)) for each in p.ravel()] if isinstance(p, np.ndarray) else mpmath.mpf(float(p))
            for p in self.parameters
        ]
        definition = self.definition
        assert definition is not None
        if self.quantity == "value":
            return definition(x, *parameters)
        # A step far below the scale on which the function changes: mpmath's own choice is not relative to x.
        scale = min([abs(each) for each in x if each] or [mpmath.mpf(1)])
        along = v if self.quantity == "hvp" else [mpmath.mpf(0)] * len(x)

        def moved(i: int, s: Any, t: Any) -> Any:
            return definition(
                [xj + s * (i == j) + t * vj for j, (xj, vj) in enumerate(zip(x, along, strict=True))], *parameters
            )

        def derivative(i: int) -> Any:
            with mpmath.workdps(120):
                h = mpmath.mpf(10) ** -25 * min(scale, 1)
                if self.quantity == "gradient":
                    return (moved(i, h, 0) - moved(i, -h, 0)) / (2 * h)
                corners = sum(s * t * moved(i, s * h, t * h) for s in (1, -1) for t in (1, -1))
                return corners / (4 * h * h)

        return [derivative(i) for i in range(len(x))]


def judge(found: Array | None, truth: Array, dtype: Any) -> Verdict:
    """Right to a few roundings, wrong, or none at all."""
    if found is None or not np.isfinite(found).all():
        return "fails"
    return "right" if relative_error(found, truth) <= TOLERANCES[np.dtype(dtype)] else "wrong"


def relative_error(found: Array, truth: Array) -> float:
    """Of the largest entry; where the truth is zero, the error itself."""
    return float(np.abs(found - truth).max() / (np.abs(truth).max() or 1))


def say(*verdicts: Verdict) -> dict[str, Verdict]:
    """Of each framework, in the order of NAMES; what a library does not offer is not in it."""
    return {name: verdict for name, verdict in zip(NAMES, verdicts, strict=True) if verdict}


def root(x: Any) -> Any:
    return mpmath.sqrt(sum(each**2 for each in x))


def rounded(x: Any, epsilon: Any) -> Any:
    return sum(mpmath.sqrt(each**2 + epsilon**2) - epsilon for each in x)


def total_variation(x: Any, epsilon: Any) -> Any:
    """Of a 3 x 3 image."""
    image = [x[3 * row : 3 * row + 3] for row in range(3)]
    return sum(
        mpmath.sqrt((image[i + 1][j] - image[i][j]) ** 2 + (image[i][j + 1] - image[i][j]) ** 2 + epsilon**2) - epsilon
        for i in range(2)
        for j in range(2)
    )


def poisson(x: Any, d: Any) -> Any:
    return sum(u - each + (each * mpmath.log(each / u) if each else 0) for u, each in zip(x, d, strict=True))


def masked_poisson(x: Any, d: Any, mask: Any) -> Any:
    return sum(u - each * mpmath.log(u) for u, each, use in zip(x, d, mask, strict=True) if use)


def eigenvalues(x: Any, epsilon: Any) -> Any:
    """Of a symmetric 2 x 2 matrix, by their sum and product."""
    a, b, c, d = x
    mean, half = (a + d) / 2, mpmath.sqrt(((a - d) / 2) ** 2 + ((b + c) / 2) ** 2)
    return rounded([mean + half, mean - half], epsilon)


def triangle(matrix: Array) -> Array:
    """As SmoothedNuclearNorm takes it."""
    return np.array([matrix[0, 0], np.sqrt(2) * matrix[0, 1], matrix[1, 1]])


def matrix(packed: Array) -> Array:
    """And back."""
    return np.array([[packed[0], packed[1] / np.sqrt(2)], [packed[1] / np.sqrt(2), packed[2]]])


def corner_total_variation(epsilon: float) -> rd.Functional:
    """Over the pixels that have both differences, as the frameworks' version here."""
    weight = np.zeros((3, 3))
    weight[:2, :2] = 1
    return rd.SmoothedGroupNorm(epsilon, weight=weight) @ rd.Gradient((3, 3))


class SumOf(rd.Functional):
    """The sum of the entries: a linear functional, to differentiate a map through."""

    input_shape = None

    def __init__(self, weight: Array) -> None:
        self.weight = weight

    def at(self, u: Any) -> rd.Expansion:
        shape = np.shape(u)
        return rd.Expansion(
            lambda: np.sum(self.weight * u), lambda: self.weight * np.ones(shape), lambda: rd.Zero(shape, shape)
        )


def softplus_sum() -> rd.Functional:
    return SumOf(np.ones(5)) @ rd.Softplus(5)


def float32(*numbers: float) -> Array:
    return np.array(numbers, np.float32)


R, W, F = "right", "wrong", "fails"
ZERO, PAIR = np.zeros(3), np.array([3.0, 4.0])
FLAT = np.ones((3, 3))
TAILS = np.array([-800.0, -40.0, 0.0, 25.0, 800.0])
COUNTS, EXPECTED = np.array([0.0, 3.0, 5.0]), np.array([0.5, 2.0, 5.0])
DARK_COUNTS, DARK = np.array([2e-6, 5.0]), np.array([1e-6, 4.0])
NEAR_COUNTS, NEAR = float32(1000, 200), float32(1000) * np.array([1.0003, 0.2001], np.float32)
FAINT_COUNTS, FAINT = float32(1e-3, 5), float32(1e-20, 4)
MASK, MASKED = np.array([False, True]), np.array([0.0, 5.0])


def softplus_definition(x: Any) -> Any:
    return sum(mpmath.log1p(mpmath.exp(each)) for each in x)


EXAMPLES = (
    Example(
        "norm at zero residual, sqrt(sum(r**2))",
        "root of a sum",
        "gradient",
        ZERO,
        say(F, F, F, F),
        rd.L2Norm,
        by_definition=ZERO,
    ),
    Example(
        "norm at zero residual, sqrt(sum(r**2))",
        "root of a sum",
        "hvp",
        ZERO,
        say(F, F, F, F),
        rd.L2Norm,
        by_definition=ZERO,
    ),
    Example(
        "norm at zero residual, the library's norm",
        "norm",
        "gradient",
        ZERO,
        say(F, F, R, F),
        rd.L2Norm,
        by_definition=ZERO,
    ),
    Example(
        "norm of a residual of 1e-200, the library's norm",
        "norm",
        "gradient",
        1e-200 * PAIR,
        say(F, F, W, F),
        rd.L2Norm,
        definition=root,
    ),
    Example(
        "norm of a residual of 1e200, the library's norm",
        "norm",
        "gradient",
        1e200 * PAIR,
        say(W, W, W, W),
        rd.L2Norm,
        by_definition=PAIR / 5,
    ),
    Example(
        "norm of an ordinary residual, the library's norm",
        "norm",
        "hvp",
        PAIR,
        say(R, R, R, R),
        rd.L2Norm,
        definition=root,
    ),
    Example(
        "total variation on a flat region, epsilon 0 (refdeconv refuses 0; here 1e-300)",
        "total variation",
        "gradient",
        FLAT,
        say(F, F, F, F),
        lambda: corner_total_variation(1e-300),
        (0.0,),
        by_definition=0 * FLAT,
    ),
    Example(
        "total variation on a flat region, epsilon 1e-3",
        "total variation",
        "gradient",
        FLAT,
        say(R, R, R, R),
        lambda: corner_total_variation(1e-3),
        (1e-3,),
        definition=total_variation,
    ),
    Example(
        "total variation on a flat region, epsilon 1e-3",
        "total variation",
        "hvp",
        FLAT,
        say(R, R, R, R),
        lambda: corner_total_variation(1e-3),
        (1e-3,),
        definition=total_variation,
    ),
    Example(
        "smoothed absolute value in float32, epsilon 1e-25, whose square underflows",
        "absolute value",
        "gradient",
        float32(0, 1),
        say(F, F, F, F),
        lambda: rd.SmoothedL1(epsilon=1e-25),
        (np.float32(1e-25),),
        definition=rounded,
    ),
    Example(
        "smoothed absolute value in float32, small beside epsilon 1",
        "absolute value",
        "value",
        float32(1e-4, 0),
        say(W, W, W, W),
        lambda: rd.SmoothedL1(epsilon=1.0),
        (np.float32(1),),
        definition=rounded,
    ),
    Example(
        "Poisson, a count of zero, d * log(d / u)",
        "Poisson, d log(d / u)",
        "gradient",
        EXPECTED,
        say(F, F, F, F),
        lambda: rd.Poisson(COUNTS),
        (COUNTS,),
        definition=poisson,
    ),
    Example(
        "Poisson, a count of zero, xlogy(d, d / u)",
        "Poisson, xlogy",
        "gradient",
        EXPECTED,
        say("", F, F, R),
        lambda: rd.Poisson(COUNTS),
        (COUNTS,),
        definition=poisson,
    ),
    Example(
        "Poisson, dark pixel, the library's loss",
        "Poisson of the library",
        "gradient",
        DARK,
        say("", R, W, W),
        lambda: rd.Poisson(DARK_COUNTS),
        (DARK_COUNTS,),
        definition=poisson,
    ),
    Example(
        "Poisson in float32, u near d, d * log(d / u)",
        "Poisson, d log(d / u)",
        "value",
        NEAR,
        say(W, W, W, W),
        lambda: rd.Poisson(NEAR_COUNTS),
        (NEAR_COUNTS,),
        definition=poisson,
    ),
    Example(
        "Poisson in float32, u near d, d * log(d / u)",
        "Poisson, d log(d / u)",
        "gradient",
        NEAR,
        say(W, W, W, W),
        lambda: rd.Poisson(NEAR_COUNTS),
        (NEAR_COUNTS,),
        definition=poisson,
    ),
    Example(
        "Poisson in float32, u near d, the library's loss",
        "Poisson of the library",
        "gradient",
        NEAR,
        say("", W, W, W),
        lambda: rd.Poisson(NEAR_COUNTS),
        (NEAR_COUNTS,),
        definition=poisson,
    ),
    Example(
        "Poisson in float32, u near zero, d * log(d / u)",
        "Poisson, d log(d / u)",
        "gradient",
        FAINT,
        say(W, F, R, R),
        lambda: rd.Poisson(FAINT_COUNTS),
        (FAINT_COUNTS,),
        definition=poisson,
    ),
    Example(
        "Poisson in float32, u near zero, d * log(d / u)",
        "Poisson, d log(d / u)",
        "hvp",
        FAINT,
        say(F, F, F, F),
        lambda: rd.Poisson(FAINT_COUNTS),
        (FAINT_COUNTS,),
        definition=poisson,
    ),
    Example(
        "Poisson in float32, u near zero, d * log(u)",
        "Poisson, d log u",
        "hvp",
        FAINT,
        say(W, F, R, F),
        lambda: rd.Poisson(FAINT_COUNTS),
        (FAINT_COUNTS,),
        definition=poisson,
    ),
    Example(
        "Poisson, a masked pixel at u = 0, where(mask, ..., 0)",
        "Poisson, where",
        "gradient",
        MASKED,
        say(F, F, F, F),
        lambda: rd.Poisson(PAIR, weight=MASK.astype(float)),
        (PAIR, MASK),
        definition=masked_poisson,
    ),
    Example(
        "softplus (positivity), log(1 + exp(z))",
        "softplus",
        "gradient",
        TAILS,
        say(F, F, F, F),
        softplus_sum,
        definition=softplus_definition,
    ),
    Example(
        "softplus, the library's",
        "softplus of the library",
        "gradient",
        TAILS,
        say(R, R, W, R),
        softplus_sum,
        definition=softplus_definition,
    ),
    Example(
        "softplus at 25, the library's",
        "softplus of the library",
        "hvp",
        TAILS[3:4],
        say(W, W, W, W),
        lambda: SumOf(np.ones(1)) @ rd.Softplus(1),
        definition=softplus_definition,
    ),
    Example(
        "log cosh of a residual of 800",
        "log cosh",
        "gradient",
        np.array([1.0, 800.0]),
        say(F, F, F, F),
        rd.LogCosh,
        definition=lambda x: sum(mpmath.log(mpmath.cosh(each)) for each in x),
    ),
    Example(
        "log cosh of a residual of 20",
        "log cosh",
        "hvp",
        np.array([20.0]),
        say(W, W, W, W),
        rd.LogCosh,
        definition=lambda x: sum(mpmath.log(mpmath.cosh(each)) for each in x),
    ),
    Example(
        "smoothed nuclear norm of the Hessian, where that is zero",
        "eigenvalues",
        "hvp",
        np.zeros((2, 2)),
        say(W, F, F, W),
        lambda: rd.SmoothedNuclearNorm(0.5),
        (0.5,),
        eigenvalues,
        None,
        triangle,
        matrix,
    ),
    Example(
        "smoothed nuclear norm of the Hessian, equal eigenvalues",
        "eigenvalues",
        "hvp",
        np.diag([2.0, 2.0]),
        say(F, F, F, W),
        lambda: rd.SmoothedNuclearNorm(0.5),
        (0.5,),
        eigenvalues,
        None,
        triangle,
        matrix,
    ),
    Example(
        "linear functional",
        "linear",
        "hvp",
        PAIR,
        say(R, R, R, F),
        lambda: SumOf(np.array([1.0, 2.0])),
        (np.array([1.0, 2.0]),),
        by_definition=0 * PAIR,
    ),
)
