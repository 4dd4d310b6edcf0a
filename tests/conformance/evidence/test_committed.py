"""The committed copy, which the README links: a row for every public model, nothing failed, page and record agree."""

import json
from pathlib import Path

import pytest

from refdeconv.conformance.evidence import checkout, public_models, record
from refdeconv.conformance.evidence.columns import all_columns
from tests.conformance.evidence.test_models import public_names
from tests.conformance.evidence.test_page import rows_of

DERIVATIONS = Path(__file__).parents[3] / "derivations"
RENEW = "renew it in an environment with [test,autodiff]: refdeconv evidence --out derivations"


@pytest.fixture(scope="module")
def found():
    return json.loads((DERIVATIONS / "evidence.json").read_text())


@pytest.fixture(scope="module")
def rows():
    return rows_of((DERIVATIONS / "evidence.md").read_text())


@pytest.mark.parametrize("name", sorted({*public_names(), *(model.name for model in public_models())}))
def test_every_public_model_has_a_row(name, rows, found):
    assert name in rows, f"{name} is public and not on the evidence page: {RENEW}"
    assert name in {model["name"] for model in found["models"]}


def test_its_columns_are_those_of_the_command(found):
    columns = all_columns(checkout.find())
    assert found["schema_version"] == record.SCHEMA_VERSION
    assert [column["name"] for column in found["columns"]] == [column.name for column in columns], RENEW
    assert [column["command"] for column in found["columns"]] == [column.command for column in columns], RENEW


def test_nothing_failed_and_nothing_that_applies_was_left_out(found):
    assert found["passed"]
    not_run = [
        (model["name"], name, cell["remark"])
        for model in found["models"]
        for name, cell in model["cells"].items()
        if cell["state"] != "passed"
    ]
    assert not not_run, RENEW


def test_every_model_with_derivatives_has_all_cells(found):
    everything = {column["name"] for column in found["columns"]}
    for model in found["models"]:
        expected = {"derivation", "symbolic check"}
        if model["kind"] in ("functional", "map", "linear operator", "calculus"):
            expected = expected | {"complex step", "contract tests"} if model["room"] == "Calculus" else everything
        assert expected <= set(model["cells"]), model["name"]
        assert all(cell["command"] for cell in model["cells"].values())


def test_the_page_shows_what_the_record_says(found, rows):
    for model in found["models"]:
        shown = {name.removesuffix(" †"): text for name, text in rows[model["name"]].items()}
        for name, cell in model["cells"].items():
            if cell["state"] == "passed" and cell["worst"]:
                # The page rounds to two digits, the record to three.
                assert float(shown[name]) == pytest.approx(cell["worst"], rel=0.06)
            assert "FAILED" not in shown[name]


def test_labels_are_those_of_today(found):
    today = {
        model.name: [{"page": c.page, "labels": list(c.labels)} for c in model.citations] for model in public_models()
    }
    assert {model["name"]: model["derivation"] for model in found["models"]} == today, RENEW


def test_the_readme_links_it():
    assert "](derivations/evidence.md)" in (DERIVATIONS.parent / "README.md").read_text()
