"""Whole solves of problem (b), photons with smoothed total variation, to gaps of 1e-4 and 1e-6 to a certified minimum.

``python -m tests.benchmarks.photon_solves [--runs 7] [--quick] [--limit 60] [--only NAME ...]``

Each solve is a process of its own, and the solvers take turns. The gap is ``(F(x) - bound) / (F(start) - bound)``, with
the bound of `photon_problem.lower_bound`, and the start is the data. The clock stands still while it is computed. What
is not installed is left out, and said: ``pip install -e ".[benchmark]"``.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import math
import os
import statistics
import subprocess
import sys
from collections.abc import Callable, Sequence
from typing import Any

from . import photon_problem
from .photon_solvers import SOLVERS, Reached, Watch
from .processes import ROOT, quiet

GAPS = (1e-4, 1e-6)
LIMIT = 60.0  # seconds of one solve
NOT_INSTALLED = 'not installed (pip install -e ".[benchmark]")'
NEEDS = {"SCICO": "scico", "PyProximal": "pyproximal", "deepinv": "deepinv"}


def rows(
    runs: int, quick: bool, say: Callable[[str], None], limit: float = LIMIT, only: Sequence[str] = tuple(SOLVERS)
) -> list[dict[str, Any]]:
    """One row a solver and gap.

    Parameters
    ----------
    runs : int
        Solves of each, after one that does not count; with `quick` one, and none before it.
    quick : bool
        One run, at most ten seconds each.
    say : callable
        Told what goes on.
    limit : float
        Seconds that a solve may take.
    only : sequence of str
        Names of `SOLVERS`.

    Returns
    -------
    list of dict
        ``solver``, ``gap``, ``seconds`` (the median; None where the time was over before), ``least`` and ``most``,
        ``iterates``, ``reached`` (the smallest gap), ``ratio`` (to the first solver's seconds, from the medians), and
        ``error`` where it could not run.
    """
    runs, warm, limit = (1, 0, min(limit, 10.0)) if quick else (runs, 1, limit)
    data = photon_problem.counts()
    value, bound = photon_problem.certified(data)
    say(f"minimum: found {value:.10f}, proven at least {bound:.10f}")
    answers: dict[str, list[dict[str, Any]]] = {name: [] for name in only}
    for number in range(runs + warm):
        for name in only:
            if answers[name] and "error" in answers[name][-1]:
                continue
            answer = _one(name, bound, limit)
            say(f"{number + 1} of {runs + warm}: {name}: {_short(answer)}")
            if number >= warm or "error" in answer:
                answers[name].append(answer)
    result = [_row(name, gap, answers[name]) for name in only for gap in GAPS]
    reference = {row["gap"]: row["seconds"] for row in result if row["solver"] == only[0]}
    for row in result:
        first = reference[row["gap"]]
        row["ratio"] = row["seconds"] / first if row["seconds"] and first else None
    return result


def _one(name: str, bound: float, limit: float) -> dict[str, Any]:
    """A solve in a process of its own."""
    command = [sys.executable, "-m", f"{__package__}.photon_solves", "--solve", name, "--bound", repr(bound)]
    done = subprocess.run(
        [*command, "--limit", str(limit)],
        cwd=ROOT,
        env=os.environ | quiet(name),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        return {"error": (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1][:300]}
    return json.loads(done.stdout.splitlines()[-1])


def _solve(name: str, bound: float, limit: float) -> dict[str, Any]:
    data = photon_problem.counts()
    f = photon_problem.objective(data)
    watch = Watch(lambda x: float(f.value(x)), bound, float(f.value(data)), GAPS[-1], limit)
    with contextlib.suppress(Reached):
        SOLVERS[name](data, watch)
    return {"trace": watch.trace}


def _when(answer: dict[str, Any], gap: float) -> tuple[float, int]:
    """Seconds and iterates until the gap was reached; infinity and their number, if it was not."""
    trace = answer["trace"]
    return next(((seconds, number) for seconds, found, number in trace if found <= gap), (math.inf, trace[-1][2]))


def _short(answer: dict[str, Any]) -> str:
    if "error" in answer:
        return answer["error"]
    return ", ".join(f"{gap:.0e} {_when(answer, gap)[0]:.2f} s" for gap in GAPS)


def _row(name: str, gap: float, answers: list[dict[str, Any]]) -> dict[str, Any]:
    row: dict[str, Any] = {"solver": name, "gap": gap, "seconds": None, "least": None, "most": None}
    if "error" in answers[-1]:
        need = next((package for start, package in NEEDS.items() if name.startswith(start)), None)
        return {**row, "iterates": None, "reached": None, "error": answers[-1]["error"], "package": need}
    seconds = [_when(answer, gap)[0] for answer in answers]
    if math.isfinite(statistics.median(seconds)):
        row |= {"seconds": statistics.median(seconds), "least": min(seconds)}
        row["most"] = max(seconds) if math.isfinite(max(seconds)) else None
    iterates = int(statistics.median(_when(answer, gap)[1] for answer in answers))
    reached = statistics.median(min(found for _, found, _ in answer["trace"]) for answer in answers)
    return {**row, "iterates": iterates, "reached": reached}


def table(found: list[dict[str, Any]]) -> str:
    """As Markdown."""
    lines = ["| solver | gap | iterates | seconds, median (least to most) | to refdeconv's |", "|---|---|---|---|---|"]
    for row in found:
        if "error" in row:
            missing = row["package"] and f"No module named {row['package']!r}" in row["error"]
            words = "left out: " + NOT_INSTALLED if missing else f"could not run: {row['error']}"
            cells = f"- | {words} | -"
        elif row["seconds"] is None:
            cells = f"{row['iterates']} | not within the limit: reached {row['reached']:.1e} | -"
        else:
            most = "over the limit" if row["most"] is None else f"{row['most']:.2f}"
            ratio = f"{row['ratio']:.1f}" if row["ratio"] else "-"
            cells = f"{row['iterates']} | {row['seconds']:.2f} ({row['least']:.2f} to {most}) | {ratio}"
        lines.append(f"| {row['solver']} | {row['gap']:.0e} | {cells} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(
        description="Whole solves of a photon-limited deconvolution, against a certificate."
    )
    parser.add_argument("--runs", type=int, default=7, help="solves of each, after one that does not count (default 7)")
    parser.add_argument("--quick", action="store_true", help="one run of at most ten seconds each")
    parser.add_argument("--limit", type=float, default=LIMIT, help="seconds that a solve may take (default 60)")
    parser.add_argument("--only", nargs="+", choices=list(SOLVERS), default=list(SOLVERS), help="the first is compared")
    parser.add_argument("--solve", choices=list(SOLVERS), help=argparse.SUPPRESS)
    parser.add_argument("--bound", type=float, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.runs < 1:
        parser.error(f"--runs must be at least 1, got {given.runs}")
    if given.solve:
        print(json.dumps(_solve(given.solve, given.bound, given.limit)))
        return
    print(table(rows(given.runs, given.quick, lambda line: print(line, file=sys.stderr), given.limit, given.only)))


if __name__ == "__main__":
    main()
