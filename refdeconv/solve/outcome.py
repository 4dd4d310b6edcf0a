"""What a solve reached, whether that is a success, and what to do where it is not."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

# A gradient this small beside the one at the start has fallen (derivations/solve.md, SOL.2).
FALLEN = 1e-2
# A gradient this small beside ||H x|| is that of an x already found: its relative error is of this order (SOL.2).
STATIONARY = 1e-6
# scipy's Newton-CG takes curvatures below this for zero, whatever the scale of the objective.
SCIPY_ZERO_CURVATURE = 3 * 2.0**-52


class ConvergenceWarning(UserWarning):
    """The image that is returned is not the minimiser; the message says what was reached and what to do."""


@dataclass(frozen=True)
class Reached:
    """Where a solve ended, as far as the verdict needs it.

    `backward_error` is ||grad f|| / ||H x||, and `gradient_curvature` is <g, H g> in the solver's units; each costs a
    product with the Hessian, and is computed only where it decides.
    """

    method: str
    dtype: np.dtype[Any]
    value: float
    gradient_norm: float
    start_gradient_norm: float
    iterations: int
    hessian_products: int
    truncated: int
    max_cg_iterations: int
    backward_error: Callable[[], float]
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
    if stopped is not None:
        happened, advice = _STOPPED[stopped]
        advice = advice.format(cap=reached.max_cg_iterations)
        return False, f"{happened} {_sentence(reached)}{advice}"
    if scipy_success:
        success, happened, advice = _after_success(reached)
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
    if reached.truncated:
        advice += (
            f" {reached.truncated} Newton steps were cut short after max_cg_iterations={reached.max_cg_iterations} "
            "products: the problem is ill-conditioned; a larger regularisation weight makes it easier."
        )
    return success, f"{happened} {_sentence(reached)}{advice.strip()}".rstrip()


def _sentence(reached: Reached) -> str:
    return f"Reached: {reached}. "


def _after_success(reached: Reached) -> tuple[bool, str, str]:
    if reached.relative_gradient_norm <= FALLEN:
        return True, "Converged.", ""
    if reached.backward_error() <= max(STATIONARY, 100 * float(np.finfo(reached.dtype).eps)):
        return True, "Converged: the start was already close to the minimiser.", ""
    happened = f"Not converged: scipy's {reached.method} reports success, but the gradient has hardly fallen."
    if reached.truncated:
        return False, happened, ""
    if reached.without_curvature():
        return False, *_NO_CURVATURE
    return False, happened, _TOLERANCE_ADVICE[reached.method]


def _after_failed_step(reached: Reached) -> tuple[bool, str, str]:
    if reached.relative_gradient_norm <= reached.floor:
        return (
            True,
            f"Converged to the floor of {reached.dtype}: a further decrease of the value is below its rounding.",
            "The tolerance is tighter than this precision allows; a larger one ends earlier at the same image.",
        )
    if reached.without_curvature():
        return False, *_NO_CURVATURE
    return (
        False,
        "Not converged: no step along the search direction lowers the value.",
        "Usual causes: a kink nearby (a norm whose residual is almost zero: use a smooth term, or a larger "
        "regularisation weight), a gradient that does not belong to the value, or float32 (try float64).",
    )


_NO_CURVATURE = (
    "Not converged: scipy's Newton-CG takes curvatures below 7e-16 for zero, and here they are.",
    "Give scale=, the typical size of the image's values, and the solve is made in units that fit.",
)
_GIVE_SCALE = "Give scale=, the typical size of the image's values, or a smaller tolerance."
_TOLERANCE_ADVICE = {
    "Newton-CG": f"xtol is an absolute change per pixel (default 1e-5). {_GIVE_SCALE}",
    "trust-ncg": f"gtol is an absolute gradient norm (default 1e-4). {_GIVE_SCALE}",
    "trust-krylov": f"gtol is an absolute gradient norm (default 1e-4). {_GIVE_SCALE}",
    "L-BFGS-B": "Give a smaller ftol (relative change of the value) and gtol (largest gradient entry, absolute).",
    "CG": f"gtol is an absolute bound on the largest gradient entry (default 1e-5). {_GIVE_SCALE}",
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
