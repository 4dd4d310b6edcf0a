"""``refdeconv deconvolve``: every type of file in and out, and what is wrong said before the solve."""

import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import tifffile
from PIL import Image

import refdeconv as rd

PSF = "gaussian:5x4:1,0.8"


@pytest.fixture
def files(tmp_path, blurred):
    """The blurred image in every type that can be read."""
    image, psf = blurred
    colour = np.stack([image, image**2, 1 - image], axis=-1)
    bytes_ = np.rint(colour * 255).astype(np.uint8)
    np.save(tmp_path / "image.npy", image)
    np.save(tmp_path / "single.npy", image.astype(np.float32))
    np.save(tmp_path / "psf.npy", psf)
    tifffile.imwrite(tmp_path / "float.tif", image.astype(np.float32))
    tifffile.imwrite(tmp_path / "deep.tiff", np.rint(image * 65535).astype(np.uint16))
    tifffile.imwrite(tmp_path / "stack.tif", np.stack([image] * 3).astype(np.float32), photometric="minisblack")
    tifffile.imwrite(tmp_path / "colour.tif", bytes_, photometric="rgb")
    Image.fromarray(bytes_[..., 0]).save(tmp_path / "grey.png")
    Image.fromarray(np.rint(image * 65535).astype(np.uint16)).save(tmp_path / "deep.png")
    Image.fromarray(bytes_).save(tmp_path / "colour.png")
    Image.fromarray(np.concatenate([bytes_, np.full((24, 21, 1), 200, np.uint8)], axis=-1)).save(tmp_path / "alpha.png")
    Image.fromarray(bytes_[..., 0]).save(tmp_path / "grey.jpg", quality=95)
    Image.fromarray(bytes_).save(tmp_path / "colour.jpeg", quality=95)
    Image.fromarray(np.rint(psf / psf.max() * 255).astype(np.uint8)).save(tmp_path / "psf.png")
    return tmp_path


@pytest.mark.parametrize(
    ("name", "shape", "dtype", "scale"),
    [
        ("image.npy", (24, 21), "f8", 1),
        ("single.npy", (24, 21), "f4", 1),
        ("float.tif", (24, 21), "f4", 1),
        ("deep.tiff", (24, 21), "f8", 65535),
        ("grey.png", (24, 21), "f8", 255),
        ("deep.png", (24, 21), "f8", 65535),
        ("grey.jpg", (24, 21), "f8", 255),
        ("colour.png", (24, 21, 3), "f8", 255),
        ("colour.jpeg", (24, 21, 3), "f8", 255),
        ("colour.tif", (24, 21, 3), "f8", 255),
        ("alpha.png", (24, 21, 3), "f8", 255),
    ],
)
@pytest.mark.parametrize("ending", ["tif", "npy"])
def test_every_type_of_file(run, files, blurred, name, shape, dtype, scale, ending):
    result = run("deconvolve", name, "--psf", PSF, "--boundary", "wrap", "--out", f"out/result.{ending}", "--mu", 0.3)
    assert result.exit_code == 0, result.stderr
    path = files / f"out/result.{ending}"
    found = tifffile.imread(path) if ending == "tif" else np.load(path)
    assert found.shape == shape
    assert found.dtype == np.dtype(dtype)
    image, psf = blurred
    expected = rd.deconvolve(image, psf, mu=0.3, boundary="wrap")
    grey = found if found.ndim == 2 else found[..., 0]
    assert np.abs(grey / scale - expected).max() < (0.15 if "jp" in name else 0.03)
    assert f"{np.dtype(dtype)} values as they are" in result.stderr
    if name == "alpha.png":
        assert "alpha channel" in result.stderr


