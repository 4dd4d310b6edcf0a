"""The regularisers of the field, each a functional of images: a line of composition, functional @ operator."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from refdeconv._arrays import Shape, axis_index, choice, image_shape, real_array
from refdeconv.calculus import Functional, LinearOperator
from refdeconv.functionals import (
    Entropy,
    GroupHuber,
    L2Norm,
    LeastSquares,
    SmoothedGroupNorm,
    SmoothedL1,
    SmoothedNuclearNorm,
)
from refdeconv.operators import Gradient, Identity, Laplacian, SecondDifferences, SquareRoot

Spacing = float | Sequence[float]
ROOT_HALF = np.sqrt(np.longdouble(0.5))  # cast to the precision of the image, whatever that is

__all__ = [
    "entropy",
    "good_roughness",
    "gradient_norm",
    "hessian_norm",
    "hessian_schatten",
    "huber_total_variation",
    "smoothed_l1",
    "tikhonov",
    "total_variation",
]


def tikhonov(
    shape: int | tuple[int, ...], of: str = "identity", *, spacing: Spacing = 1.0, boundary: str | None = None
) -> Functional:
    """Half the sum of squares of the image, its differences, or its Laplacian: ``sum((A x)**2) / 2``.

    Parameters
    ----------
    shape : int or tuple of int
        Shape of the image.
    of : {'identity', 'gradient', 'laplacian'}
        A.
    spacing : float or sequence of float
        Distance between pixels, along each axis.
    boundary : str, optional
        What the differences see beyond the edges, as in `Gradient` and `Laplacian`; by default theirs.

    Returns
    -------
    Functional
        ``LeastSquares() @ A``

    Raises
    ------
    TypeError, ValueError
        If an argument is not as described; the message names it.

    Notes
    -----
    Convex and quadratic. Derivation: derivations/regularizers.md, REG.1
    """
    operator: LinearOperator
    match choice(of, "of", ("identity", "gradient", "laplacian")):
        case "gradient":
            operator = Gradient(shape, spacing, boundary=boundary or "free")
        case "laplacian":
            operator = Laplacian(shape, spacing, boundary or "reflect")
        case _:
            operator = Identity(shape)
    return LeastSquares() @ operator


def gradient_norm(shape: int | tuple[int, ...], *, spacing: Spacing = 1.0, boundary: str = "free") -> Functional:
    """The article's: ``sqrt(sum((D x)**2) / 2)``, the norm of all differences together, not squared.

    Parameters
    ----------
    shape, spacing, boundary
        As in `Gradient`.

    Returns
    -------
    Functional
        ``0.5**0.5 * L2Norm() @ Gradient(shape)``

    Raises
    ------
    TypeError, ValueError
        If an argument is not as described; the message names it.

    Notes
    -----
    Convex, of degree one; a kink where the image is constant. Derivation: derivations/regularizers.md, REG.2
    """
    return ROOT_HALF * L2Norm() @ Gradient(shape, spacing, boundary=boundary)


def total_variation(
    shape: int | tuple[int, ...],
    epsilon: float = 1e-3,
    *,
    isotropic: bool = True,
    spacing: Spacing = 1.0,
    boundary: str = "free",
    channel_axis: int | None = None,
) -> Functional:
    """Smoothed total variation, ``sum(sqrt(|D x|**2 + epsilon**2) - epsilon)`` over all pixels.

    Parameters
    ----------
    shape : int or tuple of int
        Shape of the image, with its channel axis if it has one.
    epsilon : float
        Differences far below it are penalised as their squares, far above it as their sizes; > 0, in the units of the
        differences.
    isotropic : bool
        Whether ``|D x|`` is the length of the gradient at a pixel, or each difference counts on its own.
    spacing, boundary
        As in `Gradient`; one number, or one for each axis that is not the channels'.
    channel_axis : int, optional
        The axis that holds channels: they are coupled, ``|D x|`` being the length of all channels' differences
        together, so that edges are where they are in all of them (vectorial total variation).

    Returns
    -------
    Functional
        ``SmoothedGroupNorm(epsilon, axis) @ Gradient(shape)``

    Raises
    ------
    TypeError, ValueError
        If an argument is not as described; the message names it.

    Notes
    -----
    Convex, twice differentiable everywhere. Derivation: derivations/regularizers.md, REG.3
    """
    D, group = _differences(shape, spacing, boundary, isotropic, channel_axis)
    return SmoothedGroupNorm(epsilon, group) @ D


def huber_total_variation(
    shape: int | tuple[int, ...],
    delta: float = 1e-3,
    *,
    isotropic: bool = True,
    spacing: Spacing = 1.0,
    boundary: str = "free",
    channel_axis: int | None = None,
) -> Functional:
    """Total variation with the Huber function of each difference: quadratic up to `delta`, linear beyond.

    Parameters
    ----------
    delta : float
        Where the two meet, > 0, in the units of the differences.
    shape, isotropic, spacing, boundary, channel_axis
        As in `total_variation`.

    Returns
    -------
    Functional
        ``GroupHuber(delta, axis) @ Gradient(shape)``

    Raises
    ------
    TypeError, ValueError
        If an argument is not as described; the message names it.

    Notes
    -----
    Convex; its second derivative jumps where a length is delta. Derivation: derivations/regularizers.md, REG.3
    """
    D, group = _differences(shape, spacing, boundary, isotropic, channel_axis)
    return GroupHuber(delta, group) @ D


def hessian_norm(
    shape: int | tuple[int, ...], epsilon: float = 1e-3, *, spacing: Spacing = 1.0, boundary: str = "free"
) -> Functional:
    """Second-order total variation: the Frobenius norm of the matrix of second differences, summed over the pixels.

    Parameters
    ----------
    shape : int or tuple of int
        Shape of the image.
    epsilon : float
        Smoothing, > 0, in the units of the second differences.
    spacing, boundary
        As in `SecondDifferences`.

    Returns
    -------
    Functional
        ``SmoothedGroupNorm(epsilon, 0) @ SecondDifferences(shape)``

    Raises
    ------
    TypeError, ValueError
        If an argument is not as described; the message names it.

    Notes
    -----
    Convex; images that are linear in their coordinates cost nothing, so that ramps do not become stairs.
    Derivation: derivations/regularizers.md, REG.4
    """
    return SmoothedGroupNorm(epsilon, 0) @ SecondDifferences(shape, spacing, boundary=boundary)


def hessian_schatten(
    shape: int | tuple[int, ...], epsilon: float = 1e-3, *, spacing: Spacing = 1.0, boundary: str = "free"
) -> Functional:
    """The nuclear norm (Schatten, p = 1) of the matrix of second differences, smoothed, summed over the pixels.

    Parameters
    ----------
    shape : int or tuple of int
        Shape of the image, one to three axes.
    epsilon : float
        Smoothing of each eigenvalue's absolute value, > 0.
    spacing, boundary
        As in `SecondDifferences`.

    Returns
    -------
    Functional
        ``SmoothedNuclearNorm(epsilon) @ SecondDifferences(shape)``

    Raises
    ------
    TypeError, ValueError
        If an argument is not as described; the message names it.

    Notes
    -----
    Convex. Source: S. Lefkimmiatis, J. P. Ward and M. Unser, IEEE Transactions on Image Processing 22 (2013) 1873-1888.
    Derivation: derivations/regularizers.md, REG.4
    """
    shape = image_shape(shape)
    if len(shape) > 3:
        raise ValueError(f"shape must have one to three axes, got {shape}")
    return SmoothedNuclearNorm(epsilon) @ SecondDifferences(shape, spacing, boundary=boundary)


def good_roughness(shape: int | tuple[int, ...], *, spacing: Spacing = 1.0, boundary: str = "free") -> Functional:
    """Good's roughness, ``4 sum((D sqrt(x))**2)``: the Fisher information of the image as a density, for x > 0.

    Parameters
    ----------
    shape, spacing, boundary
        As in `Gradient`.

    Returns
    -------
    Functional
        ``8 * LeastSquares() @ Gradient(shape) @ SquareRoot(shape)``

    Raises
    ------
    TypeError, ValueError
        If an argument is not as described; the message names it.

    Notes
    -----
    Of degree one: doubling the image doubles it. Its gradient is infinite where x is zero.
    Source: I. J. Good and R. A. Gaskins, Biometrika 58 (1971) 255-277. Derivation: derivations/regularizers.md, REG.5
    """
    shape = image_shape(shape)
    return 8.0 * LeastSquares() @ Gradient(shape, spacing, boundary=boundary) @ SquareRoot(shape)


def entropy(prior: ArrayLike, shape: int | tuple[int, ...] | None = None) -> Functional:
    """Entropy relative to a prior image p > 0, ``sum(x log(x / p) - x + p)``, for x >= 0.

    Parameters
    ----------
    prior : float or array_like
        p, of the image's shape or one number.
    shape : int or tuple of int, optional
        Shape of the image, where `prior` is one number.

    Returns
    -------
    Functional
        ``Entropy(prior)``

    Raises
    ------
    TypeError, ValueError
        If an argument is not as described; the message names it.

    Notes
    -----
    Convex; its minimum is the prior. Derivation: derivations/regularizers.md, REG.6
    """
    prior = real_array(prior, "prior")
    if prior.ndim == 0 and shape is not None:
        prior = np.full(image_shape(shape), prior)
    return Entropy(prior)


def smoothed_l1(shape: int | tuple[int, ...], epsilon: float = 1e-3) -> Functional:
    """The smoothed sum of absolute values, ``sum(sqrt(x**2 + epsilon**2) - epsilon)``: for stars on a dark sky.

    Parameters
    ----------
    shape : int or tuple of int
        Shape of the image.
    epsilon : float
        Smoothing, > 0, in the image's units.

    Returns
    -------
    Functional
        ``SmoothedL1(epsilon=epsilon) @ Identity(shape)``

    Raises
    ------
    TypeError, ValueError
        If an argument is not as described; the message names it.

    Notes
    -----
    Convex. Derivation: derivations/regularizers.md, REG.6
    """
    return SmoothedL1(epsilon=epsilon) @ Identity(shape)


def _differences(
    shape: int | tuple[int, ...], spacing: Spacing, boundary: str, isotropic: bool, channel_axis: int | None
) -> tuple[LinearOperator, tuple[int, ...]]:
    """The differences along all axes but the channels', and the axes of their array that belong together."""
    sizes: Shape = image_shape(shape)
    if not isinstance(isotropic, bool | np.bool_):
        raise TypeError(f"isotropic must be True or False, got {isotropic!r}")
    if channel_axis is None:
        return Gradient(sizes, spacing, boundary=boundary), (0,) if isotropic else ()
    channels = axis_index(channel_axis, len(sizes), "channel_axis")
    axes = tuple(axis for axis in range(len(sizes)) if axis != channels)
    if not axes:
        raise ValueError(f"channel_axis {channel_axis} is the only axis of shape {sizes}: there are no pixels")
    D = Gradient(sizes, spacing, axes, boundary=boundary)
    return D, (0, channels + 1) if isotropic else (channels + 1,)
