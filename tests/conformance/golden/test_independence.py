"""What computes and proves golden vectors uses nothing of what they are compared with."""

import sys
from pathlib import Path

import pytest

from refdeconv.conformance import golden
from tests.test_package import imports

ROOT = Path(golden.__file__).parent
HERE = "refdeconv.conformance.golden"
PROOFS = [f"optima.{name}" for name in ("certificates", "definitions", "functions", "intervals", "large_article")]

# Of all in refdeconv, a module may import these, each below refdeconv.conformance.golden; nothing else is listed, since
# reading, writing and running are of the package.
MAY = {
    "edges": [],
    "case": [],
    "part": [],
    "definitions/*": ["edges", "definitions"],
    "computing": ["case", "part", "definitions"],
    "cases/*": ["case", "part", "cases"],
    **{name.replace(".", "/"): ["edges", *PROOFS] for name in PROOFS},
    "optima/finding": PROOFS,
}
# And of other software, besides Python's own modules. The large proof finds with scipy what it then proves.
ELSEWHERE = {"optima/large_article": {"mpmath", "numpy", "scipy"}}


def modules(pattern):
    return sorted(ROOT.glob(f"{pattern}.py"))


@pytest.mark.parametrize("pattern", MAY)
def test_nothing_of_the_package_s_mathematics_is_imported(pattern):
    allowed = [f"{HERE}.{name}" for name in MAY[pattern]]
    paths = modules(pattern)
    assert paths
    for path in paths:
        for name in imports(path):
            if name.split(".")[0] == "refdeconv":
                # `from package import module` names the package, too.
                inside = any(name == each or name.startswith(f"{each}.") for each in allowed)
                around = name.startswith(HERE) and any(each.startswith(f"{name}.") for each in allowed)
                assert inside or around, f"{path.name} imports {name}"
            else:
                top = name.split(".")[0]
                allowed_elsewhere = ELSEWHERE.get(pattern, {"mpmath", "numpy"}) | sys.stdlib_module_names
                assert top in allowed_elsewhere, f"{path.name} imports {name}"


def test_proofs_are_judged_by_nothing_of_the_package():
    """What verifies adds the reading of files, and that reads with numpy."""
    for module, also in (("verifying", "reading"), ("reading", None)):
        allowed = {f"{HERE}.{name}" for name in [*PROOFS, f"optima.{also}"]} | {"refdeconv.conformance.array_files"}
        for name in imports(ROOT / "optima" / f"{module}.py"):
            if name.startswith("refdeconv"):
                exact = any(name == each or name.startswith(f"{each}.") for each in allowed)
                assert exact or name == f"{HERE}.optima", f"{module} imports {name}"