def test_the_record(run, files):
    result = run("deconvolve", "image.npy", "--psf", "psf.npy", "--mu", 0.3, "--out", "sharp.npy")
    assert result.exit_code == 0
    record = json.loads((files / "sharp.npy.json").read_text())
    image, direct = rd.deconvolve(np.load("image.npy"), np.load("psf.npy"), mu=0.3, full_output=True)
    assert np.array_equal(np.load("sharp.npy"), image)
    assert record["reached"]["value"] == direct.fun
    assert record["reached"]["success"]
    assert record["reached"]["hessian_products"] == direct.nhev
    assert record["parameters"]["mu"] == 0.3
    assert record["parameters"]["shape"] == [24, 21]
    assert "sqrt" in record["objective"]
    assert record["versions"]["numpy"] == np.__version__


def test_png_of_integers_keeps_their_range(run, files):
    for name, dtype in (("grey.png", np.uint8), ("deep.png", np.uint16), ("colour.png", np.uint8)):
        result = run("deconvolve", name, "--psf", PSF, "--mu", 0.3, "--out", "sharp.png")
        assert result.exit_code == 0
        found, before = np.asarray(Image.open("sharp.png")), np.asarray(Image.open(name))
        assert found.dtype == dtype
        assert found.shape == before.shape
        assert abs(found.mean() / before.mean() - 1) < 0.1
        assert "clipped to the source's range" in result.stderr


def test_png_of_floats_says_how_it_was_scaled(run, files):
    result = run("deconvolve", "image.npy", "--psf", PSF, "--mu", 0.3, "--out", "sharp.png")
    assert result.exit_code == 0
    found = np.asarray(Image.open("sharp.png"))
    assert (found.min(), found.max()) == (0, 255)
    assert "scaled linearly" in result.stderr
    assert "is 0 and" in result.stderr


def test_three_dimensions_and_channels(run, files):
    assert run("deconvolve", "stack.tif", "--psf", "gaussian:3x5x4:1.2", "--mu", 0.3, "--out", "a.npy").exit_code == 0
    assert np.load("a.npy").shape == (3, 24, 21)
    result = run("deconvolve", "stack.tif", "--psf", PSF, "--mu", 0.3, "--channel-axis", 0, "--out", "b.npy")
    assert result.exit_code == 0
    assert "channel 1 of 3" in result.stderr
    record = json.loads((files / "b.npy.json").read_text())
    assert len(record["reached"]["channels"]) == 3


def test_an_integer_psf_is_normalised_and_said(run, files):
    result = run("deconvolve", "image.npy", "--psf", "psf.png", "--mu", 0.3, "--out", "a.npy")
    assert result.exit_code == 0
    assert "divided by their sum" in result.stderr


def test_a_doubtful_psf_is_said_once(run, files):
    np.save("double.npy", 2 * np.load("psf.npy"))
    result = run("deconvolve", "colour.png", "--psf", "double.npy", "--mu", 0.3, "--out", "a.npy")
    assert result.stderr.count("sums to 2") == 1


def test_not_converged_is_exit_status_three(run, files):
    result = run("deconvolve", "image.npy", "--psf", PSF, "--max-seconds", 1e-9, "--out", "a.npy")
    assert result.exit_code == 3
    assert "max_seconds" in result.stderr
    assert (files / "a.npy").exists()


