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

from .implementations import Made
from .tasks import Task

LEAST_SECONDS = 0.02  # of one run: quicker evaluations are repeated, and their mean is one run


def seconds_of(job: Callable[[], Any], least: float) -> float:
    """The mean time of as many calls as take so long together."""
    calls, started = 0, time.perf_counter()
    while True:
        job()
        calls += 1
        elapsed = time.perf_counter() - started
        if elapsed >= least:
            return elapsed / calls


class Session:
    """What a worker has made, and what it answers."""

    def __init__(self, module: str) -> None:
        self.module = importlib.import_module(f"{__package__}.implementations.{module}")
        self.made: Made | None = None

    def make(self, **task: Any) -> dict[str, Any]:
        """Get ready, evaluate once, and tell what came out, so that all can be compared."""
        self.made = None  # the memory of the one before is free now
        self.made = self.module.make(Task(task["objective"], tuple(task["shape"]), task["dtype"], task["width"]))
        value, gradient = self.made.value_and_gradient()
        product = self.made.product()
        norms = [float(np.linalg.norm(np.asarray(each, np.float64))) for each in (gradient, product)]
        return {"value": float(value), "gradient": norms[0], "product": norms[1], "version": self.module.version()}

    def time(self, quantity: str) -> dict[str, Any]:
        """One run."""
        return {"seconds": seconds_of(getattr(self.made, quantity), LEAST_SECONDS)}

    def drop(self) -> dict[str, Any]:
        """Give the memory back."""
        self.made = None
        return {}


def main() -> None:
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what a framework prints is no answer
    warnings.simplefilter("ignore")
    session = Session(sys.argv[1])
    for line in sys.stdin:
        command = json.loads(line)
        try:
            answer = getattr(session, command.pop("do"))(**command)
        except Exception as error:  # it is the framework's, and the table says so
            answer = {"error": f"{type(error).__name__}: {error}"[:300]}
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main()
