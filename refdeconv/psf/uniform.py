"""Point spread functions of even brightness, integrated over pixels: a point, a box, a motion along a line."""

from collections.abc import Sequence

import numpy as np

from refdeconv._arrays import Array, Shape, image_shape, real_number
from refdeconv.psf._window import along, centre_of, per_axis, pixel_edges, pixel_intervals, separable

_ROUNDING = 1e-15  # a direction's component below it is what rounding left of zero, as of the cosine of 90 degrees


def delta(shape: int | tuple[int, ...]) -> Array:
    """The unit impulse: one at sample ``(shape - 1) // 2``, the default origin of `Convolution`, and zero elsewhere.

    Parameters
    ----------
    shape : int or tuple of int
        Number of samples along each axis, in any number of dimensions.

    Returns
    -------
    ndarray of float64
        The PSF of no blur.

    Raises
    ------
    TypeError, ValueError
        If a size is not a positive integer.

    Notes
    -----
    Derivation: derivations/psf/uniform.md, PSF.4
    """
    shape = image_shape(shape)
    psf = np.zeros(shape)
    psf[tuple((size - 1) // 2 for size in shape)] = 1
    return psf


def box(
    shape: int | tuple[int, ...],
    size: float | Sequence[float],
    *,
    centre: float | Sequence[float] | None = None,
) -> Array:
    """The part of a uniform box that each pixel covers: that of a detector element, or of binning.

    Parameters
    ----------
    shape : int or tuple of int
        Number of samples along each axis, in any number of dimensions.
    size : float or sequence of float
        Size of the box in pixels, >= 0: one number, or one for each axis; also a fraction, of which the pixels at the
        edges get their part. At 0, the limit: all at the centre.
    centre : float or sequence of float, optional
        The centre in pixels from sample 0, also between samples; by default ``(shape - 1) // 2``.

    Returns
    -------
    ndarray of float64
        Non-negative, of sum one. Around a sample, a size of at most 1 gives the unit impulse, and an odd size as many
        equal samples.

    Raises
    ------
    TypeError, ValueError
        If a size is negative or not finite, or there are not as many as axes, or the centre lies outside the window.

    Notes
    -----
    Integrated exactly over pixels. What lies outside the window is lost to the division by the sum. For a whole number
    of pixels the centroid is the centre; for another size >= 1 it misses it by at most ``1 / (8 size)``, unless window
    and pixels lie symmetrically about it.

    Derivation: derivations/psf/uniform.md, PSF.5
    """
    shape = image_shape(shape)
    position = centre_of(centre, shape)
    sizes = per_axis(size, len(shape), "size", minimum=0)
    return separable(shape, [_covered(*one) for one in zip(shape, position, sizes, strict=True)])


def _covered(samples: int, centre: float, size: float) -> Array:
    first, last = pixel_intervals(pixel_edges(samples, centre), size)
    return last - first


def motion(
    shape: int | tuple[int, ...],
    length: float,
    angle: float = 0.0,
    *,
    direction: Sequence[float] | None = None,
    centre: float | Sequence[float] | None = None,
) -> Array:
    """The part of a straight line that lies in each pixel: the blur of an even motion during the exposure.

    Parameters
    ----------
    shape : int or tuple of int
        Number of samples along each axis, in any number of dimensions.
    length : float
        Length of the line in pixels, >= 0. At 0, the limit: all at the centre.
    angle : float
        In 2-D: angle of the line in degrees, counter-clockwise as the image is usually shown, first row at the top.
        0 is along the rows (the last axis), 90 along the columns, and 45 rises to the right.
    direction : sequence of float, optional
        Instead of an angle, and needed in 3-D and more: a vector along the line, one component an axis, of any length
        and sign. An angle is the direction ``(-sin, cos)``.
    centre : float or sequence of float, optional
        The middle of the line in pixels from sample 0, also between samples; by default ``(shape - 1) // 2``.

    Returns
    -------
    ndarray of float64
        Non-negative, of sum one. Around a sample, a length of at most 1 gives the unit impulse, and an odd length along
        an axis as many equal samples.

    Raises
    ------
    TypeError, ValueError
        If a number is not as described, the direction is missing, zero or not of as many components as axes, or given
        beside an angle, or the centre lies outside the window.

    Notes
    -----
    The lengths of the intersections of line and pixels are exact: the line has no width, and each pixel gets what falls
    into it. A line along an axis lies in the nearest row of pixels, or, on the border between two, in both. The
    centroid is the centre where that is on whole or half pixels, in a symmetric window. MATLAB's ``fspecial('motion')``
    draws a line one pixel wide instead.

    Derivation: derivations/psf/uniform.md, PSF.6
    """
    shape = image_shape(shape)
    position = centre_of(centre, shape)
    size = float(real_number(length, "length", minimum=0))
    slopes = _unit_direction(shape, angle, direction)
    first, last, share = np.full(shape, -np.inf), np.full(shape, np.inf), np.ones(shape)
    for axis, (samples, middle, slope) in enumerate(zip(shape, position, slopes, strict=True)):
        edges = pixel_edges(samples, middle)
        enters, leaves = pixel_intervals(edges, size, slope)
        if slope * min(size, 1) == 0:  # along this axis, the line stands still
            share *= along(_covered(samples, middle, 0), axis, len(shape))
        else:
            np.maximum(first, along(enters, axis, len(shape)), out=first)
            np.minimum(last, along(leaves, axis, len(shape)), out=last)
    inside = np.ones(shape) if np.isinf(first).all() else np.maximum(last - first, 0)
    weights = share * inside
    if not weights.any():
        raise ValueError(f"centre {centre!r} is a corner of the window, and the line leaves the window there")
    return weights / weights.sum()


def _unit_direction(shape: Shape, angle: float, direction: Sequence[float] | None) -> Array:
    """The direction as a vector of length one."""
    turn = float(real_number(angle, "angle"))
    if direction is None and len(shape) <= 2:
        if len(shape) == 1 and turn != 0:
            raise ValueError(f"angle must be 0 in one dimension, got {angle!r}")
        radians = np.deg2rad(turn % 360)
        vector = np.array([-np.sin(radians), np.cos(radians)])[-len(shape) :]
    elif direction is None:
        raise ValueError(f"direction is needed for {len(shape)} axes, one component for each")
    else:
        if turn != 0:
            raise ValueError("direction or angle: give one of them, not both")
        vector = np.array(per_axis(list(direction), len(shape), "direction"))
        if not vector.any():
            raise ValueError(f"direction must not be zero, got {direction!r}")
        vector = vector / np.abs(vector).max()
        vector /= np.linalg.norm(vector)
    vector[np.abs(vector) < _ROUNDING] = 0
    return vector