def test_files_whose_pixels_are_not_what_they_seem(run, files, blurred):
    """Palettes are expanded, white-is-zero inverted, pictures turned upright; inks and 16-bit colour PNG refused."""
    grey = np.rint(blurred[0] * 255).astype(np.uint8)
    colour = np.asarray(Image.open("colour.png"))
    Image.fromarray(colour).convert("P").save("palette.png")
    Image.fromarray(colour).convert("P").save("palette.tif")
    tifffile.imwrite("inverted.tif", 255 - grey, photometric="miniswhite")
    tifffile.imwrite("packed.tif", grey, compression="lzw")
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by a quarter
    Image.fromarray(grey).save("turned.jpg", exif=exif, quality=95)
    shapes = {"palette.png": (24, 21, 3), "palette.tif": (24, 21, 3), "inverted.tif": (24, 21), "packed.tif": (24, 21)}
    plain = rd.deconvolve(grey, rd.psf.gaussian((5, 4), (1, 0.8)), mu=0.3)
    for name, shape in {**shapes, "turned.jpg": (21, 24)}.items():
        result = run("deconvolve", name, "--psf", PSF, "--mu", 0.3, "--out", "a.npy")
        assert result.exit_code == 0, result.stderr
        assert np.load("a.npy").shape == shape
        if name in ("inverted.tif", "packed.tif"):
            assert np.allclose(np.load("a.npy"), plain, atol=1e-6)
        assert ("turned upright" in result.stderr) == (name == "turned.jpg")
        assert ("white as zero" in result.stderr) == (name == "inverted.tif")

    Image.fromarray(colour).convert("CMYK").save("inks.jpg")
    Image.fromarray(colour).convert("CMYK").save("inks.tif")
    header = bytearray((files / "colour.png").read_bytes())
    header[24] = 16
    (files / "deep-colour.png").write_bytes(header)
    for name, message in {"inks.jpg": "CMYK", "inks.tif": "CMYK", "deep-colour.png": "16 bits"}.items():
        result = run("deconvolve", name, "--psf", PSF, "--out", "a.npy")
        assert result.exit_code == 2
        assert message in result.stderr


def test_one_dimension(run, files):
    np.save("line.npy", np.random.default_rng(0).random(40))
    result = run("deconvolve", "line.npy", "--psf", "gaussian:5:1", "--out", "a.tif")
    assert result.exit_code == 0
    assert tifffile.imread("a.tif").shape == (1, 40)
    assert "as one row" in result.stderr


def test_planar_colour_stays_planar(run, files):
    tifffile.imwrite(
        "planar.tif", np.moveaxis(tifffile.imread("colour.tif"), -1, 0), photometric="rgb", planarconfig="separate"
    )
    assert run("deconvolve", "planar.tif", "--psf", PSF, "--mu", 0.3, "--out", "a.tif").exit_code == 0
    with tifffile.TiffFile("a.tif") as tiff:
        assert tiff.series[0].axes == "SYX"


def test_names_of_files_are_printed_as_they_are(run, files):
    result = run("deconvolve", "image.npy", "--psf", PSF, "--mu", 0.3, "--out", "[red]x[bold].npy")
    assert result.exit_code == 0
    assert "Wrote [red]x[bold].npy and" in result.stdout
    assert (files / "[red]x[bold].npy").exists()


def test_no_input_is_overwritten(run, files):
    before = (files / "psf.npy").read_bytes()
    result = run("deconvolve", "image.npy", "--psf", "psf.npy", "--out", "psf.npy")
    assert result.exit_code == 2
    assert "never overwritten" in result.stderr
    assert (files / "psf.npy").read_bytes() == before


def test_a_link_is_followed(run, files):
    (files / "target.npy").write_bytes(b"")
    (files / "link.npy").symlink_to("target.npy")
    assert run("deconvolve", "image.npy", "--psf", PSF, "--mu", 0.3, "--out", "link.npy").exit_code == 0
    assert (files / "link.npy").is_symlink()
    assert np.load("target.npy").shape == (24, 21)


def test_a_limit_is_for_all_channels(run, files):
    result = run("deconvolve", "colour.png", "--psf", PSF, "--max-seconds", 1e-9, "--out", "a.npy")
    assert result.exit_code == 3
    assert "0 of 3 channels converged. Channel 1: Stopped at max_seconds" in result.stderr
    assert "The last 2 of them stay as they started" in result.stderr


