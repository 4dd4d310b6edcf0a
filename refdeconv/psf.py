"""Point spread functions, as arrays that sum to one."""

import warnings
from collections.abc import Sequence

import numpy as np
import scipy.ndimage
from numpy.typing import ArrayLike

from refdeconv._arrays import Array, Shape, image_shape, real_array, real_number


def gaussian(shape: int | tuple[int, ...], sigma: float | Sequence[float]) -> Array:
    """A sampled Gaussian, ``exp(-sum_a (i_a - c_a)**2 / (2 sigma_a**2))``, divided by its sum.

    Parameters
    ----------
    shape : int or tuple of int
        Number of samples along each axis, in any number of dimensions.
    sigma : float or sequence of float
        Standard deviation in pixels, >= 0: one number, or one for each axis. At 0, the limit: no blur along that axis.

    Returns
    -------
    ndarray of float64
        Non-negative, of sum one. The peak is at the sample ``c = (shape - 1) // 2``, the default origin of
        `Convolution`, also for even sizes, so that blurring with it moves nothing.

    Raises
    ------
    TypeError, ValueError
        If a size is not a positive integer, a sigma is negative or not finite, or there are not as many sigmas as axes.

    Notes
    -----
    The samples lie at pixel centres and are not integrated over the pixel. Derivation: derivations/psf.md, PSF.1
    """
    shape = image_shape(shape)
    sigmas = tuple(sigma) if isinstance(sigma, Sequence | np.ndarray) else (sigma,) * len(shape)
    if len(sigmas) != len(shape):
        raise ValueError(f"sigma needs one number, or one for each of the {len(shape)} axes, got {len(sigmas)}")
    psf = np.ones(shape)
    for axis, (size, deviation) in enumerate(zip(shape, sigmas, strict=True)):
        profile = _gaussian_profile(size, real_number(deviation, "sigma", minimum=0))
        psf *= profile.reshape((-1,) + (1,) * (len(shape) - axis - 1))
    return psf / psf.sum()


def _gaussian_profile(size: int, sigma: float) -> Array:
    distance = np.abs(np.arange(size) - (size - 1) // 2).astype(float)
    if sigma == 0:
        return (distance == 0).astype(float)
    with np.errstate(over="ignore"):  # a sigma far below one pixel: the neighbours are at exp(-inf) = 0
        return np.exp(-0.5 * np.square(distance / sigma))


def article() -> Array:
    """The PSF of the article: a unit impulse in 13 x 13 pixels, filtered with a Gaussian of sigma (1, 3), of sum one.

    Returns
    -------
    ndarray of float64, shape (13, 13)
        The same to the last bit as the article's own lines, since it is made by the same calls of scipy.ndimage.

    Notes
    -----
    It is not `gaussian`: scipy's filter reflects at the edges of the 13 x 13 array, so what would leave it along the
    second axis comes back. Source: https://miller-blog.com/image-deblurring-part-2/. Derivation: derivations/psf.md,
    PSF.2
    """
    impulse = np.zeros((13, 13))
    impulse[6, 6] = 1.0
    psf: Array = scipy.ndimage.gaussian_filter(impulse, (1, 3))
    return psf / psf.sum()


def as_psf(psf: ArrayLike, shape: Shape, *, stacklevel: int = 2) -> Array:
    """The array as a PSF for images of the given shape, after the checks that a blur deserves.

    Parameters
    ----------
    psf : array_like
        Real, finite, not all zero, with as many axes as `shape`.
    shape : tuple of int
        Shape of the image that it is meant for.
    stacklevel : int
        As in `warnings.warn`, counted from this function's caller.

    Returns
    -------
    ndarray
        A read-only copy, not normalised.

    Raises
    ------
    TypeError, ValueError
        If it is not such an array.

    Warns
    -----
    UserWarning
        If it does not sum to one, or has negative entries: both are accepted, but seldom meant.
    """
    array = real_array(psf, "psf")
    if array.ndim != len(shape):
        hint = "; for a colour image, give channel_axis" if array.ndim == len(shape) - 1 else ""
        raise ValueError(f"psf has {array.ndim} axes (shape {array.shape}), the image has {len(shape)} {shape}{hint}")
    if not array.any():
        raise ValueError("psf is zero everywhere: there is nothing to deconvolve with")
    total, lowest = float(array.sum()), float(array.min())
    remarks = []
    if abs(total - 1) > 1e-3:
        remarks.append(f"sums to {total:.6g}, not to 1 (brightness is not kept; psf / psf.sum() would keep it)")
    if lowest < 0:
        remarks.append(f"has negative entries (the lowest is {lowest:.3g})")
    if remarks:
        warnings.warn(f"psf {' and '.join(remarks)}; it is used as given", UserWarning, stacklevel=stacklevel + 1)
    return array
