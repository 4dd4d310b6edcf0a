"""PSFs of arrays and files: background, centring, window, and what is refused; the checks of any array."""

import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

import refdeconv as rd


def test_a_bead_on_a_background_is_found_again():
    """A known PSF, off centre on a constant background, comes back as it was."""
    known = rd.psf.gaussian((9, 8), (1, 0.8))
    picture = np.full((30, 25), 100.0)
    picture[5:14, 11:19] += 5000 * known
    for background in ("edge", 100):
        for centre in ("peak", "centroid"):
            found = rd.psf.from_array(picture, background=background, centre=centre, shape=(9, 8))
            assert np.allclose(found, known, rtol=1e-9, atol=1e-15)


def placed(array, central, shape):
    """The window by its definition, one sample at a time."""
    window = np.zeros(shape)
    for index in np.ndindex(*shape):
        source = tuple(i - (n - 1) // 2 + c for i, n, c in zip(index, shape, central, strict=True))
        if all(0 <= s < n for s, n in zip(source, array.shape, strict=True)):
            window[index] = array[source]
    return window


@given(st.lists(st.tuples(st.integers(1, 7), st.integers(1, 9)), min_size=1, max_size=3), st.integers(0, 2**32))
@pytest.mark.filterwarnings("ignore:psf:UserWarning")
def test_the_window_is_its_definition(sizes, seed):
    old, new = zip(*sizes, strict=True)
    array = np.random.default_rng(seed).random(old) + 0.1
    peak = np.unravel_index(array.argmax(), old)
    expected = placed(array, peak, new)
    found = rd.psf.from_array(array, shape=new)
    assert np.allclose(found, expected / expected.sum(), rtol=1e-14)
    assert found[tuple((n - 1) // 2 for n in new)] == found.max()
    still = placed(array, [(n - 1) // 2 for n in old], new)
    assert np.allclose(rd.psf.from_array(array, shape=new, centre=None, normalise=False), still, rtol=1e-15)


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 6])
def test_a_symmetric_array_stays_where_it_is_by_its_centroid(size):
    array = np.ones((size, 5))
    assert np.allclose(rd.psf.from_array(array, centre="centroid"), array / array.sum(), rtol=1e-15)


def test_order_of_the_steps():
    """Background, negatives, centre, window, sum: the peak of what is left, and no negative weight in the centroid."""
    array = np.array([-9.0, 1, 2, 6, 2, 1, 1])
    assert np.array_equal(rd.psf.from_array(array, background=1, shape=3, normalise=False), [1, 5, 1])
    assert np.array_equal(
        rd.psf.from_array(array, background=1, shape=3, centre="centroid", normalise=False), [1, 5, 1]
    )
    assert np.array_equal(rd.psf.from_array(array, centre=None, normalise=False), [0, 1, 2, 6, 2, 1, 1])
    assert np.array_equal(array, [-9, 1, 2, 6, 2, 1, 1])


def test_the_edge_is_every_outermost_sample():
    array = np.arange(24.0).reshape(2, 3, 4)
    found = rd.psf.from_array(array, background="edge", centre=None, normalise=False)
    assert np.allclose(found, np.maximum(array - np.median(array), 0))
    ring = np.full((5, 5), 3.0)
    ring[1:4, 1:4] = 7
    assert np.array_equal(
        rd.psf.from_array(ring, background="edge", normalise=False, centre=None).max(axis=0) > 0, [0, 1, 1, 1, 0]
    )


def test_dtypes_and_scales():
    for dtype in (bool, np.uint8, np.int32, np.float16, np.float32, np.longdouble):
        psf = rd.psf.from_array(np.eye(3, dtype=dtype), centre=None)
        assert psf.dtype == np.float64
        assert np.allclose(psf, np.eye(3) / 3, rtol=1e-15)
    for scale in (5e-324, 1e-300, 1e300, 1e308):
        assert np.allclose(rd.psf.from_array(np.full((3, 3), scale), centre="centroid"), 1 / 9, rtol=1e-15)


def test_what_is_cut_off_is_said():
    with pytest.warns(UserWarning, match=r"40.0% of its sum lies outside of the window of shape \(3,\)") as warned:
        rd.psf.from_array(np.ones(5), shape=3, centre=None)
    assert warned[0].filename == __file__


@pytest.mark.parametrize(
    ("array", "options", "message"),
    [
        ([[0.0, 0], [0, 0]], {}, "array has nothing above zero"),
        ([1.0, 2, 3], {"background": 3}, "array has nothing above zero"),
        ([1.0, np.nan], {}, "array must be finite"),
        ([1.0, 1j], {}, "array must be real"),
        ([], {}, "array is empty"),
        (3.0, {}, "shape"),
        ([1.0, 2], {"shape": (2, 2)}, "shape must have as many axes"),
        ([1.0, 2], {"shape": 0}, "shape needs"),
        ([1.0, 2], {"background": "edges"}, "unknown background 'edges': did you mean 'edge'"),
        ([1.0, 2], {"background": None, "centre": "centriod"}, "did you mean 'centroid'"),
        ([1.0, 2], {"background": np.inf}, "background must be a finite number"),
        ([1.0, 2], {"normalise": "sum"}, "normalise must be True or False"),
        ([0.0, 0, 0, 0, 1], {"shape": 1, "centre": None}, r"shape \(1,\) cuts off all"),
    ],
)
def test_bad_arrays(array, options, message):
    with pytest.raises((ValueError, TypeError), match=message):
        rd.psf.from_array(array, **options)


@pytest.mark.parametrize("ending", ["npy", "tif", "TIFF", "png"])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_files(tmp_path, ending, dtype):
    tifffile = pytest.importorskip("tifffile")
    array = np.random.default_rng(0).integers(0, 200, (7, 6)).astype(dtype) + np.diag([0, 0, 0, 50, 0, 0, 0])[:, :6]
    array, path = array.astype(dtype), tmp_path / f"bead.{ending}"
    if ending == "npy":
        np.save(path, array)
    elif ending == "png":
        Image.fromarray(array).save(path)
    else:
        tifffile.imwrite(path, array)
    options = {"background": "edge", "centre": "centroid", "shape": (9, 9)}
    assert np.array_equal(rd.psf.from_file(path, **options), rd.psf.from_array(array, **options))
    assert np.array_equal(rd.psf.from_file(str(path), shape=(19, 19)), rd.psf.from_array(array, shape=(19, 19)))


def test_volumes_in_files(tmp_path):
    tifffile = pytest.importorskip("tifffile")
    stack = np.random.default_rng(0).random((4, 5, 6)).astype(np.float32)
    tifffile.imwrite(tmp_path / "stack.tif", stack, photometric="minisblack")
    expected = rd.psf.from_array(stack, centre=None)
    assert np.array_equal(rd.psf.from_file(tmp_path / "stack.tif", centre=None), expected)


def test_files_that_cannot_be_used(tmp_path):
    tifffile = pytest.importorskip("tifffile")
    colour = np.zeros((4, 4, 3), np.uint8)
    Image.fromarray(colour).save(tmp_path / "colour.png")
    tifffile.imwrite(tmp_path / "colour.tif", colour, photometric="rgb")
    (tmp_path / "text.png").write_text("no picture")
    (tmp_path / "text.tif").write_text("no picture")
    (tmp_path / "text.npy").write_text("no array")
    np.save(tmp_path / "objects.npy", np.array([{}]), allow_pickle=True)
    for name in ("colour.png", "colour.tif"):
        with pytest.raises(ValueError, match="colour image"):
            rd.psf.from_file(tmp_path / name)
    for name in ("text.tif", "text.npy", "objects.npy"):
        with pytest.raises(ValueError, match=f"path: cannot read .*{name}"):
            rd.psf.from_file(tmp_path / name)
    with pytest.raises(OSError, match=r"text\.png"):
        rd.psf.from_file(tmp_path / "text.png")
    with pytest.raises(FileNotFoundError, match=r"none\.npy"):
        rd.psf.from_file(tmp_path / "none.npy")
    with pytest.raises(ValueError, match=r"path must end in one of \.npy"):
        rd.psf.from_file(tmp_path / "psf.fits")


@pytest.mark.parametrize(("name", "library"), [("a.tif", "tifffile"), ("a.png", "PIL")])
def test_a_missing_library_is_named(monkeypatch, name, library):
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(ImportError, match=f"to read {name}, install {'Pillow' if library == 'PIL' else library}"):
        rd.psf.from_file(name)


def test_a_doubtful_psf_is_used_and_said_once():
    with pytest.warns(UserWarning, match=r"sums to 2, not to 1.*and has negative entries") as warned:
        psf = rd.psf.as_psf([-1.0, 3.0], (5,))
    assert len(warned) == 1
    assert np.array_equal(psf, [-1, 3])


def test_what_is_no_psf():
    with pytest.raises(ValueError, match=r"psf has 2 axes .* channel_axis"):
        rd.psf.as_psf(np.ones((3, 3)), (5, 5, 3))
    with pytest.raises(ValueError, match="zero everywhere"):
        rd.psf.as_psf(np.zeros(3), (5,))
