"""Minimise a functional with one of scipy's optimisers."""

from __future__ import annotations

import inspect
import math
from functools import partial
from typing import Any

import numpy as np
import scipy.optimize
from numpy.typing import ArrayLike
from scipy.optimize import OptimizeResult

from refdeconv._arrays import Array, choice, inner, norm, real_array, real_number, whole_number
from refdeconv.calculus import Functional, OutsideDomain
from refdeconv.solve import primal_dual
from refdeconv.solve.evaluations import Callback, Evaluations, Iterate, Stopped
from refdeconv.solve.kinks import bound_at_kink
from refdeconv.solve.outcome import Reached, describe

_TRUST_OPTIONS = ("gtol", "initial_trust_radius", "max_trust_radius", "eta", "maxiter")
METHODS = {
    "Newton-CG": ("xtol", "maxiter", "c1", "c2"),
    "trust-ncg": _TRUST_OPTIONS,
    "trust-krylov": (*_TRUST_OPTIONS, "inexact"),
    "L-BFGS-B": ("ftol", "gtol", "maxiter", "maxfun", "maxcor", "maxls"),
    "CG": ("gtol", "norm", "maxiter", "c1", "c2"),
}
PRIMAL_DUAL = "primal-dual"
KNOWN = {**METHODS, PRIMAL_DUAL: primal_dual.OPTIONS}  # and the package's own
STOPPED = 99  # the status of a result that a limit, a callback or Ctrl-C ended
SECOND_ORDER = ("Newton-CG", "trust-ncg", "trust-krylov")
_COMPILED = ("trust-krylov", "L-BFGS-B")  # their inner loops are in C, and know float64 alone
_XTOL = 1e-5  # scipy's own default for Newton-CG
_MAXITER = {True: 1000, False: 15000}  # scipy's own default, 200 iterations a pixel, is as good as none


