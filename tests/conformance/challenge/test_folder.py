"""The folder: what is in it, and a clear error for whatever is wrong with a file of it."""

import hashlib
import json
import os
import re
import shutil

import numpy as np
import pytest

from refdeconv.checks.report import Verdict
from refdeconv.conformance import challenge as challenges
from refdeconv.conformance.array_files import FileError
from refdeconv.conformance.challenge import draws
from refdeconv.conformance.challenge.folder import check_schema, fingerprint, schema
from tests.conformance.challenge.plain import Naive, Plain, answers


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
        assert not re.search(r"\{\w", text)


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
    assert "1 of 37 answers are missing" in error_of_without(folder, "answers/004.npy")
    shutil.rmtree(folder / "answers")
    text = error_of(folder)
    assert "37 of 37 answers are missing" in text
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


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("002.TXT", "There is answers/002.TXT: its name must be 002.txt"),
        ("2.txt", "There is answers/2.txt: its name must be 002.txt"),
        ("answer_2.bin", "There is answers/answer_2.bin: its name must be 002.bin"),
        ("002.csv", "There is answers/002.csv: its name must be 002 with one of these endings"),
        ("zwei.txt", "then judge again"),
    ],
)
def test_near_misses_of_names_are_told(folder, name, hint):
    (folder / "answers/002.bin").rename(folder / "answers" / name)
    assert error_of(folder).endswith(hint)


def test_nan_is_told_of_all_answers_at_once(tmp_path):
    """With all other files that are of no use."""
    made = challenges.challenge("poisson-total-variation", (5, 6))
    challenges.write(tmp_path / "p", made)
    found = answers(made, Naive(made.problem))
    dark = made.problem.arrays["data"] == 0
    for call, answer in found.items():
        if call.function == "value":
            answer = np.array(np.nan)
        elif call.function == "hvp" and call.point == "x2":
            answer = np.where(dark, np.inf, answer)
        np.save(tmp_path / "p" / f"{call.answer}.npy", answer)
    gradients = [call for call in made.calls if call.function == "gradient"]
    (tmp_path / "p" / f"{gradients[0].answer}.npy").unlink()
    for call in gradients[1:4]:
        np.save(tmp_path / "p" / f"{call.answer}.npy", np.zeros((6, 5)))
    with pytest.raises(challenges.AnswersError) as error:
        challenges.judge(tmp_path / "p")
    text = str(error.value)
    counts = {f: sum(call.function == f for call in made.calls) for f in ("value", "hvp")}
    twice = sum((call.function, call.point) == ("hvp", "x2") for call in made.calls)
    assert "has shape (6, 5), expected (5, 6); the same of" in text
    assert all(call.answer in text for call in gradients[:4])
    assert f"value: NaN or infinity in {counts['value']} of {counts['value']} calls" in text
    assert f"hvp: NaN or infinity in {twice} of {counts['hvp']} calls (" in text
    assert f"at {dark.sum()} of 30 entries" in text
    assert "0 * log(0) where no photon was counted" in text
    assert [row["what"] == "NaN or infinity" for row in error.value.problems] == [False, False, True, True]


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
    assert "is a file; there is no folder" in error_of(tmp_path / "file")
    assert "no folder can have this name" in error_of(tmp_path / ("n" * 5000))
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
        (lambda m: m.update(version=1), "is of version 1, this refdeconv reads version 2"),
        (lambda m: m.update(problem="convolute"), "unknown problem 'convolute'"),
        (lambda m: m.update(problem="article"), "is not what `refdeconv challenge DIR --problem article --shape 5x6"),
        (lambda m: m.update(problem="convolution-valid"), "--problem convolution-valid --shape 5x6 --seed 0"),
        (lambda m: m.update(shape=[6, 5]), "--shape 6x5 --seed 0"),
        (lambda m: m.update(shape=[4000000, 4000000]), "shape must have 1 to 3 axes"),
        (lambda m: m.update(seed=1), "--seed 1 --precision double --functions forward,adjoint` writes: files differs"),
        (lambda m: m.update(seed=10**400), "digits"),
        (lambda m: m.update(seed=2**63), "9223372036854775808 is greater"),
        (lambda m: m.update(precision="single"), "writes: probes and calls and files differ"),
        (lambda m: m.update(functions=["value"]), "unknown function of convolution 'value'"),
        (lambda m: m.update(functions=["forward"]), "calls"),
        (lambda m: m.update(parameters={"mu": 1e308}), "writes: parameters differs"),
        (lambda m: m.update(parameters={"mu": 10**399}), "writes: parameters differs"),
        (lambda m: m["calls"].pop(3), "writes: calls differs. It is not judged"),
        (lambda m: m["calls"][0].update(shape=[6, 5]), "writes: calls differs"),
        (lambda m: m["calls"][0].update(point="nowhere"), "writes: calls differs"),
        (lambda m: m["probes"]["x1"].update(file="inputs/x2"), "writes: probes differs"),
        (lambda m: m["files"].pop("inputs/x1.bin"), "writes: files differs"),
        (lambda m: m["files"].update({"/etc/passwd": "0" * 64}), "writes: files differs"),
        (lambda m: m["files"].pop("README.md"), "writes: files differs"),
        (lambda m: m["arrays"]["psf"].update(shape=[4, 5]), "writes: arrays differs"),
        (lambda m: m.update(refdeconv="0.0.1", parameters={"mu": 1}), "it was written by refdeconv 0.0.1, this is"),
    ],
)
def test_a_manifest_that_is_not_what_is_written(folder, change, message):
    rewrite(folder, change)
    assert message in error_of(folder)


