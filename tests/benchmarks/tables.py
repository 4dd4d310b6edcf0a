"""The tables, in Markdown."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from typing import Any

from .comparing import ARTICLE, AUTOGRAD, OURS, compared, groups, ratio
from .evaluations import FLOOR, QUANTITIES, Cell, size

NOTHING = "-"
OBJECTIVES = {"article": "The article's objective", "poisson-tv": "Poisson and smoothed total variation"}


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """One table; numbers stand at the right, but for the first column."""
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def times(seconds: Sequence[float]) -> str:
    """Median and spread, in milliseconds."""
    if not seconds:
        return NOTHING
    least, median, most = (1e3 * each for each in (min(seconds), statistics.median(seconds), max(seconds)))
    digits = 0 if median >= 1000 else 1 if median >= 10 else 3
    return f"{median:.{digits}f} ({least:.{digits}f}..{most:.{digits}f})"


def factor(number: float | None) -> str:
    """A ratio; nothing where there is none."""
    return NOTHING if number is None else f"{number:.2f}" if number < 10 else f"{number:.1f}"


def evaluations(cells: Sequence[Cell]) -> str:
    """A table for each objective and quantity, and what failed."""
    names = list(dict.fromkeys(cell.name for cell in cells))
    parts = []
    for objective, title in OBJECTIVES.items():
        for quantity, words in QUANTITIES.items():
            chosen = [cell for cell in cells if (cell.task.objective, cell.quantity) == (objective, quantity)]
            if chosen:
                present = [name for name in names if any(cell.name == name for cell in chosen)]
                parts.append(f"### {title}: {words}\n\n{_evaluations(chosen, present)}")
    failed = dict.fromkeys(f"- {cell.name}, {_task(cell)}: {cell.error}" for cell in cells if cell.error)
    if failed:
        parts.append("Not timed:\n\n" + "\n".join(failed) + "\n")
    return "\n".join(parts)


def _evaluations(cells: Sequence[Cell], names: Sequence[str]) -> str:
    head = ["size", "PSF", *names, "fastest other", f"its time / {OURS}'s"]
    extra = {"autograd_over_refdeconv": f"{AUTOGRAD} / {OURS}"}
    extra |= {"article_over_refdeconv": f"{ARTICLE} / {OURS}"} if ARTICLE in names else {}
    extra |= {"refdeconv_over_fft_pairs": f"{OURS} / {FLOOR}"} if FLOOR in names else {}
    rows = []
    for (task, _), group in groups(cells).items():
        ratios = compared(group)
        its_times = [times(group[name].seconds) if name in group else NOTHING for name in names]
        fastest = ratios.get("fastest_competitor") or NOTHING
        factors = [factor(ratios.get(key)) for key in ("fastest_competitor_over_refdeconv", *extra)]
        rows.append([size(task), task.words, *its_times, fastest, *factors])
    return table([*head, *extra.values()], rows)


def _task(cell: Cell) -> str:
    return f"{cell.task.objective}, {size(cell.task)}, PSF {cell.task.words}"


def growth(rows: Sequence[dict[str, Any]]) -> str:
    """Of the time of a product with the size."""
    return table(
        ["objective", "PSF", "size, float32", "time / (n log n), 512 x 512 is 1"],
        ([row["objective"], str(row["width"]), _shape(row["shape"]), factor(row["relative"])] for row in rows),
    )


def article(rows: Sequence[dict[str, Any]]) -> str:
    """Whole solves."""
    ours = next((row["seconds"] for row in rows if row["name"] == OURS), [])
    lines = [
        [
            row["name"],
            times(row["seconds"]),
            *(str(row.get(key, NOTHING)) for key in ("iterations", "gradients", "products")),
            f"{row['norm']:.1e}" if "norm" in row else NOTHING,
            row["error"] or (factor(ratio(row["seconds"], ours)) if ours else NOTHING),
        ]
        for row in rows
    ]
    head = ["solve", "ms", "iterations", "gradients", "products", "gradient norm", f"its time / {OURS}'s"]
    return table(head, lines)


def memory(rows: Sequence[dict[str, Any]], large: dict[str, Any] | None) -> str:
    """Images for each call, and the bytes of the large solve."""
    lines = [
        [
            f"{row['task']['objective']}, {_shape(row['task']['shape'])} {row['task']['dtype']}",
            QUANTITIES[row["quantity"]],
            row["name"],
            *_images(row),
        ]
        for row in rows
    ]
    text = table(["task", "call", "implementation", "peak of the call", "held before", "together"], lines)
    if large is None:
        return text
    if "error" in large:
        return f"{text}\nThe solve of 4096 x 4096 pixels in float32 failed: {large['error']}\n"
    return (
        f"{text}\nA solve of {_shape(large['shape'])} pixels in {large['dtype']}, `rd.minimize` as delivered: "
        f"{large['bytes'] / 2**30:.2f} GiB at most in the whole process "
        f"({large['bytes_before'] / 2**30:.2f} until the problem was made), {large['seconds']:.0f} s, "
        f"{large['iterations']} iterations, {large['products']} products, gradient norm "
        f"{large['relative_gradient_norm']:.1e} of the start's.\n"
    )


def _images(row: dict[str, Any]) -> list[str]:
    if row["error"]:
        return [row["error"], NOTHING, NOTHING]
    peak, held = row["peak_images"], row["held_images"]
    return [f"{images:.1f}" for images in (peak, held, peak + held)]


def imports(found: dict[str, Any]) -> str:
    """Of refdeconv, and of what it uses."""
    head = ["import", "ms"]
    text = table(head, ([name, times(seconds)] for name, seconds in found["seconds"].items()))
    return f"{text}\n`import refdeconv` takes {found['ratio']:.2f} times as long as the {found['modules']} modules.\n"


def plain(rows: Sequence[dict[str, Any]]) -> str:
    """Rows as they are: their keys are the columns."""
    keys = list(dict.fromkeys(key for row in rows for key in row))
    return table(keys, ([_plain(row.get(key)) for key in keys] for row in rows))


def _plain(value: Any) -> str:
    if isinstance(value, list) and value and all(isinstance(each, float) for each in value):
        return f"{times(value)} ms"
    if value is None or value == "":
        return NOTHING
    return f"{value:.3g}" if isinstance(value, float) else str(value).replace("|", "/")


def _shape(shape: Sequence[int]) -> str:
    return " x ".join(map(str, shape))
