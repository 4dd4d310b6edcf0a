"""The demonstrations hold: what README and pages say of the models is so."""

import numpy as np
import pytest
from skimage.metrics import peak_signal_noise_ratio

from tests.demonstrations import blind, edges, photons, volume


@pytest.mark.parametrize("seed", [0, pytest.param(1, marks=pytest.mark.slow), pytest.param(2, marks=pytest.mark.slow)])
def test_total_variation_beats_the_best_richardson_lucy(seed):
    run = photons.run(seed)
    assert run.result.success, run.result.message
    assert (run.total_variation >= 0).all()
    assert 1 < run.best_iteration < photons.ITERATIONS - 3  # the best one is inside the range that was searched
    assert run.psnr(run.total_variation) > run.psnr(run.richardson_lucy) + 0.5
    assert run.psnr(run.richardson_lucy) > run.psnr(run.data)


def test_valid_does_not_ring():
    run = edges.run()
    assert run.error_near_edges("valid") < 0.5 * run.error_near_edges("wrap")
    assert run.error_near_edges("valid") < run.error_near_edges("constant")
    middle = np.s_[20:-20, 20:-20]
    assert np.abs(run.images["valid"] - run.images["reflect"])[middle].max() < 0.05  # far from the edges it is all one


@pytest.mark.parametrize("seed", [0, pytest.param(1, marks=pytest.mark.slow)])
def test_blind_finds_the_psf(seed):
    run = blind.run(seed)
    assert np.isclose(run.found_psf.sum(), 1)
    assert (run.found_psf >= 0).all()
    assert run.distance(run.found_psf, run.psf) < 0.35 * run.distance(run.start_psf, run.psf)
    assert run.distance(run.found_image, run.sharp) < 0.5 * run.distance(run.data, run.sharp)


def test_volume_with_flat_voxels():
    run = volume.run()
    assert run.result.success, run.result.message
    found, seen = (
        peak_signal_noise_ratio(run.sharp, image, data_range=run.sharp.max())
        for image in (run.found, run.data - volume.BACKGROUND)
    )
    assert found > seen + 2
