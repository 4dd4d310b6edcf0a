"""The derivation pages: executed, cited both ways, complete, and readable on GitHub."""

import importlib
import inspect
import pkgutil
import re
from pathlib import Path

import pytest

import refdeconv as rd
from refdeconv.calculus import Functional, Operator
from refdeconv.conformance.evidence.models import LABEL
from refdeconv.conformance.evidence.models import citations as cited
from tests.cases import FUNCTIONALS, LINEAR_OPERATORS, MAPS

ROOT = Path(__file__).parent.parent
INDEX, EVIDENCE = ROOT / "derivations" / "README.md", ROOT / "derivations" / "evidence.md"
PERFORMANCE = ROOT / "derivations" / "performance.md"
PAGES = sorted(path for path in (ROOT / "derivations").rglob("*.md") if path not in (INDEX, EVIDENCE, PERFORMANCE))
SECTIONS = ["Statement and assumptions", "Properties", "Floating point", "Machine check", "References"]

# What GitHub's MathJax knows and these pages use; a new command is added here after a look at how GitHub shows it.
_COMMANDS = """
    Delta Longrightarrow Omega Phi alpha approx arctan ast bar begin beta bigl bigr bmod cdot cdots circ cos
    cosh dagger delta det dots ell end equiv eta exp frac gamma ge gg hat iff in infty int kappa lVert lambda
    langle ldots le left lfloor lim ll ln log mapsto mathbf mathrm max min mp mu nabla ne nu odot omega otimes
    overline partial phi pi pm prime prod propto psi qquad quad rVert rangle rfloor rho right sigma sin sinh
    sqrt sum tanh tau text theta tilde times to top varepsilon varphi widehat xi zeta
"""
COMMANDS = frozenset(_COMMANDS.split())


def page_id(path):
    return str(path.relative_to(ROOT / "derivations"))


def blocks(path, language):
    return re.findall(rf"^```{language}\n(.*?)^```$", path.read_text(), flags=re.DOTALL | re.MULTILINE)


def prose(path):
    return re.sub(r"^```.*?^```$", "", path.read_text(), flags=re.DOTALL | re.MULTILINE)


def defined_labels(path):
    return re.findall(r"^### ([A-Z][A-Z0-9]{2}\.[0-9]+) \S", path.read_text(), flags=re.MULTILINE)


def package_modules():
    yield rd
    for module in pkgutil.walk_packages(rd.__path__, "refdeconv."):
        if module.name != "refdeconv.__main__":
            yield importlib.import_module(module.name)


def citations():
    """Label -> the pages that docstrings and comments of the package name with it."""
    found = {}
    for path in (ROOT / "refdeconv").rglob("*.py"):
        for label in LABEL.findall(path.read_text()):
            found.setdefault(label, set()).add(path)
    return found


@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_the_python_of_the_page_runs(page):
    code = blocks(page, "python")
    assert code, "a page without a machine check"
    assert any("refdeconv" in block for block in code), "the page does not compare the module with its formulas"
    exec(compile("\n".join(code), str(page), "exec"), {"__name__": page.stem})


@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_the_page_has_its_sections_and_a_module(page):
    headings = re.findall(r"^## (.+)$", page.read_text(), flags=re.MULTILINE)
    assert [heading for heading in headings if heading in SECTIONS] == SECTIONS
    module = ROOT / "refdeconv" / page.relative_to(ROOT / "derivations").with_suffix("")
    assert module.is_dir() or module.with_suffix(".py").is_file()
    assert defined_labels(page)


def test_labels_are_unique():
    labels = [label for page in PAGES for label in defined_labels(page)]
    assert len(labels) == len(set(labels))


def test_every_label_is_cited_by_the_package_and_every_citation_resolves():
    defined = {label for page in PAGES for label in defined_labels(page)}
    assert set(citations()) == defined


def test_citations_name_the_right_page():
    home = {label: page for page in PAGES for label in defined_labels(page)}
    count = 0
    for path in (ROOT / "refdeconv").rglob("*.py"):
        for name, labels in cited(path.read_text()):
            for label in labels:
                assert home[label] == ROOT / "derivations" / name
                count += 1
    assert count >= len(home) / 2


