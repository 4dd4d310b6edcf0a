"""Objectives of the field, ready made: each a few lines of composition, to use or to learn from and change."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from refdeconv import regularizers
from refdeconv._arrays import Array, real_array, real_number
from refdeconv.calculus import Functional
from refdeconv.functionals import L2Norm, LeastSquares, Poisson, PseudoHuber
from refdeconv.operators import Convolution

Origin = int | Sequence[int] | None


def blur(
    data: Array, psf: ArrayLike, boundary: str = "constant", origin: Origin = None, workers: int | None = None
) -> Convolution:
    """The convolution that made the data; for 'valid', from an unknown image that is larger by the PSF's reach.

    Parameters
    ----------
    data : ndarray
        The blurred image.
    psf, boundary, origin, workers
        As in `Convolution`.

    Returns
    -------
    Convolution
        With ``output_shape == data.shape``.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as described; the message names it.
    """
    psf = real_array(psf, "psf")
    shape = data.shape
    if boundary == "valid" and psf.ndim == data.ndim:
        shape = tuple(n + k - 1 for n, k in zip(data.shape, psf.shape, strict=True))
    return Convolution(psf, shape, boundary, origin, workers=workers)


def norm_and_gradient_norm(
    data: ArrayLike,
    psf: ArrayLike,
    mu: float = 0.2,
    *,
    boundary: str = "constant",
    origin: Origin = None,
    workers: int | None = None,
) -> Functional:
    """The article's objective for any data: ``sqrt(L(psf * x - data)) + mu * sqrt(L(D x))``, ``L(t) = sum(t**2)/2``.

    Parameters
    ----------
    data : array_like
        The blurred image, 1-D to 3-D.
    psf : array_like
        The point spread function, with as many axes.
    mu : float
        Weight of the gradient norm, > 0: larger is smoother. The norms are of the same degree, so mu does not depend on
        the image's range.
    boundary, origin, workers
        As in `Convolution`.

    Returns
    -------
    Functional
        ``0.5**0.5 * L2Norm(data) @ K + mu * 0.5**0.5 * L2Norm() @ D``

    Raises
    ------
    TypeError, ValueError
        If an argument is not as described; the message names it.

    Notes
    -----
    Convex; not differentiable where the residual, or every difference, is zero. With a small mu and little blur the
    minimiser itself may fit the data exactly and lie there (ART.5).

    Derivation: derivations/problems/article.md, ART.2, ART.3, ART.4
    """
    data, mu = real_array(data, "data"), positive_weight(mu)
    K = blur(data, psf, boundary, origin, workers)
    return regularizers.ROOT_HALF * L2Norm(data) @ K + mu * regularizers.gradient_norm(K.input_shape)


def least_squares_tikhonov(
    data: ArrayLike,
    psf: ArrayLike,
    mu: float,
    *,
    of: str = "gradient",
    weight: ArrayLike | None = None,
    boundary: str = "constant",
    origin: Origin = None,
    workers: int | None = None,
) -> Functional:
    """Gaussian noise and a smooth image: ``sum(weight * (K x - data)**2) / 2 + mu * sum((A x)**2) / 2``.

    Parameters
    ----------
    data, psf : array_like
        The blurred image and the PSF, with as many axes.
    mu : float
        Weight of the regulariser, > 0.
    of : {'identity', 'gradient', 'laplacian'}
        A, as in `regularizers.tikhonov`.
    weight : float or array_like, optional
        Inverse variance of each pixel, or a mask, as in `LeastSquares`.
    boundary, origin, workers
        As in `Convolution`.

    Returns
    -------
    Functional
        Convex and quadratic: Newton's method ends after one step.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as described; the message names it.

    Notes
    -----
    Derivation: derivations/problems/ready_made.md, RDY.1
    """
    data, mu = real_array(data, "data"), positive_weight(mu)
    K = blur(data, psf, boundary, origin, workers)
    return LeastSquares(data, weight) @ K + mu * regularizers.tikhonov(K.input_shape, of)


def least_squares_total_variation(
    data: ArrayLike,
    psf: ArrayLike,
    mu: float,
    *,
    epsilon: float | None = None,
    weight: ArrayLike | None = None,
    boundary: str = "constant",
    origin: Origin = None,
    workers: int | None = None,
) -> Functional:
    """Gaussian noise and sharp edges: least squares with smoothed total variation.

    Parameters
    ----------
    epsilon : float, optional
        Smoothing, as in `regularizers.total_variation`. Default: a hundredth of the range of the data.
    data, psf, mu, weight, boundary, origin, workers
        As in `least_squares_tikhonov`.

    Returns
    -------
    Functional
        Convex.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as described; the message names it.

    Notes
    -----
    Derivation: derivations/problems/ready_made.md, RDY.1
    """
    data, mu = real_array(data, "data"), positive_weight(mu)
    K = blur(data, psf, boundary, origin, workers)
    return LeastSquares(data, weight) @ K + mu * regularizers.total_variation(
        K.input_shape, epsilon or typical_smoothing(data)
    )


def robust_total_variation(
    data: ArrayLike,
    psf: ArrayLike,
    mu: float,
    *,
    delta: float | None = None,
    epsilon: float | None = None,
    weight: ArrayLike | None = None,
    boundary: str = "constant",
    origin: Origin = None,
    workers: int | None = None,
) -> Functional:
    """Noise with outliers (cosmic rays, dead pixels) and sharp edges: pseudo-Huber with smoothed total variation.

    Parameters
    ----------
    delta : float, optional
        Size of a residual from which on it counts as an outlier, > 0, as in `PseudoHuber`. Default: as for epsilon.
    epsilon : float, optional
        Smoothing, as in `regularizers.total_variation`. Default: a hundredth of the range of the data.
    data, psf, mu, weight, boundary, origin, workers
        As in `least_squares_tikhonov`.

    Returns
    -------
    Functional
        Convex.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as described; the message names it.

    Notes
    -----
    Derivation: derivations/problems/ready_made.md, RDY.1
    """
    data, mu = real_array(data, "data"), positive_weight(mu)
    K = blur(data, psf, boundary, origin, workers)
    return PseudoHuber(data, delta or typical_smoothing(data), weight) @ K + mu * regularizers.total_variation(
        K.input_shape, epsilon or typical_smoothing(data)
    )


def least_squares_hessian_schatten(
    data: ArrayLike,
    psf: ArrayLike,
    mu: float,
    *,
    epsilon: float | None = None,
    weight: ArrayLike | None = None,
    boundary: str = "constant",
    origin: Origin = None,
    workers: int | None = None,
) -> Functional:
    """Gaussian noise and an image of ramps and ridges: least squares with the smoothed Hessian-Schatten norm.

    Parameters
    ----------
    epsilon : float, optional
        Smoothing, as in `regularizers.hessian_schatten`. Default: a hundredth of the range of the data.
    data, psf, mu, weight, boundary, origin, workers
        As in `least_squares_tikhonov`.

    Returns
    -------
    Functional
        Convex.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as described; the message names it.

    Notes
    -----
    Derivation: derivations/problems/ready_made.md, RDY.1
    """
    data, mu = real_array(data, "data"), positive_weight(mu)
    K = blur(data, psf, boundary, origin, workers)
    return LeastSquares(data, weight) @ K + mu * regularizers.hessian_schatten(
        K.input_shape, epsilon or typical_smoothing(data)
    )


def poisson_total_variation(
    data: ArrayLike,
    psf: ArrayLike,
    mu: float,
    *,
    epsilon: float | None = None,
    background: ArrayLike = 0.0,
    weight: ArrayLike | None = None,
    boundary: str = "constant",
    origin: Origin = None,
    workers: int | None = None,
) -> Functional:
    """Photon counts and sharp edges: Kullback-Leibler divergence with smoothed total variation, for images x.

    Parameters
    ----------
    data : array_like
        Counts, >= 0.
    background : float or array_like
        Expected counts that do not come from the image, >= 0, as in `Poisson`.
    epsilon : float, optional
        Smoothing, as in `regularizers.total_variation`. Default: a hundredth of the range of the data.
    psf, mu, weight, boundary, origin, workers
        As in `least_squares_tikhonov`.

    Returns
    -------
    Functional
        Convex; infinite where ``K x + background`` is not positive. For non-negative images, compose it:
        ``poisson_total_variation(...) @ Square(shape)``.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as described; the message names it.

    Notes
    -----
    Derivation: derivations/problems/ready_made.md, RDY.2
    """
    data, mu = real_array(data, "data"), positive_weight(mu)
    K = blur(data, psf, boundary, origin, workers)
    misfit = Poisson(data, background, weight) @ K
    return misfit + mu * regularizers.total_variation(K.input_shape, epsilon or typical_smoothing(data))


def poisson_good_roughness(
    data: ArrayLike,
    psf: ArrayLike,
    mu: float,
    *,
    background: ArrayLike = 0.0,
    weight: ArrayLike | None = None,
    boundary: str = "constant",
    origin: Origin = None,
    workers: int | None = None,
) -> Functional:
    """Photon counts and Good's roughness, as in fluorescence microscopy: smooth where it is bright, less where dark.

    Parameters
    ----------
    data, psf, mu, background, weight, boundary, origin, workers
        As in `poisson_total_variation`.

    Returns
    -------
    Functional
        For positive images; compose it with `Square` or `Exponential`.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as described; the message names it.

    Notes
    -----
    Source: P. J. Verveer, M. J. Gemkow and T. M. Jovin, Journal of Microscopy 193 (1999) 50-61.
    Derivation: derivations/problems/ready_made.md, RDY.2
    """
    data, mu = real_array(data, "data"), positive_weight(mu)
    K = blur(data, psf, boundary, origin, workers)
    return Poisson(data, background, weight) @ K + mu * regularizers.good_roughness(K.input_shape)


def poisson_entropy(
    data: ArrayLike,
    psf: ArrayLike,
    mu: float,
    *,
    prior: ArrayLike | None = None,
    background: ArrayLike = 0.0,
    weight: ArrayLike | None = None,
    boundary: str = "constant",
    origin: Origin = None,
    workers: int | None = None,
) -> Functional:
    """Photon counts and maximum entropy relative to a prior image.

    Parameters
    ----------
    prior : float or array_like, optional
        The image expected without data, > 0, as in `Entropy`. Default: the mean of the data.
    data, psf, mu, background, weight, boundary, origin, workers
        As in `poisson_total_variation`.

    Returns
    -------
    Functional
        Convex, for positive images.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as described; the message names it.

    Notes
    -----
    Derivation: derivations/problems/ready_made.md, RDY.2
    """
    data, mu = real_array(data, "data"), positive_weight(mu)
    K = blur(data, psf, boundary, origin, workers)
    prior = data.mean() if prior is None else prior
    return Poisson(data, background, weight) @ K + mu * regularizers.entropy(prior, K.input_shape)


def typical_smoothing(data: Array) -> float:
    """A hundredth of the data's range: where a smoothed functional goes over from squares to sizes, by default."""
    return 0.01 * (float(np.ptp(data)) or 1.0)


def positive_weight(mu: float) -> float:
    """The weight of a regulariser, checked."""
    weight: float = real_number(mu, "mu", minimum=0, exclusive=True)
    return weight
