"""``refdeconv article``: figures that can be trusted, a record that can be read, errors before the work."""

import json
import re

import matplotlib.image
import numpy as np
import pytest

import refdeconv as rd

KEYS = {
    "value", "gradient_norm", "relative_gradient_norm", "iterations", "values", "gradients", "hessian_products",
    "seconds", "psnr_blurred", "psnr_deconvolved", "ssim_blurred", "ssim_deconvolved", "checks", "versions",
}  # fmt: skip


def test_the_article_from_start_to_figure(run, tmp_path):
    result = run("article", "--out", "made/here")
    assert result.exit_code == 0
    record = json.loads((tmp_path / "made/here/article.json").read_text())
    assert set(record) >= KEYS
    assert record["value"] <= 2.05853169
    assert abs(record["psnr_blurred"] - 19.931) <= 0.002
    assert abs(record["psnr_deconvolved"] - 24.047) <= 0.002
    assert record["ssim_deconvolved"] > record["ssim_blurred"]
    assert record["success"]
    assert record["relative_gradient_norm"] < 1e-4
    assert {"numpy", "scipy", "scikit-image", "refdeconv", "python"} <= set(record["versions"])
    assert len(record["checks"]) == 4
    assert max(record["checks"].values()) <= 1e-14
    assert len(record["history"]) == record["iterations"] + 1
    image = matplotlib.image.imread(tmp_path / "made/here/article.png")
    assert min(image.shape[:2]) > 500
    assert image[..., :3].std() > 0.1

    assert "iteration" in result.stderr
    assert "gradient norm" in result.stderr
    assert "Converged" in result.stderr
    assert re.search(r"19\.931 -> 24\.047 dB", result.stdout)
    assert "complex step" in result.stdout
    assert "Wrote" in result.stdout


def test_options_reach_the_solve(run, tmp_path):
    assert run("article", "--out", "a", "--scale", "0.08", "--seed", 7, "--mu", "0.05").exit_code == 0
    record = json.loads((tmp_path / "a/article.json").read_text())
    problem = rd.problems.article(rd.problems.astronaut(0.08), mu=0.05)
    assert record["parameters"] == {"seed": 7, "mu": 0.05, "scale": 0.08, "shape": list(problem.original.shape)}
    assert record["history"][0]["value"] == problem.objective.value(problem.start(7))
    assert record["value"] == rd.minimize(problem.objective, problem.start(7)).fun


def test_a_fraction_as_scale(run, tmp_path):
    assert run("article", "--out", "a", "--scale", "1/12").exit_code == 0
    shape = json.loads((tmp_path / "a/article.json").read_text())["parameters"]["shape"]
    assert shape == [43, 43]


def test_the_figure_shows_all_three_on_one_grey_range(run, monkeypatch):
    shown = []
    monkeypatch.setattr(
        "matplotlib.axes.Axes.imshow", lambda self, image, **options: shown.append((np.shape(image), options))
    )
    assert run("article", "--scale", "0.08").exit_code == 0
    assert len(shown) == 3
    assert len({(options["vmin"], options["vmax"]) for _, options in shown}) == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--mu", "0"], "'0' must be > 0"),
        (["--mu", "-1"], "must be > 0"),
        (["--mu", "nan"], "is not a number"),
        (["--mu", "much"], "is not a number"),
        (["--scale", "0"], "must be > 0"),
        (["--scale", "0.001"], "leaves less than 8 pixels"),
        (["--scale", "1/0"], "is not a number"),
        (["--seed", "-1"], "not in the range"),
        (["--seed", "x"], "not a valid integer"),
        (["--outt", "x"], "--out"),
    ],
)
def test_bad_options(run, arguments, message):
    result = run("article", *arguments)
    assert result.exit_code == 2
    assert message in result.stderr


def test_a_folder_that_cannot_be_written_is_found_out_before_the_solve(run, tmp_path, monkeypatch):
    monkeypatch.setattr("refdeconv.minimize", lambda *a, **k: pytest.fail("solved before the check"))
    (tmp_path / "file").write_text("")
    for folder in ("file", "file/below", "/proc/nothing"):
        result = run("article", "--out", folder)
        assert result.exit_code == 2
        assert "cannot write" in result.stderr


def test_interrupted_it_writes_what_it_has(run, tmp_path, monkeypatch):
    def stop(self, intermediate_result):
        if intermediate_result.nit == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr("refdeconv.cli.progress.SolveProgress.callback", stop)
    result = run("article", "--scale", "0.1")
    assert result.exit_code == 130
    assert "Interrupted" in result.stderr
    record = json.loads((tmp_path / "article/article.json").read_text())
    assert record["interrupted"]
    assert record["iterations"] == 3
    assert (tmp_path / "article/article.png").exists()


def test_help_texts_have_examples(run):
    for arguments in (["--help"], ["article", "-h"], ["deconvolve", "--help"]):
        result = run(*arguments)
        assert result.exit_code == 0
        assert re.search(r"^ +(\S.*: +)?refdeconv (article|deconvolve)", result.stdout, flags=re.MULTILINE)
    assert run("--version").stdout.strip() == f"refdeconv, version {rd.__version__}"


def test_an_unknown_command_suggests_the_nearest(run):
    result = run("articel")
    assert result.exit_code == 2
    assert "did you mean 'article'" in result.stderr
