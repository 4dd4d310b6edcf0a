"""The folder: what is in it, and a clear error for whatever is wrong with a file of it."""

import json
import os
import shutil

import numpy as np
import pytest

from refdeconv.checks.report import Verdict
from refdeconv.conformance import challenge as challenges
from refdeconv.conformance.array_files import FileError
from refdeconv.conformance.challenge.folder import check_schema, fingerprint, schema
from tests.conformance.challenge.plain import Plain, answers


@pytest.fixture(scope="module")
def answered(tmp_path_factory):
    """A challenge with right answers, in all three kinds of files."""
    folder = tmp_path_factory.mktemp("challenge") / "folder"
    made = challenges.challenge("convolution", (5, 6))
    challenges.write(folder, made)
    for number, (call, answer) in enumerate(answers(made, Plain(made.problem)).items()):
        path = folder / call.answer
        if number % 3 == 0:
            np.save(path.with_suffix(".npy"), answer)
        elif number % 3 == 1:
            answer.astype("<f8").tofile(path.with_suffix(".bin"))
        else:
            np.savetxt(path.with_suffix(".txt"), answer.ravel(), "%.17g")
    return folder


@pytest.fixture
def folder(answered, tmp_path):
    return shutil.copytree(answered, tmp_path / "folder", symlinks=True)


def error_of(folder):
    with pytest.raises(FileError) as error:
        challenges.judge(folder)
    return str(error.value)


def rewrite(folder, change, *, honest=True):
    """Change the manifest, with a hash that fits."""
    manifest = json.loads((folder / "challenge.json").read_text())
    change(manifest)
    if honest:
        manifest["sha256"] = fingerprint(manifest)
    (folder / "challenge.json").write_text(json.dumps(manifest))


def test_right_answers_in_all_kinds_of_files(folder):
    assert challenges.judge(folder).report.verdict is Verdict.PASS


def test_what_is_written_is_read(answered):
    made, found = challenges.challenge("convolution", (5, 6)), challenges.read(answered)
    assert found.calls == made.calls
    assert found.seed == made.seed
    assert found.problem.name == made.problem.name
    for name, probe in made.probes.items():
        np.testing.assert_array_equal(found.probes[name].array, probe.array)
        np.testing.assert_array_equal(
            np.fromfile(answered / f"inputs/{name}.bin").reshape(probe.array.shape), probe.array
        )
        np.testing.assert_array_equal(np.load(answered / f"inputs/{name}.npy"), probe.array)


def test_the_same_seed_writes_the_same_folder(tmp_path):
    for name, seed in (("a", 5), ("b", 5), ("c", 6)):
        challenges.write(tmp_path / name, challenges.challenge("article-wrap", (4, 5, 3), seed))
    contents = [
        {str(path.relative_to(top)): path.read_bytes() for path in top.rglob("*") if path.is_file()}
        for top in (tmp_path / "a", tmp_path / "b", tmp_path / "c")
    ]
    assert contents[0] == contents[1]
    assert contents[0].keys() == contents[2].keys()
    assert contents[0]["inputs/x1.bin"] != contents[2]["inputs/x1.bin"]


@pytest.mark.slow
@pytest.mark.parametrize("name", challenges.NAMES)
def test_every_problem_is_written_and_read(name, tmp_path):
    for shape in ((7,), (5, 6), (5, 4, 3)):
        folder = tmp_path / str(len(shape))
        challenges.write(folder, challenges.challenge(name, shape))
        assert challenges.read(folder).problem.name == name
        text = (folder / "README.md").read_text()
        assert "@" not in text.replace("%@", "")
        assert "{" not in text.replace("{ ... }", "")


def test_the_manifest_is_as_its_schema_says(answered):
    import jsonschema

    jsonschema.Draft202012Validator.check_schema(schema())
    check_schema(json.loads((answered / "challenge.json").read_text()))


def test_nothing_is_overwritten(folder, tmp_path):
    made = challenges.challenge("convolution")
    before = (folder / "challenge.json").read_bytes()
    with pytest.raises(FileError, match="is not empty, and nothing is overwritten"):
        challenges.write(folder, made)
    assert (folder / "challenge.json").read_bytes() == before
    (tmp_path / "file").write_text("x")
    with pytest.raises(FileError, match="is a file, not a folder"):
        challenges.write(tmp_path / "file", made)
    with pytest.raises(FileError, match="cannot write"):
        challenges.write(tmp_path / "file" / "below", made)


