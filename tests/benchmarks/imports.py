"""The time of ``import refdeconv``, beside that of importing the same modules of numpy and scipy without it."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from typing import Any

from .processes import ROOT

TIMED = "import time; began = time.perf_counter()\n{}\nprint(time.perf_counter() - began)"
LOADED = """
import importlib.util, json, sys
import refdeconv
ours = [name for name in sys.modules if name.split(".")[0] in ("numpy", "scipy")]
# Some compiled modules register parts of themselves, which cannot be imported by that name.
print(json.dumps([name for name in ours if getattr(sys.modules[name].__spec__, "name", "") == name]))
"""


def _output(program: str, compiled: str) -> str:
    """What it prints. Python keeps what it has compiled in a folder, as pip does where it installs, whatever is set."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env=environment | {"PYTHONPYCACHEPREFIX": compiled},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def measure(runs: int, say: Callable[[str], None]) -> dict[str, Any]:
    """Seconds of both, in turn, in new processes, and how they compare pair by pair."""
    with tempfile.TemporaryDirectory() as compiled:
        return _measure(runs, say, compiled)


def _measure(runs: int, say: Callable[[str], None], compiled: str) -> dict[str, Any]:
    modules = json.loads(_output(LOADED, compiled))
    programs = {
        "refdeconv": TIMED.format("import refdeconv"),
        "numpy and scipy": TIMED.format("\n".join(f"import {name}" for name in modules)),
    }
    seconds: dict[str, list[float]] = {name: [] for name in programs}
    for number in range(runs + 1):
        say(f"imports, run {number} of {runs}")
        for name, program in programs.items():
            elapsed = float(_output(program, compiled))
            if number:
                seconds[name].append(elapsed)
    ratios = [ours / theirs for ours, theirs in zip(*seconds.values(), strict=True)]
    return {"seconds": seconds, "modules": len(modules), "ratio": statistics.median(ratios)}
