"""``python -m tests.benchmarks``: everything, or parts, as tables and a figure."""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import platform
import shlex
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from . import article_solves, comparing, drawing, evaluations, imports, memory, photon_solves, tables
from .implementations import IMPLEMENTATIONS
from .processes import ROOT, working
from .worker import AWAKE_SECONDS

RECORDED = Path(__file__).parent / "recorded"
PART = Path("build", "benchmarks")
PARTS = ("imports", "article", "evaluations", "memory", "photons")
EXTRAS = {"numpy": "test", "autograd": "test", "ducc0": "fast"}
PACKAGES = ("numpy", "scipy", "ducc0", "jax", "torch", "tensorflow-cpu", "autograd")
Say = Callable[[str], None]


def main(arguments: Sequence[str] | None = None) -> None:
    arguments = sys.argv[1:] if arguments is None else arguments
    options = _options(arguments)
    options.out.mkdir(parents=True, exist_ok=True)
    began = time.perf_counter()

    def say(words: str) -> None:
        print(f"{time.perf_counter() - began:6.0f} s  {words}", file=sys.stderr, flush=True)

    installed = {name: module for name, (module, package) in IMPLEMENTATIONS.items() if _is_there(package)}
    command = shlex.join(["python", "-m", "tests.benchmarks", *arguments])
    record: dict[str, Any] = {"command": command, "machine": machine(), "runs": options.runs, "absent": absent()}
    for words in record["absent"]:
        say(words)
    cells: list[evaluations.Cell] = []
    for part in options.only or PARTS:
        if part == "evaluations":
            cells = evaluate(installed, options.chosen, options.runs, say)
        else:
            record[part] = _other(part, installed, options.quick, options.runs, say)
    record["seconds"] = round(time.perf_counter() - began)
    for path in write(options.out, record, cells):
        say(f"wrote {path}")


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description="How fast refdeconv is.")
    parser.add_argument("--quick", action="store_true", help="a few sizes only: about two minutes")
    parser.add_argument("--only", action="append", choices=PARTS, help="a part; can be given several times")
    parser.add_argument(
        "--tasks",
        default="",
        help="of the evaluations, those described like this regular expression ('float64, PSF 13')",
    )
    parser.add_argument("--runs", type=int, default=7, help="runs that count, after the warm-up (default 7)")
    parser.add_argument(
        "--out",
        type=Path,
        help=f"folder for benchmarks.md, .json and .png (default: of all that there is, {RECORDED.relative_to(ROOT)}; "
        f"of a part, {PART})",
    )
    options = parser.parse_args(arguments)
    options.chosen = list(evaluations.tasks(options.quick, options.tasks))
    if not options.chosen:
        parser.error(f"--tasks must describe a task, as in 'float64, PSF 13', got {options.tasks!r}")
    is_part = options.quick or options.only or options.tasks
    options.out = options.out or (PART if is_part else RECORDED)
    if options.runs < 1:
        parser.error(f"--runs must be at least 1, got {options.runs}")
    return options


def _is_there(package: str) -> bool:
    return importlib.util.find_spec(package) is not None


def absent() -> list[str]:
    """What is left out, and how to get it."""
    needed = [(name, package) for name, (_, package) in IMPLEMENTATIONS.items()]
    missing = [(name, package) for name, package in [*needed, ("the faster FFT", "ducc0")] if not _is_there(package)]
    return [
        f'{name} is left out: {package} is not installed (pip install -e ".[{EXTRAS.get(package, "autodiff")}]")'
        for name, package in missing
    ]


def machine() -> dict[str, Any]:
    """Where the figures are from."""
    versions = {}
    for package in PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            continue
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    load = round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None
    return {"cores": cores, "processor": _processor(), "python": platform.python_version(), "load": load, **versions}


def _processor() -> str:
    described = Path("/proc/cpuinfo")
    lines = described.read_text().splitlines() if described.exists() else []
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())


def evaluate(modules: dict[str, str], todo: Sequence[evaluations.Task], runs: int, say: Say) -> list[evaluations.Cell]:
    """Every implementation, with the transforms alone."""
    with working({**modules, evaluations.FLOOR: "fft_pairs"}) as workers:
        return list(evaluations.measure(workers, todo, runs, say))


