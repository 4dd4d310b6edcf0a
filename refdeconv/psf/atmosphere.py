"""The point spread function of long exposures through the atmosphere: Moffat's."""

import math
from collections.abc import Sequence

import numpy as np

from refdeconv._arrays import Array, image_shape, real_number
from refdeconv.psf._window import centre_of, per_axis, sample_distances

_LARGE = 1e100  # beyond it, the 1 in 1 + h**2 is far below the last digit, and the square might overflow


def moffat(
    shape: int | tuple[int, ...],
    fwhm: float | Sequence[float] | None = None,
    beta: float = 2.5,
    *,
    alpha: float | Sequence[float] | None = None,
    centre: float | Sequence[float] | None = None,
) -> Array:
    """Moffat's profile, ``(1 + sum_a ((i_a - c_a) / alpha_a)**2)**-beta``, sampled and divided by its sum.

    Parameters
    ----------
    shape : int or tuple of int
        Number of samples along each axis, in any number of dimensions.
    fwhm : float or sequence of float, optional
        Full width at half maximum in pixels, > 0: one number, or one for each axis.
    beta : float
        How fast the wings fall, >= 0.01: as ``distance**(-2 beta)``. Usual are 2 to 5; Kolmogorov turbulence is near
        4.765, and a Gaussian is the limit of large values.
    alpha : float or sequence of float, optional
        The width of the core in pixels, > 0, instead of `fwhm`: ``fwhm = 2 alpha sqrt(2**(1 / beta) - 1)``. Exactly
        one of the two is given.
    centre : float or sequence of float, optional
        The centre c in pixels from sample 0, also between samples; by default ``(shape - 1) // 2``.

    Returns
    -------
    ndarray of float64
        Non-negative, of sum one.

    Raises
    ------
    TypeError, ValueError
        If a number is not as described, both or neither width are given, or the centre lies outside the window.

    Notes
    -----
    The samples lie at pixel centres and are not integrated over the pixel. The wings are wide: in 2-D, the part
    ``(1 + (R / alpha)**2)**(1 - beta)`` of the energy lies beyond a radius R, and what is outside the window is lost
    to the division by the sum. astropy's ``Moffat2D`` calls alpha here ``gamma``, and beta ``alpha``.

    Derivation: derivations/psf/atmosphere.md, PSF.11, PSF.12
    """
    shape = image_shape(shape)
    position = centre_of(centre, shape)
    power = float(real_number(beta, "beta", minimum=0.01))
    if (fwhm is None) == (alpha is None):
        raise TypeError("fwhm or alpha: give exactly one of them")
    if alpha is not None:
        cores = per_axis(alpha, len(shape), "alpha", minimum=0, exclusive=True)
    else:
        assert fwhm is not None
        ratio = 2 * math.sqrt(math.expm1(math.log(2) / power))
        cores = tuple(width / ratio for width in per_axis(fwhm, len(shape), "fwhm", minimum=0, exclusive=True))
    logs = _log_one_plus_square(sample_distances(shape, position), np.maximum(cores, np.finfo(float).tiny))
    weights = np.exp(-power * (logs - logs.min()))  # as a multiple of the largest sample, which is 1
    return weights / weights.sum()


def _log_one_plus_square(distances: Sequence[Array], cores: Array) -> Array:
    """``log(1 + h**2)`` with h the distance in units of the cores, which may be so small that h would overflow."""
    smallest = cores.min()
    scaled = sum(np.square(distance * (smallest / core)) for distance, core in zip(distances, cores, strict=True))
    h = np.sqrt(scaled)
    near = h < _LARGE * smallest
    return np.where(
        near,
        np.log1p(np.square(np.where(near, h, 0) / smallest)),
        2 * (np.log(np.where(near, 1, h)) - np.log(smallest)),
    )
