"""Array files: what is written is read back; what is wrong with a file is said of it; nothing outside is opened."""

import io
import os
import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from refdeconv.conformance.array_files import (
    FileError,
    contents,
    inside,
    npy_bytes,
    raw_bytes,
    read_npy,
    read_raw,
    read_text,
    write_whole,
)

SHAPE = (3, 2)
ARRAY = np.arange(6.0).reshape(SHAPE) / 7
NUMBERS = st.floats(allow_nan=False, allow_infinity=False, width=32)
ANY = arrays(
    st.sampled_from([np.float64, np.float32]), array_shapes(min_dims=0, max_dims=4, max_side=4), elements=NUMBERS
)


def npy(array, **options):
    stream = io.BytesIO()
    np.lib.format.write_array(stream, np.asanyarray(array), **options)
    return stream.getvalue()


def with_header(header, data=b"", version=(1, 0)):
    """A file with any text for a header."""
    text = header.encode("latin1") + b"\n"
    size = struct.pack("<H" if version == (1, 0) else "<I", len(text))
    return b"\x93NUMPY" + bytes(version) + size + text + data


def refused(folder, content, message, shape=SHAPE, dtypes=("float64",)):
    (folder / "a.npy").write_bytes(content)
    with pytest.raises(FileError, match=message) as error:
        read_npy(folder, "a.npy", shape, dtypes)
    assert "a.npy" in str(error.value)


@given(array=ANY)
@settings(max_examples=60, deadline=None)
def test_what_is_written_is_read_back(tmp_path_factory, array):
    folder = tmp_path_factory.mktemp("round")
    name = array.dtype.name
    hashes = write_whole(folder, "a.npy", npy_bytes(array)), write_whole(folder, "a.bin", raw_bytes(array))
    for found in (
        read_npy(folder, "a.npy", array.shape, (name,), sha256=hashes[0]),
        read_raw(folder, "a.bin", array.shape, name, sha256=hashes[1]),
    ):
        assert found.dtype == array.dtype
        assert found.shape == array.shape
        assert found.tobytes() == array.tobytes()
        assert found.flags.c_contiguous
        assert found.flags.writeable


@given(
    array=arrays(
        np.float64, array_shapes(max_dims=3, max_side=4), elements=st.floats(allow_nan=False, allow_infinity=False)
    )
)
@settings(max_examples=40, deadline=None)
def test_seventeen_digits_are_enough(tmp_path_factory, array):
    folder = tmp_path_factory.mktemp("text")
    (folder / "a.txt").write_text("\r\n".join(f"{number:.17g}" for number in array.ravel()))
    np.testing.assert_array_equal(read_text(folder, "a.txt", array.shape), array)


@given(content=st.binary(max_size=300))
@settings(max_examples=100, deadline=None)
def test_any_bytes_are_an_array_or_a_file_error(tmp_path_factory, content):
    folder = tmp_path_factory.mktemp("bytes")
    for name, read in (("a.npy", read_npy), ("a.bin", read_raw), ("a.txt", read_text)):
        for start in (b"", npy(ARRAY)[:60]):
            (folder / name).write_bytes(start + content)
            try:
                found = read(folder, name, SHAPE)
            except FileError:
                continue
            assert found.shape == SHAPE


@pytest.mark.parametrize("version", [(1, 0), (2, 0), (3, 0)])
def test_all_versions_of_the_header(tmp_path, version):
    (tmp_path / "a.npy").write_bytes(npy(ARRAY, version=version))
    np.testing.assert_array_equal(read_npy(tmp_path, "a.npy", SHAPE), ARRAY)


@pytest.mark.parametrize("array", [ARRAY.astype(">f8"), np.asfortranarray(ARRAY), ARRAY[::-1], ARRAY.T.copy().T])
def test_other_orders_are_read_as_what_they_say(tmp_path, array):
    (tmp_path / "a.npy").write_bytes(npy(array))
    found = read_npy(tmp_path, "a.npy", SHAPE)
    np.testing.assert_array_equal(found, array)
    assert found.dtype == np.dtype("=f8")
    assert found.flags.c_contiguous


