"""Computing the suite, and writing it: ``python -m refdeconv.conformance.golden``."""

from __future__ import annotations

import argparse
import multiprocessing
import os
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from mpmath import mp, mpf
from numpy.typing import NDArray

from refdeconv.conformance import array_files
from refdeconv.conformance.golden import comparing
from refdeconv.conformance.golden.case import Case
from refdeconv.conformance.golden.cases import CASES
from refdeconv.conformance.golden.computing import Computed, compute, decimal
from refdeconv.conformance.golden.contents import Stored, files_of
from refdeconv.conformance.golden.definitions import arrays
from refdeconv.conformance.golden.suite import OWN

Array = NDArray[Any]


def main(arguments: Sequence[str] | None = None) -> int:
    """Compute all cases, compare with what is there, and write; 1 where that disagrees."""
    parser = argparse.ArgumentParser(prog="python -m refdeconv.conformance.golden", description=__doc__)
    parser.add_argument("--out", type=Path, default=OWN, metavar="DIR", help="where to; default: in the package")
    parser.add_argument("--replace", action="store_true", help="the definitions changed: overwrite what disagrees")
    parser.add_argument("--only-new", action="store_true", help="keep what is recorded of the same inputs as it stands")
    parser.add_argument("--check", action="store_true", help="compute all cases again, write nothing; 1 if any differs")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, metavar="N", help="processes; default: all")
    options = parser.parse_args(arguments)
    if options.check:
        return check(options.out, options.jobs)
    kept = comparing.recorded(CASES, options.out) if options.only_new else {}
    wanted = [index for index, case in enumerate(CASES) if case.name not in kept]
    outputs = kept | dict(zip((CASES[index].name for index in wanted), _all(wanted, options.jobs), strict=True))
    disagreeing = list(comparing.disagreements(CASES, outputs, options.out))
    for line in disagreeing:
        print(line, file=sys.stderr)
    if disagreeing and not options.replace:
        print("Nothing was written. If the definitions changed on purpose: --replace", file=sys.stderr)
        return 1
    write(options.out, CASES, outputs)
    print(f"{len(wanted)} cases computed, {len(kept)} kept, in {options.out}")
    return 0


def check(folder: Path, jobs: int = 1) -> int:
    """Compute all cases again, and compare everything; 1, and a line for each difference, where there is one."""
    outputs = dict(zip((case.name for case in CASES), _all(range(len(CASES)), jobs), strict=True))
    found = [*comparing.disagreements(CASES, outputs, folder), *comparing.differences(CASES, folder)]
    for line in found:
        print(line, file=sys.stderr)
    print(f"{len(CASES)} cases computed again, {len(found)} differences from {folder}")
    return 1 if found else 0


def _all(wanted: Sequence[int], jobs: int) -> Iterator[Stored]:
    """The outputs of cases, in order, with a word of how far it is."""
    start = time.monotonic()
    with multiprocessing.get_context("spawn").Pool(jobs) as pool:
        for done, stored in enumerate(pool.imap(stored_outputs_of, wanted), 1):
            left = (time.monotonic() - start) / done * (len(wanted) - done)
            said = f"{done} of {len(wanted)} cases, {left:4.0f} s left"
            if sys.stderr.isatty():
                print(f"\r{said} ", end="", file=sys.stderr, flush=True)
            elif done % 100 == 0:
                print(said, file=sys.stderr, flush=True)
            yield stored
    if sys.stderr.isatty():
        print(file=sys.stderr)


def stored_outputs_of(index: int) -> Stored:
    """The outputs of one of the cases, as they are stored."""
    try:
        return stored_outputs(CASES[index])
    except Exception as error:
        raise RuntimeError(f"{CASES[index].name}: {type(error).__name__}: {error}") from error


def stored_outputs(case: Case) -> Stored:
    """The outputs of a case as they are stored: float64 numbers, and what is said of them."""
    return {name: _stored(output, name in case.specified) for name, output in compute(case).items()}


def _stored(output: Computed, specified: bool) -> tuple[Array, dict[str, Any]]:
    with mp.workdps(4 * arrays.DIGITS):
        numbers = np.empty(output.numbers.shape, dtype=np.float64)
        error = mpf(0)
        for index in arrays.indices(numbers.shape):
            x = output.numbers[index]
            numbers[index] = float(x) if abs(x) > output.bound else 0.0  # what may be zero is
            error = max(error, abs(x - mpf(float(numbers[index]))))
        moved = output.moved_in_float32
        said: dict[str, Any] = {
            "bound": rounded_up(error + output.bound),
            "scale": rounded_up(output.scale),
            "moved_in_float32": None if moved is None else rounded_up(moved),
            "specified": specified,
        }
        if numbers.ndim == 0:
            said |= {"number": float(numbers), "decimal": decimal(output.numbers[()])}
    return numbers, said


def rounded_up(x: Any) -> float:
    """A number of few digits that is at least x, which is not negative."""
    if x == 0:
        return 0.0
    few = float(mp.nstr(x * mpf("1.006"), 3))
    return max(few, 5e-324)


def write(folder: Path, cases: Sequence[Case], outputs: Mapping[str, Stored]) -> None:
    """The whole suite; files of an earlier one that are not in it any more are removed."""
    files = files_of(cases, outputs)
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in files.items():
        array_files.write_whole(folder, name, data)
    for path in (folder / "arrays").iterdir():
        if f"arrays/{path.name}" not in files:
            path.unlink()