def _other(part: str, installed: dict[str, str], quick: bool, runs: int, say: Say) -> Any:
    if part == "imports":
        return imports.measure(runs, say)
    if part == "article":
        return article_solves.rows(installed, runs, say)
    if part == "memory":
        return {
            "calls": memory.rows(installed, quick, say),
            "large_solve": None if quick else memory.large_solve(say),
        }
    return photon_solves.rows(quick=quick, runs=runs, say=say)


def write(folder: Path, record: dict[str, Any], cells: Sequence[evaluations.Cell]) -> list[Path]:
    """The files, each whole or not at all."""
    if cells:
        ratios = [
            {"task": vars(task), "quantity": quantity, **comparing.compared(group)}
            for (task, quantity), group in comparing.groups(cells).items()
        ]
        record = {**record, "ratios": ratios, "growth": comparing.growth(cells)}
        record["evaluations"] = [cell.to_dict() for cell in cells]
    with tempfile.TemporaryDirectory(dir=folder, prefix=".benchmarks.") as made:
        whole = Path(made)
        (whole / "benchmarks.json").write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
        (whole / "benchmarks.md").write_text(page(record, cells), encoding="utf-8")
        if any(cell.seconds and len(cell.task.shape) == 2 for cell in cells):
            drawing.draw(cells, whole / "benchmarks.png")
        return [file.replace(folder / file.name) for file in sorted(whole.iterdir())]


def page(record: dict[str, Any], cells: Sequence[evaluations.Cell]) -> str:
    """The tables with what they are of."""
    where = ", ".join(f"{name} {value}" for name, value in record["machine"].items() if value is not None)
    parts = [
        "# Benchmarks\n",
        f"Written by `{record['command']}` in {record['seconds']} s, on "
        f"{where}. Times in milliseconds: median of {record['runs']} runs (least..most), one process for each "
        f"implementation, in turn, each run after {AWAKE_SECONDS:g} s of the same work that do not count: so long the "
        "system may take to spread a process that has waited over the cores. For all but refdeconv, numpy's BLAS has "
        "one thread (OPENBLAS_NUM_THREADS=1): its others would hold them up. A ratio is the median of the ratios of "
        "runs made one after the other.\n",
        *(f"- {words}\n" for words in record["absent"]),
    ]
    if cells:
        floor = next((cell.version for cell in cells if cell.name == evaluations.FLOOR), "")
        parts += [
            "## Evaluations\n",
            "A product is what one step of a conjugate gradient method costs: what depends on the point alone was "
            f'computed before. The yardstick, "{evaluations.FLOOR}": twice a real transform forwards and back with '
            f"{floor}, on the grid of image and padding, with refdeconv's number of threads, between arrays that exist "
            "before; PSFs that are products need none, and a product of the Hessian with narrow ones only one.\n",
            "![Times and ratios](benchmarks.png)\n",
            tables.evaluations(cells),
        ]
        if record["growth"]:
            parts += ["### Growth of the time of a product\n", tables.growth(record["growth"])]
    if record.get("article"):
        norm = record["article"][0]["target"]
        parts += [
            "## The article's solve\n",
            f"171 x 171 pixels, from the article's start until the gradient's norm is at most {norm:.2e}, "
            f"{article_solves.TARGET:g} of the start's.\n",
            tables.article(record["article"]),
        ]
    if "memory" in record:
        parts += [
            "## Memory\n",
            "In images of the task: what one call adds at most to the resident memory, its result included, after one "
            "that does not count; what was held before it, beyond the imports (inputs, spectra, compiled code, what "
            "products keep of the point); and the sum. TensorFlow keeps what a call has freed for the next one: for it "
            "the sum alone tells.\n",
            tables.memory(record["memory"]["calls"], record["memory"]["large_solve"]),
        ]
    if "imports" in record:
        parts += ["## Import\n", tables.imports(record["imports"])]
    if record.get("photons"):
        parts += ["## Photon counts\n", tables.plain(record["photons"])]
    return "\n".join(parts)


if __name__ == "__main__":
    main()
