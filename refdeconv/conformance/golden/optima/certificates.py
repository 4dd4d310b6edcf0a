"""Proofs that a minimiser is close: everything in interval arithmetic, from the numbers of a problem alone.

Imports nothing of the package but the definitions beside it. Derivation: derivations/conformance/golden/optima.md,
OPT.1, OPT.2, OPT.3
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from refdeconv.conformance.golden.optima.definitions import Definition, Group, Term
from refdeconv.conformance.golden.optima.functions import CHANGES, FUNCTIONS, Point, UnprovenError
from refdeconv.conformance.golden.optima.intervals import context, exact, lower, norm, upper

_BITS = 100  # of the factor whose square bounds the Hessian from below


@dataclass(frozen=True)
class Proof:
    """What was proven of a point x: all figures are rounded to the safe side.

    Attributes
    ----------
    value : tuple of Fraction
        Below and above F(x).
    gradient_norm : Fraction
        Not below the norm of the gradient at x.
    curvature : Fraction
        Not above any eigenvalue of the Hessian within the radius of x.
    distance : Fraction
        Not below the distance of x from the minimiser.
    gap : Fraction
        Not below F(x) less the minimum.
    """

    value: tuple[Fraction, Fraction]
    gradient_norm: Fraction
    curvature: Fraction
    distance: Fraction
    gap: Fraction


def by_strong_convexity(problem: Definition, x: Sequence[Fraction]) -> Proof:
    """The proof by a constant of strong convexity, which the problem has everywhere (OPT.1)."""
    if problem.strong_convexity <= 0:
        raise UnprovenError("nothing says that the problem is strongly convex: prove its curvature at the minimiser")
    iv = context()
    value, gradient, _ = expansion(iv, problem, x, with_hessian=False)
    return conclusion(value, upper(norm(iv, gradient)), problem.strong_convexity)


def by_curvature(problem: Definition, x: Sequence[Fraction], curvature: Fraction, radius: Fraction) -> Proof:
    """The proof by the curvature at x, less what it can change within a radius (OPT.2)."""
    iv = context()
    value, gradient, hessian = expansion(iv, problem, x)
    least = curvature - defect(iv, hessian, curvature) - radius * upper(change(iv, problem, x, radius))
    size = upper(norm(iv, gradient))
    require_inside(size, least, radius)
    return conclusion(value, size, least)


def require_inside(gradient_norm: Fraction, curvature: Fraction, radius: Fraction) -> None:
    """UnprovenError unless the curvature holds the minimiser within the radius (OPT.2)."""
    if curvature <= 0:
        raise UnprovenError(
            f"within the radius {float(radius):.1e} the curvature may be {float(curvature):.1e}: not positive"
        )
    if not gradient_norm < curvature * radius:
        raise UnprovenError(
            f"a gradient of norm {float(gradient_norm):.1e} is too large for a curvature of {float(curvature):.1e} "
            f"to hold the minimiser within {float(radius):.1e}"
        )


def conclusion(value: Any, gradient_norm: Fraction, curvature: Fraction) -> Proof:
    """Both bounds, from the gradient and the least curvature (OPT.1)."""
    gap = gradient_norm * gradient_norm / (2 * curvature)
    return Proof((lower(value), upper(value)), gradient_norm, curvature, gradient_norm / curvature, gap)


def expansion(
    iv: Any, problem: Definition, x: Sequence[Fraction], *, with_hessian: bool = True
) -> tuple[Any, Any, Any]:
    """Intervals of the value, the gradient and the Hessian's lower triangle at a point, by direct summation."""
    n, point = len(x), [exact(iv, pixel) for pixel in x]
    value, gradient = iv.mpf(0), [iv.mpf(0)] * n
    hessian = [[iv.mpf(0)] * (i + 1) for i in range(n)] if with_hessian else []
    for term in problem.terms:
        factor = _factor(iv, term)
        for group in term.groups:
            scale = factor * exact(iv, group.weight)
            rows = _rows(iv, group)
            at = FUNCTIONS[term.phi](iv, _residual(iv, rows, group, point), exact(iv, group.parameter))
            value += scale * at.value
            for row, slope in zip(rows, at.slope, strict=True):
                _add(gradient, row, scale * slope)
            if with_hessian:
                _add_curvature(iv, hessian, rows, at, scale)
    return value, gradient, hessian


