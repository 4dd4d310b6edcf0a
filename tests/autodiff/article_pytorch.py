"""The article's objective in PyTorch: conv2d, backward, and torch.autograd.functional.hvp."""

import numpy as np
import torch
from numpy.typing import DTypeLike
from torch.nn.functional import conv2d, pad

from . import Array, Program


def blur(image: torch.Tensor, psf: torch.Tensor) -> torch.Tensor:
    # conv2d is a correlation: it takes the PSF flipped, and the origin (k - 1) // 2 then lies k // 2 samples from the
    # front. For even sizes the padding differs between the two sides, which conv2d's own padding cannot express.
    (bottom, right), (top, left) = (((size - 1) // 2 for size in psf.shape), (size // 2 for size in psf.shape))
    padded = pad(image, (left, right, top, bottom))
    return conv2d(padded[None, None], psf.flip(0, 1)[None, None])[0, 0]


def half_sum_of_squares(t: torch.Tensor) -> torch.Tensor:
    return (t**2).sum() / 2


def cost(x: torch.Tensor, blurred: torch.Tensor, psf: torch.Tensor, mu: float) -> torch.Tensor:
    misfit = half_sum_of_squares(blur(x, psf) - blurred).sqrt()
    roughness = (half_sum_of_squares(x.diff(dim=0)) + half_sum_of_squares(x.diff(dim=1))).sqrt()
    return misfit + mu * roughness


def objective(blurred: Array, psf: Array, mu: float, dtype: DTypeLike = np.float64) -> Program:
    def tensor(array: Array) -> torch.Tensor:
        return torch.from_numpy(array.astype(dtype))

    data, kernel = tensor(blurred), tensor(psf)

    def value_of(x: torch.Tensor) -> torch.Tensor:
        return cost(x, data, kernel, mu)

    def value(x: Array) -> np.floating:
        with torch.no_grad():
            return value_of(tensor(x)).numpy()[()]

    def gradient(x: Array) -> Array:
        unknown = tensor(x).requires_grad_()
        value_of(unknown).backward()
        return unknown.grad.numpy()

    def hvp(x: Array, v: Array) -> Array:
        return torch.autograd.functional.hvp(value_of, tensor(x), tensor(v))[1].numpy()

    return Program(value, gradient, hvp, f"torch {torch.__version__}")
