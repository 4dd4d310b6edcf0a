"""The field's other models in PyTorch: conv1d to conv3d, backward, and torch.autograd.functional.hvp.

Its convolutions are correlations of batches with channels, so the PSF is flipped and two axes come and go. Its pad
mirrors about the last pixel ('reflect') but not about the edge, so that one is written as an index.
"""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import DTypeLike
from torch.nn import functional

from . import Array, Program

CONVOLUTIONS = {1: functional.conv1d, 2: functional.conv2d, 3: functional.conv3d}

# ---- Forward models ----


def mirrored(x: torch.Tensor, reach: Sequence[tuple[int, int]]) -> torch.Tensor:
    """The image continued by its mirror image, as often as needed, the edge between two pixels."""
    for axis, (before, after) in enumerate(reach):
        n = x.shape[axis]
        place = torch.arange(-before, n + after) % (2 * n)
        x = x.index_select(axis, torch.minimum(place, 2 * n - 1 - place))
    return x


def blur(image: torch.Tensor, psf: torch.Tensor, boundary: str = "constant") -> torch.Tensor:
    """The PSF's sample (k - 1) // 2 multiplies the pixel itself."""
    reach = [(size // 2, (size - 1) // 2) for size in psf.shape]
    if boundary == "constant":
        image = functional.pad(image, [size for pair in reversed(reach) for size in pair])
    elif boundary == "reflect":
        image = mirrored(image, reach)
    flipped = psf.flip(tuple(range(psf.ndim)))
    return CONVOLUTIONS[psf.ndim](image[None, None], flipped[None, None])[0, 0]


def differences(x: torch.Tensor, axis: int) -> torch.Tensor:
    """Forward differences along an axis; the last is zero."""
    return x.diff(dim=axis, append=x.narrow(axis, x.shape[axis] - 1, 1))


def total_variation(x: torch.Tensor, epsilon: float) -> torch.Tensor:
    squares = sum(differences(x, axis) ** 2 for axis in range(x.ndim))
    return (torch.sqrt(squares + epsilon**2) - epsilon).sum()


POSITIVE: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "square": torch.square,
    "softplus": functional.softplus,
}

# ---- Objectives ----


def least_squares_tv(
    data: Array, psf: Array, mu: float, epsilon: float, weight: Array, dtype: DTypeLike, boundary: str = "constant"
) -> Program:
    data, psf, weight = (tensor(array, dtype) for array in (data, psf, weight))

    def cost(x: torch.Tensor) -> torch.Tensor:
        residual = blur(x, psf, boundary) - data
        return (weight * residual**2).sum() / 2 + mu * total_variation(x, epsilon)

    return program(cost, dtype)


def poisson_tv(
    data: Array,
    psf: Array,
    mu: float,
    epsilon: float,
    weight: Array,
    background: Array,
    dtype: DTypeLike,
    positivity: str = "square",
) -> Program:
    data, psf, weight, background = (tensor(array, dtype) for array in (data, psf, weight, background))
    log_data = torch.where(data > 0, data, 1).log()

    def cost(z: torch.Tensor) -> torch.Tensor:
        x = POSITIVE[positivity](z)
        expected = blur(x, psf) + background
        divergence = expected - data + data * (log_data - expected.log())
        return (weight * divergence).sum() + mu * total_variation(x, epsilon)

    return program(cost, dtype)


def blind(data: Array, psf_shape: tuple[int, ...], mu: float, epsilon: float, dtype: DTypeLike) -> Program:
    """Of one vector: the image is the square of its first part, the PSF the softmax of the rest."""
    data = tensor(data, dtype)

    def cost(z: torch.Tensor) -> torch.Tensor:
        image = z[: data.numel()].reshape(data.shape) ** 2
        psf = torch.softmax(z[data.numel() :], dim=0).reshape(psf_shape)
        return ((blur(image, psf) - data) ** 2).sum() / 2 + mu * total_variation(image, epsilon)

    return program(cost, dtype)


# ---- Derivatives ----


def tensor(array: Array, dtype: DTypeLike) -> torch.Tensor:
    return torch.from_numpy(array.astype(dtype))


def program(cost: Callable[[torch.Tensor], torch.Tensor], dtype: DTypeLike) -> Program:
    def value(x: Array) -> np.floating:
        with torch.no_grad():
            return cost(tensor(x, dtype)).numpy()[()]

    def gradient(x: Array) -> Array:
        unknown = tensor(x, dtype).requires_grad_()
        cost(unknown).backward()
        return unknown.grad.numpy()

    def hvp(x: Array, v: Array) -> Array:
        return torch.autograd.functional.hvp(cost, tensor(x, dtype), tensor(v, dtype))[1].numpy()

    return Program(value, gradient, hvp, f"torch {torch.__version__}")
