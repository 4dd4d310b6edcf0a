"""The logistic map, by which an unconstrained solver keeps an image between two bounds."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from refdeconv._arrays import Array, cast_like, cast_scalar, real_array, real_number
from refdeconv.operators.pointwise_map import PointwiseMap, two_sided


class Sigmoid(PointwiseMap):
    """The logistic function between two bounds, ``lower + (upper - lower) / (1 + exp(-z))``.

    Parameters
    ----------
    shape : int or tuple of int
        Shape of input and output.
    lower, upper : float or array_like
        The bounds, finite, ``lower < upper``: numbers, or arrays of `shape`. Default 0 and 1.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as described.

    Notes
    -----
    Far out, the result rounds to the bound itself, and the slope is so small that a pixel there hardly moves.
    Derivation: derivations/operators/pointwise_map.md, PWM.6
    """

    lower: Array
    upper: Array

    def __init__(
        self, shape: int | tuple[int, ...], lower: float | ArrayLike = 0.0, upper: float | ArrayLike = 1.0
    ) -> None:
        super().__init__(shape)
        self.lower, self.upper = (
            real_array(bound, name, shape=self.output_shape if np.ndim(bound) else None)
            for bound, name in ((lower, "lower"), (upper, "upper"))
        )
        with np.errstate(over="ignore"):
            span = self.upper - self.lower
        if not (span > 0).all():
            raise ValueError(f"lower must be below upper everywhere, got lower={lower!r}, upper={upper!r}")
        if not np.isfinite(span).all():
            raise ValueError(f"upper - lower must be finite, got lower={lower!r}, upper={upper!r}")

    def _map(self, z: Array) -> Array:
        lower, upper = cast_like(self.lower, z), cast_like(self.upper, z)
        positive, decay = two_sided(z)
        # From the nearer bound, so that the distance to it keeps its digits where the bound is zero.
        distance = (upper - lower) * (decay / (1 + decay))
        return np.where(positive, upper - distance, lower + distance)

    def _slope(self, z: Array, x: Array) -> Array:
        decay = two_sided(z)[1]
        return (cast_like(self.upper, z) - cast_like(self.lower, z)) * (decay / (1 + decay) ** 2)

    def _bend(self, z: Array, x: Array) -> Array:
        return -np.tanh(z / 2) * self._slope(z, x)

    def inverse(self, x: ArrayLike, margin: float | None = None) -> Array:
        """The z whose map is x: the start of a solve in z, from an image.

        Parameters
        ----------
        x : array_like
            Real and finite, of this map's shape, strictly between the bounds where no `margin` is given.
        margin : float, optional
            Values nearer to a bound than this part of ``upper - lower``, between 0 and 0.5, or beyond it, are moved to
            this distance: a measured image reaches its bounds, and with noise exceeds them. 0.01 is a good choice;
            very small numbers start where the map is nearly flat.

        Returns
        -------
        ndarray
            Of the precision of x.

        Raises
        ------
        TypeError, ValueError
            If x or `margin` is not as described.
        """
        values = real_array(x, "x", shape=self.output_shape)
        lower, upper = cast_like(self.lower, values), cast_like(self.upper, values)
        if margin is not None:
            part = real_number(margin, "margin", minimum=0, exclusive=True)
            if part > 0.5:
                raise ValueError(f"margin must be > 0 and <= 0.5, got {margin!r}")
            distance = cast_scalar(part, values) * (upper - lower)
            values = np.clip(values, lower + distance, upper - distance)
        if not ((lower < values) & (values < upper)).all():
            raise ValueError(
                "x must lie strictly between lower and upper: no finite z is mapped to a bound or beyond it; "
                "margin=0.01 moves such values inside"
            )
        return np.log((values - lower) / (upper - values))

    def __repr__(self) -> str:
        lower, upper = (f"{float(b):.6g}" if b.ndim == 0 else "array" for b in (self.lower, self.upper))
        return f"Sigmoid({self.input_shape}, lower={lower}, upper={upper})"
