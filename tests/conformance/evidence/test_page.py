"""The page and its record: what is in a cell, that failures stand out, that others can read it."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from refdeconv.conformance.evidence import checkout, gather, page, record
from tests.conformance.evidence.made_up import COLUMNS, FAILING, Broken, MadeUp, passed

ROOT = Path(__file__).parents[3]


def rows_of(text):
    """The cells of every line of a table, by the first one, with the head of its table; names without their quotes."""
    rows, head = {}, None
    for line in text.splitlines():
        if not line.startswith("|"):
            head = None
            continue
        cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        if head is None:
            head = cells
        elif not set("".join(cells)) <= set("-:"):
            assert len(cells) == len(head), line
            rows.setdefault(cells[0].strip("`"), dict(zip(head, cells, strict=True)))
    return rows


@pytest.fixture
def text():
    return page.markdown(gather(columns=COLUMNS), ROOT / "derivations", checkout.Checkout(ROOT))


def test_cells(text):
    row = rows_of(text)["L2Norm"]
    assert row == {
        "model": "`L2Norm`",
        "derivation": "[L2N.1-3](functionals/l2_norm.md)",
        "complex step": "1.2e-16",
        "PyTorch †": "3.0e-15",
        "contract tests": "294",
    }
    row = rows_of(text)["Convolution"]
    assert (row["complex step"], row["contract tests"]) == ("0", "-")
    assert "PyTorch †" not in row  # of none of the operators
    assert set(rows_of(text)["psf.airy"]) == {"model", "derivation"}


def test_it_says_what_was_not_run_and_what_was_recorded(text):
    assert "**Nothing failed:** 7 cells passed" in text
    assert "contract tests, 1 model: needs x" in text
    assert "recorded with PyTorch 2.13.0" in text
    assert "FAILED" not in text
    assert "`show NAME`" in text


def test_failures_stand_out():
    evidence = gather(columns=FAILING)
    assert not evidence.passed
    text = page.markdown(evidence, ROOT / "derivations", None)
    assert rows_of(text)["L2Norm"]["mpmath"] == "**FAILED inf**"
    assert re.search(r"\*\*1 of \d+ cells FAILED:\*\*\n\n- `L2Norm`, mpmath: hvp \\\| of &lt;it> \(`show it`\)", text)
    assert text.index("FAILED") < text.index("## ")


def test_a_column_that_breaks_is_a_failure_of_its_own():
    evidence = gather("L2Norm", columns=[*COLUMNS, Broken("broken", {})])
    [(model, column, cell)] = evidence.all_with("failed")
    assert (model.name, column.name, cell.remark) == ("L2Norm", "broken", "ended with RuntimeError: no such luck")
    assert cell.command == "show L2Norm"


def test_the_record_is_strict_json_and_says_the_same(text):
    evidence = gather(columns=FAILING)
    found = json.loads(json.dumps(record.as_dict(evidence), allow_nan=False))
    assert found["schema_version"] == record.SCHEMA_VERSION == 1
    assert found["passed"] is False
    assert {"date", "seconds", "commit", "system", "versions", "columns", "models"} <= set(found)
    cells = {model["name"]: model["cells"] for model in found["models"]}
    assert cells["L2Norm"]["mpmath"]["worst"] == "inf"
    assert cells["L2Norm"]["complex step"]["worst"] == 1.23e-16
    assert cells["L2Norm"]["PyTorch"]["recorded"] == "PyTorch 2.13.0"
    assert set(cells) == set(rows_of(text)) - {column.name for column in COLUMNS} - {"PyTorch\u00a0†"} - {
        column.name.replace(" ", "\u00a0") for column in COLUMNS
    }


def test_one_model_and_one_column():
    evidence = gather("L2Norm", "complex step", columns=FAILING)
    assert [model.name for model in evidence.models] == ["L2Norm"]
    assert [column.name for column in evidence.columns] == ["complex step"]


def test_progress_is_told():
    said = []
    gather("L2Norm", columns=COLUMNS, progress=lambda *what: said.append(what))
    assert said[:2] == [(0, 4, "derivation"), (0, 4, "derivation: making up")]


@pytest.mark.parametrize(
    ("labels", "text"),
    [
        (["ABC.1"], "ABC.1"),
        (["ABC.1", "ABC.2", "ABC.3", "ABC.5"], "ABC.1-3, ABC.5"),
        (["ABC.1", "XYZ.2"], "ABC.1, XYZ.2"),
        (["ABC.2", "ABC.1"], "ABC.2, ABC.1"),
    ],
)
def test_labels_are_abbreviated(labels, text):
    assert page.abbreviated(labels) == text


def test_links_lead_from_wherever_the_page_is(tmp_path):
    evidence, here = gather("L2Norm", columns=COLUMNS), checkout.Checkout(ROOT)
    assert "](functionals/l2_norm.md)" in page.markdown(evidence, ROOT / "derivations", here)
    assert "](../derivations/functionals/l2_norm.md)" in page.markdown(evidence, ROOT / "evidence", here)
    assert "| L2N.1-3 |" in page.markdown(evidence, tmp_path, here)
    assert "| L2N.1-3 |" in page.markdown(evidence, ROOT / "derivations", None)


def test_a_failed_derivation_keeps_its_labels():
    column = MadeUp("derivation", {"L2Norm": replace(passed(count=3), state="failed")})
    text = page.markdown(gather("L2Norm", columns=[column]), ROOT, None)
    assert rows_of(text)["L2Norm"]["derivation"] == "**FAILED** L2N.1-3"