# ---- Answers. ----


def test_missing_answers_are_counted(folder):
    assert "1 of 30 answers are missing" in error_of_without(folder, "answers/004.npy")
    shutil.rmtree(folder / "answers")
    text = error_of(folder)
    assert "30 of 30 answers are missing" in text
    assert "run your program" in text


def error_of_without(folder, name):
    (folder / name).unlink()
    return error_of(folder)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("001.npy", b"", "answers/001.npy is not a .npy file"),
        ("001.npy", b"\x93NUMPY\x01\x00", "answers/001.npy is cut short or damaged"),
        ("002.bin", bytes(8 * 29), "answers/002.bin has 232 bytes, expected 240"),
        ("002.bin", bytes(8 * 31), "answers/002.bin has 248 bytes, and at most 240"),
        ("002.bin", bytes(4 * 30), "answers/002.bin has 120 bytes, expected 240"),
        ("002.bin", np.full(30, np.nan).tobytes(), "answers/002.bin holds NaN or infinity at 30 of 30"),
        ("003.txt", b"1 2 3", "answers/003.txt holds 3 numbers, expected 30"),
        ("003.txt", b"NaN " * 30, "answers/003.txt holds NaN"),
        ("003.txt", b"zero " * 30, "answers/003.txt is not a list of numbers"),
        ("001.bin", bytes(240), "answers/001.npy and answers/001.bin are both there"),
    ],
)
def test_what_is_wrong_with_an_answer_is_said(folder, name, content, message):
    (folder / "answers" / name).write_bytes(content)
    assert message in error_of(folder)


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (np.zeros((6, 5)), r"has shape (6, 5), expected (5, 6)"),
        (np.zeros(30), r"has shape (30,), expected (5, 6)"),
        (np.zeros((5, 6), np.float32), "has dtype float32, allowed: float64"),
        (np.zeros((5, 6), complex), "has dtype complex128"),
        (np.zeros((5, 6), int), "has dtype int64"),
        (np.full((5, 6), np.inf), "holds NaN or infinity at 30 of 30"),
        (np.full((5, 6), None, object), "holds Python objects, which are never loaded"),
    ],
)
def test_what_is_wrong_with_an_array_is_said(folder, answer, message):
    np.save(folder / "answers/001.npy", answer, allow_pickle=True)
    assert message in error_of(folder)


def test_a_value_may_be_an_array_of_one_number(tmp_path):
    made = challenges.challenge("article", (4, 5), functions=("value",))
    challenges.write(tmp_path / "v", made)
    shapes = [(), (1,), (1, 1)]
    for number, (call, answer) in enumerate(answers(made, Plain(made.problem)).items()):
        np.save(tmp_path / "v" / f"{call.answer}.npy", answer.reshape(shapes[number % 3]))
    assert challenges.judge(tmp_path / "v").report.verdict is Verdict.PASS
    np.save(tmp_path / "v/answers/001.npy", np.zeros(2))
    assert "answers/001.npy has shape (2,), expected ()" in error_of(tmp_path / "v")


def test_single_precision_answers_are_read_where_they_are_allowed(tmp_path):
    made = challenges.challenge("convolution", (4, 5), precision="single")
    challenges.write(tmp_path / "s", made)
    for number, (call, answer) in enumerate(answers(made, Plain(made.problem, np.float32)).items()):
        path = tmp_path / "s" / call.answer
        if number % 2:
            np.save(path.with_suffix(".npy"), answer.astype(np.float32))
        else:
            answer.astype("<f4").tofile(path.with_suffix(".bin"))
    assert challenges.judge(tmp_path / "s").report.verdict is Verdict.PASS


# ---- Nothing outside of the folder. ----


def test_answers_outside_are_not_read(folder, tmp_path):
    secret = tmp_path / "secret.npy"
    np.save(secret, np.zeros((5, 6)))
    (folder / "answers/001.npy").unlink()
    (folder / "answers/001.npy").symlink_to(secret)
    assert "answers/001.npy points outside" in error_of(folder)
    (folder / "answers/001.npy").unlink()
    (folder / "answers/001.npy").symlink_to("gone.npy")
    assert "answers/001.npy is missing" in error_of(folder)


def test_folders_outside_are_not_read(folder, tmp_path):
    for name in ("answers", "inputs"):
        (folder / name).rename(tmp_path / name)
        (folder / name).symlink_to(tmp_path / name, target_is_directory=True)
        assert "points outside" in error_of(folder)