def test_arrays_without_entries_and_numbers(tmp_path):
    for array in (np.zeros((0, 3)), np.float64(2.5)):
        (tmp_path / "a.npy").write_bytes(npy(array))
        np.testing.assert_array_equal(read_npy(tmp_path, "a.npy", np.shape(array)), array)
    (tmp_path / "a.bin").write_bytes(b"")
    assert read_raw(tmp_path, "a.bin", (0, 3)).shape == (0, 3)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "not a .npy file"),
        (b"1,2,3\n", "not a .npy file"),
        (b"PK\x03\x04" + bytes(40), "not a .npy file"),
        (npy(ARRAY)[:7], "cut short or damaged"),
        (npy(ARRAY)[:40], "cut short or damaged"),
        (npy(ARRAY)[:-1], "cut short: 47 bytes"),
        (npy(ARRAY)[:128], "cut short: 0 bytes"),
        (npy(ARRAY) + b"\0", "longer than its header says: 49 bytes"),
        (npy(ARRAY, version=(1, 0)).replace(b"NUMPY\x01", b"NUMPY\x09"), "version 9.0"),
        (npy(np.array([[1, 2], [3, "x"], [None, 1]], object), allow_pickle=True), "Python objects, which are never"),
        (npy(np.zeros(SHAPE, [("a", "f8")])), "has dtype void64"),
        (npy(ARRAY.astype(np.float32)), "has dtype float32, allowed: float64"),
        (npy(ARRAY.astype(complex)), "has dtype complex128"),
        (npy(ARRAY.astype(int)), "has dtype int64"),
        (npy(ARRAY.astype(str)), "has dtype str"),
        (npy(ARRAY.T), r"has shape \(2, 3\), expected \(3, 2\)"),
        (npy(ARRAY.ravel()), r"has shape \(6,\)"),
        (with_header("{'descr': '<f8', 'fortran_order': False, 'shape': (999999999999, 999999999)}"), "has shape"),
        (with_header("{'descr': '<f8', 'fortran_order': False, 'shape': (3, 2)}", bytes(8)), "cut short: 8 bytes"),
        (with_header("{'descr': '<f8', 'fortran_order': False, 'shape': (-3, 2)}", bytes(48)), "has shape|damaged"),
        (with_header("{'descr': '<f8', 'fortran_order': 3, 'shape': (3, 2)}", bytes(48)), "damaged"),
        (with_header("{'descr': '<f8', 'shape': (3, 2)}", bytes(48)), "damaged"),
        (with_header("__import__('os').system('touch pwned')", bytes(48)), "damaged"),
        (with_header("(" * 3000, bytes(48)), "damaged"),
        (with_header("{'descr': '|O', 'fortran_order': False, 'shape': (3, 2)}", bytes(48)), "Python objects"),
        (npy(np.where(ARRAY > 0.5, np.nan, ARRAY)), r"NaN or infinity at 2 of 6 entries, first at \(2, 0\)"),
        (npy(np.where(ARRAY > 0.6, -np.inf, ARRAY)), "NaN or infinity at 1 of 6"),
    ],
)
def test_what_is_wrong_with_an_npy_file_is_said(tmp_path, content, message):
    refused(tmp_path, content, message)


@pytest.mark.parametrize(
    "header", ["__import__('os').system('x')", "(" * 3000, "{'descr': 'zz', 'fortran_order': False, 'shape': (3, 2)}"]
)
def test_a_malformed_header_is_said_without_words_of_python(tmp_path, header):
    (tmp_path / "a.npy").write_bytes(with_header(header, bytes(48)))
    with pytest.raises(FileError) as error:
        read_npy(tmp_path, "a.npy", SHAPE)
    assert str(error.value) == "a.npy is cut short or damaged: its header is not that of an array of numbers"


def test_truth_values_are_no_sizes(tmp_path):
    (tmp_path / "a.npy").write_bytes(
        with_header("{'descr': '<f8', 'fortran_order': False, 'shape': (True, 2)}", bytes(16))
    )
    with pytest.raises(FileError, match=r"has shape \(True, 2\)"):
        read_npy(tmp_path, "a.npy", (1, 2))


def test_a_pickle_is_never_loaded(tmp_path):
    class Bomb:
        def __reduce__(self):
            return (os.mkdir, (str(tmp_path / "exploded"),))

    bomb = np.empty(SHAPE, object)
    bomb[:] = [[Bomb(), 0], [0, 0], [0, 0]]
    refused(tmp_path, npy(bomb, allow_pickle=True), "Python objects")
    assert not (tmp_path / "exploded").exists()


def test_nan_is_allowed_where_it_is_expected(tmp_path):
    (tmp_path / "a.npy").write_bytes(npy(np.full(SHAPE, np.nan)))
    assert np.isnan(read_npy(tmp_path, "a.npy", SHAPE, finite=False)).all()


@pytest.mark.parametrize(
    ("read", "content", "message"),
    [
        (read_raw, bytes(47), "has 47 bytes, expected 48"),
        (read_raw, bytes(49), "has 49 bytes, and at most 48"),
        (read_raw, b"", "has 0 bytes, expected 48"),
        (read_raw, np.full(6, np.nan).tobytes(), "NaN or infinity at 6 of 6"),
        (read_text, b"1 2 3 4 5", "holds 5 numbers, expected 6"),
        (read_text, b"1 2 3 4 5 six", "is not a list of numbers"),
        (read_text, b"1 2 3 4 5 nan", "NaN or infinity"),
        (read_text, b"1,2,3,4,5,6", "holds 1 numbers"),
        (read_text, b"\xff\xfe1 2 3 4 5", "UTF-16"),
        (read_text, "1 2 3 4 5 6".encode("utf-16"), "UTF-16"),
        (read_text, "1 2 3 4 5 6".encode("utf-16-le"), "it is no text"),
        (read_text, b"\xef\xbb\xbf1 2 3 4 5 6", "byte order mark"),
        (read_text, b"1 2 3 4 5 1,5", "'1,5' has a decimal comma"),
        (read_text, b"1 2 3 4 5 1_0", "'1_0' is none"),
        (read_text, b"1 2 3 4 5 0x1p3", "'0x1p3' is none"),
        (read_text, b"1 2 3 4 5 1.0D+00", "Fortran's exponent D"),
        (read_text, b"1,2,3,4,5,6", "separated by commas"),
        (read_text, b"1 2 3 4 5 " + b"x" * 200, "is none, write such as"),
    ],
)
def test_what_is_wrong_with_other_files_is_said(tmp_path, read, content, message):
    (tmp_path / "a").write_bytes(content)
    with pytest.raises(FileError, match=message):
        read(tmp_path, "a", SHAPE)


