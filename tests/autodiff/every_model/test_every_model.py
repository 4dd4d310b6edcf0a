"""Every public model against what the four frameworks make of its definition, and that none is missing."""

import functools
import inspect
import json
from pathlib import Path

import numpy as np
import pytest

from refdeconv import functionals, operators, problems, regularizers

from . import comparing
from .__main__ import main, markdown
from .cancelling import CANCELLING
from .comparing import FEW_SHAPES, TOLERANCES, Row, compare, largest_error, relative_error
from .namespaces import NAMESPACES, Namespace
from .subjects import MAKERS, REASONS, models

RESULTS = Path(__file__).with_name("agreement.json")


@functools.cache
def namespace(name: str) -> Namespace:
    return NAMESPACES[name]()


@pytest.mark.parametrize("case", [name for name in MAKERS if name not in CANCELLING])
@pytest.mark.parametrize("name", NAMESPACES)
def test_every_derivative_agrees(name: str, case: str) -> None:
    """One problem of each case and shape, in JAX, which compiles for each, of one shape in each precision.

    The recorded table has a hundred.
    """
    xp = namespace(name)
    for (dtype, tolerance), shape in zip(TOLERANCES.items(), FEW_SHAPES, strict=True):
        for found in compare(xp, case, dtype, [0], [shape] if xp.geometries else FEW_SHAPES):
            assert found.error <= tolerance, f"{xp.package} {xp.version}, {dtype}: {found}"


def test_every_public_model_has_a_definition_or_a_reason() -> None:
    public = {*functionals.__all__, *operators.__all__}
    for module in (regularizers, problems):
        public |= {f"{module.__name__.removeprefix('refdeconv.')}.{name}" for name in module.__all__}
    assert public == set(models()) | set(REASONS)
    assert not set(models()) & set(REASONS)


def test_definitions_have_the_parameters_of_what_they_define() -> None:
    """So that an option that is added is not forgotten here."""
    from .composites import PROBLEMS, REGULARIZERS

    for module, definitions in ((regularizers, REGULARIZERS), (problems, PROBLEMS)):
        for name, define in definitions.items():
            theirs = inspect.signature(define).parameters
            if not any(parameter.kind is parameter.VAR_KEYWORD for parameter in theirs.values()):
                assert set(theirs) == set(inspect.signature(getattr(module, name)).parameters) - {"workers"}, name


def test_an_error_is_found() -> None:
    """A wrong factor, another shape, another precision, a number that is none."""
    right = np.arange(1.0, 4.0)
    assert relative_error(right, right) == 0
    assert relative_error(right, right * (1 + 1e-12)) == pytest.approx(1e-12, rel=1e-3)
    for wrong in (right[:2], right.astype(np.float32), right[None], np.array([1.0, 2.0, np.nan])):
        assert relative_error(wrong, right) == np.inf
    assert relative_error(right, 0 * right) == np.inf


def recorded() -> list[Row]:
    return json.loads(RESULTS.read_text(encoding="utf-8"))


def test_all_four_are_recorded() -> None:
    assert {row["framework"] for row in recorded()} == set(NAMESPACES)


def test_the_results_are_of_every_model_and_within_the_tolerances() -> None:
    """At least 100 problems a number; where a framework's terms cancel, within what their rounding explains."""
    rows = recorded()
    for framework in {row["framework"] for row in rows}:
        assert {row["model"] for row in rows if row["framework"] == framework} == set(models())
    for row in rows:
        assert row["problems"] >= 100, row
        assert row["worst"] <= largest_error(row), row
    assert RESULTS.with_suffix(".md").read_text(encoding="utf-8") == markdown(rows)


def test_an_error_beyond_the_tolerance_is_marked(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    namespace("autograd")
    wrong = {"model": "SmoothedL1", "framework": "autograd", "version": "1", "dtype": "float64", "problems": 100}
    explained = next(f"hvp ({case})" for case in CANCELLING)
    table = {"value": 0.0, "gradient": 1e-3, "hvp": np.nan, explained: 1e-11}
    rows = [{**wrong, "quantity": quantity, "worst": worst} for quantity, worst in table.items()]
    monkeypatch.setattr(inspect.getmodule(main), "rows", lambda *arguments: iter(rows))
    assert main(["--only", "autograd"]) == 1
    out, err = capsys.readouterr()
    lines = [line for line in out.splitlines() if line.startswith("| SmoothedL1 |")]
    assert [line.split(" | ")[2] for line in lines] == ["0.0e+00", "1.0e-03 (!)", "nan (!)", "1.0e-11 (c)"]
    assert err.count("beyond the tolerance") == 2
    rows[:] = rows[::3]
    assert main(["--only", "autograd"]) == 0
    rows[-1]["worst"] = 1e-3  # more than the cancellation explains
    assert main(["--only", "autograd"]) == 1


def test_the_command(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    namespace("autograd")
    short = {model: cases for model, cases in models().items() if model in ("L2Norm", "SmoothedL1", "Square")}
    for module in (comparing, inspect.getmodule(main)):
        monkeypatch.setattr(module, "models", lambda: short)
    file, page = tmp_path / "rows.json", tmp_path / "table.md"
    old = {"model": "L2Norm", "framework": "jax", "version": "0", "dtype": "float64", "quantity": "value"}
    file.write_text(json.dumps([old | {"problems": 7, "worst": 0.0, "command": ""}]))
    assert not main(["--only", "autograd", "--problems", "6", "--json", str(file), "--markdown", str(page)])
    rows = json.loads(file.read_text())
    assert {row["model"] for row in rows if row["framework"] == "autograd"} == set(short)
    assert rows[-1]["framework"] == "jax"  # of another time
    assert capsys.readouterr().out == page.read_text() == markdown(rows)
    main(["--only", "autograd", "--model", "L2Norm", "--problems", "12", "--json", str(file)])
    again = json.loads(file.read_text())
    assert [row["model"] for row in again] == [row["model"] for row in rows]
    assert [row for row in again if row["model"] != "L2Norm"] == [row for row in rows if row["model"] != "L2Norm"]
    assert {row["problems"] for row in again if row["model"] == "L2Norm"} == {7, 12}
    with pytest.raises(SystemExit):
        main(["--problems", "0"])
    assert "--problems must be at least 1" in capsys.readouterr().err