def minimize(
    objective: Functional,
    x0: ArrayLike,
    method: str = "Newton-CG",
    *,
    callback: Callback | None = None,
    scale: float | None = None,
    max_seconds: float | None = None,
    max_cg_iterations: int = 1000,
    preconditioner: str | None = "cosine",
    **options: Any,
) -> OptimizeResult:
    """Minimise a functional, by default with scipy's Newton-CG and exact Hessian-vector products.

    Parameters
    ----------
    objective : Functional
        What is minimised.
    x0 : array_like
        The start, in the shape that the objective takes; its dtype (float32, float64, longdouble) is that of every
        evaluation and of the result; scipy's own sums are in float64 at least.
    method : {'Newton-CG', 'trust-ncg', 'trust-krylov', 'L-BFGS-B', 'CG', 'primal-dual'}
        One of scipy.optimize.minimize's methods, of which the first three use Hessian products; or the package's own,
        for smoothed total variation (a term `SmoothedGroupNorm` of a linear operator): several times faster there.
    callback : callable, optional
        Called after each iteration as ``callback(x)`` with the iterate in the image's shape, or, if its one parameter
        has that name, as ``callback(intermediate_result)`` with an `OptimizeResult` that has `x`, `fun`, `nit`,
        `value`, `gradient_norm`, `hessian_products` and `seconds`. It may raise StopIteration to end the solve.
    scale : float, optional
        Typical size of the values of x, > 0. If given, scipy works in units of it, and of the gradient at `x0`: its
        tolerances, which are absolute, then mean the same for an image between 0 and 1 and one between 0 and 65535.
    max_seconds : float, optional
        End the solve after this time, with the best iterate so far. Default: no limit.
    max_cg_iterations : int
        Hessian products that one iteration may take, >= 1. scipy's own limit is 20 a pixel, which on an ill-conditioned
        problem means for ever. Newton-CG then steps along the direction found so far; the trust-region methods stop.
    preconditioner : {'cosine', None}
        Newton-CG that has taken 20 Hessian products goes on in other variables, in which the Hessian is closer to the
        identity: its diagonal in the cosine basis is estimated there, once, and used if a trial product says that it
        helps. That makes many solves two to ten times shorter. None: scipy's own course to the end.
    **options
        scipy's options of the method, such as ``xtol`` (Newton-CG: mean absolute change per pixel, default 1e-5),
        ``gtol`` and ``maxiter`` (default 1000, for L-BFGS-B and CG 15000).

    Returns
    -------
    OptimizeResult
        With ``x`` and ``jac`` (the gradient) in the image's shape, ``fun``, ``success``, ``status``, ``message``,
        ``nit``, and, counted where they are computed, ``nfev``, ``njev``, ``nhev`` (values, gradients, Hessian
        products); besides ``gradient_norm``, ``relative_gradient_norm`` (to the start's), ``seconds``, ``method``,
        ``interrupted``, and ``history``: a list of ``(value, gradient_norm, hessian_products)``, the first at the
        start, then one an iteration.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as described, the method or an option is unknown (a near match is suggested), or the
        objective is not finite at `x0`.

    Notes
    -----
    ``success`` is not scipy's flag: it also needs a gradient that has fallen to 5e-3 of the start's, or that is as
    small beside those of the objective's terms; and a stop at the floor of the floating-point precision counts as
    success. The message says which. Ctrl-C ends the solve with the best iterate so far, ``interrupted=True``. Where
    Newton-CG cannot leave the start, because it is at a kink, up to three steps of nonlinear CG lead away from it.

    Derivation: derivations/solve.md, SOL.1, SOL.2, SOL.3, SOL.5, SOL.6, SOL.7
    """
    if not isinstance(objective, Functional):
        raise TypeError(f"objective must be a refdeconv Functional, got {type(objective).__name__}")
    start = real_array(x0, "x0", shape=objective.input_shape)
    method = choice({name.lower(): name for name in KNOWN}.get(str(method).lower(), method), "method", list(KNOWN))
    options = _checked_options(method, options)
    if method == PRIMAL_DUAL and not primal_dual.split(objective)[0]:
        raise ValueError(
            "method 'primal-dual' needs a term SmoothedGroupNorm @ A of the objective, with a linear A, as in total "
            "variation without a constraint"
        )
    if callback is not None and not callable(callback):
        raise TypeError(f"callback must be callable, got {callback!r}")
    if scale is not None:
        scale = real_number(scale, "scale", minimum=0, exclusive=True)
    if max_seconds is not None:
        max_seconds = real_number(max_seconds, "max_seconds", minimum=0)
    if preconditioner is not None:
        choice(preconditioner, "preconditioner", ["cosine"])
    if whole_number(max_cg_iterations, "max_cg_iterations") < 1:
        raise ValueError(f"max_cg_iterations must be >= 1, got {max_cg_iterations}")

    evaluations = Evaluations(
        objective,
        start.shape,
        start.dtype,
        callback=callback,
        wants_result=callback is not None and parameter_names(callback) == ["intermediate_result"],
        max_seconds=max_seconds,
        max_cg_iterations=max_cg_iterations,
        truncate_cg=method == "Newton-CG",
        change_before=options["maxiter"] if method == "Newton-CG" and preconditioner is not None else 0,
    )
    # scipy's own arithmetic is in float64 at least: in float32 its line search overflows.
    keeps_longdouble = start.dtype == np.longdouble and method not in _COMPILED
    precision = np.dtype(np.longdouble if keeps_longdouble else np.float64)
    found, stopped = _run(evaluations, start, precision, scale, method, options)
    has_scale, flat = scale is not None, start.reshape(-1)
    try:
        return _result(evaluations, flat, method, max_cg_iterations, has_scale, found, stopped)
    except KeyboardInterrupt:
        return _result(evaluations, flat, method, max_cg_iterations, has_scale, None, "interrupted")


