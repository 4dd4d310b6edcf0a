"""Figures, drawn without a display."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from refdeconv._arrays import Array

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_BLUE, _ORANGE = "#0072b2", "#d55e00"  # told apart also with colour-blind eyes


def article(original: Array, blurred: Array, result: Any, quality: dict[str, float]) -> Figure:
    """Original, blurred and deconvolved image on the original's grey range, and how the solve converged."""
    from matplotlib.figure import Figure  # heavy, writes into the home folder, and is wanted by few commands

    figure = Figure(figsize=(11, 6.6), layout="constrained")
    panels = figure.add_gridspec(2, 3, height_ratios=(1.7, 1))
    captions = (
        ("Original", "the answer, unknown to the solver"),
        ("Blurred", "PSNR {psnr_blurred:.2f} dB, SSIM {ssim_blurred:.3f}".format(**quality)),
        ("Deconvolved", "PSNR {psnr_deconvolved:.2f} dB, SSIM {ssim_deconvolved:.3f}".format(**quality)),
    )
    for column, (image, (title, caption)) in enumerate(zip((original, blurred, result.x), captions, strict=True)):
        axes = figure.add_subplot(panels[0, column])
        axes.imshow(image, cmap="gray", vmin=original.min(), vmax=original.max(), interpolation="nearest")
        axes.set_title(title)
        axes.set_xlabel(caption)
        axes.set_xticks([])
        axes.set_yticks([])
    _draw_convergence(figure.add_subplot(panels[1, :]), result)
    return figure


def _draw_convergence(axes: Any, result: Any) -> None:
    products = np.array([iterate.hessian_products for iterate in result.history])
    gradient_norms = np.array([iterate.gradient_norm for iterate in result.history])
    values = np.array([iterate.value for iterate in result.history])
    above_last = values - values.min()
    shown = above_last > 0
    axes.semilogy(
        products,
        gradient_norms / gradient_norms[0],
        "o-",
        color=_BLUE,
        ms=4,
        label="gradient norm, relative to the start",
    )
    axes.semilogy(
        products[shown],
        above_last[shown] / values.min(),
        "s--",
        color=_ORANGE,
        ms=4,
        label="value above the last, relative",
    )
    axes.set_xlabel(
        f"Hessian-vector products so far (a mark an iteration; {result.seconds:.2f} s in all, "
        f"{result.method}, value {result.fun:.8f})"
    )
    axes.set_ylabel("relative size")
    axes.grid(alpha=0.3)
    axes.legend(frameon=False)
