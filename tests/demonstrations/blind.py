"""Blind deconvolution: image and PSF from one blurred image of points of light.

Least squares alone cannot tell a sharp image with a blur from a blurred image without one, nor can a convex penalty of
points, since the PSF keeps their sum. Cauchy's, which is not convex, makes a few bright pixels cheaper than many that
are faint.
"""

from dataclasses import dataclass

import numpy as np

import refdeconv as rd

SHAPE, PSF_SHAPE = (40, 40), (7, 7)
MU, FAINT = 0.1, 0.03


@dataclass(frozen=True)
class Blind:
    sharp: np.ndarray
    psf: np.ndarray
    data: np.ndarray
    found_image: np.ndarray
    found_psf: np.ndarray
    start_psf: np.ndarray
    result: object

    @staticmethod
    def distance(found, true):
        return float(np.linalg.norm(found - true) / np.linalg.norm(true))


def run(seed=0):
    rng = np.random.default_rng(seed)
    sharp = np.full(SHAPE, 0.01)
    for row, column in rng.integers(6, 34, (12, 2)):
        sharp[row, column] += rng.uniform(0.5, 1.5)
    psf = rd.psf.gaussian(PSF_SHAPE, covariance=[[1.5, 0.8], [0.8, 1.0]])
    data = rd.Convolution(psf, SHAPE).forward(sharp) + 1e-3 * rng.standard_normal(SHAPE)

    packing = rd.Packing((SHAPE, PSF_SHAPE))
    image_map, psf_map = rd.Square(SHAPE), rd.Softmax(PSF_SHAPE)
    start_psf = rd.psf.gaussian(PSF_SHAPE, 1.5)  # round: it knows nothing of the slant
    objective = rd.LeastSquares(data) @ rd.BlindConvolution(SHAPE, PSF_SHAPE)
    objective += MU * rd.Cauchy(scale=FAINT) @ rd.Block((SHAPE, PSF_SHAPE), 0)
    objective = objective @ rd.Parallel(image_map, psf_map)
    start = packing.pack(image_map.inverse(np.maximum(data, 1e-2)), psf_map.inverse(start_psf))
    result = rd.minimize(objective, start, maxiter=200)
    z, q = packing.unpack(result.x)
    return Blind(sharp, psf, data, image_map.forward(z), psf_map.forward(q), start_psf, result)