def test_parts_of_a_raw_file(tmp_path):
    (tmp_path / "a.bin").write_bytes(bytes(8) + raw_bytes(ARRAY) + bytes(16))
    np.testing.assert_array_equal(read_raw(tmp_path, "a.bin", SHAPE, offset=8, most=100), ARRAY)
    for offset in (-8, 32, 10**12):
        with pytest.raises(FileError, match="expected"):
            read_raw(tmp_path, "a.bin", SHAPE, offset=offset, most=100)


def test_a_changed_file_is_noticed(tmp_path):
    sha256 = write_whole(tmp_path, "a.npy", npy_bytes(ARRAY))
    (tmp_path / "a.npy").write_bytes(npy_bytes(ARRAY + 1e-16 * (ARRAY[2, 1] == ARRAY)))
    with pytest.raises(FileError, match="not what was written"):
        read_npy(tmp_path, "a.npy", SHAPE, sha256=sha256)


@pytest.mark.parametrize(
    "name",
    ["", "/etc/passwd", "../a", "a/../../b", "a//b", "./a", "a/.", "a\\b", "C:a", "C:\\a", "a\0b", "..", "a/"],
)
def test_names_that_lead_outside_are_refused(tmp_path, name):
    with pytest.raises(FileError, match="not the name of a file inside"):
        inside(tmp_path, name)
    with pytest.raises(FileError, match="not the name of a file inside"):
        write_whole(tmp_path, name, b"x")


def test_links_that_lead_outside_are_not_followed(tmp_path):
    folder, secret = tmp_path / "in", tmp_path / "out"
    folder.mkdir()
    secret.mkdir()
    (secret / "a.npy").write_bytes(npy(ARRAY))
    (folder / "a.npy").symlink_to(secret / "a.npy")
    (folder / "sub").symlink_to(secret, target_is_directory=True)
    (folder / "up.npy").symlink_to("../out/a.npy")
    for name in ("a.npy", "sub/a.npy", "up.npy"):
        with pytest.raises(FileError, match=r"points outside of .* \(a link\?\)"):
            read_npy(folder, name, SHAPE)
        with pytest.raises(FileError, match="points outside"):
            write_whole(folder, name, b"x")
    assert (secret / "a.npy").read_bytes() == npy(ARRAY)
    assert sorted(path.name for path in secret.iterdir()) == ["a.npy"]


def test_links_inside_are_followed_and_loops_are_not(tmp_path):
    (tmp_path / "a.npy").write_bytes(npy(ARRAY))
    (tmp_path / "b.npy").symlink_to("a.npy")
    np.testing.assert_array_equal(read_npy(tmp_path, "b.npy", SHAPE), ARRAY)
    (tmp_path / "c.npy").symlink_to("c.npy")
    (tmp_path / "d.npy").symlink_to("nowhere.npy")
    for name in ("c.npy", "d.npy"):
        with pytest.raises(FileError, match=name):
            read_npy(tmp_path, name, SHAPE)


def test_what_is_no_file_is_not_read(tmp_path):
    (tmp_path / "a.npy").mkdir()
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(FileError, match="not a file, but a folder"):
        contents(tmp_path, "a.npy", most=100)
    with pytest.raises(FileError, match="not a file, but a pipe"):  # and nothing waits for somebody to write to it
        contents(tmp_path, "pipe", most=100)
    with pytest.raises(FileError, match="is missing in"):
        contents(tmp_path, "b.npy", most=100)
    (tmp_path / "file").write_bytes(b"x")
    with pytest.raises(FileError, match="cannot be read"):
        contents(tmp_path, "file/below", most=100)


def test_devices_are_not_read():
    with pytest.raises(FileError, match="not a file, but a device"):
        contents(Path("/dev"), "null", most=100)


def test_large_files_are_not_read(tmp_path):
    with open(tmp_path / "a.npy", "wb") as file:
        file.truncate(10**10)  # takes no room
    with pytest.raises(FileError, match="has 10000000000 bytes, and at most"):
        read_npy(tmp_path, "a.npy", SHAPE)


def test_writing_is_whole_or_not_at_all(tmp_path, monkeypatch):
    write_whole(tmp_path, "sub/a", b"before")
    monkeypatch.setattr("pathlib.Path.replace", lambda *_: (_ for _ in ()).throw(OSError("full")))
    with pytest.raises(OSError, match="full"):
        write_whole(tmp_path, "sub/a", b"after")
    assert [path.name for path in (tmp_path / "sub").iterdir()] == ["a"]
    assert (tmp_path / "sub/a").read_bytes() == b"before"
