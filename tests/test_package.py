"""The shape of the package: light to import, imports one way, nothing autodiff, typed."""

import ast
import subprocess
import sys
from pathlib import Path

import refdeconv as rd

PACKAGE = Path(rd.__file__).parent

# Which rooms a room may import: those listed after it, and itself.
FLOORS = [
    "cli",
    "solve",
    "conformance",
    "problems",
    "regularizers",
    "operators",
    "functionals",
    "psf",
    "psf_origin",
    "hessians",
    "calculus",
    "_fft",
    "_scratch",
    "_blocks",
    "_logarithm",
    "_arrays",
    "checks",
]
FRAMEWORKS = {"autograd", "jax", "tensorflow", "torch"}
APART = {("operators", "functionals"), ("operators", "psf"), ("functionals", "psf"), ("psf", "calculus")}


def imports(path):
    """The modules that a file imports, anywhere in it."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def room(path):
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def test_imports_go_one_way():
    for path in PACKAGE.rglob("*.py"):
        for name in imports(path):
            parts = (name or "").split(".")
            if parts[0] != "refdeconv" or len(parts) < 2 or room(path) in ("__init__", "__main__"):
                continue
            here, there = room(path), parts[1]
            if there not in FLOORS or here == there:
                continue
            assert here in FLOORS, f"{path} imports {name}"
            assert FLOORS.index(here) < FLOORS.index(there), f"{path} imports {name}"
            assert (here, there) not in APART, f"{path} imports {name}"


def test_checks_use_nothing_of_the_package():
    for path in (PACKAGE / "checks").rglob("*.py"):
        assert not [name for name in imports(path) if name.startswith("refdeconv") and ".checks" not in name]


def test_no_automatic_differentiation_and_no_flattening_outside_its_room():
    for path in PACKAGE.rglob("*.py"):
        tops = {(name or "").split(".")[0] for name in imports(path)}
        assert not tops & FRAMEWORKS
        if room(path) != "solve":
            flattening = [name for name in imports(path) if (name or "").startswith("scipy.optimize")]
            # The package imports it, because that is faster from there than from further down, and uses nothing of it.
            assert flattening == (["scipy.optimize"] if room(path) == "__init__" else [])


def calls_with_a_framework(tree):
    """Calls that are given a framework's name, or a module of it, such as import_module("jax.numpy")."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            given = [argument.value for argument in node.args if isinstance(argument, ast.Constant)]
            if any(isinstance(text, str) and text.split(".")[0] in FRAMEWORKS for text in given):
                yield node


def test_frameworks_are_loaded_in_one_file_and_only_when_its_functions_are_called():
    adapters = PACKAGE / "checks" / "frameworks.py"
    for path in PACKAGE.rglob("*.py"):
        tree = ast.parse(path.read_text())
        if path != adapters:
            assert not list(calls_with_a_framework(tree)), path
            continue
        assert list(calls_with_a_framework(tree))
        for statement in tree.body:
            if not isinstance(statement, ast.FunctionDef):
                assert not list(calls_with_a_framework(statement))


def test_a_plain_import_is_light():
    code = "import sys, refdeconv; print(*sorted(sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    heavy = {
        "skimage",
        "matplotlib",
        "click",
        "rich",
        "imageio",
        "tifffile",
        "sympy",
        "mpmath",
        "jsonschema",
    } | FRAMEWORKS
    assert not heavy & set(loaded)
    assert not [name for name in loaded if name.startswith(("refdeconv.conformance", "refdeconv.cli"))]
    assert {"numpy", "scipy"} <= set(loaded)


def test_all_names_exist_and_are_listed():
    assert sorted(rd.__all__) == rd.__all__
    for name in rd.__all__:
        assert hasattr(rd, name)


def test_is_typed():
    assert (PACKAGE / "py.typed").exists()


def test_files_can_be_read_in_one_sitting():
    for path in PACKAGE.rglob("*.py"):
        lines = len(path.read_text().splitlines())
        assert lines <= 500, f"{path} has {lines} lines"