def damaged(files):
    for name, size in (("colour.png", 400), ("grey.jpg", 500), ("float.tif", 1500), ("image.npy", 900)):
        (files / f"cut-{name}").write_bytes((files / name).read_bytes()[:size])
    for name in ("text.png", "text.jpg", "text.tif", "text.npy"):
        (files / name).write_text("not an image")
        (files / f"empty-{name}").write_bytes(b"")
    np.save(files / "objects.npy", np.array([{}], dtype=object), allow_pickle=True)
    np.save(files / "complex.npy", np.ones((24, 21)) + 1j)
    np.save(files / "words.npy", np.full((24, 21), "x"))
    np.save(files / "nan.npy", np.full((24, 21), np.nan))
    np.save(files / "none.npy", np.zeros((0, 21)))
    (files / "image.gif").write_bytes(b"GIF89a")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        *[(f"cut-{name}", "cannot read") for name in ("colour.png", "grey.jpg", "float.tif", "image.npy")],
        *[(f"{empty}text.{e}", "cannot read") for e in ("png", "jpg", "tif", "npy") for empty in ("", "empty-")],
        ("objects.npy", "cannot read"),
        ("complex.npy", "must hold real numbers"),
        ("words.npy", "must hold real numbers"),
        ("nan.npy", "image must be finite"),
        ("none.npy", "image is empty"),
        ("image.gif", "its ending must be one of .png"),
        ("missing.png", "there is no file missing.png"),
        (".", "is a folder"),
    ],
)
def test_files_that_cannot_be_used(run, files, name, message):
    damaged(files)
    result = run("deconvolve", name, "--psf", PSF, "--out", "a.npy")
    assert result.exit_code == 2
    assert message in result.stderr
    assert "Traceback" not in result.stderr
    assert not (files / "a.npy").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--psf", "gausian:5x5:1"], "did you mean 'gaussian'"),
        (["--psf", "gaussian:5x5"], "expected gaussian:SHAPE:SIGMA"),
        (["--psf", "gaussian:5xx5:1"], "expected gaussian:SHAPE:SIGMA"),
        (["--psf", "gaussian:5x5:wide"], "expected gaussian:SHAPE:SIGMA"),
        (["--psf", "gaussian:5x5:-1"], "sigma must be >= 0"),
        (["--psf", "gaussian:5:1"], "psf has 1 axes"),
        (["--psf", "motoin:5x5:3,20"], "did you mean 'motion'"),
        (["--psf", "motion:5x5:3,20,1"], "expected motion:SHAPE:LENGTH,ANGLE, for example motion:15x15:9,30"),
        (["--psf", "motion:5x5:-3"], "length must be >= 0"),
        (["--psf", "motion:5x5x5:3"], "direction is needed"),
        (["--psf", "defocus:5x5"], "expected defocus:SHAPE:RADIUS"),
        (["--psf", "defocus:5x5:nan"], "radius must be a finite number"),
        (["--psf", "defocus:5x5:1:2"], "expected defocus:SHAPE:RADIUS"),
        (["--psf", "box:5x5:1,2,3"], "size needs one number"),
        (["--psf", "moffat:5x5:3"], "expected moffat:SHAPE:FWHM,BETA"),
        (["--psf", "airy:5x5:0.5,1.4"], "airy takes one number, FIRST_ZERO, or three"),
        (["--psf", "airy:5x5:0.5,0,1"], "numerical_aperture must be > 0"),
        (["--psf", "airy:5x5x5:3"], "shape must have two axes"),
        (["--psf", "delta"], "expected delta:SHAPE, for example delta:3x3"),
        (["--psf", "delta:3x3:1"], "expected delta:SHAPE"),
        (["--psf", "gaussian:0x5:1"], "sizes of at least 1"),
        (["--psf", ""], "--psf is empty"),
        (["--psf", "gaussian:9999999x9999999:1"], "too large for the memory"),
        (["--psf", "nowhere.npy"], "--psf: there is no file nowhere.npy"),
        (["--psf", "colour.png"], "colour image"),
        (["--out", "a.gif"], "its ending must be one of"),
        (["--out", "image.npy"], "never overwritten"),
        (["--out", "image.npy/a.tif"], "is a file, not a folder"),
        (["--out", "/proc/a.tif"], "cannot write"),
        (["--mu", "0"], "must be > 0"),
        (["--boundary", "warp"], "did you mean 'wrap'"),
        (["--method", "newton"], "did you mean 'Newton-CG'"),
        (["--channel-axis", "7"], "--channel-axis must be between"),
        (["--channel-axis", "x"], "not a valid integer"),
    ],
)
def test_options_that_cannot_be_used(run, files, monkeypatch, options, message):
    monkeypatch.setattr("refdeconv.solve.restoration.minimize", lambda *a, **k: pytest.fail("solved before the check"))
    given = {"--psf": PSF, "--out": "a.npy", **dict([options])}
    result = run("deconvolve", "image.npy", *(word for option in given.items() for word in option))
    assert result.exit_code == 2
    assert message in " ".join(result.stderr.split())


