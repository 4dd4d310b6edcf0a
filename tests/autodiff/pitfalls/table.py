"""All examples, run, as rows of a table."""

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from tests.autodiff import Array
from tests.autodiff.installed import load

from .example import Example, Verdict, judge, relative_error
from .examples import EXAMPLES
from .failures import FAILURES, Failure
from .memory import PSF_SIZE, SIZE, measured

MEMORY_LIMIT = 30  # images; refdeconv and what convolves by FFT stay far below, what unfolds the image far above


def framework(name: str) -> Any:
    """The examples in one framework."""
    return load(f"{__package__}.in_{name}", name)


def given(name: str, example: Example) -> Array | None:
    """What a framework gives."""
    module = framework(name)
    function = module.FUNCTIONS[example.function]
    with without_warnings():
        found = module.evaluate(function, example.quantity, example.x, example.v, example.parameters)
    return None if found is None else np.asarray(found)


@contextmanager
def without_warnings() -> Iterator[None]:
    """Autograd computes with numpy, which warns of some of what is shown here."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        yield


def version(name: str) -> str:
    found: str = framework(name).VERSION
    return found


def example_row(name: str, example: Example) -> dict[str, Any]:
    found, ours, truth = given(name, example), example.refdeconv(), example.truth()
    verdict = judge(found, truth, example.x.dtype)
    quantity = {"hvp": "Hessian-vector product"}.get(example.quantity, example.quantity)
    return {
        "pitfall": f"{example.title}: {quantity}",
        "framework": name,
        "version": version(name),
        "gives": shown(found),
        "refdeconv": shown(ours),
        "truth": shown(truth),
        "verdict": verdict,
        "error": relative_error(found, truth) if verdict == "wrong" else None,
        "refdeconv_verdict": judge(ours, truth, example.x.dtype),
    }


def failure_row(failure: Failure) -> dict[str, Any]:
    with without_warnings():
        gives, verdict = failure.run()
    ours, our_verdict = failure.ours()
    return {
        "pitfall": failure.title,
        "framework": failure.framework,
        "version": version(failure.framework),
        "gives": gives,
        "refdeconv": ours,
        "truth": failure.truth,
        "verdict": verdict,
        "refdeconv_verdict": our_verdict,
    }


def memory_rows(names: Sequence[str], size: int = SIZE, psf_size: int = PSF_SIZE) -> list[dict[str, Any]]:
    ours = measured("refdeconv", size, psf_size)
    rows = []
    for name in names:
        found = measured(name, size, psf_size)
        rows.append(
            {
                "pitfall": f"memory of one gradient, {size} x {size}, PSF {psf_size} x {psf_size}",
                "framework": name,
                "version": found["version"],
                "gives": memory(found),
                "refdeconv": memory(ours),
                "truth": "",
                "images": found["images"],
                "refdeconv_images": ours["images"],
                "verdict": verdict_of(found),
                "refdeconv_verdict": verdict_of(ours),
            }
        )
    return rows


def verdict_of(found: dict[str, Any]) -> Verdict:
    """On the memory alone: that the gradient is right, `agreement` says."""
    return "right" if found["images"] < MEMORY_LIMIT else "much memory"


def memory(found: dict[str, Any]) -> str:
    return f"{found['bound']}{found['images']:.1f} images ({found['seconds']:.2g} s)"


def shown(found: Array | None) -> str:
    """An array in a cell of the table; of a row of equal entries the first."""
    if found is None:
        return "None"
    entries = [number(each) for each in np.ravel(found)]
    if len(entries) > 1 and len(set(entries)) == 1:
        return f"all {entries[0]}"
    return ", ".join(entries)


def number(each: Any) -> str:
    return "0" if abs(each) < 1e-40 and each == each else f"{each:.6g}".replace("nan", "NaN")


def rows(names: Sequence[str], memory_too: bool = True) -> Iterator[dict[str, Any]]:
    """Of these frameworks, example by example."""
    for example in EXAMPLES:
        for name in names:
            if name in example.found:
                yield example_row(name, example)
    yield from (failure_row(failure) for failure in FAILURES if failure.framework in names)
    if memory_too:
        yield from memory_rows(names)


def markdown(table: Sequence[dict[str, Any]]) -> str:
    """The table as Markdown: what stands in the row above is not repeated."""
    head = ("pitfall", "framework", "what it gives", "verdict", "refdeconv gives", "truth")
    lines = [head, ("---",) * len(head)]
    last = None
    for row in table:
        same = row["pitfall"] == last
        last = row["pitfall"]
        gives, verdict = row["gives"], row["verdict"]
        by = f" by {row['error']:.1e}" if row.get("error") else ""
        beside = ("", "") if same else (row["refdeconv"], row["truth"])
        lines.append(
            (
                "" if same else last,
                row["version"],
                gives,
                verdict if verdict == "right" else f"**{verdict}**{by}",
                *beside,
            )
        )
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"
