"""Value with gradient, and Hessian products: every implementation, size and precision, and the FFT pairs they need."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from .processes import Worker, at_once, in_turn
from .tasks import Task

QUANTITIES = {"value_and_gradient": "value and gradient", "product": "Hessian product"}
SHAPES = [(171, 171), (512, 512), (1024, 1024), (2048, 2048), (64, 64, 64), (128, 128, 128)]
LARGEST = (4096, 4096)  # in float32 alone
ANY_PSF = [(171, 171), (512, 512), (1024, 1024), (2048, 2048)]  # also with a PSF that is no product, in float64
FLOOR = "two FFT pairs"
AGREEMENT = {"float64": 1e-11, "float32": 2e-4}  # of the norm: that all compute the same


@dataclass(frozen=True)
class Cell:
    """The times of one implementation at one task.

    Attributes
    ----------
    task, quantity, name, version
        What was timed.
    seconds : list of float
        Of each run; empty where it failed or was left out.
    error : str
        Why it failed, or where it disagrees.
    """

    task: Task
    quantity: str
    name: str
    version: str
    seconds: list[float]
    error: str = ""

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


def tasks(quick: bool, like: str = "") -> Iterator[Task]:
    """All, or a few; of these, those that are described like a regular expression."""
    return (task for task in _every(quick) if re.search(like, f"{task.objective}, {size(task)}, PSF {task.words}"))


def _every(quick: bool) -> Iterator[Task]:
    for objective in ("article", "poisson-tv"):
        if quick:
            yield from (Task(objective, shape, "float64", 13) for shape in ((171, 171), (512, 512)))
            yield Task(objective, (512, 512), "float64", 13, product=False)
            continue
        for shape in SHAPES:
            yield from (Task(objective, shape, dtype, width) for dtype in AGREEMENT for width in (13, 33))
        yield from (Task(objective, LARGEST, "float32", width) for width in (13, 33))
        for shape in ANY_PSF:
            yield from (Task(objective, shape, "float64", width, product=False) for width in (13, 33))


def measure(workers: Sequence[Worker], todo: Sequence[Task], runs: int, say: Callable[[str], None]) -> Iterator[Cell]:
    """The cells, task by task; the first worker is what the others must agree with."""
    for number, task in enumerate(todo):
        say(f"evaluations, {number + 1} of {len(todo)}: {task.objective}, {size(task)}, PSF {task.words}")
        asked = [worker for worker in workers if worker.name != FLOOR or task.objective == "article"]
        made = at_once(asked, "make", **asdict(task))
        errors = {name: error_of(answer, made[workers[0].name], task) for name, answer in made.items()}
        asked = [worker for worker in asked if "skipped" not in made[worker.name]]
        able = [worker for worker in asked if not errors[worker.name]]
        large = math.prod(task.shape) >= 2**21  # what one evaluation, in `make`, has warmed
        for quantity in QUANTITIES:
            answers = in_turn(able, runs, "time", quantity=quantity, warm=large)
            for worker in asked:
                its = answers.get(worker.name, [])
                error = errors[worker.name] or next((one["error"] for one in its if "error" in one), "")
                seconds = [] if error else [one["seconds"] for one in its]
                yield Cell(task, quantity, worker.name, made[worker.name].get("version", ""), seconds, error)
        at_once(workers, "drop")


def size(task: Task) -> str:
    """Shape and precision, in words."""
    return f"{' x '.join(map(str, task.shape))} {task.dtype}"


def error_of(answer: dict[str, Any], reference: dict[str, Any], task: Task) -> str:
    """What is wrong with an implementation's first answer, if anything."""
    if "error" in answer:
        return str(answer["error"])
    if "gradient" not in answer or "gradient" not in reference:
        return ""
    for quantity in ("gradient", "product"):
        norm = reference[quantity][0]
        off = max(abs(its - theirs) for its, theirs in zip(answer[quantity], reference[quantity], strict=True)) / norm
        if not off <= AGREEMENT[task.dtype]:
            return f"computes another {quantity}: it is off by {off:.1e} of its norm"
    return ""