def test_a_png_of_three_dimensions_is_refused_before_the_solve(run, files):
    result = run("deconvolve", "stack.tif", "--psf", "gaussian:3x3x3:1", "--out", "a.png")
    assert result.exit_code == 2
    assert "a PNG holds 2-D images" in result.stderr


def test_a_result_that_cannot_be_written_is_saved_elsewhere(run, files, monkeypatch):
    def full(*arguments, **options):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("tifffile.imwrite", full)
    monkeypatch.setattr("tempfile.mkdtemp", lambda **options: str(files / "elsewhere"))
    (files / "elsewhere").mkdir()
    result = run("deconvolve", "image.npy", "--psf", PSF, "--mu", 0.3, "--out", "a.tif")
    assert result.exit_code == 2
    assert "No space left" in result.stderr
    assert np.load(files / "elsewhere/a.npy").shape == (24, 21)
    assert sorted(path.name for path in files.glob("*a.tif*")) == []


@pytest.mark.skipif(os.name == "nt", reason="Ctrl-C cannot be sent to a process on Windows like this")
def test_ctrl_c_writes_the_best_so_far(tmp_path):
    image = np.random.default_rng(0).random((300, 300))
    np.save(tmp_path / "image.npy", image)
    command = [
        sys.executable,
        "-m",
        "refdeconv",
        "deconvolve",
        "image.npy",
        "--psf",
        "gaussian:31x31:6",
        "--mu",
        "1e-4",
    ]
    process = subprocess.Popen(
        [*command, "--method", "L-BFGS-B", "--out", "a.npy"], cwd=tmp_path, stderr=subprocess.PIPE, text=True
    )
    first_line = process.stderr.readline()  # the solve is under way
    time.sleep(0.3)
    process.send_signal(signal.SIGINT)
    _, messages = process.communicate(timeout=60)
    assert "iteration" in first_line
    assert process.returncode == 130
    assert "Interrupted: this is the best iterate so far" in messages
    record = json.loads((tmp_path / "a.npy.json").read_text())
    restored = np.load(tmp_path / "a.npy")
    assert record["reached"]["interrupted"]
    objective = rd.problems.norm_and_gradient_norm(image, rd.psf.gaussian((31, 31), 6), 1e-4)
    assert np.isclose(objective.value(restored), record["reached"]["value"], rtol=1e-12)
    assert objective.value(restored) < objective.value(image)


