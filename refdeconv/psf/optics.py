"""Point spread functions of a lens: out of focus, by geometrical optics, and in focus, limited by diffraction."""

from collections.abc import Sequence

import numpy as np
import scipy.special

from refdeconv._arrays import Array, image_shape, real_number
from refdeconv.psf._ball import ball_in_pixels
from refdeconv.psf._window import centre_of, pixel_edges, sample_distances

_FIRST_ZERO = 3.8317059702075123  # of the Bessel function J_1, to the last bit


def defocus(shape: int | tuple[int, ...], radius: float, *, centre: float | Sequence[float] | None = None) -> Array:
    """The part of a uniform disk that each pixel covers: a lens out of focus, by geometrical optics.

    Parameters
    ----------
    shape : int or tuple of int
        Number of samples along each of one to three axes: a segment, a disk or a ball.
    radius : float
        Radius in pixels, >= 0. At 0, the limit: all at the centre.
    centre : float or sequence of float, optional
        The centre in pixels from sample 0, also between samples; by default ``(shape - 1) // 2``.

    Returns
    -------
    ndarray of float64
        Non-negative, of sum one. Around a sample, a radius of at most 1/2 gives the unit impulse.

    Raises
    ------
    TypeError, ValueError
        If there are more than three axes, the radius is negative or not finite, or the centre lies outside the window.

    Notes
    -----
    The areas (volumes) of the intersections of disk (ball) and pixels are closed formulas, without sampling; rounding
    leaves an error below 1e-15 times the area (volume) of the whole disk (ball). Pixels inside have equal samples. What
    lies outside the window is lost to the division by the sum. In 2-D, the centroid is the centre to
    ``0.04 radius**-1.5`` pixels for a radius >= 1/2, and to rounding if the centre is on whole or half pixels.

    Derivation: derivations/psf/optics.md, PSF.7, PSF.8
    """
    shape = image_shape(shape)
    if len(shape) > 3:
        raise ValueError(f"shape must have one to three axes, got {shape}")
    position = centre_of(centre, shape)
    size = float(real_number(radius, "radius", minimum=0))
    weights = ball_in_pixels([pixel_edges(*one) for one in zip(shape, position, strict=True)], size)
    return weights / weights.sum()


def airy(
    shape: tuple[int, int],
    first_zero: float | None = None,
    *,
    wavelength: float | None = None,
    numerical_aperture: float | None = None,
    pixel_size: float | None = None,
    centre: float | Sequence[float] | None = None,
) -> Array:
    """The Airy pattern ``(2 J_1(v) / v)**2`` of a circular pupil, sampled and divided by its sum.

    Here ``v = 3.8317 r / first_zero = 2 pi numerical_aperture pixel_size r / wavelength`` at r pixels from the centre.

    Parameters
    ----------
    shape : tuple of int
        Number of samples along each of two axes.
    first_zero : float, optional
        Radius of the first dark ring in pixels, > 0: ``0.60983 wavelength / (numerical_aperture pixel_size)``. For a
        telescope, ``1.21967 wavelength / diameter`` in radians, divided by the angle that a pixel sees.
    wavelength, pixel_size : float, optional
        In the same unit of length, > 0, the pixel size measured in the object (that of the detector, divided by the
        magnification).
    numerical_aperture : float, optional
        ``n sin(half angle)``, > 0, without a unit. These three are given together, instead of `first_zero`.
    centre : float or sequence of float, optional
        The centre in pixels from sample 0, also between samples; by default ``(shape - 1) // 2``.

    Returns
    -------
    ndarray of float64
        Non-negative, of sum one.

    Raises
    ------
    TypeError, ValueError
        If there are not two axes, a number is not as described, or both or neither description is given, or the centre
        lies outside the window, or the pattern is so small that no sample meets it.

    Notes
    -----
    A scalar, incoherent, monochromatic and aberration-free pattern, at pixel centres, not integrated over the pixel. It
    is sampled finely enough for all its frequencies from ``first_zero = 2.44`` pixels on. The rings carry energy far
    out: about ``0.17 first_zero / R`` of it lies beyond a radius R (16.2 % beyond the first dark ring, 1.7 % at ten
    times it). What lies outside the window is lost to the division by the sum; PSF.10 says how much exactly.

    Derivation: derivations/psf/optics.md, PSF.9, PSF.10
    """
    shape = image_shape(shape)  # type: ignore[assignment]
    if len(shape) != 2:
        raise ValueError(f"shape must have two axes, got {shape}")
    rows, columns = sample_distances(shape, centre_of(centre, shape))
    zero = _first_zero(first_zero, wavelength, numerical_aperture, pixel_size)
    with np.errstate(over="ignore"):
        v = _FIRST_ZERO * (np.hypot(rows, columns) / zero)
    weights = np.square(_jinc(v))
    if not weights.any():
        raise ValueError(f"first_zero is too small: the pattern of {zero:g} pixels lies between the samples")
    return weights / weights.sum()


def _first_zero(first_zero: float | None, *optical: float | None) -> float:
    names = ("wavelength", "numerical_aperture", "pixel_size")
    given = [name for name, value in zip(names, optical, strict=True) if value is not None]
    if (first_zero is None) != (len(given) == 3) or (first_zero is not None and given):
        raise TypeError(
            f"first_zero, or all of {', '.join(names)}: give one description, got first_zero={first_zero!r}"
            f" and {given or 'none of the others'}"
        )
    if first_zero is not None:
        return float(real_number(first_zero, "first_zero", minimum=0, exclusive=True))
    wavelength, aperture, pixel = (
        float(real_number(value, name, minimum=0, exclusive=True)) for name, value in zip(names, optical, strict=True)
    )
    return float(real_number(_FIRST_ZERO / (2 * np.pi) * (wavelength / pixel) / aperture, "first_zero"))


def _jinc(v: Array) -> Array:
    """``2 J_1(v) / v``, which is ``1 - v**2 / 8`` near 0, and 0 far out, where J_1 cannot be evaluated any more."""
    small, large = v < 1e-4, v > 1e15
    middle = np.where(small | large, 1, v)
    return np.where(
        small, 1 - np.square(np.where(small, v, 0)) / 8, np.where(large, 0, 2 * scipy.special.j1(middle) / middle)
    )