def _run(
    evaluations: Evaluations,
    start: Array,
    precision: np.dtype[Any],
    scale: float | None,
    method: str,
    options: dict[str, Any],
) -> tuple[OptimizeResult | None, str | None]:
    """The result of scipy, or why there is none."""
    try:
        _check_start(evaluations, start.reshape(-1).astype(precision))
        if evaluations.history[0].gradient_norm == 0:
            return None, None
        if method == PRIMAL_DUAL:  # which needs no units but for its one tolerance
            change = options.get("xtol", _XTOL) * (scale or 1.0)
            return primal_dual.primal_dual_newton(
                evaluations, evaluations.last.flat, change, options["maxiter"], evaluations.max_cg
            ), None
        # No vector has a name here: it would stay for as long as the solve takes.
        solve = _newton_cg if method == "Newton-CG" else partial(_scipy_minimize, method=method)
        if scale is None:
            return solve(evaluations, evaluations.last.flat.copy(), options=options), None
        return solve(evaluations, evaluations.set_units(scale), options=options), None
    except Stopped as stop:
        return None, stop.reason
    except KeyboardInterrupt:
        return None, "interrupted"


def _newton_cg(evaluations: Evaluations, flat: Array, options: dict[str, Any]) -> OptimizeResult:
    """Newton-CG, first in the variables it is given, then in those that its preconditioner makes."""
    try:
        return _newton_cg_from_anywhere(evaluations, flat, options)
    except Stopped as stop:
        if stop.reason != "change":
            raise
    options = {**options, "maxiter": options["maxiter"] - evaluations.iterations}
    flat = evaluations.change_variables(options.pop("xtol", _XTOL))
    try:
        return _newton_cg_from_anywhere(evaluations, flat, {**options, "xtol": 0})
    except Stopped as stop:
        if stop.reason != "converged":
            raise
    return OptimizeResult(
        x=evaluations.last.flat, success=True, message="Optimization terminated successfully.", status=0
    )


def _newton_cg_from_anywhere(evaluations: Evaluations, flat: Array, options: dict[str, Any]) -> OptimizeResult:
    found = _scipy_minimize(evaluations, flat, "Newton-CG", options)
    if np.array_equal(found.x, flat) and options["maxiter"] > 1:
        # A start at a kink, such as a constant image, has no curvature for Newton's method, and where a map flattens
        # out there is next to none: the line search finds no step. Nonlinear CG needs none, and leads away from there.
        away = _scipy_minimize(evaluations, flat, "CG", {"maxiter": 3})
        if away.nit > 0 and away.fun < found.fun:
            left = {**options, "maxiter": max(1, options["maxiter"] - away.nit)}
            return _scipy_minimize(evaluations, np.asarray(away.x), "Newton-CG", left)
    return found


def _scipy_minimize(evaluations: Evaluations, flat: Array, method: str, options: dict[str, Any]) -> OptimizeResult:
    # What is not finite is found by the evaluations, and said in the result.
    with np.errstate(invalid="ignore", over="ignore", divide="ignore"):
        return scipy.optimize.minimize(
            evaluations.value_of_copy,
            flat,
            jac=evaluations.gradient,
            hessp=evaluations.hessian_product if method in SECOND_ORDER else None,
            method=method,
            callback=evaluations.iteration,
            options=options,
        )


def _check_start(evaluations: Evaluations, flat: Array) -> None:
    try:
        value = evaluations.value(flat)
        if np.isfinite(value):
            evaluations.record(flat)
            return
    except OutsideDomain as error:
        raise ValueError(f"x0 is at the edge of the objective's domain: {error}") from error
    except Stopped as stop:
        if stop.reason not in ("nan", "unbounded"):
            raise
    raise ValueError("the objective or its gradient is not finite at x0: start inside its domain")


