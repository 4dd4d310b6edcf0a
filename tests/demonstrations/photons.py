"""Photon counts: Poisson with smoothed total variation and positivity, against scikit-image's Richardson-Lucy.

Richardson-Lucy has no regulariser: it is stopped early, and here it is granted the best stopping iteration, chosen by
looking at the sharp image. The weight of the total variation is one number for all seeds.
"""

from dataclasses import dataclass

import numpy as np
from skimage.data import camera
from skimage.metrics import peak_signal_noise_ratio
from skimage.restoration import richardson_lucy
from skimage.transform import rescale

import refdeconv as rd

PEAK = 200.0  # counts in the brightest pixel
MU = 0.02
EPSILON = 1.0  # counts
ITERATIONS = 150


@dataclass(frozen=True)
class Photons:
    sharp: np.ndarray
    data: np.ndarray
    richardson_lucy: np.ndarray
    best_iteration: int
    total_variation: np.ndarray
    result: object

    def psnr(self, image):
        return peak_signal_noise_ratio(self.sharp, image, data_range=PEAK)


def sharp_image():
    """A scene that is dark all around, so that what a method assumes beyond the edges does not matter."""
    return np.pad(PEAK * np.clip(rescale(camera() / 255.0, 0.25, anti_aliasing=True), 0, 1), 12)


def best_richardson_lucy(data, psf, sharp):
    """The iterate of scikit-image's Richardson-Lucy with the best PSNR, and its number."""
    best, best_error, number = None, np.inf, 0
    for iterations in range(1, ITERATIONS + 1):
        estimate = richardson_lucy(data / PEAK, psf, num_iter=iterations, clip=False, filter_epsilon=1e-12) * PEAK
        error = np.sum((estimate - sharp) ** 2)
        if error > best_error:
            break  # past the best: from here on it fits the noise
        best, best_error, number = estimate, error, iterations
    return best, number


def run(seed):
    sharp = sharp_image()
    psf = rd.psf.gaussian((9, 9), 1.5)
    expected = np.maximum(rd.Convolution(psf, sharp.shape, "constant").forward(sharp), 0)
    data = np.random.default_rng(seed).poisson(expected).astype(float)
    found, result = rd.deconvolve(
        data,
        psf,
        MU,
        fidelity="poisson",
        regularizer="total-variation",
        positivity="square",
        regularizer_options={"epsilon": EPSILON},
        full_output=True,
    )
    estimate, number = best_richardson_lucy(data, psf, sharp)
    return Photons(sharp, data, estimate, number, found, result)
