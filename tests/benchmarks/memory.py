"""Peak memory: of one gradient and of one product, and of a whole solve of 4096 x 4096 pixels in float32.

``python -m tests.benchmarks.memory`` is that solve alone.
"""

from __future__ import annotations

import json
import math
import subprocess
import sys
import time
from collections.abc import Callable, Collection
from dataclasses import asdict
from typing import Any

import numpy as np

from . import resident
from .evaluations import QUANTITIES
from .implementations import IMPLEMENTATIONS
from .processes import ROOT, working
from .tasks import Task

LEFT_OUT = ("the article's Autograd",)  # at this size it takes more than there is


def task(quick: bool, objective: str) -> Task:
    """A large image, in float64."""
    return Task(objective, (1024, 1024) if quick else (2048, 2048), "float64", 13)


def rows(installed: Collection[str], quick: bool, say: Callable[[str], None]) -> list[dict[str, Any]]:
    """Images, for each implementation, objective and quantity, each in a new process."""
    names = [name for name in installed if name not in LEFT_OUT]
    return [
        _row(name, task(quick, objective), quantity, say)
        for objective in (("article",) if quick else ("article", "poisson-tv"))
        for quantity in QUANTITIES
        for name in names
    ]


def _row(name: str, asked: Task, quantity: str, say: Callable[[str], None]) -> dict[str, Any]:
    say(f"memory: {name}, {asked.objective}, {QUANTITIES[quantity]}")
    image = math.prod(asked.shape) * np.dtype(asked.dtype).itemsize
    with working({name: IMPLEMENTATIONS[name][0]}) as (worker,):
        made = worker.ask("make", **asdict(asked))
        answer = made if "error" in made else worker.ask("peak", quantity=quantity)
    row = {"name": name, "task": asdict(asked), "quantity": quantity, "error": answer.get("error", "")}
    if not row["error"]:
        row |= {"peak_images": answer["peak"] / image, "held_images": answer["held"] / image}
    return row


def large_solve(say: Callable[[str], None]) -> dict[str, Any]:
    """The largest solve, in a process of its own: its peak from start to end, everything counted."""
    say("memory: a solve of 4096 x 4096 pixels in float32")
    done = subprocess.run([sys.executable, "-m", __name__], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        return {"error": (done.stderr.strip().splitlines() or ["its process ended"])[-1][:300]}
    return json.loads(done.stdout)


def main() -> None:
    import refdeconv as rd

    side = 4096 // 512
    image = np.tile(rd.problems.article().original[:128, :128].astype(np.float32), (4 * side, 4 * side))
    problem = rd.problems.article(image)
    start = np.random.default_rng(0).standard_normal(image.shape, np.float32) / np.float32(10)
    before = resident.most()
    resident.forget()
    began = time.perf_counter()
    result = rd.minimize(problem.objective, start)
    counts = {"iterations": int(result.nit), "products": int(result.nhev), "success": bool(result.success)}
    reached = {"relative_gradient_norm": float(result.relative_gradient_norm), "dtype": str(result.x.dtype)}
    seconds = time.perf_counter() - began
    memory = {"bytes": max(before, resident.most()), "bytes_of_solve": resident.most(), "bytes_before": before}
    print(json.dumps({**memory, "shape": image.shape, "seconds": seconds, **counts, **reached}))


if __name__ == "__main__":
    main()
