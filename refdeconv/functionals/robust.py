"""What the robust losses share: a loss of the residual with a scale, which parts small residuals from large ones."""

from typing import Any

import numpy as np

from refdeconv._arrays import Array, real_number
from refdeconv.functionals.pointwise import Pointwise


class Robust(Pointwise):
    """A sum over pixels of an even loss of the residual: half its square near zero, slower than that far out.

    A subclass has its scale as a number among its attributes. `StudentT` and `SmoothedL1` are such losses but for a
    factor.
    """

    def __repr__(self) -> str:
        given = [name for name in ("data", "weight") if getattr(self, name) is not None]
        numbers = [f"{name}={float(x):.6g}" for name, x in vars(self).items() if isinstance(x, float | np.floating)]
        return f"{type(self).__name__}({', '.join(given + numbers)})"


def positive(x: Any, name: str) -> Any:
    """A parameter above zero."""
    return real_number(x, name, minimum=0, exclusive=True)


def magnitude(r: Array) -> Array:
    """The absolute value where r is real; analytic on both sides of zero where it is complex."""
    return r * np.copysign(1, r.real)


def is_tiny(r: Array, scale: Any) -> Array:
    """Where (r/scale)**2 is below rounding in every precision, so that the loss is half a square."""
    return np.abs(r.real) < 1e-10 * scale
