"""Gaussian point spread functions: of any covariance, and the article's."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import scipy  # whose parts are loaded when they are used
from numpy.typing import ArrayLike

from refdeconv._arrays import Array, image_shape, real_array
from refdeconv.psf._window import centre_of, per_axis, sample_distances, separable


def gaussian(
    shape: int | tuple[int, ...],
    sigma: float | Sequence[float] | None = None,
    *,
    covariance: ArrayLike | None = None,
    centre: float | Sequence[float] | None = None,
) -> Array:
    """A sampled Gaussian, ``exp(-(i - c)^T C^-1 (i - c) / 2)``, divided by its sum.

    Parameters
    ----------
    shape : int or tuple of int
        Number of samples along each axis, in any number of dimensions.
    sigma : float or sequence of float, optional
        Standard deviation in pixels, >= 0: one number, or one for each axis; C is then ``diag(sigma**2)``. At 0, the
        limit: no blur along that axis.
    covariance : array_like, optional
        C itself in pixels squared, for a Gaussian that lies obliquely: a symmetric, positive definite matrix with a
        row for each axis. Exactly one of `sigma` and `covariance` is given.
    centre : float or sequence of float, optional
        The centre c in pixels from sample 0: one number, or one for each axis, also between samples. By default
        ``(shape - 1) // 2``, the default origin of `Convolution`, also for even sizes, so that blurring moves nothing.

    Returns
    -------
    ndarray of float64
        Non-negative, of sum one.

    Raises
    ------
    TypeError, ValueError
        If a size is not a positive integer, a sigma is negative or not finite, the covariance is not symmetric and
        positive definite, both or neither are given, their number is not that of the axes, or the centre lies outside
        the window.

    Notes
    -----
    The samples lie at pixel centres and are not integrated over the pixel; what lies outside the window is lost to the
    division by the sum. In a window that reaches far enough, the centroid is the centre up to an error of about
    ``4 pi sigma**2 exp(-2 pi**2 sigma**2)`` pixels or less: 3e-5 for a sigma of 0.8, rounding from 1.4 on.

    Derivation: derivations/psf/gaussians.md, PSF.1, PSF.3
    """
    shape = image_shape(shape)
    if (sigma is None) == (covariance is None):
        raise TypeError("sigma or covariance: give exactly one of them")
    position = centre_of(centre, shape)
    if sigma is None:
        return _oblique(sample_distances(shape, position), _lower_factor(covariance, len(shape)))
    deviations = per_axis(sigma, len(shape), "sigma", minimum=0)
    return separable(shape, [_profile(*one) for one in zip(shape, position, deviations, strict=True)])


def _profile(size: int, centre: float, sigma: float) -> Array:
    """The Gaussian along one axis, as a multiple of its largest sample: that is 1, however small sigma is."""
    distance = np.abs(np.arange(size) - centre)
    nearest = distance.min()
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):  # far below one pixel, exp(-inf) = 0 is right
        exponent = 0.5 * ((distance - nearest) / sigma) * ((distance + nearest) / sigma)
    return np.exp(-np.where(distance == nearest, 0, exponent))


def _lower_factor(covariance: ArrayLike | None, ndim: int) -> Array:
    """The Cholesky factor of a covariance that is one."""
    matrix = real_array(covariance, "covariance", shape=(ndim, ndim)).astype(np.float64)  # type: ignore[arg-type]
    if np.abs(matrix - matrix.T).max() > 1e-12 * np.abs(matrix).max():
        raise ValueError(f"covariance must be symmetric, got {matrix.tolist()}")
    try:
        return np.asarray(np.linalg.cholesky(matrix))
    except np.linalg.LinAlgError:
        raise ValueError(f"covariance must be positive definite, got {matrix.tolist()}") from None


def _oblique(distances: list[Array], factor: Array) -> Array:
    """The Gaussian of covariance ``factor factor^T``, as a multiple of its largest sample, divided by its sum."""
    mesh = np.stack(np.broadcast_arrays(*distances))
    whitened = scipy.linalg.solve_triangular(factor, mesh.reshape(len(mesh), -1), lower=True)
    scale = np.abs(whitened).max() or 1.0  # the squares could overflow without it
    squares = np.square(whitened / scale).sum(axis=0)
    with np.errstate(over="ignore"):
        weights = np.exp(-0.5 * (squares - squares.min()) * scale * scale)
    return (weights / weights.sum()).reshape(mesh.shape[1:])


def article() -> Array:
    """The PSF of the article: a unit impulse in 13 x 13 pixels, filtered with a Gaussian of sigma (1, 3), of sum one.

    Returns
    -------
    ndarray of float64, shape (13, 13)
        The same to the last bit as the article's own lines, since it is made by the same calls of scipy.ndimage.

    Notes
    -----
    It is not `gaussian`: scipy's filter reflects at the edges of the 13 x 13 array, so what would leave it along the
    second axis comes back. Source: https://miller-blog.com/image-deblurring-part-2/.

    Derivation: derivations/psf/gaussians.md, PSF.2
    """
    impulse = np.zeros((13, 13))
    impulse[6, 6] = 1.0
    psf: Array = scipy.ndimage.gaussian_filter(impulse, (1, 3))
    return psf / psf.sum()