def test_pipes_and_folders_are_not_read(folder):
    (folder / "answers/001.npy").unlink()
    os.mkfifo(folder / "answers/001.npy")
    assert "not a file, but a pipe" in error_of(folder)
    (folder / "answers/001.npy").unlink()
    (folder / "answers/001.npy").mkdir()
    assert "not a file, but a folder" in error_of(folder)


@pytest.mark.parametrize("place", ["arrays", "probes"])
@pytest.mark.parametrize("name", ["../secret", "/etc/passwd", "inputs/../../secret", "inputs/x1/../x2", "C:\\x"])
def test_names_in_the_manifest_do_not_lead_outside(folder, place, name):
    key = {"arrays": "psf", "probes": "x1"}[place]
    rewrite(folder, lambda manifest: manifest[place][key].update(file=name))
    assert "challenge.json is not a challenge, at $." in error_of(folder)


def test_answers_named_in_the_manifest_do_not_lead_outside(folder):
    rewrite(folder, lambda manifest: manifest["calls"][0].update(answer="../../001"))
    assert "challenge.json is not a challenge" in error_of(folder)


# ---- What was written is what is read. ----


@pytest.mark.parametrize(
    "name", ["inputs/x1.npy", "inputs/x1.bin", "inputs/psf.npy", "README.md", "calls.csv", "parameters.csv"]
)
def test_a_changed_or_missing_file_is_noticed(folder, name):
    content = bytearray((folder / name).read_bytes())
    content[-1] ^= 1
    (folder / name).write_bytes(content)
    assert f"{name} is not what was written (its sha256 differs)" in error_of(folder)
    (folder / name).unlink()
    assert f"{name} is missing" in error_of(folder)


def test_a_missing_or_damaged_manifest(folder, tmp_path):
    assert "there is no folder" in error_of(tmp_path / "nothing")
    (tmp_path / "file").write_text("x")
    assert "there is no folder" in error_of(tmp_path / "file")
    for content, message in (
        (b"", "is not JSON"),
        (b"{", "is not JSON"),
        (b"\xff\xfe", "is not JSON"),
        (b"[" * 100000, "is not JSON"),
        (b'{"a": NaN}', "NaN is no number"),
        (b"[]", "is not a challenge"),
        (b"null", "is not a challenge"),
        (b" " * 2**21, "at most 1048576 are expected"),
    ):
        (folder / "challenge.json").write_bytes(content)
        assert message in error_of(folder), content[:20]
    (folder / "challenge.json").unlink()
    assert "challenge.json is missing" in error_of(folder)


def test_a_changed_manifest_is_noticed(folder):
    rewrite(folder, lambda manifest: manifest.update(seed=1), honest=False)
    assert "challenge.json is not what was written" in error_of(folder)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda m: m.update(version=2), "is of version 2, this refdeconv reads version 1"),
        (lambda m: m.update(problem="convolute"), "unknown problem 'convolute'"),
        (lambda m: m.update(problem="article"), "parameters or arrays are not those of article"),
        (lambda m: m.update(problem="convolution-valid"), "data_shape is"),
        (lambda m: m.update(shape=[6, 5]), "shape"),
        (lambda m: m.update(shape=[4000000, 4000000]), "shape"),
        (lambda m: m.update(shape=[5]), "psf has shape"),
        (lambda m: m.update(functions=["value"]), "has the functions"),
        (lambda m: m.update(functions=["forward"]), "functions|entry"),
        (lambda m: m["calls"].pop(3), "entry 4 of calls"),
        (lambda m: m["calls"][0].update(shape=[6, 5]), "entry 1 of calls"),
        (lambda m: m["calls"][0].update(point="nowhere"), "at nowhere, which is no array"),
        (lambda m: m["calls"][0].update(direction="x1"), "must have a direction if and only if"),
        (lambda m: m["probes"]["x1"].update(shape=[30]), "has shape"),
        (lambda m: m["probes"]["x1"].update(file="inputs/x2"), ""),
        (lambda m: m["files"].pop("inputs/x1.bin"), "has no sha256 of inputs/x1.bin"),
        (lambda m: m["arrays"]["psf"].update(shape=[4, 5]), "psf"),
    ],
)
def test_a_manifest_that_does_not_fit_together(folder, change, message):
    rewrite(folder, change)
    if message:
        assert any(part in error_of(folder) for part in message.split("|"))
    else:
        assert challenges.judge(folder).report.verdict is Verdict.WRONG