@pytest.mark.parametrize("page", [*PAGES, INDEX, EVIDENCE, PERFORMANCE], ids=page_id)
def test_labels_in_the_text_resolve(page):
    defined = {label for other in PAGES for label in defined_labels(other)}
    assert set(LABEL.findall(page.read_text())) <= defined


def test_the_table_lists_every_label_with_its_page_module_and_test():
    home = {label: page for page in PAGES for label in defined_labels(page)}
    listed = {}
    for row in re.findall(r"^\| (?:[A-Z0-9]{3}\.\d.*?) \|$", INDEX.read_text(), flags=re.MULTILINE):
        labels, _, page, module, test = (cell.strip() for cell in row.strip("|").split("|"))
        target = INDEX.parent / re.search(r"\((.+)\)", page).group(1)
        assert (ROOT / module.strip("`")).is_file()
        assert (ROOT / test.strip("`")).is_file()
        for label in LABEL.findall(labels):
            listed[label] = target
    assert listed == home


@pytest.mark.parametrize(
    "page", [*PAGES, INDEX, EVIDENCE, PERFORMANCE, ROOT / "README.md"], ids=lambda path: str(path.relative_to(ROOT))
)
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", prose(page)):
        if not target.startswith("https://"):
            assert (page.parent / target).exists(), target


@pytest.mark.parametrize(
    "page", [*PAGES, INDEX, EVIDENCE, PERFORMANCE, ROOT / "README.md"], ids=lambda path: str(path.relative_to(ROOT))
)
def test_mathematics_reads_well_on_github(page):
    text = page.read_text()
    assert "$" not in prose(page), "inline formulas are written as code or plain text, displayed ones are fenced"
    assert not re.search(r"[\x00-\x09\x0b-\x1f]", text), "a control character, perhaps from an unescaped backslash"
    fences = re.findall(r"^ *```(\w*)$", text, flags=re.MULTILINE)
    assert set(fences) <= {"math", "python", "bash", "text", ""}
    assert len(fences) % 2 == 0
    assert all(fence == "" for fence in fences[1::2])
    for formula in blocks(page, "math"):
        without_text = re.sub(r"\\text\{[^{}]*\}", "", formula)
        assert set(re.findall(r"\\([A-Za-z]+)", formula)) <= COMMANDS
        assert formula.count("{") - formula.count(r"\{") == formula.count("}") - formula.count(r"\}")
        assert formula.count(r"\left") == formula.count(r"\right")
        assert re.findall(r"\\begin\{(\w+)\}", formula) == re.findall(r"\\end\{(\w+)\}", formula)
        assert "\n\n" not in formula, "an empty line ends a formula"
        assert "#" not in formula
        upright = re.sub(r"\\(?:begin|end|mathrm)\{\w+\}|\\[A-Za-z]+", "", without_text)
        assert not re.search(r"[A-Za-z]{3,}", upright), f"a word set as a product of letters in {formula}"


def public_classes():
    return [
        cls
        for name in rd.__all__
        if inspect.isclass(cls := getattr(rd, name)) and issubclass(cls, Operator | Functional)
    ]


@pytest.mark.parametrize("cls", public_classes())
def test_every_public_class_has_a_page_and_a_case(cls):
    assert re.search(r"Derivation: derivations/[\w/]+\.md, [A-Z][A-Z0-9]{2}\.\d", re.sub(r"\s+", " ", cls.__doc__))
    rng = __import__("numpy").random.default_rng(0)
    made = [make((4, 3), rng) for make in [*LINEAR_OPERATORS.values(), *MAPS.values(), *FUNCTIONALS.values()]]
    assert any(isinstance(case, cls) for case in made)


def test_everything_public_has_a_docstring_with_its_errors():
    for module in package_modules():
        assert module.__doc__, module.__name__
        for name, thing in vars(module).items():
            defined_here = getattr(thing, "__module__", None) == module.__name__
            if name.startswith("_") or not defined_here or not (inspect.isclass(thing) or inspect.isfunction(thing)):
                continue
            assert thing.__doc__, f"{module.__name__}.{name}"
    for name in rd.__all__:
        thing = getattr(rd, name)
        if inspect.isfunction(thing) or (
            inspect.isclass(thing) and "__init__" in vars(thing) and name not in ("SelfAdjoint", "Expansion")
        ):
            assert "Parameters\n" in thing.__doc__
            if name != "Zero":
                assert "Raises\n" in thing.__doc__, name
