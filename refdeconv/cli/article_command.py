"""``refdeconv article``: the article's problem, solved, checked, drawn and recorded."""

from pathlib import Path
from typing import Any

from rich.table import Table

import refdeconv as rd
from refdeconv.cli import figures, files, record
from refdeconv.cli.progress import SolveProgress, consoles
from refdeconv.problems import Problem, astronaut

SMALLEST = 8  # pixels a side, which SSIM's window of 7 needs


def run(out: Path, seed: int, mu: float, scale: float) -> Any:
    """Solve the article's problem, write ``article.png`` and ``article.json``, and print a table.

    Returns
    -------
    OptimizeResult
        What `refdeconv.minimize` returned.
    """
    figure_path, record_path = out / "article.png", out / "article.json"
    files.check_writable(figure_path)
    files.check_writable(record_path)
    if round(512 * scale) < SMALLEST:
        raise files.InputError(
            f"--scale {scale:.3g} leaves less than {SMALLEST} pixels a side: give at least {SMALLEST / 512}"
        )
    messages, output = consoles()

    problem = rd.problems.article(astronaut(scale), mu=mu)
    start = problem.start(seed)
    with SolveProgress(messages) as progress:
        result = rd.minimize(problem.objective, start, callback=progress.callback)
    with files.uninterrupted():
        if result.interrupted:
            messages.print("Interrupted: writing what there is.")
        checks = verify(problem, start)
        quality = compare(problem, result.x)
        run_record = {
            **record.reached(result),
            **quality,
            "checks": checks,
            "objective": "sqrt(L(psf * x - y)) + mu sqrt(L(D x)), L(t) = sum(t**2)/2",
            "parameters": {"seed": seed, "mu": mu, "scale": scale, "shape": problem.original.shape},
            "versions": record.versions(),
        }
        files.write_json(record_path, run_record)
        figure = figures.article(problem.original, problem.blurred, result, quality)
        files.write_whole(figure_path, lambda file: figure.savefig(file, format="png", dpi=150))

    output.print(_table(run_record))
    messages.print(result.message, style=None if result.success else "bold")
    output.print(f"Wrote {figure_path} and {record_path}")
    return result


def verify(problem: Problem, point: Any) -> dict[str, float]:
    """The derivatives and adjoints of this very run against the identities that define them, at a random point."""
    objective, shape = problem.objective, problem.original.shape
    operators = (rd.Convolution(problem.psf, shape), rd.Gradient(shape))
    return {
        "complex_step_gradient_error": rd.checks.gradient_error(objective.value, objective.gradient, point),
        "complex_step_hvp_error": rd.checks.hvp_error(objective.gradient, objective.hvp, point),
        "adjoint_error": max(
            rd.checks.adjoint_error(a.forward, a.adjoint, a.input_shape, a.output_shape) for a in operators
        ),
        "hvp_symmetry_error": rd.checks.hvp_symmetry_error(objective.hvp, point),
    }


def compare(problem: Problem, restored: Any) -> dict[str, float]:
    """PSNR (dB) and SSIM against the original, for a data range of 1."""
    from skimage.metrics import peak_signal_noise_ratio, structural_similarity

    quality = {}
    for name, image in (("blurred", problem.blurred), ("deconvolved", restored)):
        quality[f"psnr_{name}"] = float(peak_signal_noise_ratio(problem.original, image, data_range=1))
        quality[f"ssim_{name}"] = float(structural_similarity(problem.original, image, data_range=1))
    return quality


def _table(run_record: dict[str, Any]) -> Table:
    table = Table(title="The article's deconvolution, without automatic differentiation", title_justify="left")
    table.add_column("what")
    table.add_column("figure", justify="right")
    rows = {
        "value F": f"{run_record['value']:.10f}",
        "gradient norm (of the start's)": "{gradient_norm:.2e} ({relative_gradient_norm:.1e})".format(**run_record),
        "iterations / values / gradients": "{iterations} / {values} / {gradients}".format(**run_record),
        "Hessian products": f"{run_record['hessian_products']}",
        "seconds": f"{run_record['seconds']:.2f}",
        "PSNR blurred -> deconvolved": "{psnr_blurred:.3f} -> {psnr_deconvolved:.3f} dB".format(**run_record),
        "SSIM blurred -> deconvolved": "{ssim_blurred:.3f} -> {ssim_deconvolved:.3f}".format(**run_record),
    }
    names = {
        "complex_step_gradient_error": "gradient against complex step",
        "complex_step_hvp_error": "Hessian product against complex step",
        "adjoint_error": "adjoints (dot test)",
        "hvp_symmetry_error": "symmetry of the Hessian",
    }
    for name, figure in rows.items():
        table.add_row(name, figure)
    table.add_section()
    for name, figure in run_record["checks"].items():
        table.add_row(f"{names[name]}: relative error", f"{figure:.1e}")
    return table
