"""Certified optima: their proofs hold, solvers find them, and nothing that was changed is accepted."""

import hashlib
import json
import shutil
from dataclasses import replace
from fractions import Fraction
from xml.etree import ElementTree

import numpy as np
import pytest
from click.testing import CliRunner

import refdeconv as rd
from refdeconv.cli.optima_command import make_optima, verify_optima
from refdeconv.conformance.array_files import FileError, npy_bytes
from refdeconv.conformance.golden.optima import large_article, making, reading, running, verifying
from refdeconv.conformance.golden.optima.certificates import expansion
from refdeconv.conformance.golden.optima.definitions import MODELS, definition
from refdeconv.conformance.golden.optima.functions import UnprovenError
from refdeconv.conformance.golden.optima.intervals import context, lower, nearest, rounded_down, rounded_up, upper
from refdeconv.conformance.golden.optima.problems import FULL_SIZE, full_size, small

OPTIMA = {optimum.name: optimum for optimum in reading.read()}
SMALL = [optimum for name, optimum in OPTIMA.items() if name != FULL_SIZE]
# One for each method of proof and each function.
KINDS = ["total-variation-wrap-1d", "tikhonov-weighted-2d", "poisson-entropy-2d", "poisson-roughness-2d"]


def name(optimum):
    return optimum.name


def solved(functional, start):
    return rd.minimize(functional, start, xtol=1e-12).x


@pytest.mark.parametrize("optimum", SMALL, ids=name)
def test_the_proof_holds(optimum):
    found = verifying.verify(optimum)
    assert found.bound_on_minimum <= Fraction(1, 10**37)
    assert found.bound_on_minimiser <= Fraction(1, 10**14)


@pytest.mark.slow
def test_the_proof_of_the_full_size_holds():
    optimum = OPTIMA[FULL_SIZE]
    assert optimum.minimiser.shape == (171, 171)
    assert optimum.parameters["psf"].shape == (13, 13)
    found = verifying.verify(optimum)
    assert found.bound_on_minimum <= Fraction(1, 10**38)
    assert found.bound_on_minimiser <= Fraction(1, 10**14)
    assert abs(float(optimum.minimum) - 2.0585316788723) < 1e-12  # what the article's program comes to


def test_the_full_size_is_the_article():
    optimum, problem = OPTIMA[FULL_SIZE], full_size()
    assert problem.parameters["mu"] == optimum.parameters["mu"]
    for array in ("data", "psf"):  # to rounding: the FFT of another machine may differ in the last bit
        assert np.allclose(optimum.parameters[array], problem.parameters[array], rtol=0, atol=1e-15)


@pytest.mark.parametrize("optimum", OPTIMA.values(), ids=name)
def test_the_solver_finds_the_minimum_and_the_minimiser(optimum):
    outcome = running.run(optimum, solved)
    assert outcome.status == "PASS", outcome.message
    minimiser, minimum = outcome.comparisons
    assert (minimiser.output, minimum.output) == ("minimiser", "minimum")
    assert minimum.error <= 1e-12 * abs(float(optimum.minimum))
    assert minimiser.error <= 1e-6 * np.linalg.norm(optimum.minimiser)


def off(by):
    """A solver that ends somewhat beside the minimiser."""
    return lambda functional, start: solved(functional, start) + by


@pytest.mark.parametrize(
    ("solve", "said"),
    [
        (lambda functional, start: start, "minimiser is off by"),
        (off(1.2e-5), "minimiser is off by"),
        (off(np.nan), "minimiser is off by inf"),
        (lambda functional, start: functional.input_shape, "WRONG"),
        (lambda functional, start: 1 / 0, "ZeroDivisionError"),
    ],
)
def test_a_solver_that_is_off_is_found(solve, said):
    outcome = running.run(OPTIMA["article-2d"], solve)
    assert outcome.status == "WRONG"
    assert said in outcome.message or said == "WRONG"


