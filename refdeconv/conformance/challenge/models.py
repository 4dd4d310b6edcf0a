"""What the right answers are, and the same formulas in pieces, of which each can be made wrong."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from refdeconv import problems, regularizers
from refdeconv._arrays import Array
from refdeconv.calculus import Functional, LinearOperator
from refdeconv.conformance.challenge.problem import Problem
from refdeconv.functionals import L2Norm, LeastSquares, Poisson, PseudoHuber
from refdeconv.operators import Convolution, Gradient

Answer = Callable[[str, Array, Array | None], Array]


def truth(problem: Problem) -> Answer:
    """What the package answers, in the precision of the point: function, point, direction -> answer."""
    operator = Gradient(problem.shape) if problem.base == "differences" else convolution(problem)
    objective = _objective(problem) if "data" in problem.arrays else None

    def answer(function: str, x: Array, v: Array | None) -> Array:
        if function == "hvp":
            assert objective is not None
            assert v is not None
            return objective.hvp(x, v)
        return np.asarray(getattr(operator if function in ("forward", "adjoint") else objective, function)(x))

    return answer


def convolution(problem: Problem, psf: Array | None = None, boundary: str = "", origin: Any = None) -> Convolution:
    """The problem's blur, or one that differs from it."""
    psf = problem.arrays["psf"] if psf is None else psf
    return Convolution(psf, problem.shape, boundary or problem.boundary, origin)


def _objective(problem: Problem) -> Functional:
    """The ready-made problem."""
    number, arrays = dict(problem.parameters), dict(problem.arrays)
    data, psf, mu = arrays.pop("data"), arrays.pop("psf"), number.pop("mu")
    make: dict[str, Callable[..., Functional]] = {
        "article": problems.norm_and_gradient_norm,
        "least-squares-tikhonov": problems.least_squares_tikhonov,
        "least-squares-total-variation": problems.least_squares_total_variation,
        "robust-total-variation": problems.robust_total_variation,
        "poisson-total-variation": problems.poisson_total_variation,
    }
    return make[problem.base](data, psf, mu, boundary=problem.boundary, **number, **arrays)


def size_of_terms(problem: Problem, function: str, x: Array, v: Array | None) -> float:
    """The sizes of all that the textbook's formula of a function adds and subtracts, together."""
    x = x.astype(np.float64)
    if function == "value":
        return _terms_of_value(problem, x)
    return _terms_of_product(problem, x, v.astype(np.float64)) if v is not None else 0.0


def _terms_of_value(problem: Problem, x: Array) -> float:
    number = problem.parameters
    terms = number["mu"] * number.get("epsilon", 0.0) * x.size
    if "delta" in number:
        terms += number["delta"] ** 2 * float(problem.arrays["weight"].sum())
    if problem.about.counts:
        data = problem.arrays["data"]
        u = convolution(problem).forward(x) + number["background"]
        logarithms = np.abs(np.log(np.where(data > 0, data, 1))) + np.abs(np.log(u))
        terms += float(np.sum(u + data * (1 + logarithms)))
    return terms


def _terms_of_product(problem: Problem, x: Array, v: Array) -> float:
    """The flat parts of a Hessian, of which the curvature of a root is subtracted."""
    K, terms = convolution(problem), 0.0
    fit, rest = flat_fidelity(problem), flat_regularizer(problem)
    if fit is not None:
        terms += float(np.linalg.norm(K.adjoint(fit(K.forward(x), K.forward(v)))))
    if rest is not None:
        terms += problem.parameters["mu"] * float(np.linalg.norm(rest(x, v)))
    return terms


@dataclass(frozen=True)
class Term:
    """A functional as three functions, of which each can be another's."""

    value: Callable[[Array], Any]
    gradient: Callable[[Array], Array]
    hvp: Callable[[Array, Array], Array]

    @classmethod
    def of(cls, functional: Functional, hvp: Callable[[Array, Array], Array] | None = None) -> Term:
        """That of a functional, with other Hessian products if they are given."""
        return cls(functional.value, functional.gradient, hvp or functional.hvp)


