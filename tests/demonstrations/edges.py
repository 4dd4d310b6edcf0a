"""What lies beyond the edges: 'wrap' puts the opposite edge there, which rings; 'valid' assumes nothing."""

from dataclasses import dataclass

import numpy as np
from skimage.data import camera
from skimage.transform import rescale

import refdeconv as rd

MU = 2e-4


@dataclass(frozen=True)
class Edges:
    sharp: np.ndarray
    data: np.ndarray
    images: dict

    def error_near_edges(self, boundary, width=8):
        """Root mean square error in a frame along the edges."""
        frame = np.ones(self.sharp.shape, bool)
        frame[width:-width, width:-width] = False
        return float(np.sqrt(np.mean((self.images[boundary] - self.sharp)[frame] ** 2)))


def run(seed=0):
    scene = rescale(camera() / 255.0, 0.25, anti_aliasing=True)
    psf = rd.psf.gaussian((13, 13), 2.0)
    blurred = rd.Convolution(psf, scene.shape, "valid").forward(scene)  # the camera sees less than the scene
    data = blurred + 0.002 * np.random.default_rng(seed).standard_normal(blurred.shape)
    sharp = scene[6:-6, 6:-6]
    images = {
        boundary: rd.deconvolve(
            data, psf, MU, fidelity="least-squares", regularizer="tikhonov-gradient", boundary=boundary
        )
        for boundary in ("wrap", "constant", "reflect", "valid")
    }
    return Edges(sharp, data, images)