def test_without_its_libraries_the_command_line_says_what_to_install(tmp_path):
    (tmp_path / "click.py").write_text("raise ModuleNotFoundError(\"No module named 'click'\", name='click')\n")
    result = subprocess.run(
        [sys.executable, "-m", "refdeconv", "article"],
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 2
    assert 'pip install "refdeconv[cli]"' in result.stderr


class TestModels:
    def test_the_same_as_in_python(self, run, files, blurred):
        image = blurred[0]
        weight = np.linspace(0.5, 1, image.size).reshape(image.shape)
        np.save(files / "weight.npy", weight)
        done = run(
            "deconvolve",
            str(files / "image.npy"),
            "--psf",
            PSF,
            "--out",
            str(files / "out.npy"),
            *("--mu", "0.01", "--fidelity", "least-squares", "--regularizer", "total-variation"),
            *("--fidelity-option", f"weight={files / 'weight.npy'}", "--regularizer-option", "epsilon=0.05"),
            *("--regularizer-option", "spacing=1,2", "--regularizer-option", "isotropic=false"),
            *("--boundary", "valid", "--positivity", "softplus"),
        )
        assert done.exit_code == 0, done.output
        expected = rd.deconvolve(
            image,
            rd.psf.gaussian((5, 4), (1, 0.8)),
            0.01,
            fidelity="least-squares",
            regularizer="total-variation",
            fidelity_options={"weight": weight},
            regularizer_options={"epsilon": 0.05, "spacing": (1, 2), "isotropic": False},
            boundary="valid",
            positivity="softplus",
        )
        np.testing.assert_array_equal(np.load(files / "out.npy"), expected)
        record = json.loads((files / "out.npy.json").read_text())
        assert record["parameters"]["fidelity"] == "least-squares"
        assert record["parameters"]["regularizer_options"] == ["epsilon=0.05", "spacing=1,2", "isotropic=false"]

    def test_tolerance_and_iterations(self, run, files):
        arguments = ("deconvolve", str(files / "image.npy"), "--psf", PSF, "--out", str(files / "out.npy"))
        assert run(*arguments, "--xtol", "1e-7").exit_code == 0
        tight = json.loads((files / "out.npy.json").read_text())["reached"]["iterations"]
        assert run(*arguments, "--xtol", "0.01").exit_code in (0, 3)
        assert json.loads((files / "out.npy.json").read_text())["reached"]["iterations"] < tight
        assert run(*arguments, "--maxiter", "2").exit_code == 3
        assert json.loads((files / "out.npy.json").read_text())["reached"]["iterations"] == 2

    def test_bounds_and_coupled_channels(self, run, files):
        done = run(
            "deconvolve",
            str(files / "colour.png"),
            "--psf",
            PSF,
            "--out",
            str(files / "out.npy"),
            *("--mu", "0.5", "--fidelity", "least-squares", "--regularizer", "total-variation", "--coupled"),
            *("--bounds", "0,255"),
        )
        assert done.exit_code == 0, done.output
        restored = np.load(files / "out.npy")
        assert restored.min() >= 0
        assert restored.max() <= 255

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            (("--fidelity", "poison"), "did you mean 'poisson'"),
            (("--regularizer", "total_variation"), "did you mean 'total-variation'"),
            (("--positivity", "squared"), "did you mean 'square'"),
            (("--boundary", "vald"), "did you mean 'valid'"),
            (("--regularizer-option", "epsilon"), "not of the form NAME=VALUE"),
            (("--regularizer-option", "epsilon="), "not of the form NAME=VALUE"),
            (("--regularizer-option", "spacing=1,x"), "spacing: '1,x' is not a number"),
            (("--regularizer-option", "spacing=1", "--regularizer-option", "spacing=2"), "spacing is given twice"),
            (("--regularizer-option", "spacings=1"), "did you mean 'spacing'"),
            (("--fidelity", "poisson", "--fidelity-option", "weight=nowhere.npy"), "nowhere.npy"),
            (("--bounds", "0"), "bounds needs two values"),
            (("--bounds", "a,b"), "--bounds: 'a,b' is not a number"),
            (("--coupled",), "coupled needs channel_axis"),
        ],
    )
    def test_what_is_refused_before_anything_is_written(self, run, files, options, message):
        done = run("deconvolve", str(files / "image.npy"), "--psf", PSF, "--out", str(files / "out.npy"), *options)
        assert done.exit_code == 2
        assert message in " ".join(done.output.split())
        assert not (files / "out.npy").exists()