def _factor(iv: Any, term: Term) -> Any:
    return exact(iv, term.factor) / (iv.sqrt(iv.mpf(2)) if term.over_root_two else 1)


def _rows(iv: Any, group: Group) -> list[dict[int, Any]]:
    return [{i: exact(iv, coefficient) for i, coefficient in row.items()} for row in group.rows]


def _residual(iv: Any, rows: Any, group: Group, point: Any) -> list[Any]:
    return [
        sum((coefficient * point[i] for i, coefficient in row.items()), iv.mpf(0)) - exact(iv, data)
        for row, data in zip(rows, group.data, strict=True)
    ]


def _add(vector: list[Any], row: dict[int, Any], scale: Any) -> None:
    for i, coefficient in row.items():
        vector[i] += scale * coefficient


def _add_curvature(iv: Any, hessian: Any, rows: Any, at: Point, scale: Any) -> None:
    """Add ``scale * rows^T (across I + along e e^T) rows``."""
    for row in rows:
        _add_square(hessian, row, scale * at.across)
    if at.e:
        pulled: dict[int, Any] = {}
        for row, e in zip(rows, at.e, strict=True):
            for i, coefficient in row.items():
                pulled[i] = pulled.get(i, iv.mpf(0)) + coefficient * e
        _add_square(hessian, pulled, scale * at.along)


def _add_square(hessian: Any, row: dict[int, Any], scale: Any) -> None:
    for i, left in row.items():
        scaled = scale * left
        for j, right in row.items():
            if j <= i:
                hessian[i][j] += scaled * right


def defect(iv: Any, hessian: Any, curvature: Fraction) -> Fraction:
    """A bound e for which ``hessian >= curvature - e``, as symmetric matrices (OPT.2).

    The Hessian less the curvature is compared with the square of a factor, which is no less than zero, whatever the
    factor: it is found by Cholesky's method in common arithmetic, and squared exactly.
    """
    factor = _cholesky(hessian, curvature)
    differences, m = [], exact(iv, curvature)
    for i, row in enumerate(hessian):
        for j, entry in enumerate(row):
            square = sum(a * b for a, b in zip(factor[i][: j + 1], factor[j], strict=True))
            difference = entry - exact(iv, Fraction(square, 1 << 2 * _BITS)) - (m if i == j else 0)
            differences += [difference] if i == j else [difference, difference]
    return upper(norm(iv, differences))


def _cholesky(hessian: Any, curvature: Fraction) -> list[list[int]]:
    """The lower factor of the middle of the Hessian less the curvature, in whole multiples of ``2**-_BITS``."""
    from mpmath import MPContext

    mp = MPContext()
    mp.prec = _BITS + 20
    shift = mp.mpf(curvature.numerator) / curvature.denominator
    factor: list[list[Any]] = []
    for i, row in enumerate(hessian):
        factor.append([])
        for j, entry in enumerate(row):
            rest = mp.mpf(entry.mid) - mp.fdot(zip(factor[i], factor[j][:j], strict=True)) - (shift if i == j else 0)
            if i == j and not rest > 0:
                raise UnprovenError(f"the curvature {float(curvature):.3e} is more than the Hessian's least eigenvalue")
            factor[i].append(mp.sqrt(rest) if i == j else rest / factor[j][j])
    return [[int(mp.nint(mp.ldexp(entry, _BITS))) for entry in row] for row in factor]


def change(iv: Any, problem: Definition, x: Sequence[Fraction], radius: Fraction) -> Any:
    """An interval whose upper end bounds the change of the Hessian per distance, in a ball around x (OPT.3)."""
    point = [exact(iv, pixel) for pixel in x]
    total = iv.mpf(0)
    for term in problem.terms:
        if term.phi == "square":
            continue
        factor = _factor(iv, term)
        for group in term.groups:
            rows = _rows(iv, group)
            size = norm(iv, [coefficient for row in rows for coefficient in row.values()])
            u, reach = _residual(iv, rows, group, point), size * exact(iv, radius)
            third = CHANGES[term.phi](iv, u, exact(iv, group.parameter), reach)
            total += factor * exact(iv, group.weight) * third * size * size * size
    return total
