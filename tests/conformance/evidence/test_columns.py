"""Each column: what is right passes, what is wrong fails, and what cannot be run says what is missing."""

import json
from pathlib import Path

import numpy as np
import pytest

import refdeconv as rd
from refdeconv.conformance.evidence import checkout, public_models
from refdeconv.conformance.evidence.columns import autodiff, complex_step, derivation, golden, tests
from refdeconv.conformance.evidence.instances import Instance
from refdeconv.conformance.evidence.models import Citation, Model

ROOT = Path(__file__).parents[3]
MODELS = {model.name: model for model in public_models()}


def silent(what):
    pass


class Skewed(rd.Functional):
    """Half the squares, with a fault in the gradient or in the Hessian."""

    def __init__(self, gradient=1.0, hessian=1.0):
        self.input_shape, self.factors = None, (gradient, hessian)

    def value(self, u):
        return np.sum(u**2) / 2

    def gradient(self, u):
        return self.factors[0] * u

    def hessian(self, u):
        return rd.SelfAdjoint(u.shape, lambda v: self.factors[1] * v)


class TestComplexStep:
    @pytest.mark.parametrize(
        ("fault", "quantity"), [({"gradient": 1 + 1e-9}, "gradient"), ({"hessian": 1 + 1e-9}, "hvp")]
    )
    def test_sees_small_faults(self, fault, quantity, monkeypatch):
        point = np.random.default_rng(0).standard_normal((3, 2))
        monkeypatch.setattr(complex_step, "instances", lambda name: [Instance("it", Skewed(**fault), point)])
        cell = complex_step.ComplexStep().run([MODELS["L2Norm"]], silent)["L2Norm"]
        assert cell.state == "failed"
        assert cell.remark.startswith("worst: ")
        assert 1e-10 < cell.details[quantity] <= cell.worst < 1e-8

    @pytest.mark.parametrize("name", ["L2Norm", "Convolution", "Sigmoid", "Affine", "Zero", "Operator", "SelfAdjoint"])
    def test_accepts_every_kind(self, name):
        cell = complex_step.ComplexStep().run([MODELS[name]], silent)[name]
        assert cell.state == "passed", cell
        assert cell.worst <= 1e-14
        assert cell.count >= 1

    def test_sees_wrong_maps_and_operators(self):
        z = np.random.default_rng(0).standard_normal((3, 2))

        class Wrong(rd.Square):
            def curvature(self, z, w):
                return rd.SelfAdjoint(z.shape, lambda v: w * v)

        class Shifted(rd.Identity):
            def adjoint(self, y):
                return np.roll(y, 1)

        assert dict(complex_step.errors_of(Instance("", Wrong((3, 2)), z)))["curvature"] > 0.1
        assert dict(complex_step.errors_of(Instance("", Shifted((3, 2)), z)))["adjoint"] > 0.01

    def test_a_model_without_an_instance_fails(self, monkeypatch):
        monkeypatch.setattr(complex_step, "instances", lambda name: [])
        assert complex_step.ComplexStep().run([MODELS["L2Norm"]], silent)["L2Norm"].state == "failed"
        assert not complex_step.ComplexStep().run([MODELS["psf.airy"]], silent)


class TestDerivation:
    def test_every_label_is_on_its_page(self):
        cells = derivation.Derivation(checkout.Checkout(ROOT)).run(list(MODELS.values()), silent)
        assert {cell.state for cell in cells.values()} == {"passed"}
        assert set(cells) == set(MODELS)

    @pytest.mark.parametrize("page", ["functionals/l2_norm.md", "no/such.md"])
    def test_a_label_that_is_not_there(self, page):
        model = Model("It", "Functionals", "functional", (Citation(page, ("L2N" + ".1", "L2N" + ".99")),))
        cell = derivation.Derivation(checkout.Checkout(ROOT)).run([model], silent)["It"]
        assert cell.state == "failed"
        assert f".99 on {page}" in cell.remark


