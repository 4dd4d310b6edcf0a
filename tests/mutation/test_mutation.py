"""The driver on mutants made by hand: what it calls killed, what equivalent, and what it refuses."""

import json
import subprocess
import sys

import pytest

from tests.mutation import equivalents
from tests.mutation.__main__ import table
from tests.mutation.mutants import ROOT, Mutant, source_of
from tests.mutation.running import Outcome

SUM = "return image + cast_like(self.offset, image)"

# In a process of its own, which imports nothing of the package before: what became of each mutant, as JSON.
SCRIPT = """
import json, sys
from tests.mutation import running
from tests.mutation.mutants import Mutant

tests, outcomes = ["tests/operators/test_affine.py", "tests/functionals/test_log_cosh.py"], []
mutants = [Mutant(**fields) for fields in json.load(sys.stdin)]
running.PATIENCE = 1.0
surveyed = running.in_a_process(lambda: running.survey(tests))


def try_all():
    running.tried(mutants, surveyed, lambda mutant, outcome: outcomes.append(outcome.killed_by), tests)
    return outcomes


print(json.dumps(running.in_a_process(try_all)))
"""


def changed(module, function, old, new):
    source = source_of(module)
    assert source.count(old) == 1
    return Mutant(module, function, old, "by hand", 1, source.replace(old, new))


@pytest.mark.slow
def test_wrong_mutants_are_killed_and_others_are_not():
    mutants = {
        "wrong": changed("operators/affine.py", "Affine.forward", SUM, SUM.replace("+", "-")),
        "the same": changed(
            "operators/affine.py", "Affine.forward", SUM, "return cast_like(self.offset, image) + image"
        ),
        "without end": changed("operators/affine.py", "Affine.forward", SUM, f"while True: pass\n        {SUM}"),
        "a wrong constant": changed("functionals/log_cosh.py", "", "_FAR = 6000.0", "_FAR = 1.0"),
        "a constant as good": changed("functionals/log_cosh.py", "", "_FAR = 6000.0", "_FAR = 6001.0"),
        "no module": changed("functionals/log_cosh.py", "", "_FAR = 6000.0", "_FAR = 1 / 0"),
        "a wrong default": changed(
            "functionals/log_cosh.py", "LogCosh.__init__", "delta: float = 1.0", "delta: float = -1.0"
        ),
    }
    run = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        input=json.dumps([vars(mutant) for mutant in mutants.values()]),
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=300,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    outside = [name for name, mutant in mutants.items() if not mutant.function]  # these come first
    order = [*outside, *(name for name in mutants if name not in outside)]
    killed_by = dict(zip(order, json.loads(run.stdout), strict=True))
    assert [name for name in mutants if killed_by[name] is None] == ["the same", "a constant as good"]
    assert killed_by["no module"] == "the import"
    assert killed_by["wrong"].startswith("tests/operators/test_affine.py::")


ENTRY = """
[[equivalent]]
module = "operators/affine.py"
function = "Affine.forward"
line = "return image + cast_like(self.offset, image)"
changes = ["+ -> *"]
reason = "none: an example"
"""


def affine(change):
    return Mutant("operators/affine.py", "Affine.forward", SUM, change, 1, "")


def test_a_listed_mutant_is_recognised():
    listed, other = affine("+ -> *"), affine("+ -> -")
    assert equivalents.reasons([listed, other], equivalents.read(ENTRY)) == {listed: "none: an example"}


def test_what_is_listed_must_exist_once_and_have_a_reason():
    entries = equivalents.read(ENTRY)
    with pytest.raises(
        equivalents.ListError, match=r"does not exist: refdeconv/operators/affine.py Affine.forward: \+ -> \*"
    ):
        equivalents.reasons([affine("+ -> -")], entries)
    with pytest.raises(equivalents.ListError, match="twice"):
        equivalents.reasons([affine("+ -> *")], entries * 2)
    with pytest.raises(equivalents.ListError, match="reason"):
        equivalents.read(ENTRY.replace("none: an example", " "))
    with pytest.raises(equivalents.ListError, match="reason"):
        equivalents.read(ENTRY.partition("reason")[0])
    assert equivalents.reasons([], entries) == {}  # of a module that is not asked for


def test_every_entry_of_the_list_is_a_line_of_its_module():
    for entry in equivalents.read():
        assert entry.line in map(str.strip, source_of(entry.module).splitlines()), entry


def test_the_table_adds_up():
    listed, killed, survivor = affine("+ -> *"), affine("+ -> -"), affine("+ -> /")
    outcomes = {killed: Outcome("a test"), survivor: Outcome(None)}
    text = table(["operators/affine.py"], outcomes, {listed: "a reason"}, {listed})
    assert text.splitlines()[2:] == ["| operators/affine.py | 3 | 1 | 1 | 1 |", "| all | 3 | 1 | 1 | 1 |"]
