"""What the times come to: ratios pair by pair, and the growth with the size."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Sequence
from typing import Any

from .evaluations import FLOOR, Cell
from .tasks import Task

OURS, AUTOGRAD, ARTICLE = "refdeconv", "Autograd", "the article's Autograd"
GROWTH = ((512, 512), (1024, 1024), (2048, 2048), (4096, 4096))


def ratio(over: Sequence[float], under: Sequence[float]) -> float:
    """The median of the quotients of runs that were made one after the other."""
    return statistics.median(a / b for a, b in zip(over, under, strict=True))


def groups(cells: Iterable[Cell]) -> dict[tuple[Task, str], dict[str, Cell]]:
    """The cells of one task and quantity, by implementation."""
    found: dict[tuple[Task, str], dict[str, Cell]] = {}
    for cell in cells:
        found.setdefault((cell.task, cell.quantity), {})[cell.name] = cell
    return found


def compared(group: dict[str, Cell]) -> dict[str, Any]:
    """How many times as long as refdeconv others take, and refdeconv as long as its transforms; None: not measured."""
    timed = {name: cell.seconds for name, cell in group.items() if cell.seconds}
    ours = timed.pop(OURS, None)
    floor = timed.pop(FLOOR, None)
    if ours is None:
        return {}
    fastest = min(timed, key=lambda name: statistics.median(timed[name]), default=None)
    return {
        "fastest_competitor": fastest,
        "fastest_competitor_over_refdeconv": None if fastest is None else ratio(timed[fastest], ours),
        "autograd_over_refdeconv": ratio(timed[AUTOGRAD], ours) if AUTOGRAD in timed else None,
        "article_over_refdeconv": ratio(timed[ARTICLE], ours) if ARTICLE in timed else None,
        "refdeconv_over_fft_pairs": None if floor is None else ratio(ours, floor),
    }


def growth(cells: Iterable[Cell]) -> list[dict[str, Any]]:
    """Time of a product in float32 divided by n log n, relative to that at 512 x 512."""
    medians = {
        (cell.task.objective, cell.task.width, cell.task.shape): statistics.median(cell.seconds)
        for cell in cells
        if (cell.name, cell.quantity, cell.task.dtype) == (OURS, "product", "float32")
        and cell.task.product
        and cell.seconds
    }
    return [
        {"objective": objective, "width": width, "shape": shape, "relative": scaled / base}
        for (objective, width, shape), seconds in medians.items()
        if shape in GROWTH and (objective, width, GROWTH[0]) in medians
        for scaled in [_per_n_log_n(seconds, shape)]
        for base in [_per_n_log_n(medians[objective, width, GROWTH[0]], GROWTH[0])]
    ]


def _per_n_log_n(seconds: float, shape: Sequence[int]) -> float:
    pixels = math.prod(shape)
    return seconds / (pixels * math.log(pixels))