@dataclass(frozen=True)
class Pieces:
    """An objective ``fidelity(forward(x)) + mu * regularizer(x)``, or an operator alone."""

    forward: Callable[[Array], Array]
    adjoint: Callable[[Array], Array]
    fidelity: Term | None = None
    regularizer: Term | None = None
    mu: float = 1.0

    def __call__(self, function: str, x: Array, v: Array | None) -> Array:
        """What an implementation made of these pieces answers."""
        if function in ("forward", "adjoint"):
            return np.asarray(getattr(self, function)(x))
        fit, rest = self.terms(function, x, x, v)
        return np.asarray(fit + rest)

    def terms(self, function: str, x: Array, z: Array, v: Array | None) -> tuple[Any, Any]:
        """The data term at x and the regulariser at z, each as it enters the answer."""
        assert self.fidelity is not None
        assert self.regularizer is not None
        u = self.forward(x)
        if function == "value":
            return self.fidelity.value(u), self.mu * self.regularizer.value(z)
        if function == "gradient":
            return self.adjoint(self.fidelity.gradient(u)), self.mu * self.regularizer.gradient(z)
        assert v is not None
        return self.adjoint(self.fidelity.hvp(u, self.forward(v))), self.mu * self.regularizer.hvp(z, v)


def pieces(problem: Problem) -> Pieces:
    """The problem, in pieces."""
    if problem.base == "differences":
        return of_operator(Gradient(problem.shape))
    made = of_operator(convolution(problem))
    if "data" not in problem.arrays:
        return made
    return Pieces(
        made.forward,
        made.adjoint,
        Term.of(fidelity(problem)),
        Term.of(regularizer(problem)),
        problem.parameters["mu"],
    )


def of_operator(operator: LinearOperator) -> Pieces:
    """An operator alone."""
    return Pieces(operator.forward, operator.adjoint)


def fidelity(problem: Problem, **changes: Any) -> Functional:
    """The data term, with other data, weight, background or delta if they are given."""
    own: dict[str, Any] = dict(problem.arrays) | dict(problem.parameters) | changes
    data, weight = own["data"], own.get("weight")
    if problem.base == "article":
        return regularizers.ROOT_HALF * L2Norm(data)
    if problem.base == "robust-total-variation":
        return PseudoHuber(data, own["delta"], weight)
    if problem.about.counts:
        return Poisson(data, own["background"])
    return LeastSquares(data, weight)


def regularizer(problem: Problem, **changes: Any) -> Functional:
    """The regulariser, with another epsilon or boundary, or anisotropic, if that is given."""
    if problem.base == "article":
        return regularizers.gradient_norm(problem.shape, **changes)
    if problem.base == "least-squares-tikhonov":
        return regularizers.tikhonov(problem.shape, "gradient", **changes)
    epsilon = changes.pop("epsilon", problem.parameters["epsilon"])
    return regularizers.total_variation(problem.shape, epsilon, **changes)


def flat_fidelity(problem: Problem) -> Callable[[Array, Array], Array] | None:
    """Products with the Hessian of the data term without the curvature of what is inside, where it has any."""
    arrays, number = problem.arrays, problem.parameters
    if problem.base == "article":
        return lambda u, v: 0.5**0.5 * v / np.sqrt(np.sum((u - arrays["data"]) ** 2))
    if problem.base == "robust-total-variation":
        return lambda u, v: arrays["weight"] * v / np.sqrt(1 + ((u - arrays["data"]) / number["delta"]) ** 2)
    if problem.about.counts:
        return lambda u, v: v / (u + number["background"])
    return None


def flat_regularizer(problem: Problem) -> Callable[[Array, Array], Array] | None:
    """The same for the regulariser."""
    D = Gradient(problem.shape)
    if problem.base == "article":
        return lambda x, v: 0.5**0.5 * D.gram(v) / np.sqrt(np.sum(D.forward(x) ** 2))
    if "epsilon" in problem.parameters:
        square = problem.parameters["epsilon"] ** 2
        return lambda x, v: D.adjoint(D.forward(v) / np.sqrt(np.sum(D.forward(x) ** 2, axis=0) + square))
    return None
