"""The memory that one gradient of the article's objective needs: ``python -m tests.autodiff.pitfalls.memory NAME``.

In a process of its own, which has computed a gradient of a small problem, so that libraries are loaded and threads
started: the largest resident size while the gradient of the large problem is computed, less the resident size just
before, in images of 8 bytes a pixel. Data, PSF, point and all that is made with the objective exist before. What JAX
compiles for the size is counted to it.
"""

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

import refdeconv as rd
from tests.autodiff import Program
from tests.autodiff.solves import derivatives

SIZE, PSF_SIZE = 1024, 33
ROOT = Path(__file__).parents[3]


def objective(name: str, size: int, psf_size: int) -> tuple[Program, Any]:
    random = np.random.default_rng(0)
    psf = random.random((psf_size, psf_size))
    problem = rd.problems.article(random.random((size, size)), psf / psf.sum())
    return derivatives(name, problem), random.random((size, size))


def peak() -> int:
    """The largest resident size of this process so far, in bytes."""
    try:
        return status("VmHWM")
    except OSError:
        import resource  # on Linux its number also counts what the parent of the process had; not on Windows

        kilobytes = 1 if sys.platform == "darwin" else 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * kilobytes


def resident() -> int:
    """Where the system says what is resident now; elsewhere the largest so far, which makes the result too small."""
    try:
        return status("VmRSS")
    except OSError:
        return peak()


def status(entry: str) -> int:
    """What Linux says of this process, in bytes."""
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) * 1024 for line in file if line.startswith(f"{entry}:"))


def measure(name: str, size: int, psf_size: int) -> dict[str, Any]:
    """In this process, which must be fresh."""
    program, x = objective(name, 32, 5)
    program.gradient(x)
    program, x = objective(name, size, psf_size)
    before, earlier_peak, started = resident(), peak(), time.perf_counter()
    program.gradient(x)
    seconds, after = time.perf_counter() - started, peak()
    # A peak of the imports that was not reached again says only that the gradient needed less.
    images = (after - before) / (8 * size**2)
    bound = "" if after > earlier_peak else "at most "
    return {"images": images, "bound": bound, "seconds": seconds, "version": program.version}


def measured(name: str, size: int = SIZE, psf_size: int = PSF_SIZE) -> dict[str, Any]:
    """In a process of its own."""
    command = [sys.executable, "-m", __name__, name, str(size), str(psf_size)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="The memory of one gradient.")
    parser.add_argument("name")
    parser.add_argument("size", type=int, nargs="?", default=SIZE)
    parser.add_argument("psf_size", type=int, nargs="?", default=PSF_SIZE)
    given = parser.parse_args()
    print(json.dumps(measure(given.name, given.size, given.psf_size)))
