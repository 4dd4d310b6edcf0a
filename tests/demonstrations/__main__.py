"""Draw the demonstrations, and print what they measured: ``python -m tests.demonstrations``."""

import argparse
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from skimage.metrics import peak_signal_noise_ratio

from tests.demonstrations import blind, edges, photons, volume


def panels(path, images, *, limits=None, columns=None, size=2.6):
    """Images side by side with their titles, on one range of grey where one is given."""
    columns = columns or len(images)
    rows = [list(images.values())[first : first + columns] for first in range(0, len(images), columns)]
    heights = [size * max(image.shape[0] / image.shape[1] for image in row) + 0.6 for row in rows]
    figure, axes = plt.subplots(
        len(rows),
        columns,
        figsize=(size * columns, sum(heights)),
        height_ratios=heights,
        layout="constrained",
        squeeze=False,
    )
    for axis in axes.flat:
        axis.set_axis_off()
    for axis, (title, image) in zip(axes.flat, images.items(), strict=False):
        low, high = limits or (image.min(), image.max())
        axis.imshow(image, cmap="gray", vmin=low, vmax=high, interpolation="nearest")
        axis.set_title(title, fontsize=9)
    figure.savefig(path, dpi=130)
    plt.close(figure)


def draw_photons(folder):
    runs = [photons.run(seed) for seed in range(5)]
    gains = [run.psnr(run.total_variation) - run.psnr(run.richardson_lucy) for run in runs]
    print(
        f"photons: total variation is better than the best Richardson-Lucy by {np.median(gains):.2f} dB "
        f"({min(gains):.2f} to {max(gains):.2f} over {len(runs)} seeds)"
    )
    run = runs[0]
    panels(
        folder / "photons.png",
        {
            "sharp": run.sharp,
            f"photon counts, {run.psnr(run.data):.2f} dB": run.data,
            f"Richardson-Lucy, best of all\niterations ({run.best_iteration}), "
            f"{run.psnr(run.richardson_lucy):.2f} dB": run.richardson_lucy,
            f"Poisson + total variation,\npositive, {run.psnr(run.total_variation):.2f} dB": run.total_variation,
        },
        limits=(0, photons.PEAK),
    )


def draw_edges(folder):
    run = edges.run()
    errors = {boundary: run.error_near_edges(boundary) for boundary in run.images}
    print("edges: error near the edges " + ", ".join(f"{name} {error:.4f}" for name, error in errors.items()))
    images = {"sharp": run.sharp, "blurred data": run.data}
    images |= {f"'{name}', error near\nthe edges {errors[name]:.3f}": image for name, image in run.images.items()}
    panels(folder / "edges.png", images, limits=(0, 1), columns=3)


def draw_blind(folder):
    run = blind.run()
    before, after = run.distance(run.start_psf, run.psf), run.distance(run.found_psf, run.psf)
    print(f"blind: relative distance of the PSF from the true one {before:.3f} at the start, {after:.3f} found")
    panels(
        folder / "blind.png",
        {
            "sharp": run.sharp**0.5,
            "blurred data": np.maximum(run.data, 0) ** 0.5,
            "found image": run.found_image**0.5,
            "true PSF": run.psf,
            f"PSF at the start,\ndistance {before:.2f}": run.start_psf,
            f"found PSF,\ndistance {after:.2f}": run.found_psf,
        },
        columns=3,
    )


def draw_volume(folder):
    run = volume.run()
    before, after = (
        peak_signal_noise_ratio(run.sharp, image, data_range=run.sharp.max())
        for image in (run.data - volume.BACKGROUND, run.found)
    )
    print(f"volume: {before:.2f} to {after:.2f} dB, {run.result.nhev} Hessian products, {run.result.seconds:.1f} s")
    middle = volume.SHAPE[0] // 2

    def from_the_side(image):
        """A section in which a voxel is as high as it is, 2.5 times its width."""
        return image[:, :, volume.SHAPE[2] // 2].repeat(5, axis=0).repeat(2, axis=1)

    panels(
        folder / "volume.png",
        {
            "sharp, one slice": run.sharp[middle],
            f"photon counts, {before:.1f} dB": run.data[middle] - volume.BACKGROUND,
            f"found, {after:.1f} dB": run.found[middle],
            "sharp, from the side": from_the_side(run.sharp),
            "photon counts": from_the_side(run.data) - volume.BACKGROUND,
            "found": from_the_side(run.found),
        },
        limits=(0, run.sharp.max()),
        columns=3,
    )


def main():
    parser = argparse.ArgumentParser(description="Draw the demonstrations and print what they measured.")
    parser.add_argument("--out", type=Path, default=Path("derivations/figures"))
    folder = parser.parse_args().out
    folder.mkdir(parents=True, exist_ok=True)
    for draw in (draw_photons, draw_edges, draw_blind, draw_volume):
        draw(folder)
    print(f"Wrote {', '.join(f'{name}.png' for name in ('photons', 'edges', 'blind', 'volume'))} to {folder}")


if __name__ == "__main__":
    main()