def test_a_minimum_below_the_certified_one_is_wrong():
    optimum = OPTIMA["article-2d"]
    for by, status in ((Fraction(1, 10**16), "PASS"), (Fraction(1, 10**13), "WRONG"), (-Fraction(1, 10**8), "WRONG")):
        assert running.run(replace(optimum, minimum=optimum.minimum + by), solved).status == status


def test_optima_are_left_out_in_float32():
    assert running.run(SMALL[0], solved, "float32").status == "LEFT OUT"


@pytest.mark.parametrize("optimum", SMALL, ids=name)
def test_the_definition_is_the_package_s_objective(optimum):
    functional = making.objective(optimum.model, optimum.parameters)
    x = optimum.minimiser + np.random.default_rng(1).uniform(size=optimum.minimiser.shape)
    pixels = [Fraction(float(pixel)) for pixel in x.ravel()]
    value, gradient, _ = expansion(context(), definition(optimum.model, optimum.parameters), pixels, with_hessian=False)
    assert np.isclose(functional.value(x), float(value.mid), rtol=1e-14)
    found = functional.gradient(x).ravel()
    assert np.linalg.norm(found - [float(t.mid) for t in gradient]) <= 1e-13 * np.linalg.norm(found)


def test_every_model_boundary_and_dimension_occurs():
    assert {optimum.model for optimum in SMALL} == set(MODELS)
    boundaries = {optimum.parameters.get("boundary", "constant") for optimum in SMALL}
    assert boundaries == {"constant", "reflect", "mirror", "wrap", "nearest", "valid"}
    assert {optimum.minimiser.ndim for optimum in SMALL} == {1, 2, 3}
    assert [problem.name for problem in small()] == [optimum.name for optimum in SMALL]


