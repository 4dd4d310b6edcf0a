"""The article's whole solve, with the derivatives of each framework and with refdeconv's, through one optimiser.

``python -m tests.autodiff.solves [--markdown FILE] [--json FILE]`` gives each one's value, gradient and Hessian-vector
product to ``scipy.optimize.minimize(method="Newton-CG")``, from the same start, and prints the table.

The tolerance is ``xtol=1e-8``, a mean change of a pixel. scipy's default, 1e-5, ends with images that are 1e-6 from the
optimum, which the comparison could still see; at 1e-8 the value is at the floor of float64 and the image 1e-9 from
where a tolerance of 1e-10 ends; at 1e-12 scipy's line search finds nothing better and reports a loss of precision.
"""

import argparse
import importlib.util
import json
import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
import scipy.optimize

import refdeconv as rd

from . import Array, Program
from .installed import load

# The article's program in each framework: the one place that knows where these files are.
PROGRAMS = {
    "autograd": "article_autograd",
    "tensorflow": "article_tensorflow",
    "torch": "article_pytorch",
    "jax": "article_jax",
}
XTOL = 1e-8
SAME_VALUE, SAME_IMAGE = 1e-9, 1e-4  # the image's grey values are between 0 and 1
MU = 0.2


class Solve(NamedTuple):
    """What one framework's derivatives led to, and at what cost."""

    framework: str
    version: str
    value: float
    image: Array
    iterations: int
    values: int
    gradients: int
    products: int
    seconds: float
    message: str


def article_program(name: str) -> ModuleType:
    """The article's program in one framework."""
    return load(f"{__package__}.{PROGRAMS[name]}", name)


def derivatives(name: str, problem: rd.problems.Problem, mu: float = MU) -> Program:
    """Value, gradient and product of the problem's objective, by a framework or by refdeconv."""
    if name == "refdeconv":
        ours = problem.objective
        return Program(ours.value, ours.gradient, ours.hvp, f"refdeconv {rd.__version__}")
    program: Program = article_program(name).objective(problem.blurred, problem.psf, mu)
    return program


def solve(name: str, problem: rd.problems.Problem, mu: float = MU) -> Solve:
    """scipy's Newton-CG with these derivatives; each has run once before the clock starts."""
    program, x0 = derivatives(name, problem, mu), problem.start(0)
    for function, arguments in ((program.value, (x0,)), (program.gradient, (x0,)), (program.hvp, (x0, x0))):
        function(*arguments)  # compiles, where there is something to compile

    products = 0

    def hessp(flat: Array, direction: Array) -> Array:
        nonlocal products
        products += 1
        return np.ravel(program.hvp(flat.reshape(x0.shape), direction.reshape(x0.shape)))

    started = time.perf_counter()
    found = scipy.optimize.minimize(
        lambda flat: float(program.value(flat.reshape(x0.shape))),
        x0.ravel(),
        jac=lambda flat: np.ravel(program.gradient(flat.reshape(x0.shape))),
        hessp=hessp,
        method="Newton-CG",
        options={"xtol": XTOL},
    )
    seconds = time.perf_counter() - started
    image = found.x.reshape(x0.shape)
    counts = found.nit, found.nfev, found.njev, products
    return Solve(name, program.version, float(found.fun), image, *counts, seconds, found.message)


def rows(solves: Sequence[Solve]) -> list[dict[str, Any]]:
    """Each solve beside the first, which is refdeconv's; F* is the lowest value that any of them reached."""
    ours, lowest = solves[0], min(each.value for each in solves)
    return [
        {
            "framework": each.framework,
            "version": each.version,
            "value": each.value,
            "above_lowest": each.value - lowest,
            "value_difference": abs(each.value - ours.value),
            "image_difference": float(np.abs(each.image - ours.image).max()),
            **{name: getattr(each, name) for name in ("iterations", "values", "gradients", "products", "seconds")},
            "message": each.message,
        }
        for each in solves
    ]


def markdown(table: Sequence[dict[str, Any]]) -> str:
    """The table as Markdown."""
    head = ("derivatives of", "F reached", "F - F*", "largest difference of a pixel from refdeconv's image")
    lines = [(*head, "iterations", "gradients", "Hessian products", "seconds")]
    lines.append(("---",) * len(lines[0]))
    for row in table:
        difference = "" if row["framework"] == "refdeconv" else f"{row['image_difference']:.1e}"
        lines.append(
            (
                row["version"],
                f"{row['value']:.15f}",
                f"{row['above_lowest']:.1e}",
                difference,
                *(str(row[name]) for name in ("iterations", "gradients", "products")),
                f"{row['seconds']:.2f}",
            )
        )
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def page(table: Sequence[dict[str, Any]]) -> str:
    """The committed page."""
    return (
        "# The article's solve with each framework's derivatives\n\n"
        "Written by `python -m tests.autodiff.solves --markdown tests/autodiff/solves.md`; the test is "
        "[`test_solves.py`](test_solves.py).\n\n"
        "Value, gradient and Hessian-vector product of each framework, and refdeconv's, drive the same\n"
        f'`scipy.optimize.minimize(method="Newton-CG")`, `xtol={XTOL:g}`, from the same start `problem.start(0)`, on\n'
        "the article's problem, 171 x 171 pixels. F* is the lowest value that any of them reached. The seconds are\n"
        "those of one run on a machine of two cores, without imports and compilation; the `conv2d` of PyTorch and\n"
        f"TensorFlow sums directly, and its derivatives do.\n\n{markdown(table)}"
    )


def choose(parser: argparse.ArgumentParser, only: Sequence[str] | None) -> list[str]:
    """The frameworks that were asked for, all of them by default, if they are installed."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # what TensorFlow says of the processor
    chosen = list(only or PROGRAMS)
    absent = [name for name in chosen if not importlib.util.find_spec(name)]
    if absent:
        parser.error(f'not installed: {", ".join(absent)}; pip install -e ".[test,autodiff]", or choose with --only')
    return chosen


def write(options: argparse.Namespace, text: str, document: Any) -> None:
    """To the files that the options name."""
    if options.markdown:
        options.markdown.write_text(text, encoding="utf-8")
    if options.json:
        options.json.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


def parser_of(description: str) -> argparse.ArgumentParser:
    """The options that the commands of this folder share."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--only", action="append", choices=PROGRAMS, help="a framework; may be repeated (all)")
    parser.add_argument("--json", type=Path, help="file for the table")
    parser.add_argument("--markdown", type=Path, help="file for the page")
    return parser


def main(arguments: Sequence[str] | None = None, make: Callable[[], rd.problems.Problem] = rd.problems.article) -> None:
    parser = parser_of("The article's solve with the derivatives of each framework.")
    options = parser.parse_args(arguments)
    names = ["refdeconv", *choose(parser, options.only)]
    problem = make()
    table = rows([solve(name, problem) for name in names])
    print(markdown(table), end="")
    write(options, page(table), table)


if __name__ == "__main__":
    main()
