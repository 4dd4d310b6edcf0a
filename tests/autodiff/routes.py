"""The article's own two routes and refdeconv's, to the same picture: ``python -m tests.autodiff.routes --out DIR``.

The article's second part gives scipy's Newton-CG the gradient by Autograd, and no Hessian-vector products. Its first
part lets TensorFlow's Adam, at a learning rate of 0.5, take steps. With Adam's usual epsilon, 1e-7, that never arrives:
each step divides the gradient by its own recent size, so that close to the optimum, where the gradient vanishes, the
steps stay as large as the learning rate makes them, however many are taken. With epsilon = 0.1, at the same constant
learning rate, that division ends before the gradient does, and Adam arrives. (The documentation
of `tf.compat.v1.train.AdamOptimizer` itself says that the default "might not be a good default in general", and names
1.0 and 0.1.) Both are drawn.
"""

import argparse
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from skimage.metrics import peak_signal_noise_ratio

import refdeconv as rd

from . import Array
from .installed import load
from .solves import MU, XTOL, article_program, choose

STEPS = 600
USUAL_EPSILON, LARGE_EPSILON = 1e-7, 0.1
SAME_IMAGE = 1e-4  # the largest difference of a grey value, of a range of 0 to 1, for it to be the same picture
BLUE, ORANGE, GREEN, GREY = "#0072b2", "#d55e00", "#009e73", "#7f7f7f"  # told apart also with colour-blind eyes


@dataclass
class Route:
    """An image, and how the objective fell on the way: after so many seconds, and evaluations of derivatives."""

    name: str
    image: Array
    values: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    evaluations: list[int] = field(default_factory=list)  # gradients and Hessian-vector products

    def record(self, value: float, seconds: float, evaluations: int) -> None:
        self.values.append(value)
        self.seconds.append(seconds)
        self.evaluations.append(evaluations)


def autograd_route(problem: rd.problems.Problem) -> Route:
    """Newton-CG with gradients only, scipy's own tolerance: the article's call.

    The solve is not touched: it is handed an objective of the same module that notes when its gradient was asked for.
    """
    program, x0 = article_program("autograd"), problem.start(0)
    route = Route("Autograd, Newton-CG without products", x0)
    gradient = program.grad
    gradient(lambda x: program.cost(x, problem.blurred, problem.psf, MU))(x0)  # the first call loads and compiles
    iterates: list[tuple[Array, float, int]] = []
    count = 0

    def counted(value: Any) -> Any:
        derivative = gradient(value)

        def function(flat: Array) -> Array:
            nonlocal count
            count += 1
            iterates.append((flat.copy(), time.perf_counter() - started, count))
            return derivative(flat)

        return function

    program.grad = counted
    started = time.perf_counter()
    try:
        result = program.solve(problem.blurred, problem.psf, MU, x0)
    finally:
        program.grad = gradient
    iterates.append((result.x, time.perf_counter() - started, count))
    route.image = result.x.reshape(x0.shape)
    # Newton-CG asks for gradients also beside its iterates, for finite differences: the lowest value so far is drawn.
    lowest = np.inf
    for flat, seconds, number in iterates:
        value = float(problem.objective.value(flat.reshape(x0.shape)))
        if value < lowest:
            lowest = value
            route.record(value, seconds, number)
    return route


def tensorflow_route(problem: rd.problems.Problem, epsilon: float, steps: int = STEPS) -> Route:
    """Adam at the article's learning rate, constant, and its last image."""
    adam = load(f"{__package__}.adam_tensorflow", "tensorflow").adam
    route = Route(f"TensorFlow, Adam 0.5, epsilon {epsilon:g}", problem.start(0))
    started = time.perf_counter()
    for step, (value, image) in enumerate(adam(problem.blurred, problem.psf, MU, problem.start(0), epsilon, steps)):
        route.record(value, time.perf_counter() - started, step)
        route.image = image
    return route


def refdeconv_route(problem: rd.problems.Problem) -> Route:
    """refdeconv's solve, to the floor of float64."""
    x0 = problem.start(0)
    route = Route("refdeconv, Newton-CG", x0)
    iterations = [(0.0, 0)]

    def note(intermediate_result: Any) -> None:
        iterations.append((intermediate_result.seconds, intermediate_result.hessian_products))

    result = rd.minimize(problem.objective, x0, callback=note, xtol=XTOL)
    for number, (iterate, (seconds, products)) in enumerate(zip(result.history, iterations, strict=False)):
        route.record(iterate.value, seconds, products + number + 1)
    route.image = result.x
    return route


