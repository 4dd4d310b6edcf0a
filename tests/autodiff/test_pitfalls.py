"""Where the frameworks go wrong, each claim by itself; and that refdeconv gives what is true at every one of them."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from .installed import need
from .pitfalls import __main__ as command
from .pitfalls import memory, table
from .pitfalls.example import NAMES, Example, judge
from .pitfalls.examples import EXAMPLES
from .pitfalls.failures import FAILURES, Failure

PAGE = Path(__file__).parent / "pitfalls.md"
MEMORY = {"autograd": "right", "jax": "right", "torch": "much memory", "tensorflow": "much memory"}
CLAIMS = [(name, example) for example in EXAMPLES for name in example.found]
NEWS = (
    "{version} gives another verdict than the page says: {row}. Note it in `found`, and write the page anew: "
    "python -m tests.autodiff.pitfalls --markdown tests/autodiff/pitfalls.md"
)


def identify(each: Any) -> str:
    return each if isinstance(each, str) else f"{each.title}: {each.quantity}"


def check(row: dict[str, Any], found: str) -> None:
    assert row["refdeconv_verdict"] == "right", row
    assert row["verdict"] == found, NEWS.format(version=row["version"], row=row)


@pytest.mark.parametrize("example", EXAMPLES, ids=identify)
def test_refdeconv_is_right(example: Example) -> None:
    ours, truth = example.refdeconv(), example.truth()
    assert ours.dtype == example.x.dtype
    assert judge(ours, truth, example.x.dtype) == "right", (ours, truth)


@pytest.mark.parametrize(("name", "example"), CLAIMS, ids=identify)
def test_claim(name: str, example: Example) -> None:
    need(name)
    check(table.example_row(name, example), example.found[name])


@pytest.mark.parametrize("failure", FAILURES, ids=lambda failure: f"{failure.framework}: {failure.title}")
def test_failure(failure: Failure) -> None:
    need(failure.framework)
    check(table.failure_row(failure), failure.found)


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_memory_of_a_gradient(name: str) -> None:
    need(name)
    (row,) = table.memory_rows([name], 768, 33)
    check(row, MEMORY[name])
    if row["verdict"] == "much memory":
        assert row["images"] > 20 * row["refdeconv_images"]


GREEDY = """
import json, sys
from types import SimpleNamespace
import numpy as np
from tests.autodiff.pitfalls import memory

def objective(name, size, psf_size):
    copies = int(name) if size > 32 else 1
    gradient = lambda x: np.ones((copies, *x.shape))
    return SimpleNamespace(gradient=gradient, version=""), np.ones((size, size))

memory.objective = objective
print(json.dumps(memory.measure(sys.argv[1], 512, 5)))
"""


def test_memory_of_a_known_size() -> None:
    """The measurement itself: a gradient that holds forty images is seen to, in a process of its own."""
    command = [sys.executable, "-c", GREEDY, "40"]
    found = json.loads(subprocess.run(command, capture_output=True, text=True, check=True, cwd=memory.ROOT).stdout)
    assert found["bound"] == ""
    assert 39 < found["images"] < 42


@pytest.mark.parametrize("name", NAMES)
def test_every_function_is_used(name: str) -> None:
    """A function that a framework has and no claim uses, or the reverse, would be an example that is never run."""
    need(name)
    functions = set(table.framework(name).FUNCTIONS)
    assert functions == {example.function for example in EXAMPLES if name in example.found}


def test_command(tmp_path: Path, capsys: Any) -> None:
    need("autograd")
    files = tmp_path / "page.md", tmp_path / "table.json"
    command.main(["--only", "autograd", "--no-memory", "--markdown", str(files[0]), "--json", str(files[1])])
    found = json.loads(files[1].read_text())
    assert {row["framework"] for row in found} == {"autograd"}
    assert {row["refdeconv_verdict"] for row in found} == {"right"}
    assert capsys.readouterr().out in files[0].read_text()


def test_the_page_holds_every_claim() -> None:
    rows = [line.strip("|").split(" | ") for line in PAGE.read_text().splitlines() if line.startswith("|")][2:]
    expected = [(name, example.found[name]) for example in EXAMPLES for name in NAMES if name in example.found]
    expected += [(failure.framework, failure.found) for failure in FAILURES] + list(MEMORY.items())
    found = [(row[1].split()[0], row[3].replace("*", "").split(" by ")[0]) for row in rows]
    assert found == expected
    assert PAGE.read_text().startswith(command.INTRODUCTION)
