"""The figure: times against pixels, and how they compare."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .comparing import ARTICLE, AUTOGRAD, OURS, compared, groups
from .evaluations import FLOOR, QUANTITIES, Cell
from .tables import OBJECTIVES

COLOURS = {
    OURS: "#c1272d",
    "JAX": "#0072b2",
    "PyTorch": "#e69f00",
    "TensorFlow": "#009e73",
    AUTOGRAD: "#7f7f7f",
    ARTICLE: "#b0b0b0",
    FLOOR: "black",
}
REACH = {"value_and_gradient": (1.3, 1.8), "product": (2.0, 1.6)}  # times as fast as others; as long as the transforms


def draw(cells: Sequence[Cell], path: Path) -> None:
    """Images in float64 with the narrower PSF; ratios in float32 as well. Some image must have been timed."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    images = [cell for cell in cells if len(cell.task.shape) == 2 and cell.seconds]
    width, product = min(
        ((cell.task.width, cell.task.product) for cell in images), key=lambda psf: (psf[0], not psf[1])
    )
    flat = [cell for cell in images if (cell.task.width, cell.task.product) == (width, product)]
    objectives = [name for name in OBJECTIVES if any(cell.task.objective == name for cell in flat)]
    figure = Figure(figsize=(11, 3.4 * (len(objectives) + 1)), layout="constrained")
    FigureCanvasAgg(figure)
    panels = figure.subplots(len(objectives) + 1, 2, sharex="col", squeeze=False)
    for axes in panels[0]:
        # Before anything is drawn: with one size alone, there would be no width to draw in.
        axes.set_xscale("log")
        axes.set_xlim(min(map(_pixels, flat)) / 1.3, max(map(_pixels, flat)) * 1.3)
    for column, (quantity, words) in enumerate(QUANTITIES.items()):
        of_quantity = [cell for cell in flat if cell.quantity == quantity]
        for row, objective in enumerate(objectives):
            chosen = [cell for cell in of_quantity if cell.task.objective == objective]
            panels[row, column].set_title(f"{OBJECTIVES[objective]}: {words}", fontsize=9)
            _draw_times(panels[row, column], [cell for cell in chosen if cell.task.dtype == "float64"])
        _draw_ratios(panels[-1, column], of_quantity, *REACH[quantity])
        panels[-1, column].set_title(
            "Ratios: {}\nto reach, dotted: red at least {}, black at most {}".format(words, *REACH[quantity]),
            fontsize=8,
        )
        _label_sizes(panels[-1, column], {cell.task.shape for cell in of_quantity})
    for line in panels[:-1, 0]:
        line.set_ylabel("time, ms (bars: least to most)", fontsize=9)
    panels[-1, 0].set_ylabel("ratio, median of pairs")
    for row in panels:
        labels = max((axes.get_legend_handles_labels() for axes in row), key=lambda drawn: len(drawn[0]))
        row[1].legend(*labels, fontsize=8, frameon=False, loc="upper left", bbox_to_anchor=(1.01, 1))
    psf = f"PSF {width} wide" + (", a product of two" if product else "")
    figure.suptitle(f"Time of one evaluation, images in float64, {psf}; ratios in both precisions", fontsize=11)
    figure.savefig(path, dpi=130)


def _draw_times(axes: Any, cells: Sequence[Cell]) -> None:
    for name in dict.fromkeys(cell.name for cell in cells):
        its = sorted((cell for cell in cells if cell.name == name), key=_pixels)
        medians = [1e3 * statistics.median(cell.seconds) for cell in its]
        lower = [median - 1e3 * min(cell.seconds) for median, cell in zip(medians, its, strict=True)]
        upper = [1e3 * max(cell.seconds) - median for median, cell in zip(medians, its, strict=True)]
        style = {"color": COLOURS.get(name), "linestyle": ":" if name == FLOOR else "-", "marker": "o", "markersize": 4}
        heavy = {"linewidth": 2.4, "zorder": 5} if name == OURS else {"linewidth": 1.2}
        axes.errorbar(list(map(_pixels, its)), medians, (lower, upper), label=name, capsize=2, **style, **heavy)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.grid(alpha=0.25)


def _draw_ratios(axes: Any, cells: Sequence[Cell], faster: float, longer: float) -> None:
    points: dict[tuple[str, str, str], list[tuple[int, float]]] = {}
    for (task, _), group in groups(cells).items():
        ratios = compared(group)
        for key in ("fastest_competitor_over_refdeconv", "refdeconv_over_fft_pairs"):
            if ratios.get(key) is not None:
                points.setdefault((key, task.objective, task.dtype), []).append((math.prod(task.shape), ratios[key]))
    for (key, objective, dtype), those in points.items():
        floor = key == "refdeconv_over_fft_pairs"
        label = f"{OURS} / {FLOOR}" if floor else f"fastest other / {OURS}, {objective}"
        colour = COLOURS[FLOOR] if floor else {"article": COLOURS[OURS], "poisson-tv": "#6a3d9a"}[objective]
        face = colour if dtype == "float64" else "white"
        style = {"color": colour, "linestyle": "-" if dtype == "float64" else "--", "markerfacecolor": face}
        axes.plot(*zip(*sorted(those), strict=True), marker="s" if floor else "o", label=f"{label}, {dtype}", **style)
    axes.axhline(1, color="0.6", linewidth=0.8)
    axes.axhline(faster, color=COLOURS[OURS], linewidth=1, linestyle=":")
    axes.axhline(longer, color=COLOURS[FLOOR], linewidth=1, linestyle=":")
    axes.set_xscale("log")
    axes.set_ylim(bottom=0)
    axes.grid(alpha=0.25)


def _label_sizes(axes: Any, shapes: set[tuple[int, ...]]) -> None:
    axes.set_xticks([math.prod(shape) for shape in sorted(shapes)])
    axes.set_xticklabels([f"{shape[0]}²" for shape in sorted(shapes)])
    axes.minorticks_off()
    axes.set_xlabel("pixels")


def _pixels(cell: Cell) -> int:
    return math.prod(cell.task.shape)
