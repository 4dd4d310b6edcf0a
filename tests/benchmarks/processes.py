"""Workers: processes that hold one implementation each, and take turns."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
REST = 0.005  # seconds between runs: some frameworks' threads wait busily for a while after their work


def quiet(name: str) -> dict[str, str]:
    """Variables for a process that solves or evaluates with others: numpy's BLAS threads would hold them up.

    refdeconv runs as its users run it, and leaves them asleep by itself.
    """
    return {} if name.startswith("refdeconv") else {"OPENBLAS_NUM_THREADS": "1"}


class Worker:
    """A process with one implementation.

    Parameters
    ----------
    name : str
        What the implementation is called.
    module : str
        Its module below `implementations`.
    environment : dict
        Variables to be set for it.
    """

    def __init__(self, name: str, module: str, environment: dict[str, str] | None = None) -> None:
        self.name = name
        settings = {"TF_CPP_MIN_LOG_LEVEL": "3"} | quiet(name) | (environment or {})
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.benchmarks.worker", module],
            cwd=ROOT,
            env=os.environ | settings,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def ask(self, do: str, **arguments: Any) -> dict[str, Any]:
        """The answer to a command; a worker that has died answers with an error."""
        self.send(do, **arguments)
        return self.answer()

    def send(self, do: str, **arguments: Any) -> None:
        """A command, whose answer is to be waited for."""
        assert self.process.stdin
        with suppress(BrokenPipeError):  # it has died, and `answer` says so
            print(json.dumps({"do": do, **arguments}), file=self.process.stdin, flush=True)

    def answer(self) -> dict[str, Any]:
        """The answer to the command that was sent."""
        assert self.process.stdout
        line = self.process.stdout.readline()
        return json.loads(line) if line else {"error": f"its process ended (exit code {self.process.wait()})"}

    def close(self) -> None:
        """End the process."""
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            assert pipe
            with suppress(BrokenPipeError):
                pipe.close()


def at_once(workers: Sequence[Worker], do: str, **arguments: Any) -> dict[str, dict[str, Any]]:
    """The answers of all to a command that is not timed."""
    for worker in workers:
        worker.send(do, **arguments)
    return {worker.name: worker.answer() for worker in workers}


def in_turn(
    workers: Sequence[Worker], runs: int, do: str, *, warm: bool = False, **arguments: Any
) -> dict[str, list[dict[str, Any]]]:
    """One run of each worker after the other, as often as asked for, after one that does not count, unless warm."""
    answers: dict[str, list[dict[str, Any]]] = {worker.name: [] for worker in workers}
    for number in range(int(warm), runs + 1):
        for worker in workers:
            answer = worker.ask(do, **arguments)
            time.sleep(REST)
            if number:
                answers[worker.name].append(answer)
    return answers


@contextmanager
def working(modules: Mapping[str, str]) -> Iterator[list[Worker]]:
    """Workers by name and module; all end with the block."""
    workers: list[Worker] = []
    try:
        workers.extend(Worker(name, module) for name, module in modules.items())
        yield workers
    finally:
        for worker in workers:
            worker.close()