class TestGoldenVectors:
    @pytest.fixture
    def wrong(self, monkeypatch):
        """Makes the package's answers be off by a factor."""
        real = golden.running.run

        def off_by(factor):
            def run(case):
                def make(name, parameters):
                    model = golden.running.made(name, parameters)
                    return factor * model

                return real(case, make=make)

            monkeypatch.setattr(golden.running, "run", run)
            golden._outcome.cache_clear()

        yield off_by
        golden._outcome.cache_clear()

    @pytest.mark.parametrize("column", [golden.DirectSummation(), golden.FiftyDigits()])
    @pytest.mark.parametrize("name", ["Convolution", "Sigmoid"])
    def test_right_and_wrong(self, column, name, wrong):
        cell = column.run([MODELS[name]], silent)[name]
        assert cell.state == "passed", cell
        assert cell.worst <= 1e-14
        assert cell.details.keys() <= column.outputs
        assert cell.command == f"refdeconv conformance run --filter {name}"
        wrong(1 + 1e-9)
        cell = column.run([MODELS[name]], silent)[name]
        assert cell.state == "failed"
        assert 1e-11 < cell.worst < 1e-8
        assert "allowed" in cell.remark

    def test_what_has_none(self, monkeypatch):
        monkeypatch.setattr(golden, "recorded", tuple)
        cells = golden.FiftyDigits().run(list(MODELS.values()), silent)
        assert {cell.state for cell in cells.values()} == {"failed"}
        assert {"L2Norm", "Convolution", "Sigmoid"} <= set(cells)
        assert not {"SelfAdjoint", "Functional", "psf.airy", "minimize"} & set(cells)

    def test_damaged_vectors_are_a_failure_and_a_missing_library_is_not(self, monkeypatch):
        def damaged():
            raise golden.FileError("x.npy is truncated")

        monkeypatch.setattr(golden, "recorded", damaged)
        cell = golden.FiftyDigits().run([MODELS["L2Norm"]], silent)["L2Norm"]
        assert (cell.state, cell.remark) == ("failed", "x.npy is truncated")
        monkeypatch.setattr(checkout, "find_spec", lambda name: None)
        cell = golden.FiftyDigits().run([MODELS["L2Norm"]], silent)["L2Norm"]
        assert (cell.state, cell.remark) == ("not run", 'needs jsonschema: pip install "refdeconv[cli]"')


def row(**changed):
    given = {"model": "L2Norm", "framework": "torch", "version": "2.13.0", "dtype": "float64", "quantity": "hvp"}
    return given | {"problems": 120, "worst": 3e-15, "command": "it"} | changed


class TestAutodiff:
    def test_the_worst_counts(self):
        rows = [row(), row(worst=4e-14, quantity="value"), row(dtype="float32", worst=2e-6)]
        cell = autodiff.cell_of(rows, "show", "")
        assert (cell.state, cell.worst, cell.count) == ("passed", 4e-14, 120)
        assert cell.details == {"float64": 4e-14, "float32": 2e-6}

    @pytest.mark.parametrize("worst", [2e-13, float("nan"), float("inf"), None, "2e-16"])
    def test_beyond_the_limit_or_no_number(self, worst):
        cell = autodiff.cell_of([row(), row(worst=worst, quantity="gradient")], "show", "")
        assert cell.state == "failed"
        assert cell.remark == "beyond the limit: gradient in float64"
        assert cell.worst >= 2e-13

    def test_where_the_framework_is_known_to_lose_digits(self):
        cell = autodiff.cell_of([row(), row(quantity="hvp (L2Norm by default)", worst=1e-9)], "show", "")
        assert (cell.state, cell.worst) == ("passed", 3e-15)
        assert cell.remark == "apart: hvp (L2Norm by default) in float64 1.0e-09"

    def test_float32_has_a_limit_too(self):
        cell = autodiff.cell_of([row(), row(dtype="float32", worst=2e-5)], "show", "")
        assert (cell.state, cell.worst) == ("failed", 2e-5)  # the error that is too large, not that in float64

    def recorded(self, root, monkeypatch, found):
        monkeypatch.setattr(autodiff, "find_spec", lambda name: None)
        path = root / autodiff.RECORDED
        path.parent.mkdir(parents=True)
        path.write_text(found)
        torch = next(framework for framework in autodiff.FRAMEWORKS if framework.module == "torch")
        return autodiff.Autodiff(torch, checkout.Checkout(root)).run([MODELS["L2Norm"], MODELS["Huber"]], silent)

    def test_what_was_recorded_stands_in(self, tmp_path, monkeypatch):
        cells = self.recorded(tmp_path, monkeypatch, json.dumps([row(), row(framework="jax", worst=1.0)]))
        assert (cells["L2Norm"].state, cells["L2Norm"].recorded) == ("passed", "PyTorch 2.13.0")
        assert cells["Huber"].state == "not run"
        assert cells["Huber"].remark == "needs PyTorch: pip install torch"

    def test_a_damaged_record_is_named(self, tmp_path, monkeypatch):
        cells = self.recorded(tmp_path, monkeypatch, "{")
        assert "agreement.json is not JSON" in cells["L2Norm"].remark

    def test_a_framework_that_leaves_a_model_out_fails(self, monkeypatch):
        monkeypatch.setattr(autodiff, "find_spec", lambda name: True)
        monkeypatch.setattr(checkout.Checkout, "rows", lambda *given: [row()])
        cells = autodiff.Autodiff(autodiff.FRAMEWORKS[2], checkout.Checkout(ROOT)).run(
            [MODELS["L2Norm"], MODELS["Huber"]], silent
        )
        assert cells["L2Norm"].state == "passed"
        assert not cells["L2Norm"].recorded
        assert cells["Huber"].state == "failed"


def result(model, *, passed=True, skipped=False, name="test"):
    return checkout.PytestResult(name, {"model": model}, passed, skipped, "" if passed else "assert 1 < 0")


