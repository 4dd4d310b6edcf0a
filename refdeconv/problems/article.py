"""The article's problem, with its data."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from refdeconv import psf as psfs
from refdeconv._arrays import Array, read_only, real_array, real_number, whole_number
from refdeconv.calculus import Functional
from refdeconv.operators import Convolution
from refdeconv.problems.ready_made import norm_and_gradient_norm


@dataclass(frozen=True, eq=False)
class Problem:
    """A deconvolution problem whose answer is known.

    Attributes
    ----------
    original : ndarray
        The sharp image.
    psf : ndarray
        The point spread function.
    blurred : ndarray
        The original after the blur, of the same shape: the data.
    objective : Functional
        What is minimised, a functional of images of that shape.

    Notes
    -----
    Derivation: derivations/problems/article.md, ART.1
    """

    original: Array
    psf: Array
    blurred: Array
    objective: Functional

    def start(self, seed: int = 0) -> Array:
        """The article's start, ``RandomState(seed).randn(n) / 10`` in the image's shape."""
        seed = whole_number(seed, "seed")
        if not 0 <= seed < 2**32:
            raise ValueError(f"seed must be between 0 and 2**32 - 1, got {seed}")
        return np.random.RandomState(seed).randn(self.original.size).reshape(self.original.shape) / 10


def article(image: ArrayLike | None = None, psf: ArrayLike | None = None, mu: float = 0.2) -> Problem:
    """The problem of the article: blur an image with a known PSF and find it again.

    Parameters
    ----------
    image : array_like, optional
        The sharp image, 1-D to 3-D. Default: scikit-image's astronaut, grey, a third of its size (171 x 171).
    psf : array_like, optional
        The point spread function, with as many axes. Default: `psf.article()`.
    mu : float
        Weight of the gradient norm, > 0.

    Returns
    -------
    Problem
        With `original`, `psf`, `blurred`, `objective`, and the article's `start(seed)`.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as described; the message names it.

    Notes
    -----
    Needs scikit-image where `image` is not given. Source: https://miller-blog.com/image-deblurring-part-2/.
    Derivation: derivations/problems/article.md, ART.1
    """
    mu = real_number(mu, "mu", minimum=0, exclusive=True)
    original = read_only(astronaut()) if image is None else real_array(image, "image")
    kernel = psfs.as_psf(psfs.article() if psf is None else psf, original.shape)
    blurred = read_only(Convolution(kernel, original.shape).forward(original))
    return Problem(original, kernel, blurred, norm_and_gradient_norm(blurred, kernel, mu))


def astronaut(scale: float = 1 / 3) -> Array:
    """The article's image: scikit-image's astronaut in grey, rescaled; 171 x 171 pixels by default.

    Parameters
    ----------
    scale : float
        Factor from the original's 512 x 512 pixels, > 0.

    Returns
    -------
    ndarray of float64
        Grey values between 0 and 1.

    Raises
    ------
    TypeError, ValueError
        If `scale` is not a positive number.
    """
    from skimage.color import rgb2gray
    from skimage.data import astronaut as colour_astronaut
    from skimage.transform import rescale

    scale = real_number(scale, "scale", minimum=0, exclusive=True)
    image: Array = rescale(rgb2gray(colour_astronaut()), scale, mode="constant")
    return image
