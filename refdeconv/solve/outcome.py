"""What a solve reached, whether that is a success, and what to do where it is not."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

# A gradient this small beside the one at the start, or beside those of the objective's terms, has fallen (SOL.2).
FALLEN = 5e-3
# Of an objective of one term, a steepest-descent step that would gain less than this part of the value gains nothing.
NEGLIGIBLE = 1e-9
# A gradient that a step this small beside x would undo, though it has not fallen, is one at a kink: curvatures grow
# without bound there.
KINK = 1e-6
# A value this close to the minimum, by proof and relative to it, is that of a minimiser at a kink (SOL.4).
PROVEN = 1e-2
# scipy's Newton-CG takes curvatures below this for zero, whatever the scale of the objective.
SCIPY_ZERO_CURVATURE = 3 * 2.0**-52
NO_STEP = (
    "step"  # why a solve was stopped: scipy's step was not finite, as trust-krylov's at the floor of the precision
)


class ConvergenceWarning(UserWarning):
    """The image that is returned is not the minimiser; the message says what was reached and what to do."""


@dataclass(frozen=True)
class Reached:
    """Where a solve ended, as far as the verdict needs it.

    `terms_gradient_norm` is the sum of the norms of the terms' gradients (None for an objective of one term),
    `cauchy_decrease` what the best step along the gradient would gain, `relative_step` its length relative to x,
    `bound_at_kink` that of the module kinks, and `gradient_curvature` <g, H g> in the solver's units. They are computed
    only where they decide.
    """

    method: str
    dtype: np.dtype[Any]
    value: float
    gradient_norm: float
    start_gradient_norm: float
    iterations: int
    hessian_products: int
    truncated: int
    nan_values: int
    max_cg_iterations: int
    has_scale: bool
    terms_gradient_norm: Callable[[], float | None]
    cauchy_decrease: Callable[[], float]
    relative_step: Callable[[], float]
    bound_at_kink: Callable[[], float]
    gradient_curvature: Callable[[], float]

    @property
    def relative_gradient_norm(self) -> float:
        """The gradient's norm relative to the start's."""
        return self.gradient_norm / self.start_gradient_norm if self.start_gradient_norm > 0 else 0.0

    @property
    def floor(self) -> float:
        """The relative gradient norm below which a line search sees nothing but rounding (SOL.3)."""
        return 10 * math.sqrt(np.finfo(self.dtype).eps)

    def without_curvature(self) -> bool:
        """Whether scipy's Newton-CG could take no step because it takes the curvature along the gradient for zero."""
        return self.method == "Newton-CG" and 0 <= self.gradient_curvature() <= SCIPY_ZERO_CURVATURE

    def __str__(self) -> str:
        return (
            f"value {self.value:.10g}, gradient norm {self.gradient_norm:.3g} ({self.relative_gradient_norm:.2g} of "
            f"the start's), {self.iterations} iterations, {self.hessian_products} Hessian products"
        )


def describe(reached: Reached, scipy_success: bool, scipy_message: str, stopped: str | None) -> tuple[bool, str]:
    """Whether the solve succeeded, and a message: what happened, what was reached, what to do."""
    if stopped is not None and stopped != NO_STEP:
        happened, advice = _STOPPED[stopped]
        advice = advice.format(cap=reached.max_cg_iterations)
        return False, f"{happened} {_sentence(reached)}{advice}"
    if scipy_success:
        success, happened, advice = _after_success(reached)
    elif reached.method == "L-BFGS-B" and "evaluations" in scipy_message.lower():
        success, happened, advice = (
            False,
            "Stopped at maxfun before it converged.",
            "Continue from result.x, or give a larger maxfun.",
        )
    elif "maxim" in scipy_message.lower() or "exceed" in scipy_message.lower() or "limit" in scipy_message.lower():
        success, happened, advice = (
            False,
            "Stopped at maxiter before it converged.",
            "Continue from result.x, or give a larger maxiter.",
        )
    elif "hessian is not positive definite" in scipy_message.lower():
        success, happened, advice = (
            False,
            "The linear system of one Newton step did not converge.",
            "It is too ill-conditioned: give a larger regularisation weight, or lower max_cg_iterations.",
        )
    else:
        success, happened, advice = _after_failed_step(reached)
    if reached.truncated and not success:
        advice += (
            f" max_cg_iterations={reached.max_cg_iterations} cut short {reached.truncated} of the Newton steps: the "
            "problem is ill-conditioned; a larger regularisation weight makes it easier."
        )
    if reached.nan_values and not success:
        advice += f" The objective gave NaN at {reached.nan_values} trial steps: check its value beyond this point."
    return success, f"{happened} {_sentence(reached)}{advice.strip()}".rstrip()


def _sentence(reached: Reached) -> str:
    return f"Reached: {reached}. "


