"""Objectives with more between image and data than a known blur: coarse pixels, missing pixels, an unknown PSF."""

from __future__ import annotations

from numpy.typing import ArrayLike

from refdeconv import regularizers
from refdeconv._arrays import Shape, image_shape, real_array, whole_number
from refdeconv.calculus import Functional
from refdeconv.functionals import LeastSquares
from refdeconv.operators import Binning, BlindConvolution, Block, Convolution, Parallel, Selection, Softmax, Square
from refdeconv.problems.ready_made import Origin, blur, positive_weight, typical_smoothing


def super_resolution(
    data: ArrayLike,
    psf: ArrayLike,
    mu: float,
    *,
    factor: int,
    epsilon: float | None = None,
    boundary: str = "reflect",
    origin: Origin = None,
    workers: int | None = None,
) -> Functional:
    """An image on a finer grid than the data: least squares after blur and binning, with smoothed total variation.

    Parameters
    ----------
    data : array_like
        The image as measured, in coarse pixels.
    psf : array_like
        The PSF in fine pixels.
    factor : int
        Fine pixels in a coarse one, along each axis, >= 1.
    mu, epsilon, boundary, origin, workers
        As in `least_squares_total_variation`; the five boundaries that keep the shape.

    Returns
    -------
    Functional
        Of images that are `factor` times as large along each axis; a start is
        ``np.kron(data, np.ones((factor,) * data.ndim))``.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as described; the message names it.

    Notes
    -----
    Derivation: derivations/problems/ready_made.md, RDY.3
    """
    data, mu = real_array(data, "data"), positive_weight(mu)
    if whole_number(factor, "factor") < 1:
        raise ValueError(f"factor must be >= 1, got {factor}")
    shape = tuple(factor * n for n in data.shape)
    K = Convolution(psf, shape, boundary, origin, workers=workers)
    return LeastSquares(data) @ Binning(shape, factor) @ K + mu * regularizers.total_variation(
        shape, epsilon or typical_smoothing(data)
    )


def inpainting(
    data: ArrayLike,
    psf: ArrayLike,
    mu: float,
    *,
    mask: ArrayLike,
    epsilon: float | None = None,
    boundary: str = "reflect",
    origin: Origin = None,
    workers: int | None = None,
) -> Functional:
    """Data with missing pixels: least squares over those that are there, with smoothed total variation.

    Parameters
    ----------
    data : array_like
        The blurred image; what stands at missing pixels does not matter, but must be a finite number.
    mask : array_like of bool
        True where a pixel was measured.
    psf, mu, epsilon, boundary, origin, workers
        As in `least_squares_total_variation`.

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
    Derivation: derivations/problems/ready_made.md, RDY.3
    """
    data, mu = real_array(data, "data"), positive_weight(mu)
    S = Selection(mask)
    if S.input_shape != data.shape:
        raise ValueError(f"mask has shape {S.input_shape}, expected that of data, {data.shape}")
    K = blur(data, psf, boundary, origin, workers)
    measured = S.forward(data)
    smoothness = regularizers.total_variation(K.input_shape, epsilon or typical_smoothing(measured))
    return LeastSquares(measured) @ S @ K + mu * smoothness


def blind(
    data: ArrayLike,
    psf_shape: int | tuple[int, ...],
    mu: float,
    *,
    epsilon: float | None = None,
    boundary: str = "constant",
    origin: Origin = None,
    workers: int | None = None,
) -> Functional:
    """Image and PSF both unknown: least squares with smoothed total variation of the image.

    Parameters
    ----------
    data : array_like
        The blurred image.
    psf_shape : int or tuple of int
        Shape of the unknown PSF.
    mu, epsilon, boundary, origin, workers
        As in `least_squares_total_variation`.

    Returns
    -------
    Functional
        Of the packed vector ``Packing((data.shape, psf_shape)).pack(z, k)``; the image is ``z**2``, the PSF
        ``softmax(k)``. Not convex: the start matters, and the sharp answer must be worth more than the blurred image
        with the PSF `delta`. ``tests/demonstrations/blind.py`` shows one that is found, start to end.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as described; the message names it.

    Notes
    -----
    Derivation: derivations/problems/ready_made.md, RDY.4
    """
    data, mu = real_array(data, "data"), positive_weight(mu)
    shapes: tuple[Shape, Shape] = (data.shape, image_shape(psf_shape, "psf_shape"))
    constrained = Parallel(Square(shapes[0]), Softmax(shapes[1]))
    misfit = LeastSquares(data) @ BlindConvolution(*shapes, boundary, origin, workers=workers)
    smoothness = regularizers.total_variation(data.shape, epsilon or typical_smoothing(data)) @ Block(shapes, 0)
    return (misfit + mu * smoothness) @ constrained
