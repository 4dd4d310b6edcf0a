"""One implementation in a process of its own: tasks come as lines of JSON, times go back as lines of JSON.

``python -m tests.benchmarks.worker with_jax``
"""

import importlib
import json
import os
import sys
import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from . import resident, solving
from .implementations import Made
from .tasks import ArticleTask, Task

LEAST_SECONDS = 0.05  # of one run: quicker evaluations are repeated, and their mean is one run
# After a process has waited for its turn, the system wakes its threads on one core, and spreads them over both some 60
# ms later: no run counts before that.
AWAKE_SECONDS = 0.1


def seconds_of(job: Callable[[], Any], least: float) -> float:
    """The mean time of as many calls as take so long together."""
    calls, started = 0, time.perf_counter()
    while True:
        job()
        calls += 1
        elapsed = time.perf_counter() - started
        if elapsed >= least:
            return elapsed / calls


def fingerprint(array: Any) -> list[float]:
    """The norm, and the inner product with random numbers: as different as the arrays that they are of."""
    flat = np.asarray(array, np.float64).reshape(-1)
    weights = np.random.default_rng(3).standard_normal(flat.size, np.float32)
    return [float(np.linalg.norm(flat)), float(flat @ weights)]


class Session:
    """What a worker has made, and what it answers."""

    def __init__(self, module: str) -> None:
        name = module if "." in module else f"{__package__}.implementations.{module}"
        self.module = importlib.import_module(name)
        self.made: Made | None = None
        self.at_rest = resident.resting()

    def make(self, **task: Any) -> dict[str, Any]:
        """Get ready, evaluate once, and tell what came out, so that all can be compared."""
        self.made = None  # the memory of the one before is free now
        asked = Task(task["objective"], tuple(task["shape"]), task["dtype"], task["width"], task.get("product", True))
        if not getattr(self.module, "can", lambda task: True)(asked):
            return {"skipped": True}
        self.made = self.module.make(asked)
        value, gradient = self.made.value_and_gradient()
        product = self.made.product()
        answer = {"version": self.module.version()}
        if gradient is not None:
            answer |= {"value": float(value), "gradient": fingerprint(gradient), "product": fingerprint(product)}
        return answer

    def time(self, quantity: str) -> dict[str, Any]:
        """One run, once all threads are awake."""
        job = getattr(self.made, quantity)
        seconds_of(job, AWAKE_SECONDS)
        return {"seconds": seconds_of(job, LEAST_SECONDS)}

    def peak(self, quantity: str) -> dict[str, Any]:
        """Bytes that one call takes at most, its result included, and those that were held before it."""
        held, most = resident.peak_of(getattr(self.made, quantity))
        return {"held": held - self.at_rest, "peak": most}

    def solve(self, way: str, target: float) -> dict[str, Any]:
        """The article's whole solve; what does not belong to it was made before."""
        if self.made is None:
            self.task = ArticleTask()
            self.made = self.module.make(self.task)
            self.start = self.task.arrays()[1]
        return {**solving.WAYS[way](self.task, self.made, self.start, target), "version": self.module.version()}

    def drop(self) -> dict[str, Any]:
        """Give the memory back."""
        self.made = None
        return {}


def main() -> None:
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what a framework prints is no answer
    warnings.simplefilter("ignore")
    session = answered(lambda: Session(sys.argv[1]))
    for line in sys.stdin:
        command = json.loads(line)
        do = command.pop("do")
        answer = session if isinstance(session, dict) else answered(lambda: getattr(session, do)(**command))  # noqa: B023
        print(json.dumps(answer), file=answers, flush=True)


def answered(work: Callable[[], Any]) -> Any:
    """What comes out, or the error: it is the implementation's, and the table says so."""
    try:
        return work()
    except Exception as error:
        return {"error": f"{type(error).__name__}: {error}"[:300]}


if __name__ == "__main__":
    main()