def moved(optimum, by):
    """With a minimiser that is wrong in one pixel."""
    wrong = optimum.minimiser.copy()
    wrong.flat[wrong.size // 2] += by
    return replace(optimum, minimiser=wrong)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("by", [0.1, 1e-12])
def test_a_wrong_minimiser_is_rejected(kind, by):
    with pytest.raises(UnprovenError, match=kind):
        verifying.verify(moved(OPTIMA[kind], by))


def test_a_wrong_minimiser_of_the_article_s_problem_is_rejected():
    with pytest.raises(UnprovenError, match="gradient"):
        verifying.verify(moved(OPTIMA["article-2d"], 1e-3))


@pytest.mark.parametrize("kind", KINDS)
def test_a_minimiser_without_its_remainder_is_rejected(kind):
    without = replace(OPTIMA[kind], remainder=np.zeros_like(OPTIMA[kind].remainder))
    with pytest.raises(UnprovenError, match="said to be"):
        verifying.verify(without)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("by", [Fraction(1, 10), Fraction(1, 10**30), -Fraction(1, 10**30)])
def test_a_wrong_minimum_is_rejected(kind, by):
    with pytest.raises(UnprovenError, match="error of the minimum"):
        verifying.verify(replace(OPTIMA[kind], minimum=OPTIMA[kind].minimum + by))


@pytest.mark.parametrize("bound", ["bound_on_minimum", "bound_on_minimiser"])
@pytest.mark.parametrize("factor", [Fraction(1, 10), 10])
def test_a_tampered_bound_is_rejected(bound, factor):
    for optimum in (OPTIMA[kind] for kind in KINDS[1:3]):
        changed = replace(optimum, **{bound: getattr(optimum, bound) * factor})
        with pytest.raises(UnprovenError, match="at most"):
            verifying.verify(changed)


@pytest.mark.parametrize(
    ("figure", "factor"), [("gradient_norm", Fraction(1, 2)), ("gradient_norm", 5), ("curvature", 2), ("radius", 10**9)]
)
def test_a_tampered_certificate_is_rejected(figure, factor):
    optimum = OPTIMA["hessian-schatten-nearest-1d"]
    with pytest.raises(UnprovenError):
        verifying.verify(
            replace(optimum, certificate={**optimum.certificate, figure: optimum.certificate[figure] * factor})
        )


def test_a_larger_constant_of_strong_convexity_is_rejected():
    optimum = OPTIMA["tikhonov-weighted-2d"]
    for factor in (2, Fraction(1, 3)):
        certificate = {**optimum.certificate, "curvature": optimum.certificate["curvature"] * factor}
        with pytest.raises(UnprovenError, match="curvature"):
            verifying.verify(replace(optimum, certificate=certificate))


def test_a_proof_needs_its_figures_and_its_method():
    optimum = OPTIMA["article-2d"]
    with pytest.raises(UnprovenError, match="lacks curvature"):
        verifying.verify(replace(optimum, certificate={}))
    with pytest.raises(UnprovenError, match="strongly convex"):
        verifying.verify(replace(optimum, method="strong convexity"))
    with pytest.raises(UnprovenError, match="article's problem"):
        verifying.verify(replace(OPTIMA["poisson-entropy-2d"], method="curvature in whole numbers"))
    with pytest.raises(UnprovenError, match="no definition"):
        verifying.verify(replace(optimum, model="problems.blind"))
    with pytest.raises(UnprovenError, match="unexpected keyword"):
        verifying.verify(replace(optimum, parameters={**optimum.parameters, "mass": 1.0}))
    with pytest.raises(UnprovenError, match="has shape"):
        verifying.verify(replace(optimum, minimiser=optimum.minimiser.T, remainder=optimum.remainder.T))
    with pytest.raises(UnprovenError, match="too many"):
        verifying.verify(replace(OPTIMA[FULL_SIZE], method="curvature"))
    fine = OPTIMA["super-resolution-2d"]
    for factor, message in ((10**9, "from 1 to"), (2.5, "whole number"), (3, "times that of the data")):
        with pytest.raises(UnprovenError, match=message):
            verifying.verify(replace(fine, parameters={**fine.parameters, "factor": factor}))


def test_a_point_outside_of_the_domain_is_rejected():
    for kind in ("poisson-entropy-2d", "poisson-roughness-2d", "poisson-background-2d"):
        with pytest.raises(UnprovenError, match=kind):
            verifying.verify(replace(OPTIMA[kind], minimiser=-OPTIMA[kind].minimiser - 10))


def small_article():
    rng = np.random.default_rng(0)
    data, psf = rng.uniform(size=(6, 5)), rng.uniform(size=(2, 3))
    psf /= psf.sum()
    return data, psf, rd.problems.norm_and_gradient_norm(data, psf, 0.2)


def test_whole_numbers_prove_no_more_than_is_true():
    data, psf, objective = small_article()
    x = solved(objective, data)
    proof = large_article.prove(data, psf, 0.2, (x,), Fraction(1, 10**6))
    assert np.isclose(float(proof.gradient_norm), np.linalg.norm(objective.gradient(x)), rtol=1e-6)
    assert np.isclose(float(proof.value[0]), objective.value(x), rtol=1e-15)
    assert proof.value[0] <= proof.value[1]
    H = np.array([objective.hvp(x, e.reshape(x.shape)).ravel() for e in np.eye(x.size)])
    assert proof.curvature <= np.linalg.eigvalsh(H)[0]
    with pytest.raises(UnprovenError, match="too large"):
        large_article.prove(data, psf, 0.2, (x + 1e-3,), Fraction(1, 10**6))
    with pytest.raises(UnprovenError, match="kink"):
        large_article.prove(data, psf, 0.2, (np.ones_like(x),), Fraction(1, 10**6))
    with pytest.raises(UnprovenError, match="may be zero in the ball"):
        large_article.prove(data, psf, 0.2, (x,), Fraction(10))


@pytest.mark.parametrize(
    ("shape", "psf_shape"), [((5, 4), (2, 3)), ((3, 4), (5, 6)), ((7,), (4,)), ((3, 4, 2), (2, 1, 3))]
)
def test_blur_and_laplacian_in_whole_numbers_are_the_package_s(shape, psf_shape):
    rng = np.random.default_rng(2)
    image, psf = rng.standard_normal(shape), rng.uniform(size=psf_shape)
    K, exact = rd.Convolution(psf, shape), large_article.Blur(large_article.Scaled.of(psf))
    scaled = large_article.Scaled.of(image)
    assert np.allclose(exact.forward(scaled).floats(), K.forward(image), rtol=0, atol=1e-13)
    assert np.allclose(exact.adjoint(scaled).floats(), K.adjoint(image), rtol=0, atol=1e-13)
    laplacian = large_article.negative_laplacian(image)
    assert np.allclose(laplacian, rd.Gradient(shape).gram(image), rtol=0, atol=1e-14)


@pytest.fixture
def folder(tmp_path):
    """A copy of what the package brings."""
    return shutil.copytree(reading.FOLDER, tmp_path / "optima")


def rewrite(folder, change):
    manifest = json.loads((folder / reading.MANIFEST).read_text())
    change(manifest)
    (folder / reading.MANIFEST).write_text(json.dumps(manifest))


def test_raw_files_hold_the_same():
    for ours, raw in zip(OPTIMA.values(), reading.read(raw=True), strict=True):
        assert np.array_equal(ours.minimiser, raw.minimiser)
        assert np.array_equal(ours.remainder, raw.remainder)
        for key, value in ours.parameters.items():
            assert np.array_equal(value, raw.parameters[key])


def test_files_that_were_changed_are_noticed(folder):
    path = folder / "article-2d.minimiser.npy"
    array = np.load(path)
    path.write_bytes(npy_bytes(array + 1e-9))
    with pytest.raises(FileError, match="not what was written"):
        reading.read(folder)
    result = CliRunner().invoke(verify_optima, [str(folder)])
    assert result.exit_code == 2
    assert "not what was written" in result.stderr
    assert not result.stdout
    path.unlink()
    with pytest.raises(FileError, match="missing"):
        reading.read(folder)
    (folder / reading.RAW).write_bytes(bytes(10))
    with pytest.raises(FileError):
        reading.read(folder, raw=True)


def test_a_changed_array_with_its_hash_does_not_pass_either(folder):
    changed = npy_bytes(np.load(folder / "article-2d.minimiser.npy") + 1e-9)
    (folder / "article-2d.minimiser.npy").write_bytes(changed)

    def hashed(manifest):
        manifest["optima"] = manifest["optima"][:3]
        manifest["optima"][0]["minimiser"]["sha256"] = hashlib.sha256(changed).hexdigest()

    rewrite(folder, hashed)
    result = CliRunner().invoke(verify_optima, [str(folder), "--small"])
    assert result.exit_code == 1
    assert result.output.count("NOT PROVEN  ") == 1
    words = [line.split()[0] for line in result.output.splitlines() if line]
    assert words == ["NOT", "PROVEN", "PROVEN", "NOT"]
    assert result.output.endswith("NOT PROVEN: 2 of 3 optima are proven\n")
    report_path = folder.parent / "made" / "report.xml"
    result = CliRunner().invoke(verify_optima, [str(folder), "--json", "--junit", str(report_path)])
    assert result.exit_code == 1
    report = json.loads(result.stdout)
    assert report["verdict"] == "NOT PROVEN"
    assert [each["status"] for each in report["optima"]] == ["NOT PROVEN", "PROVEN", "PROVEN"]
    assert report["optima"][0]["bound_on_minimum"] is None
    assert "article-2d" in report["optima"][0]["message"]
    assert Fraction(report["optima"][1]["bound_on_minimum"]) <= OPTIMA[report["optima"][1]["name"]].bound_on_minimum
    tests = ElementTree.parse(report_path).getroot()[0]
    assert (tests.get("tests"), tests.get("failures")) == ("3", "1")


def test_all_proven(folder):
    rewrite(folder, lambda manifest: manifest.update(optima=manifest["optima"][1:3]))
    result = CliRunner().invoke(verify_optima, [str(folder), "--raw"])
    assert (result.exit_code, result.stdout.splitlines()[-1]) == (0, "PROVEN: 2 of 2 optima are proven")
    result = CliRunner().invoke(verify_optima, [str(folder), "--json", "--junit", "/proc/j.xml"])
    assert result.exit_code == 2
    assert "cannot write" in result.stderr
    assert not result.stdout


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda m: m.update(format="other"), "format"),
        (lambda m: m.update(version=2), "version 2"),
        (lambda m: m.pop("optima"), "'optima' is missing"),
        (lambda m: m["optima"][0].update(minimum=1.5), "decimal"),
        (lambda m: m["optima"][0].update(minimum="1e999999999"), "decimal"),
        (lambda m: m["optima"][0].update(minimum="nan"), "decimal"),
        (lambda m: m["optima"][0].update(method="faith"), "method"),
        (lambda m: m["optima"][0].update(parameters={"mu": None}), "parameter"),
        (lambda m: m["optima"][0]["minimiser"].update(npy="../suite.json"), "inside"),
        (lambda m: m["optima"][0]["minimiser"].update(shape=[10**9, 10**9]), "no array"),
        (lambda m: m["optima"][0]["minimiser"].update(shape=[3, 21]), "shape"),
        (lambda m: m["optima"][0]["minimiser"].update(dtype="object"), "no array"),
    ],
)
def test_a_damaged_manifest_is_a_clear_error(folder, change, message):
    rewrite(folder, change)
    with pytest.raises(FileError, match=message):
        reading.read(folder)


