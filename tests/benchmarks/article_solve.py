"""The article's whole solve: how much faster hand-derived gradients and products are than Autograd's gradients.

``python -m tests.benchmarks.article_solve [--runs 7]`` solves the same problem from the same start with
``rd.minimize(problem.objective, x0)`` and with the article's Autograd program, in turn, so that both see the same state
of the machine. Only the solve is timed: imports, image, PSF, blurred image and objective exist before, and each solve
has run once.

The Autograd program's inner products in scipy's Newton-CG go to a threaded BLAS, which waits for a core that another
process holds: on a machine that is not idle that costs it a multiple of its own time, but with OPENBLAS_NUM_THREADS=1.
"""

import argparse
import os
import platform
import statistics
import time
from collections.abc import Callable
from importlib.metadata import version

from scipy.optimize import OptimizeResult

import refdeconv as rd
from tests.autodiff import article_autograd

MU = 0.2


def timed(solve: Callable[[], OptimizeResult]) -> tuple[float, OptimizeResult]:
    started = time.perf_counter()
    result = solve()
    return time.perf_counter() - started, result


def spread(numbers: list[float], digits: int) -> str:
    return f"{statistics.median(numbers):.{digits}f} ({min(numbers):.{digits}f} to {max(numbers):.{digits}f})"


def machine() -> str:
    packages = ", ".join(f"{name} {version(name)}" for name in ("numpy", "scipy", "autograd"))
    # Only some systems have a load average.
    load = f", load {os.getloadavg()[0]:.2f} at the start" if hasattr(os, "getloadavg") else ""
    return f"Python {platform.python_version()}, {packages}; {platform.machine()}, {os.cpu_count()} cores{load}"


def main() -> None:
    parser = argparse.ArgumentParser(description="The article's solve: refdeconv against Autograd.")
    parser.add_argument("--runs", type=int, default=7, help="pairs of solves, after one warm-up (default 7)")
    runs = parser.parse_args().runs
    if runs < 1:
        parser.error(f"--runs must be at least 1, got {runs}")

    print(machine())
    problem = rd.problems.article(mu=MU)
    x0 = problem.start(0)
    solves: dict[str, Callable[[], OptimizeResult]] = {
        "refdeconv": lambda: rd.minimize(problem.objective, x0),
        "Autograd": lambda: article_autograd.solve(problem.blurred, problem.psf, MU, x0),
    }
    results = {name: solve() for name, solve in solves.items()}  # the warm-up
    seconds: dict[str, list[float]] = {name: [] for name in solves}
    for _ in range(runs):
        for name, solve in solves.items():
            elapsed, results[name] = timed(solve)
            seconds[name].append(elapsed)

    print(f"{runs} pairs of solves, {' x '.join(map(str, x0.shape))} pixels; seconds: median (min to max)")
    for name, result in results.items():
        counts = f"{result.nit} iterations, {result.nfev} values, {result.njev} gradients, {result.nhev} products"
        print(f"  {name:9}  {spread(seconds[name], 4)}  F = {result.fun:.13f}  {counts}")
    ratios = [slow / fast for fast, slow in zip(seconds["refdeconv"], seconds["Autograd"], strict=True)]
    print(f"refdeconv is faster by a factor, pair by pair: {spread(ratios, 1)}")


if __name__ == "__main__":
    main()
