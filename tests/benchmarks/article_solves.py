"""Whole solves of the article's problem to the same gradient norm, each implementation in its own process."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

from .implementations import IMPLEMENTATIONS
from .processes import in_turn, working

TARGET = 1e-4  # of the gradient's norm at the start: what the article's program reaches before it ends by itself

# What a row is called: the implementation, and the way to solve with it.
SOLVES = {
    "refdeconv": ("refdeconv", "minimize"),
    "refdeconv, no preconditioner": ("refdeconv", "minimize without preconditioner"),
    "Newton-CG with JAX": ("JAX", "Newton-CG"),
    "Newton-CG with PyTorch": ("PyTorch", "Newton-CG"),
    "Newton-CG with TensorFlow": ("TensorFlow", "Newton-CG"),
    "Newton-CG with Autograd": ("Autograd", "Newton-CG"),
    "the article's program": ("the article's Autograd", "program"),
}


def target() -> float:
    """The norm at which all stop."""
    import numpy as np

    import refdeconv as rd

    problem = rd.problems.article()
    return TARGET * float(np.linalg.norm(problem.objective.gradient(problem.start(0))))


def rows(installed: Collection[str], runs: int, say: Callable[[str], None]) -> list[dict[str, Any]]:
    """For each way to solve: its seconds, iterations, gradients, products, and the norm reached."""
    norm = target()
    solves = {row: made for row, made in SOLVES.items() if made[0] in installed}
    found: dict[str, list[dict[str, Any]]] = {row: [] for row in solves}
    with working({row: IMPLEMENTATIONS[name][0] for row, (name, _) in solves.items()}) as workers:
        for number in range(runs + 1):  # the first, which compiles, does not count
            say(f"article, run {number} of {runs}")
            for worker in workers:
                way = solves[worker.name][1]
                (answer,) = in_turn([worker], 1, "solve", warm=True, way=way, target=norm)[worker.name]
                if number or "error" in answer:
                    found[worker.name].append(answer)
    return [_row(name, answers, norm) for name, answers in found.items()]


def _row(name: str, answers: list[dict[str, Any]], norm: float) -> dict[str, Any]:
    error = next((answer["error"] for answer in answers if "error" in answer), "")
    last = {key: value for key, value in answers[-1].items() if key not in ("seconds", "error")}
    seconds = [] if error else [answer["seconds"] for answer in answers]
    return {"name": name, **last, "target": norm, "seconds": seconds, "error": error}