class TestTests:
    def run(self, monkeypatch, column, results, names):
        asked = []
        monkeypatch.setattr(checkout.Checkout, "pytest", lambda self, given, say: asked.append(given) or results)
        return column(checkout.Checkout(ROOT)).run([MODELS[name] for name in names], silent), asked

    def test_contract_tests_are_split_by_model(self, monkeypatch):
        results = [result("L2Norm"), result("L2Norm"), result("Huber"), result("Huber", passed=False, name="of shape")]
        cells, _ = self.run(monkeypatch, tests.ContractTests, results, ["L2Norm", "Huber", "Zero", "psf.airy"])
        assert (cells["L2Norm"].state, cells["L2Norm"].count) == ("passed", 2)
        assert (cells["Huber"].state, cells["Huber"].count) == ("failed", 1)
        assert cells["Huber"].remark == "1 of 2 failed; the first: of shape: assert 1 < 0"
        assert cells["Zero"].state == "failed"  # it has derivatives, and no test
        assert "psf.airy" not in cells

    def test_one_model_is_asked_for_alone(self, monkeypatch):
        _, [asked] = self.run(monkeypatch, tests.ContractTests, [result("L2Norm")], ["L2Norm"])
        assert asked == ["tests/test_contracts.py", "--model", "L2Norm"]

    def test_pages_are_executed_once(self, monkeypatch):
        page = "psf/optics.md"
        results = [result("", name=f"x::test_the_python_of_the_page_runs[{page}]")]
        cells, [asked] = self.run(monkeypatch, tests.SymbolicCheck, results, ["psf.airy", "psf.defocus", "L2Norm"])
        assert len(asked) == 2
        assert cells["psf.airy"].state == cells["psf.defocus"].state == "passed"
        assert cells["psf.airy"].command == f'python -m pytest "{tests._PAGE_TEST}[{page}]"'
        assert cells["L2Norm"].state == "failed"

    @pytest.mark.parametrize("column", [tests.SymbolicCheck, tests.ContractTests, derivation.Derivation])
    def test_without_a_checkout(self, column):
        cell = column(None).run([MODELS["L2Norm"]], silent)["L2Norm"]
        assert cell.state == "not run"
        assert "source checkout" in cell.remark


class TestCheckout:
    def test_found_from_the_package_or_the_working_directory(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        assert checkout.find() == checkout.Checkout(ROOT)
        installed = tmp_path / "site-packages" / "refdeconv"
        monkeypatch.setattr(checkout, "_same_sources", lambda other: other == ROOT / "refdeconv")
        monkeypatch.setattr(checkout, "PACKAGE", installed)
        assert checkout.find() is None
        monkeypatch.chdir(ROOT)
        assert checkout.find() == checkout.Checkout(ROOT)

    def test_other_sources_are_not_taken_for_those_that_run(self, tmp_path, monkeypatch):
        for folder, text in (("a", "x = 1"), ("b", "x = 1"), ("c", "x = 2")):
            (tmp_path / folder).mkdir()
            (tmp_path / folder / "module.py").write_text(text)
        monkeypatch.setattr(checkout, "PACKAGE", tmp_path / "a")
        assert checkout._same_sources(tmp_path / "b")
        assert not checkout._same_sources(tmp_path / "c")
        assert not checkout._same_sources(tmp_path / "d")

    def test_pytest_results_are_read(self, tmp_path):
        (tmp_path / "test_it.py").write_text(
            "import pytest\n\n\n"
            "def test_good(record_property):\n    record_property('model', 'A')\n\n\n"
            "def test_bad():\n    assert 1 == 2, 'here'\n\n\n"
            "@pytest.mark.skip\ndef test_skipped():\n    pass\n"
        )
        said = []
        good, bad, skipped = checkout.Checkout(tmp_path).pytest(["test_it.py"], said.append)
        assert (good.passed, good.properties) == (True, {"model": "A"})
        assert (bad.passed, bad.name) == (False, "test_it::test_bad")
        assert "here" in bad.message
        assert skipped.skipped
        assert said

    def test_commands_that_fail_say_how(self, tmp_path):
        here = checkout.Checkout(tmp_path)
        with pytest.raises(checkout.CheckoutError, match="no test"):
            here.pytest(["-k", "nothing"], silent)
        (tmp_path / "rows.py").write_text("import sys\nprint('one')\nopen(sys.argv[3], 'w').write(sys.argv[1])")
        assert here.rows(["rows.py", '[{"a": 1}]'], silent) == [{"a": 1}]
        with pytest.raises(checkout.CheckoutError, match="wrote no rows: one"):
            here.rows(["rows.py", "{"], silent)
        with pytest.raises(checkout.CheckoutError, match=r"wrote no rows: .*nosuch"):
            here.rows(["nosuch.py"], silent)

    def test_what_is_missing_is_named(self):
        with pytest.raises(checkout.CheckoutError, match=r'needs nosuch: pip install "refdeconv\[test\]"'):
            checkout.need("numpy", "nosuch")
