"""``python -m tests.benchmarks.convolution_ways``: convolutions by transforms and along the axes.

Medians of runs in turn, in this process. What is printed is how many times as long the transforms take.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Sequence
from unittest import mock

import refdeconv as rd
from refdeconv.operators import convolution

from .tables import table
from .tasks import Task

SHAPES = [(171, 171), (512, 512), (1024, 1024), (2048, 2048), (64, 64, 64), (128, 128, 128)]
WIDTHS = (3, 13, 33, 65, 97)
CALLS = ("forward", "gram")


def both_ways(task: Task) -> tuple[rd.Convolution, rd.Convolution]:
    """The convolution by transforms, and along the axes."""
    made = []
    for worth in (False, True):
        with mock.patch.object(convolution, "is_worth_it", return_value=worth):
            made.append(rd.Convolution(task.psf(), task.shape))
    return made[0], made[1]


def ratio(task: Task, call: str, runs: int) -> float:
    """The median of the quotients of runs one after the other."""
    x = task.arrays()[1]
    ways = both_ways(task)
    seconds: list[list[float]] = [[], []]
    for _ in range(runs + 1):
        for operator, its in zip(ways, seconds, strict=True):
            began = time.perf_counter()
            getattr(operator, call)(x)
            its.append(time.perf_counter() - began)
    return statistics.median(a / b for a, b in zip(seconds[0][1:], seconds[1][1:], strict=True))


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.convolution_ways", description=__doc__)
    parser.add_argument("--runs", type=int, default=9)
    options = parser.parse_args(arguments)
    if options.runs < 1:
        parser.error(f"--runs must be at least 1, got {options.runs}")
    rows = []
    for dtype in ("float64", "float32"):
        for shape in SHAPES:
            row = [f"{' x '.join(map(str, shape))} {dtype}"]
            for width in WIDTHS:
                task = Task("article", shape, dtype, width)
                if 2 * width > min(shape):
                    row.append("-")
                    continue
                taken = rd.Convolution(task.psf(), shape)._separable is not None
                ratios = [f"{ratio(task, call, options.runs):.2f}" for call in CALLS]
                row.append(", ".join(ratios) + ("" if taken else " (not taken)"))
            rows.append(row)
    print(table(["transforms / along the axes: forward, gram", *(f"{width} wide" for width in WIDTHS)], rows))


if __name__ == "__main__":
    main()