def test_a_manifest_that_is_not_json(folder):
    (folder / reading.MANIFEST).write_text("{")
    with pytest.raises(FileError, match="not JSON"):
        reading.read(folder)


@pytest.mark.slow
def test_what_is_wrong_in_the_full_size_is_rejected():
    optimum = OPTIMA[FULL_SIZE]
    with pytest.raises(UnprovenError, match="too large"):
        verifying.verify(moved(optimum, 1e-3))
    with pytest.raises(UnprovenError, match="error of the minimum"):
        verifying.verify(moved(optimum, 2e-16))
    with pytest.raises(UnprovenError, match="error of the minimum"):
        verifying.verify(replace(optimum, minimum=optimum.minimum + Fraction(1, 10**30)))
    with pytest.raises(UnprovenError, match="error of the minimum"):
        verifying.verify(replace(optimum, bound_on_minimum=optimum.bound_on_minimum / 10))


@pytest.mark.slow
def test_making_them_anew_gives_the_same(tmp_path):
    result = CliRunner().invoke(make_optima, [str(tmp_path / "new")])
    assert result.exit_code == 0, result.output
    for new in reading.read(tmp_path / "new"):
        old = OPTIMA[new.name]
        assert np.linalg.norm(new.minimiser - old.minimiser) <= 1e-13 * np.linalg.norm(old.minimiser)
        assert abs(new.minimum - old.minimum) <= Fraction(1, 10**14 if new.name == FULL_SIZE else 10**35)
        verifying.verify(new)


def test_decimals_are_rounded_to_the_safe_side():
    third = Fraction(1, 3)
    assert (rounded_down(third), rounded_up(third), rounded_up(Fraction(0))) == ("3.33e-1", "3.34e-1", "0")
    assert rounded_up(Fraction(9999, 1000)) == "1.00e1"
    assert nearest(Fraction(-1, 8), 4) == "-1.250e-1"
    iv = context()
    interval = iv.mpf(1) / 3
    assert lower(interval) < third < upper(interval)
