"""A microscope's volume: 3-D, voxels that are not cubic, photon counts with a background."""

from dataclasses import dataclass

import numpy as np
import scipy.ndimage

import refdeconv as rd

SHAPE, SPACING, BACKGROUND = (16, 40, 36), (2.5, 1.0, 1.0), 5.0


@dataclass(frozen=True)
class Volume:
    sharp: np.ndarray
    data: np.ndarray
    found: np.ndarray
    result: object


def run(seed=0):
    rng = np.random.default_rng(seed)
    sharp = np.zeros(SHAPE)
    for centre in rng.uniform((4, 8, 8), (12, 32, 28), (8, 3)):
        grid = np.stack(np.meshgrid(*map(np.arange, SHAPE), indexing="ij"), -1) * SPACING
        inside = np.linalg.norm(grid - centre * SPACING, axis=-1) < rng.uniform(3, 6)
        sharp += 60 * scipy.ndimage.gaussian_filter(inside.astype(float), 0.5)
    psf = rd.psf.gaussian((7, 9, 9), (1.6, 1.4, 1.4))
    expected = rd.Convolution(psf, SHAPE, "reflect").forward(sharp) + BACKGROUND
    data = rng.poisson(expected).astype(float)
    found, result = rd.deconvolve(
        data,
        psf,
        0.05,
        fidelity="poisson",
        regularizer="total-variation",
        boundary="reflect",
        positivity="square",
        fidelity_options={"background": BACKGROUND},
        regularizer_options={"epsilon": 0.5, "spacing": SPACING},
        full_output=True,
    )
    return Volume(sharp, data, found, result)
