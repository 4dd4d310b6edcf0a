"""``refdeconv conformance``."""

import json
from types import SimpleNamespace
from xml.etree import ElementTree

import numpy as np
import pytest

import refdeconv as rd


class TestList:
    def test_lines(self, run):
        result = run("conformance", "list")
        assert result.exit_code == 0
        lines = result.stdout.splitlines()
        assert any(line.split()[:3] == ["square-2d", "map", "Square"] for line in lines)

    def test_json_and_filter(self, run):
        result = run("conformance", "list", "--json", "--filter", "Softmax")
        cases = json.loads(result.stdout)["cases"]
        assert {case["model"] for case in cases} == {"Softmax"}

    def test_optima(self, run):
        cases = json.loads(run("conformance", "list", "--json", "--filter", "optimum").stdout)["cases"]
        assert len(cases) == 17
        assert {case["kind"] for case in cases} == {"optimum"}
        (article,) = (case for case in cases if case["name"] == "article-full-size")
        assert article["model"] == "problems.norm_and_gradient_norm"
        assert "171x171 pixels" in article["remark"]
        assert run("conformance", "list").stdout.count("  optimum  ") == 17

    def test_nothing_of_this_name(self, run):
        result = run("conformance", "list", "--filter", "nonsense")
        assert result.exit_code == 2
        assert "no case has 'nonsense'" in result.stderr


class TestRun:
    @pytest.mark.parametrize("dtype", ["float64", "float32"])
    def test_right(self, run, dtype):
        result = run("conformance", "run", "--filter", "gradient-", "--dtype", dtype)
        assert result.exit_code == 0
        assert "PASS: " in result.stdout.splitlines()[-1]
        assert dtype in result.stdout

    def test_wrong(self, run, monkeypatch):
        adjoint = rd.Gradient.adjoint
        monkeypatch.setattr(rd.Gradient, "adjoint", lambda self, y: adjoint(self, y) * (1 + 1e-12))
        result = run("conformance", "run", "--filter", "Gradient", "--json", "--junit", "made/here.xml")
        assert result.exit_code == 1
        report = json.loads(result.stdout)
        assert report["verdict"] == "WRONG"
        (case,) = [case for case in report["cases"] if case["name"] == "gradient-free-2d"]
        assert case["status"] == "WRONG"
        assert case["outputs"]["adjoint"]["error"] > case["outputs"]["adjoint"]["allowed"]
        assert case["outputs"]["forward"]["error"] <= case["outputs"]["forward"]["allowed"]
        suite = ElementTree.parse("made/here.xml").getroot()[0]
        assert int(suite.get("tests")) == len(report["cases"])
        assert int(suite.get("failures")) == sum(case["status"] == "WRONG" for case in report["cases"])

    def test_what_is_not_finite_is_null_in_json(self, run, monkeypatch):
        monkeypatch.setattr(rd.Square, "forward", lambda self, z: np.full_like(z, np.inf))
        result = run("conformance", "run", "--filter", "square-1d", "--json")
        assert result.exit_code == 1
        assert json.loads(result.stdout)["cases"][0]["outputs"]["forward"]["error"] is None

    def test_optima(self, run, monkeypatch):
        result = run("conformance", "run", "--filter", "optimum", "--json", "--junit", "optima.xml")
        assert result.exit_code == 0
        cases = json.loads(result.stdout)["cases"]
        assert len(cases) == 17
        for case in cases:
            assert set(case["outputs"]) == {"minimiser", "minimum"}
            assert all(output["error"] <= output["allowed"] for output in case["outputs"].values())
        assert ElementTree.parse("optima.xml").getroot()[0].get("tests") == "17"
        monkeypatch.setattr(rd, "minimize", lambda functional, start, **_: SimpleNamespace(x=start))
        result = run("conformance", "run", "--filter", "article-2d")
        assert result.exit_code == 1
        assert "minimiser is off by" in result.stdout
        assert "minimum is off by" in result.stdout
        result = run("conformance", "run", "--filter", "article-2d", "--dtype", "float32")
        assert (result.exit_code, result.stdout.count("LEFT OUT ")) == (0, 1)

    def test_optima_that_were_damaged(self, run, tmp_path):
        assert run("conformance", "export", "there").exit_code == 0
        assert run("conformance", "run", "--suite", "there", "--filter", "inpainting-2d").exit_code == 0
        (tmp_path / "there" / "optima" / "inpainting-2d.data.npy").write_bytes(b"")
        result = run("conformance", "run", "--suite", "there", "--filter", "inpainting-2d")
        assert result.exit_code == 2
        assert "inpainting-2d.data.npy" in result.stderr

    def test_left_out(self, run):
        result = run("conformance", "run", "--filter", "convolution-huge", "--dtype", "float32", "--junit", "j.xml")
        assert result.exit_code == 0
        assert "LEFT OUT" in result.stdout
        assert len(ElementTree.parse("j.xml").getroot().findall("*/testcase/skipped")) == 1

    def test_a_suite_that_was_exported(self, run, tmp_path):
        assert run("conformance", "export", "there").exit_code == 0
        assert run("conformance", "run", "--suite", "there", "--filter", "identity").exit_code == 0
        (tmp_path / "there" / "arrays" / "Identity.npy").unlink()
        result = run("conformance", "run", "--suite", "there", "--filter", "identity")
        assert result.exit_code == 2
        assert "arrays/Identity.npy is missing" in result.stderr

    @pytest.mark.parametrize(
        ("options", "said"),
        [
            (["--filter", "nonsense"], "no case has"),
            (["--dtype", "float16"], "float16"),
            (["--suite", "nowhere"], "there is no folder nowhere"),
            (["--junit", "/proc/j.xml"], "cannot write"),
            (["--nonsense"], "--nonsense"),
        ],
    )
    def test_bad_usage(self, run, options, said):
        result = run("conformance", "run", *options)
        assert result.exit_code == 2
        assert said in result.stderr
        assert result.stdout == ""


class TestExport:
    def test_export(self, run, tmp_path):
        result = run("conformance", "export", "there")
        assert result.exit_code == 0
        assert (tmp_path / "there" / "suite.json").exists()
        assert "there/README.md" in result.stdout

    def test_not_over_anything(self, run, tmp_path):
        (tmp_path / "there").mkdir()
        (tmp_path / "there" / "mine").write_text("")
        result = run("conformance", "export", "there")
        assert result.exit_code == 2
        assert "there is not empty" in result.stderr
        assert [path.name for path in (tmp_path / "there").iterdir()] == ["mine"]
