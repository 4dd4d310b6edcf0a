"""The suite as it is shipped: complete, small, as the schema says, readable without the package; and spoilt copies."""

import hashlib
import inspect
import json
import re
from math import prod
from pathlib import Path

import jsonschema
import numpy as np
import pytest

import refdeconv as rd
from refdeconv.conformance.array_files import FileError
from refdeconv.conformance.golden import exporting, suite
from refdeconv.conformance.golden.case import OUTPUTS

# These are no models: what models are made of, what they return, or cannot be said in parameters.
NO_MODELS = {"ConvergenceWarning", "Expansion", "Functional", "LinearOperator", "Operator", "SelfAdjoint"}
BOUNDARIES = ("constant", "wrap", "reflect", "mirror", "nearest", "valid")


def public_models():
    """Every public class, regulariser and ready-made problem that has a value or a forward."""
    classes = {name for name in rd.__all__ if inspect.isclass(getattr(rd, name))} - NO_MODELS
    return sorted(
        classes
        | {f"regularizers.{name}" for name in rd.regularizers.__all__}
        | {
            f"problems.{name}"
            for name in rd.problems.__all__
            if inspect.isfunction(getattr(rd.problems, name)) and name != "astronaut"
        }
    )


class TestCompleteness:
    @pytest.mark.parametrize("model", public_models())
    def test_every_public_model_has_a_case(self, own, model):
        assert [case for case in own.cases if case.model == model]
        assert own.manifest["models"][model]

    def test_the_exceptions_exist(self):
        assert set(rd.__all__) >= NO_MODELS

    @pytest.mark.parametrize("model", ["Convolution", "VaryingConvolution", "BlindConvolution"])
    def test_every_boundary_in_one_to_three_dimensions(self, own, model):
        found = set()
        for case in own.cases:
            if case.model == model and isinstance(case.parameters["boundary"], str):
                for sizes in psf_shapes(case):
                    found |= {(case.parameters["boundary"], len(sizes), size % 2) for size in sizes}
        assert found >= {(b, axes, parity) for b in BOUNDARIES for axes in (1, 2, 3) for parity in (0, 1)}

    @pytest.mark.parametrize("model", ["Convolution", "BlindConvolution"])
    def test_psfs_larger_than_the_image(self, own, model):
        found = set()
        for case in own.cases:
            if case.model == model and isinstance(case.parameters["boundary"], str):
                shape = case.parameters["shape" if model == "Convolution" else "image_shape"]
                if any(k > n for k, n in zip(psf_shapes(case)[0], shape, strict=True)):
                    found.add((case.parameters["boundary"], len(shape)))
        assert found >= {(boundary, axes) for boundary in BOUNDARIES[:-1] for axes in (1, 2, 3)}

    @pytest.mark.parametrize(
        ("model", "boundaries"),
        [
            ("Extension", BOUNDARIES[:-1]),
            ("Gradient", ("free", "reflect", "constant", "wrap")),
            ("SecondDifferences", ("free", "reflect", "constant", "wrap")),
            ("Laplacian", ("reflect", "constant", "wrap")),
        ],
    )
    def test_other_boundaries(self, own, model, boundaries):
        cases = [case for case in own.cases if case.model == model]
        found = {(case.parameters.get("boundary"), case.point.ndim) for case in cases}
        assert found >= {(boundary, axes) for boundary in boundaries for axes in (1, 2, 3)}

    def test_images_and_psfs_do_not_hide_faults(self, own):
        """A symmetric PSF would hide that one is reversed; a square image, that axes are."""
        for case in own.cases:
            if case.model == "Convolution" and prod(case.parameters["psf"].shape) > 1:
                psf = case.parameters["psf"]
                assert not np.allclose(psf, np.flip(psf))
                shape = case.parameters["shape"]
                assert len(set(shape)) == len(shape) or shape == (1, 1)

    def test_edges_of_domains(self, own):
        """Where there is no derivative, and where a value is infinite."""
        found = {model: [case.answers for case in own.cases if case.model == model] for model in own.manifest["models"]}
        for model in ("Entropy", "regularizers.good_roughness"):
            assert {"gradient": "raises", "hvp": "raises"} in found[model]
        for model in ("Poisson", "PoissonGaussian", "Anscombe", "Entropy", "regularizers.good_roughness"):
            assert {"value": "infinite", "gradient": "raises", "hvp": "raises"} in found[model]
        assert {"jvp": "raises", "vjp": "raises", "curvature": "raises"} in found["SquareRoot"]
        for name in ("entropy-at-zero", "entropy-all-zero"):
            (case,) = (case for case in own.cases if case.name == name)
            zeros, prior = case.point == 0, np.broadcast_to(case.parameters["prior"], case.point.shape)
            rest = rd.Entropy(prior, weight=np.where(zeros, 0.0, 1.0)).value(np.where(zeros, 1.0, case.point))
            assert case.outputs["value"].numbers == pytest.approx(prior[zeros].sum() + rest, rel=1e-15)