def _result(
    evaluations: Evaluations,
    start: Array,
    method: str,
    max_cg_iterations: int,
    has_scale: bool,
    found: OptimizeResult | None,
    stopped: str | None,
) -> OptimizeResult:
    seconds = evaluations.seconds
    evaluations.lift_limits()
    flat = start if found is None else np.asarray(found.x)
    best = evaluations.best if stopped is not None else None
    point = best or evaluations.point(flat)
    if evaluations.best is not None and np.isnan(evaluations.value_at(point)):
        point = evaluations.best
    value, gradient = evaluations.value_at(point), evaluations.gradient_at(point)
    gradient_norm = float(norm(gradient))
    if not evaluations.history:  # ended within the very first evaluation
        if not (np.isfinite(value) and np.isfinite(gradient_norm)):
            raise ValueError("the objective or its gradient is not finite at x0: start inside its domain")
        evaluations.history.append(Iterate(float(value), gradient_norm, 0))
    counts = {"nfev": evaluations.values, "njev": evaluations.gradients, "nhev": evaluations.hessian_products}

    def cauchy_step() -> float:
        """The length of the step along the gradient that is best for a quadratic, ||g||^3 / <g, H g>."""
        return _ratio(gradient_norm**3, inner(gradient, evaluations.apply_hessian(point, gradient)))

    reached = Reached(
        method=method,
        dtype=evaluations.dtype,
        value=float(value),
        gradient_norm=gradient_norm,
        start_gradient_norm=evaluations.history[0].gradient_norm,
        iterations=len(evaluations.history) - 1,
        hessian_products=evaluations.hessian_products,
        truncated=evaluations.truncated,
        nan_values=evaluations.nan_values,
        max_cg_iterations=max_cg_iterations,
        has_scale=has_scale,
        terms_gradient_norm=lambda: evaluations.terms_gradient_norm(point),
        cauchy_decrease=lambda: gradient_norm * cauchy_step() / 2,
        bound_at_kink=lambda: bound_at_kink(evaluations.objective, point.x, value),
        relative_step=lambda: _ratio(cauchy_step(), norm(point.x)),
        gradient_curvature=lambda: evaluations.curvature_along_gradient(point),
    )
    if found is None and stopped is None:
        success, status = True, 0
        message = f"x0 is a stationary point: its gradient is exactly zero. Reached: {reached}."
    else:
        scipy_success, scipy_message, status = (
            (found.success, found.message, int(found.status)) if found else (False, "", STOPPED)
        )
        success, message = describe(reached, scipy_success, scipy_message, stopped)
    return OptimizeResult(
        x=point.x.copy(),
        fun=value,
        jac=gradient,
        success=success,
        status=status,
        message=message,
        nit=reached.iterations,
        **counts,
        gradient_norm=gradient_norm,
        relative_gradient_norm=reached.relative_gradient_norm,
        truncated_steps=evaluations.truncated,
        seconds=seconds,
        history=evaluations.history,
        method=method,
        interrupted=stopped == "interrupted",
    )


def _ratio(numerator: float, denominator: Any) -> float:
    return numerator / float(denominator) if denominator > 0 else math.inf


def _checked_options(method: str, options: dict[str, Any]) -> dict[str, Any]:
    for name, value in options.items():
        choice(name, f"option of {method}", KNOWN[method])
        if name in ("maxiter", "maxfun", "maxcor", "maxls"):
            if whole_number(value, name) < 1:
                raise ValueError(f"{name} must be >= 1, got {value!r}")
        elif name != "inexact" and not (name == "norm" and value in (math.inf, -math.inf)):
            real_number(value, name, minimum=0)
    if "eta" in options and options["eta"] >= 0.25:
        raise ValueError(f"eta must be below 0.25, got {options['eta']!r}")
    if options.get("norm") == 0:
        raise ValueError("norm must not be 0")
    if not isinstance(options.get("inexact", True), bool | np.bool_):
        raise TypeError(f"inexact must be True or False, got {options['inexact']!r}")
    if {"c1", "c2"} & set(options) and not 0 < options.get("c1", 1e-4) < options.get("c2", 0.4) < 1:
        raise ValueError(f"c1 and c2 must satisfy 0 < c1 < c2 < 1, got {options.get('c1')!r} and {options.get('c2')!r}")
    maxiter = options.get("maxiter", _MAXITER[method in (*SECOND_ORDER, PRIMAL_DUAL)])
    return {"maxiter": maxiter, **({"maxfun": 2 * maxiter} if method == "L-BFGS-B" else {}), **options}


def parameter_names(function: Callback) -> list[str]:
    """The names of a function's parameters, as far as they can be known."""
    try:
        return list(inspect.signature(function).parameters)
    except (TypeError, ValueError):  # some built-in functions have no signature
        return []