def _converged(reached: Reached) -> str | None:
    """In which way the gradient is small enough, or None."""
    if reached.relative_gradient_norm <= FALLEN:
        return "Converged."
    of_terms = reached.terms_gradient_norm()
    if of_terms is None:
        stationary = reached.cauchy_decrease() <= NEGLIGIBLE * abs(reached.value)
    else:
        stationary = reached.gradient_norm <= FALLEN * of_terms
    return "Converged: the start was already close to the minimiser." if stationary else None


def _at_floor(reached: Reached) -> bool:
    """Whether what the gradient still promises is below the rounding of the value."""
    if reached.relative_gradient_norm <= reached.floor:
        return True
    of_terms = reached.terms_gradient_norm()
    if of_terms is None:
        return reached.cauchy_decrease() <= 100 * float(np.finfo(reached.dtype).eps) * abs(reached.value)
    return reached.gradient_norm <= reached.floor * of_terms


def _after_success(reached: Reached) -> tuple[bool, str, str]:
    converged = _converged(reached)
    if converged:
        return True, converged, ""
    happened = f"Not converged: scipy's {reached.method} reports success, but the gradient has hardly fallen."
    if reached.truncated:
        return False, happened, ""
    if reached.bound_at_kink() <= PROVEN:
        return True, _AT_KINK, _proof(reached)
    if reached.relative_step() <= KINK:
        return False, "Not converged in the gradient.", _KINK
    if reached.without_curvature():
        return False, *_NO_CURVATURE
    return False, happened, _tolerance_advice(reached)


def _after_failed_step(reached: Reached) -> tuple[bool, str, str]:
    if _at_floor(reached):
        return (
            True,
            f"Converged to the floor of {reached.dtype}: a further decrease of the value is below its rounding.",
            "The tolerance is tighter than this precision allows; a larger one ends earlier at the same image.",
        )
    happened = "Not converged: no step along the search direction lowers the value."
    if reached.bound_at_kink() <= PROVEN:
        return True, _AT_KINK, _proof(reached)
    if reached.relative_step() <= KINK:
        return False, happened, _KINK
    if reached.without_curvature():
        return False, *_NO_CURVATURE
    return (
        False,
        happened,
        "Usual causes: a kink nearby (a norm whose argument is almost zero), a gradient that does not belong to the "
        "value, or float32 (try float64).",
    )


def _proof(reached: Reached) -> str:
    return f"By proof, the value is within {max(reached.bound_at_kink(), 1e-15):.0e} of the minimum, relative to it."


def _tolerance_advice(reached: Reached) -> str:
    """What to do about a tolerance that is absolute; a scale already given makes it relative."""
    tolerance = _TOLERANCES[reached.method]
    return f"{tolerance} Give a smaller one{'' if reached.has_scale else f', or {_GIVE_SCALE}'}."


_AT_KINK = "Converged to a kink: the data are fitted exactly, or the image is flat, and that is the minimiser."
_KINK = (
    "x is at a kink of the objective: a norm whose argument is almost zero (data that are fitted exactly, or an image "
    "that is flat). If that is the minimiser, no gradient shows it. A smaller weight keeps an image from going flat, a "
    "larger one the data from being fitted exactly; LeastSquares as data term has no kink."
)
_GIVE_SCALE = "scale=, the typical size of the image's values"
_NO_CURVATURE = (
    "Not converged: scipy's Newton-CG takes curvatures below 7e-16 for zero, and here they are.",
    f"Give {_GIVE_SCALE}, and the solve is made in units that fit; or method='trust-krylov'.",
)
_TOLERANCES = {
    "Newton-CG": "xtol is an absolute change per pixel (default 1e-5).",
    "primal-dual": "xtol is an absolute change per pixel (default 1e-5).",
    "trust-ncg": "gtol is an absolute gradient norm (default 1e-4).",
    "trust-krylov": "gtol is an absolute gradient norm (default 1e-4).",
    "L-BFGS-B": "ftol is a relative change of the value (default 2e-9), gtol an absolute gradient (default 1e-5).",
    "CG": "gtol is an absolute bound on the largest gradient entry (default 1e-5).",
}

_STOPPED = {
    "interrupted": ("Interrupted: this is the best iterate so far.", "Continue by giving it as x0."),
    "callback": ("Stopped by the callback: this is the best iterate so far.", "Continue by giving it as x0."),
    "seconds": (
        "Stopped at max_seconds: this is the best iterate so far.",
        "Continue by giving it as x0, or give a larger max_seconds.",
    ),
    "inner": (
        "Stopped: one step needed more Hessian products than max_cg_iterations allows.",
        "The problem is ill-conditioned: give a larger regularisation weight, a larger max_cg_iterations (now {cap}), "
        "or method='Newton-CG', which cuts such steps short and goes on.",
    ),
    "nan": (
        "Stopped: the objective gave NaN, or a gradient or Hessian product that is not finite; this is the best "
        "iterate before that.",
        "Check its value and gradient beyond this point.",
    ),
    "unbounded": (
        "Stopped: the objective fell to minus infinity.",
        "It is not bounded below: check the sign of its terms.",
    ),
}