def test_a_weakened_challenge_is_refused(folder):
    """Inputs at which less shows, with all hashes changed to fit."""
    zeros = np.zeros((5, 6))
    np.save(folder / "inputs/x1.npy", zeros)
    zeros.tofile(folder / "inputs/x1.bin")
    files = {
        name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in ("inputs/x1.npy", "inputs/x1.bin")
    }
    rewrite(folder, lambda manifest: manifest["files"].update(files))
    assert "is not what `refdeconv challenge DIR --problem convolution" in error_of(folder)


def test_keys_that_come_twice_are_refused(folder):
    text = (folder / "challenge.json").read_text()
    (folder / "challenge.json").write_text(text.replace('"seed": 0', '"seed": 0, "seed": 0'))
    assert "it has 'seed' twice in one object" in error_of(folder)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"[" * 100000, "it is nested too deeply"),
        (b'{"seed": ' + b"9" * 10000 + b"}", "it has a number of 10000 digits"),
        (b"\xff\xfe{}", "it is no text in UTF-8"),
        (b'{"mu": 1e400}', "1e400 is larger than float64 can hold"),
        (b'{"a": 1, "b": 1, "b": 2}', "it has 'b' twice in one object"),
        (b'{"' + b"a" * 100000 + b'": 1}', "(cut)"),
    ],
)
def test_a_manifest_that_is_nothing_has_a_short_message(folder, content, message):
    (folder / "challenge.json").write_bytes(content)
    text = error_of(folder)
    assert message in text
    assert len(text) < 300


def test_numbers_are_the_same_everywhere():
    """Not those of NumPy's generators, which its versions may change: hashes of a formula and exact arithmetic."""
    digest = hashlib.shake_256(b"refdeconv challenge, 7, x1").digest(16)
    first, second = (int.from_bytes(digest[8 * i : 8 * i + 8], "little") for i in range(2))
    expected = [(13 + first % 26) / 64, (13 + second % 26) / 64 + 0.5 * 0]
    made = challenges.challenge("convolution", (4, 5), 7)
    np.testing.assert_array_equal(made.probes["x1"].array.ravel()[:2], expected)
    uniform = draws.uniform(7, "x2", (2,), 0.0, 1.0)
    word = int.from_bytes(hashlib.shake_256(b"refdeconv challenge, 7, x2").digest(8), "little")
    assert uniform[0] == (word >> 11) / 2**53