def psf_shapes(case):
    if case.model == "BlindConvolution":
        return [case.parameters["psf_shape"]]
    psfs = case.parameters["psfs"] if case.model == "VaryingConvolution" else [case.parameters["psf"]]
    return [psf.shape for psf in psfs]


class TestLayout:
    def test_small(self):
        paths = [path for path in suite.OWN.rglob("*") if path.is_file()]
        assert sum(-(-path.stat().st_size // 4096) * 4096 for path in paths) <= 5_000_000

    def test_schema(self):
        schema = json.loads((suite.OWN / "suite.schema.json").read_text())
        jsonschema.Draft202012Validator.check_schema(schema)
        jsonschema.validate(json.loads((suite.OWN / "suite.json").read_text()), schema)

    def test_hash_of_every_file(self, own):
        files = {path.relative_to(suite.OWN).as_posix() for path in suite.OWN.rglob("*") if path.is_file()}
        assert set(own.sums) | {"SHA256SUMS"} == files
        assert {file["name"] for file in own.manifest["files"]} == set(own.sums) - {"suite.json"}
        for name, known in own.sums.items():
            assert hashlib.sha256((suite.OWN / name).read_bytes()).hexdigest() == known

    def test_npy_and_bin_hold_the_same(self):
        for path in (suite.OWN / "arrays").glob("*.npy"):
            numbers = np.load(path, allow_pickle=False)
            assert numbers.dtype.str == "<f8"
            assert numbers.flags.c_contiguous
            assert numbers.tobytes() == path.with_suffix(".bin").read_bytes()

    def test_every_output_has_a_bound_of_about_its_rounding(self, own):
        for case in own.cases:
            assert sorted([*case.outputs, *case.answers]) == sorted(OUTPUTS[case.kind])
            for output in case.outputs.values():
                largest = np.abs(output.numbers).max()
                assert output.bound >= 0
                assert output.bound <= 1.01 * max(2.0**-53 * largest, 1e-100)
                assert output.scale >= 0

    def test_decimals(self, own):
        for entry in own.manifest["cases"]:
            assert list(entry["outputs"]) == list(OUTPUTS[entry["kind"]])
            value = entry["outputs"].get("value", {})
            if "number" in value:
                assert float(value["decimal"]) == value["number"]

    def test_the_example_of_the_readme(self, monkeypatch):
        monkeypatch.chdir(suite.OWN)
        code = re.search(r"```python\n(.*?)```", Path("README.md").read_text(), re.DOTALL)[1]
        names = {}
        exec(code, names)
        parameters = names["case"]["parameters"]
        blur = rd.Convolution(
            names["psf"], tuple(parameters["shape"]), parameters["boundary"], tuple(parameters["origin"])
        )
        np.testing.assert_allclose(blur.forward(names["x"]), names["blurred"], rtol=0, atol=1e-14)

    def test_the_readme_has_the_bounds_of_all_optima(self, own):
        text = (suite.OWN / "README.md").read_text()
        assert len(own.manifest["optima"]) == 17
        for entry in own.manifest["optima"]:
            pixels = " x ".join(map(str, entry["minimiser"]["shape"]))
            bounds = f"{entry['bound_on_minimum']} | {entry['bound_on_minimiser']}"
            model = entry["model"].removeprefix("problems.")
            assert f"\n| `{entry['name']}` | {model} | {pixels} | {entry['method']} | {bounds} |\n" in text

    def test_the_schema_fits_optima_on_their_own(self):
        schema = json.loads((suite.OWN / "suite.schema.json").read_text())
        root = {"$schema": schema["$schema"], "$ref": "#/$defs/optimum", "$defs": schema["$defs"]}
        optimum = jsonschema.Draft202012Validator(root)
        entries = json.loads((suite.OWN / "optima" / "optima.json").read_text())["optima"]
        assert all(optimum.is_valid(entry) for entry in entries)
        entry = entries[0]
        for wrong in ({"curvature": 0.1}, {"curvature": "nan"}, {"faith": "1"}, {"radius": "-1"}):
            assert not optimum.is_valid({**entry, "certificate": {**entry["certificate"], **wrong}})
        for wrong in ({"mu": None}, {"mu": [1]}, {"data": {"array": {"npy": "../a.npy"}}}):
            assert not optimum.is_valid({**entry, "parameters": {**entry["parameters"], **wrong}})

    def test_the_readme_grants_what_is_granted(self, own):
        assert f"bound + {own.manifest['roundings']} * (eps * scale + tiny)" in (suite.OWN / "README.md").read_text()


class TestSpoilt:
    def test_as_it_was(self, exported):
        found = suite.read(exported)
        assert {case.model for case in found.cases} == {"Square", "Poisson"}

    @pytest.mark.parametrize(
        "name", ["suite.json", "SHA256SUMS", "README.md", "arrays/Square.npy", "arrays/Square.bin"]
    )
    def test_missing(self, exported, name):
        (exported / name).unlink()
        with pytest.raises(FileError, match=f"{name} is missing"):
            suite.read(exported)

    @pytest.mark.parametrize("name", ["suite.json", "README.md", "arrays/Square.npy", "arrays/Square.bin"])
    def test_tampered_with(self, exported, name):
        content = bytearray((exported / name).read_bytes())
        content[-9] ^= 1
        (exported / name).write_bytes(content)
        with pytest.raises(FileError, match=f"{name} is not what was written"):
            suite.read(exported)

    def test_truncated(self, exported):
        path = exported / "arrays" / "Square.npy"
        path.write_bytes(path.read_bytes()[:-8])
        with pytest.raises(FileError, match=r"arrays/Square\.npy"):
            suite.read(exported)

    def test_no_folder(self, tmp_path):
        with pytest.raises(FileError, match="there is no folder"):
            suite.read(tmp_path / "none")

    def test_another_version(self, rewritten):
        with pytest.raises(FileError, match="version 2, this reads version 1"):
            suite.read(rewritten(lambda manifest: manifest.update(version=2)))

    @pytest.mark.parametrize("text", ["", "[", "[1]", '{"version": NaN}'])
    def test_no_manifest(self, rewritten, text):
        with pytest.raises(FileError, match=r"suite\.json is"):
            suite.read(rewritten(lambda manifest: text + " "))

    def test_not_as_the_schema_says(self, rewritten):
        with pytest.raises(FileError, match=r"schema.json says, at \$.cases\[0\]"):
            suite.read(rewritten(lambda manifest: manifest["cases"][0].update(kind="blur")))

    @pytest.mark.parametrize(
        "output",
        [
            {"answer": "infinite", "specified": True},  # of a gradient
            {"answer": "raises", "specified": False},
            {"answer": "raises"},
            {"answer": "zero", "specified": True},
            {"answer": "raises", "specified": True, "bound": 0},
            {"specified": True},
        ],
    )
    def test_an_answer_that_the_schema_does_not_know(self, rewritten, output):
        def change(manifest):
            case = next(case for case in manifest["cases"] if case["name"] == "poisson-outside")
            case["outputs"]["gradient"] = output

        with pytest.raises(FileError, match=r"schema\.json says"):
            suite.read(rewritten(change))

    @pytest.mark.parametrize("name", ["../secret", "/etc/passwd", "arrays/../../secret", "a\\b"])
    def test_outside_of_the_folder(self, rewritten, name):
        with pytest.raises(FileError, match=r"schema\.json says"):
            suite.read(rewritten(lambda manifest: manifest["cases"][0].update(file=name)))

    def test_a_link_to_outside(self, exported, tmp_path):
        path = exported / "arrays" / "Square.npy"
        (tmp_path / "secret").write_bytes(path.read_bytes())
        path.unlink()
        path.symlink_to(tmp_path / "secret")
        with pytest.raises(FileError, match="outside"):
            suite.read(exported)

    def test_beyond_the_end_of_a_file(self, rewritten):
        found = suite.read(rewritten(lambda manifest: manifest["cases"][0]["point"].update(offset=10**9)))
        with pytest.raises(FileError, match="beyond the end"):
            _ = found.cases[0].point

    def test_a_file_that_is_not_listed(self, rewritten):
        with pytest.raises(FileError, match="does not list arrays/other"):
            suite.read(rewritten(lambda manifest: manifest["cases"][0].update(file="arrays/other")))

    def test_two_cases_of_one_name(self, rewritten):
        with pytest.raises(FileError, match="two cases of one name"):
            suite.read(rewritten(lambda manifest: manifest["cases"].append(manifest["cases"][0])))


class TestExporting:
    def test_it_is_read_again(self, own, tmp_path):
        exporting.export(own, tmp_path)
        assert suite.read(tmp_path).manifest == own.manifest

    def test_not_over_anything(self, own, tmp_path):
        (tmp_path / "mine.txt").write_text("mine")
        with pytest.raises(FileError, match="is not empty"):
            exporting.export(own, tmp_path)
        with pytest.raises(FileError, match="is not a folder"):
            exporting.export(own, tmp_path / "mine.txt")
        assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]

    def test_whole_or_not_at_all(self, own, tmp_path, monkeypatch):
        def full(*_):
            raise OSError(28, "No space left on device")

        monkeypatch.setattr("refdeconv.conformance.array_files.write_whole", full)
        with pytest.raises(FileError, match="No space left"):
            exporting.export(own, tmp_path / "golden")
        assert list(tmp_path.iterdir()) == []

    def test_into_an_empty_folder_unpacked(self, own, tmp_path):
        exporting.export(own, tmp_path, unpacked=True)
        case = next(case for case in own.cases if case.name == "convolution-reflect-even-psf-2d")
        for name in ("forward", "adjoint"):
            array = np.load(tmp_path / "unpacked" / case.name / f"{name}.npy", allow_pickle=False)
            np.testing.assert_array_equal(array, case.outputs[name].numbers)
        psf = np.load(tmp_path / "unpacked" / case.name / "parameters-psf.npy", allow_pickle=False)
        np.testing.assert_array_equal(psf, case.parameters["psf"])