def all_routes(problem: rd.problems.Problem, steps: int = STEPS) -> list[Route]:
    """The article's second part, its first, that with the larger epsilon, and refdeconv."""
    return [
        autograd_route(problem),
        tensorflow_route(problem, USUAL_EPSILON, steps),
        tensorflow_route(problem, LARGE_EPSILON, steps),
        refdeconv_route(problem),
    ]


def summary(problem: rd.problems.Problem, routes: Sequence[Route]) -> list[dict[str, Any]]:
    """What each route reached; the optimum is where refdeconv ends from another start."""
    optimum = rd.minimize(problem.objective, problem.start(1), xtol=XTOL)
    return [
        {
            "route": route.name,
            "value": route.values[-1],
            "above_optimum": route.values[-1] - optimum.fun,
            "image_difference": float(np.abs(route.image - optimum.x).max()),
            "psnr": float(peak_signal_noise_ratio(problem.original, route.image, data_range=1)),
            "seconds": route.seconds[-1],
            "evaluations": route.evaluations[-1],
        }
        for route in routes
    ]


def figure(problem: rd.problems.Problem, routes: Sequence[Route]) -> Any:
    """The images on the original's range of grey, and below how far above the optimum each route was, and when."""
    from matplotlib.figure import Figure

    rows, psnr = summary(problem, routes), peak_signal_noise_ratio(problem.original, problem.blurred, data_range=1)
    optimum = min(min(route.values) for route in routes)
    drawing = Figure(figsize=(11, 12.6), layout="constrained")
    above_part, below_part = drawing.subfigures(2, 1, height_ratios=(2.6, 1))
    images, curves = above_part.subplots(2, 3), below_part.subplots(1, 2)
    autograd, usual, large, ours = (
        (route.image, f"{route.name}\n{caption(row)}") for route, row in zip(routes, rows, strict=True)
    )
    shown = [
        (problem.original, "original\nthe answer, unknown to all of them\n"),
        (problem.blurred, f"blurred: the data\nPSNR {psnr:.2f} dB\n"),
        usual,
        autograd,
        large,
        ours,
    ]
    for axes, (image, title) in zip(images.flat, shown, strict=True):
        limits = problem.original.min(), problem.original.max()
        axes.imshow(image, cmap="gray", vmin=limits[0], vmax=limits[1], interpolation="nearest")
        axes.set_title(title, fontsize=9)
        axes.set_axis_off()
    styles = ((ORANGE, "-"), (GREY, "-"), (GREEN, "-"), (BLUE, "-"))
    labels = {"evaluations": "gradients and Hessian products", "seconds": "seconds"}
    for axes, (attribute, label) in zip(curves, labels.items(), strict=True):
        for route, (colour, line) in zip(routes, styles, strict=True):
            above = np.array(route.values) - optimum
            late, times = above > 1e-13 * optimum, np.array(getattr(route, attribute))
            axes.loglog(np.maximum(times, 1e-3)[late], above[late], line, color=colour, label=route.name, lw=1.6)
        axes.set_xlabel(f"{label} so far")
        axes.set_ylabel("F above the optimum")
        axes.set_ylim(1e-13, 1e3)
        axes.grid(alpha=0.3)
    curves[0].set_xlim(left=1)
    curves[0].legend(frameon=False, fontsize=8, loc="lower left")
    return drawing


def caption(row: dict[str, Any]) -> str:
    """The figures of a route: by how much a pixel differs from the optimum's at most is the last."""
    return (
        f"F = {row['value']:.7f}, PSNR {row['psnr']:.2f} dB\n{row['seconds']:.3g} s, {row['evaluations']} derivatives, "
        f"off by {row['image_difference']:.0e} at most"
    )


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="The article's two routes and refdeconv's, to the same picture.")
    parser.add_argument("--out", type=Path, default=Path("derivations/figures"), help="folder for routes.png")
    parser.add_argument("--json", type=Path, help="file for what each route reached")
    parser.add_argument("--steps", type=int, default=STEPS, help=f"of Adam ({STEPS})")
    options = parser.parse_args(arguments)
    choose(parser, ["autograd", "tensorflow"])
    problem = rd.problems.article()
    routes = all_routes(problem, options.steps)
    rows = summary(problem, routes)
    for row in rows:
        print(f"{row['route']:42} {caption(row).replace(chr(10), ', ')}")
    options.out.mkdir(parents=True, exist_ok=True)
    figure(problem, routes).savefig(options.out / "routes.png", dpi=110)
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
