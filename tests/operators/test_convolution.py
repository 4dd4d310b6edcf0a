"""The convolution against direct summation, scipy.signal and scipy.ndimage, and where its arguments are wrong."""

import itertools
from math import prod
from unittest import mock

import numpy as np
import pytest
import scipy.fft
import scipy.ndimage
import scipy.signal
import skimage.filters
from hypothesis import given, settings
from hypothesis import strategies as st

import refdeconv as rd
from refdeconv import _fft, checks
from refdeconv.operators import _gram, convolution, extension
from refdeconv.operators._gram import cost, is_narrow
from refdeconv.operators.convolution import BOUNDARIES
from tests.oracles import convolution_matrix
from tests.test_contracts import relative_error

SAME_SHAPE = extension.BOUNDARIES


@st.composite
def convolutions(draw, max_pixels, max_size, max_psf):
    """A convolution with an asymmetric PSF of any size, its origin anywhere, and a generator for arrays."""
    boundary = draw(st.sampled_from(BOUNDARIES))
    ndim = draw(st.integers(1, 3))
    shape, pixels = [], max_pixels
    for _ in range(ndim):
        shape.append(draw(st.integers(1, max(1, min(max_size, pixels)))))
        pixels //= shape[-1]
    largest = [n if boundary == "valid" else max_psf for n in shape]
    sizes = [draw(st.integers(1, size if ndim < 3 else min(size, 9))) for size in largest]
    origin = [draw(st.integers(0, k - 1)) for k in sizes]
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    psf = rng.standard_normal(sizes)
    return rd.Convolution(psf, tuple(shape), boundary, tuple(origin)), rng


def every_parity(ndim):
    """Images and PSFs with odd and even sizes in every combination, and PSFs larger than the image."""
    sizes = {1: (4, 5), 2: (3, 4), 3: (2, 3)}[ndim]
    psfs = {1: (1, 2, 3, 4, 9, 10), 2: (2, 3, 8, 9), 3: (2, 3)}[ndim]
    return itertools.product(itertools.product(sizes, repeat=ndim), itertools.product(psfs, repeat=ndim))


@pytest.mark.parametrize("ndim", [1, 2, 3])
@pytest.mark.parametrize("boundary", BOUNDARIES)
def test_every_parity(boundary, ndim):
    rng = np.random.default_rng(ndim)
    for shape, sizes in every_parity(ndim):
        if boundary == "valid" and any(k > n for k, n in zip(sizes, shape, strict=True)):
            continue
        psf, origin = rng.standard_normal(sizes), tuple(int(rng.integers(k)) for k in sizes)
        convolution = rd.Convolution(psf, shape, boundary, origin)
        matrix = convolution_matrix(psf, shape, boundary, origin)
        assert relative_error(convolution.to_dense(), matrix) <= 1e-14
        assert relative_error(convolution.T.to_dense(), matrix.T) <= 1e-14
        assert relative_error((convolution.T @ convolution).to_dense(), matrix.T @ matrix) <= 1e-14
        x, y = rng.standard_normal(shape), rng.standard_normal(convolution.output_shape)
        assert relative_error(convolution.gram(x).ravel(), matrix.T @ (matrix @ x.ravel())) <= 1e-14
        assert relative_error(convolution.adjoint(y).ravel(), matrix.T @ y.ravel()) <= 1e-14


@given(convolutions(max_pixels=60, max_size=12, max_psf=14))
def test_is_the_direct_sum(case):
    convolution, _ = case
    matrix = convolution_matrix(convolution.psf, convolution.input_shape, convolution.boundary, convolution.origin)
    scale = np.linalg.norm(convolution.psf)  # the sum may cancel down to nothing, its terms do not
    error = np.linalg.norm(convolution.to_dense() - matrix) / max(np.linalg.norm(matrix), scale)
    assert error <= 1e-14
    assert np.linalg.norm(convolution.T.to_dense() - matrix.T) / max(np.linalg.norm(matrix), scale) <= 1e-14


def dot_product_bound(convolution, rng):
    """Rounding relative to the result, which a folded PSF may cancel down to nothing; its terms do not."""
    terms = np.prod(convolution.input_shape) + convolution.psf.size  # of the sums that are compared
    x = rng.standard_normal(convolution.input_shape)
    gain = np.linalg.norm(convolution.forward(x)) / np.linalg.norm(x)
    return 1e-15 * (1 + np.log2(terms)) * max(1, np.linalg.norm(convolution.psf) / gain if gain > 0 else np.inf)


@given(convolutions(max_pixels=2**14, max_size=64, max_psf=70))
def test_dot_product(case):
    convolution, rng = case
    shapes = convolution.input_shape, convolution.output_shape
    error = checks.adjoint_error(convolution.forward, convolution.adjoint, *shapes, directions=3, rng=rng)
    assert error <= dot_product_bound(convolution, rng)


@pytest.mark.slow
@settings(max_examples=2000)
@given(convolutions(max_pixels=64**3, max_size=64, max_psf=130))
def test_dot_product_exhaustively(case):
    convolution, rng = case
    shapes = convolution.input_shape, convolution.output_shape
    error = checks.adjoint_error(convolution.forward, convolution.adjoint, *shapes, directions=2, rng=rng)
    assert error <= dot_product_bound(convolution, rng)


@pytest.mark.parametrize("boundary", SAME_SHAPE)
@pytest.mark.parametrize(
    ("shape", "sizes"), [((7,), (4,)), ((8,), (3,)), ((5, 4), (2, 3)), ((4, 5), (7, 6)), ((3, 2, 4), (2, 3, 3))]
)
def test_longdouble_is_the_direct_sum_in_longdouble(shape, sizes, boundary):
    rng = np.random.default_rng(3)
    psf = (rng.standard_normal(sizes) / 3).astype(np.longdouble) / 7
    convolution = rd.Convolution(psf, shape, boundary)
    x = rng.standard_normal(shape).astype(np.longdouble) / 3
    expected = convolution_matrix(psf, shape, boundary, convolution.origin) @ x.ravel()
    assert relative_error(convolution.forward(x).ravel(), expected) <= 50 * np.finfo(np.longdouble).eps


@pytest.mark.parametrize("boundary", SAME_SHAPE)
def test_a_float32_psf_meets_finer_images_without_loss(boundary):
    """Samples that fall on one another are added in the precision of the image."""
    psf = rd.psf.gaussian(41, 6.0).astype(np.float32)
    x = np.random.default_rng(0).random(9)
    for dtype in (np.float64, np.longdouble):
        convolution = rd.Convolution(psf, (9,), boundary)
        expected = convolution_matrix(psf.astype(dtype), (9,), boundary, convolution.origin) @ x.astype(dtype)
        assert relative_error(convolution.forward(x.astype(dtype)), expected) <= 20 * np.finfo(dtype).eps


@given(st.data())
def test_scipy_signal_same(data):
    """scipy.signal's mode 'same' is the boundary 'constant' with the default origin."""
    ndim = data.draw(st.integers(1, 3))
    shape = tuple(data.draw(st.integers(1, 9)) for _ in range(ndim))
    sizes = tuple(data.draw(st.integers(1, 6)) for _ in range(ndim))
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    x, psf = rng.standard_normal(shape), rng.standard_normal(sizes)
    full = scipy.signal.convolve(x, psf, mode="full", method="direct")
    same = full[tuple(slice((k - 1) // 2, (k - 1) // 2 + n) for n, k in zip(shape, sizes, strict=True))]
    assert np.allclose(rd.Convolution(psf, shape).forward(x), same, rtol=0, atol=1e-13)
    if all(k <= n for n, k in zip(shape, sizes, strict=True)):
        assert np.allclose(same, scipy.signal.convolve(x, psf, mode="same", method="direct"), rtol=0, atol=1e-13)


@pytest.mark.parametrize("boundary", SAME_SHAPE)
@given(st.data())
def test_scipy_ndimage(boundary, data):
    """scipy.ndimage.convolve centres even sizes one sample further: its default is the origin k // 2."""
    ndim = data.draw(st.integers(1, 3))
    shape = tuple(data.draw(st.integers(1, 9)) for _ in range(ndim))
    sizes = tuple(data.draw(st.integers(1, 2 * n + 3)) for n in shape)
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    x, psf = rng.standard_normal(shape), rng.standard_normal(sizes)
    convolution = rd.Convolution(psf, shape, boundary, origin=tuple(k // 2 for k in sizes))
    expected = scipy.ndimage.convolve(x, psf, mode=boundary)
    assert np.linalg.norm(convolution.forward(x) - expected) <= 1e-14 * np.linalg.norm(psf) * np.linalg.norm(x)


@given(st.data())
def test_scipy_signal_valid(data):
    """scipy.signal's mode 'valid' is the boundary of this name, wherever the origin is."""
    ndim = data.draw(st.integers(1, 3))
    shape = tuple(data.draw(st.integers(1, 9)) for _ in range(ndim))
    sizes = tuple(data.draw(st.integers(1, n)) for n in shape)
    origin = tuple(data.draw(st.integers(0, k - 1)) for k in sizes)
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    x, psf = rng.standard_normal(shape), rng.standard_normal(sizes)
    found = rd.Convolution(psf, shape, "valid", origin).forward(x)
    expected = scipy.signal.convolve(x, psf, mode="valid", method="direct")
    assert found.shape == expected.shape
    assert np.linalg.norm(found - expected) <= 1e-14 * np.linalg.norm(psf) * np.linalg.norm(x)


@given(st.data())
def test_valid_is_the_part_of_any_boundary_that_needs_none(data):
    """`inside` says which part of the unknown image the data are the blur of; there, all boundaries agree."""
    ndim = data.draw(st.integers(1, 3))
    data_shape = tuple(data.draw(st.integers(1, 6)) for _ in range(ndim))
    sizes = tuple(data.draw(st.integers(1, 5)) for _ in data_shape)
    origin = tuple(data.draw(st.integers(0, k - 1)) for k in sizes)
    shape = tuple(n + k - 1 for n, k in zip(data_shape, sizes, strict=True))
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    x, psf = rng.standard_normal(shape), rng.standard_normal(sizes)
    valid = rd.Convolution(psf, shape, "valid", origin)
    assert valid.output_shape == data_shape
    for boundary in SAME_SHAPE:
        same = rd.Convolution(psf, shape, boundary, origin)
        assert same.inside == tuple(map(slice, (0,) * ndim, shape))
        difference = same.forward(x)[valid.inside] - valid.forward(x)
        assert np.linalg.norm(difference) <= 1e-14 * np.linalg.norm(psf) * np.linalg.norm(x)


def test_inside_in_numbers():
    assert rd.Convolution(np.ones((4, 3)), (9, 8), "valid", (1, 2)).inside == (slice(2, 8), slice(0, 6))
    assert rd.Convolution(np.ones((4, 3)), (9, 8), "reflect", (1, 2)).inside == (slice(0, 9), slice(0, 8))


def test_only_images_of_several_axes_are_blurred_along_them():
    ways = [rd.Convolution(np.ones((3,) * ndim), (20,) * ndim)._separable for ndim in (1, 2, 3)]
    assert [way is not None for way in ways] == [False, True, True]


@pytest.mark.parametrize("boundary", SAME_SHAPE)
@pytest.mark.parametrize("sigma", [(0.8, 1.7), (2.5, 0.4)])
def test_scikit_image_gaussian(boundary, sigma):
    """scikit-image's Gaussian filter is the convolution with `psf.gaussian`, cut off at four standard deviations."""
    image = np.random.default_rng(0).random((23, 18))
    sizes = tuple(2 * int(4 * deviation + 0.5) + 1 for deviation in sigma)
    blurred = rd.Convolution(rd.psf.gaussian(sizes, sigma), image.shape, boundary).forward(image)
    expected = skimage.filters.gaussian(image, sigma, mode=boundary, cval=0, truncate=4.0)
    assert np.allclose(blurred, expected, rtol=0, atol=1e-14)


def test_the_adjoint_is_not_the_flipped_psf_at_the_default_origin():
    """For an even size the flipped PSF has its origin at k - 1 - origin; with the default it is off by one pixel."""
    rng = np.random.default_rng(0)
    psf, y = rng.standard_normal((4, 3)), rng.standard_normal((6, 7))
    convolution = rd.Convolution(psf, y.shape, origin=(1, 2))
    flipped = rd.Convolution(psf[::-1, ::-1], y.shape, origin=(4 - 1 - 1, 3 - 1 - 2))
    assert np.allclose(convolution.adjoint(y), flipped.forward(y), rtol=0, atol=1e-14)
    assert not np.allclose(convolution.adjoint(y), rd.Convolution(psf[::-1, ::-1], y.shape).forward(y))


def test_padding_is_only_what_the_psf_reaches():
    assert rd.Convolution(rd.psf.article(), (171, 171)).fft_shape == (180, 180)  # 177 is needed
    assert rd.Convolution(np.ones((5, 1000)), (4, 16), "wrap").fft_shape == (4, 16)
    assert rd.Convolution(np.ones(1000), (16,)).fft_shape == (32,)  # at most 2 n - 1 are needed
    assert rd.Convolution([1.0, 2.0, 3.0], (14,), origin=0).fft_shape == (16,)
    assert rd.Convolution(np.ones(3), (14,), "reflect").fft_shape == (16,)
    assert rd.Convolution(np.ones(1000), (16,), "reflect").fft_shape == (32,)  # a whole period
    assert rd.Convolution(np.ones(1000), (16,), "mirror").fft_shape == (30,)
    assert rd.Convolution(np.ones(1000), (16,), "nearest").fft_shape == (48,)  # of 3 n - 2
    assert rd.Convolution(np.ones(3), (16,), "valid").fft_shape == (16,)


def test_a_shifted_origin_shifts_the_image():
    x, psf = np.arange(1.0, 9.0), np.array([0.5, 0.25, 0.125, 0.0625])
    default = rd.Convolution(psf, (8,), "wrap").forward(x)
    assert np.allclose(rd.Convolution(psf, (8,), "wrap", origin=2).forward(x), np.roll(default, -1))


def test_threads_of_the_fft_change_nothing():
    rng = np.random.default_rng(0)
    x, psf = rng.standard_normal((40, 33)), rng.standard_normal((6, 5))
    one, two = (rd.Convolution(psf, x.shape, workers=n).forward(x) for n in (1, 2))
    assert np.array_equal(one, two)
    with scipy.fft.set_workers(2):
        assert np.array_equal(rd.Convolution(psf, x.shape).forward(x), one)


@pytest.mark.parametrize("boundary", BOUNDARIES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.longdouble])
def test_both_transforms_agree(monkeypatch, boundary, dtype):
    rng = np.random.default_rng(0)
    x, psf = rng.standard_normal((23, 18)).astype(dtype), rng.standard_normal((6, 5))
    convolution = rd.Convolution(psf, x.shape, boundary, workers=2)
    y = rng.standard_normal(convolution.output_shape).astype(dtype)
    results = []
    for backend in _fft.BACKENDS:
        monkeypatch.setattr(_fft, "BACKEND", backend)
        results.append([convolution.forward(x), convolution.adjoint(y), convolution.gram(x)])
        assert all(result.dtype == dtype for result in results[-1])
    for one, other in zip(*results, strict=True):
        assert relative_error(one, other) <= 20 * np.finfo(dtype).eps


def test_the_transform_can_be_chosen(monkeypatch):
    monkeypatch.setenv("REFDECONV_FFT", "scipy")
    assert _fft._chosen_backend() == "scipy"
    monkeypatch.setenv("REFDECONV_FFT", "fftw")
    with pytest.raises(ValueError, match="REFDECONV_FFT"):
        _fft._chosen_backend()
    monkeypatch.setattr(_fft.importlib.util, "find_spec", lambda package: None)
    monkeypatch.setenv("REFDECONV_FFT", "ducc0")
    with pytest.raises(ModuleNotFoundError, match=r"REFDECONV_FFT asks for ducc0.* pip install"):
        _fft._chosen_backend()
    monkeypatch.delenv("REFDECONV_FFT")
    assert _fft._chosen_backend() == "scipy"


def test_the_users_array_is_copied():
    psf = np.array([0.2, 0.5, 0.3])
    convolution = rd.Convolution(psf, (5,))
    before = convolution.forward(np.ones(5))
    psf[:] = 0
    assert np.array_equal(convolution.forward(np.ones(5)), before)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"psf": np.ones(3)}, ValueError, "psf has 1 axes .* the image has 2"),
        ({"psf": np.zeros((3, 3))}, ValueError, "psf is zero everywhere"),
        ({"psf": np.full((3, 3), np.nan)}, ValueError, "psf must be finite"),
        ({"psf": np.ones((3, 0))}, ValueError, "psf is empty"),
        ({"psf": np.ones((3, 3)) + 1j}, TypeError, "psf must be real"),
        ({"psf": np.full((3, 3), "a")}, TypeError, "psf must hold numbers"),
        ({"psf": np.ones((3, 3), object)}, TypeError, "psf must hold numbers"),
        ({"psf": [[1.0, 2.0], [3.0]]}, ValueError, "psf is not an array of numbers"),
        ({"psf": np.ma.masked_equal(np.eye(3), 0)}, ValueError, "psf is a masked array with 6 masked"),
        ({"shape": (5, 0)}, ValueError, "shape"),
        ({"shape": (5, 4.0)}, TypeError, "size in shape must be an integer"),
        ({"boundary": "warp"}, ValueError, "unknown boundary 'warp': did you mean 'wrap'"),
        ({"boundary": "reflekt"}, ValueError, "unknown boundary 'reflekt': did you mean 'reflect'"),
        ({"boundary": None}, ValueError, "unknown boundary None"),
        ({"boundary": "valid", "shape": (5, 2)}, ValueError, "psf of shape .3, 3. is larger than the image .* data's"),
        ({"origin": (1,)}, ValueError, "origin needs one number"),
        ({"origin": (0, 3)}, ValueError, "origin must lie inside"),
        ({"origin": (0, -1)}, ValueError, "origin must lie inside"),
        ({"origin": (0, 1.5)}, TypeError, "each number in origin must be an integer"),
        ({"workers": 0}, ValueError, "workers must not be 0"),
        ({"workers": 1.5}, TypeError, "workers must be an integer"),
    ],
)
def test_bad_arguments(arguments, error, message):
    with pytest.raises(error, match=message):
        rd.Convolution(**{"psf": np.ones((3, 3)), "shape": (5, 4), **arguments})


@given(
    st.lists(st.tuples(st.integers(1, 5), st.integers(0, 9)), min_size=1, max_size=3),
    st.sampled_from(BOUNDARIES),
    st.integers(0, 2**32 - 1),
    st.sampled_from([np.float64, np.float32]),
    st.booleans(),
)
def test_gram_by_one_transform(sizes, boundary, seed, dtype, by_matrices):
    """For PSFs narrow enough for CNV.7, with any origin: the same as the two operators one after the other."""
    rng = np.random.default_rng(seed)
    psf_shape, shape = zip(*((k, max(4 * (k - 1), 3) + more) for k, more in sizes), strict=True)
    # However small the image, also where there is another way, and by either way beyond the edges.
    always = mock.patch.multiple(convolution, _SHORTER=np.inf, cost=lambda *of, periodic: 0, separated=lambda psf: None)
    with always, mock.patch.object(_gram._Layout, "by_matrices", by_matrices):
        K = rd.Convolution(rng.standard_normal(psf_shape), shape, boundary, [int(rng.integers(k)) for k in psf_shape])
    x = rng.standard_normal(shape).astype(dtype)
    assert K._toeplitz is not None
    expected = K.adjoint(K.forward(x.astype(np.longdouble)))
    scale = np.abs(K.psf).sum() ** 2 * np.abs(x).max() * (2 if boundary in ("constant", "valid", "wrap") else 8)
    assert np.abs(K.gram(x) - expected).max() <= 20 * np.finfo(dtype).eps * scale


@pytest.mark.parametrize("by_matrices", [True, False])
@pytest.mark.parametrize("origin", [(0, 4), (1, 3), (3, 1)])
def test_gram_by_one_transform_where_more_is_cut_off_at_one_edge(by_matrices, origin):
    rng = np.random.default_rng(0)
    K = rd.Convolution(rng.standard_normal((4, 5)), (16, 18), origin=origin)
    with mock.patch.object(_gram._Layout, "by_matrices", by_matrices):
        shorter = K._nearly_toeplitz(np.inf)
    x = rng.standard_normal((16, 18))
    assert np.allclose(shorter(x, None), K.adjoint(K.forward(x)), rtol=0, atol=1e-12)


def test_the_shorter_way_to_the_gram_operator_is_taken_where_the_image_is_four_times_the_reach():
    assert is_narrow((3, 1, 5), (8, 1, 16))
    assert not is_narrow((3, 1, 5), (7, 1, 16))
    assert not is_narrow((3, 1, 5), (8, 1, 15))
    assert rd.Convolution(np.eye(3), (8, 7))._toeplitz is None


def test_its_transforms_are_only_as_large_as_needed():
    psf = np.random.default_rng(0).standard_normal((4, 3))
    shorter = rd.Convolution(psf, (97, 78))._nearly_toeplitz(np.inf)
    assert shorter.grid == (100, 80)
    assert rd.Convolution(psf, (97, 79), "wrap")._toeplitz.grid == (97, 79)
    found = {}
    for by_matrices in (True, False):
        with mock.patch.object(_gram._Layout, "by_matrices", by_matrices):
            found[by_matrices] = rd.Convolution(psf, (97, 78))._nearly_toeplitz(np.inf)._factors
    for dtype in (np.dtype(np.float32), np.dtype(np.float64)):
        matrices = [share.product.matrices for share in found[True][dtype][1]]
        assert [array.shape for array in matrices] == [(2, 41, 2, 2), (2, 51, 1, 1), (4, 2, 2)]
        spectra = [share.product.spectra for share in found[False][dtype][1]]
        assert [array.shape for array in spectra] == [(2, 41, 3), (2, 51, 1), (4, 3, 1)]
        assert {array.real.dtype for array in matrices + spectra} == {dtype}


def test_where_the_origin_is_at_a_corner_the_pixels_near_the_other_edges_have_no_share():
    psf = np.random.default_rng(0).standard_normal((4, 3))
    shorter = rd.Convolution(psf, (97, 78), origin=(0, 2))._nearly_toeplitz(np.inf)
    shares = shorter._factors[np.dtype(float)][1]
    near = [[(slice(94, 97), slice(None))], [(slice(None), slice(0, 2))], [(slice(94, 97), slice(0, 2))]]
    assert [share.blocks for share in shares] == near


@pytest.mark.parametrize(("shape", "sizes"), [((1000,), (31,)), ((97, 78), (4, 3)), ((40, 51, 30), (3, 5, 2))])
@pytest.mark.parametrize("by_matrices", [True, False])
def test_the_cost_of_the_shorter_way_counts_what_it_has_and_transforms(shape, sizes, by_matrices):
    rng = np.random.default_rng(0)
    origin = tuple(int(rng.integers(k)) for k in sizes)
    after = tuple(k - 1 - o for k, o in zip(sizes, origin, strict=True))
    with mock.patch.object(_gram._Layout, "by_matrices", by_matrices):
        shorter = rd.Convolution(rng.standard_normal(sizes), shape, origin=origin)._nearly_toeplitz(np.inf)
        found = cost(sizes, shape, origin, after)
    expected = prod(shorter.grid)
    for share in shorter._factors[np.dtype(float)][1]:
        pixels = len(share.blocks) * prod(share.grid) * prod(share.near)
        if by_matrices:
            matrices = share.product.matrices
            expected += pixels * bool(share.grid) + matrices.view(float).size / 16 + 10 * prod(matrices.shape[:-2])
        else:  # logarithms of sizes are as if they were the same along each axis
            beyond = len(share.blocks) * prod(share.grid) * share.product.beyond[0].size
            along_these = len(share.near) / len(shape)
            expected += (1 - along_these) * pixels + along_these * 4 * beyond * (1 if share.grid else 2)
        expected += 8000
    assert found == pytest.approx(expected, rel=1e-12)


def test_the_shorter_way_is_taken_where_it_takes_fewer_operations():
    def is_taken(k, *shape):
        return rd.Convolution(np.random.default_rng(k).random((k,) * len(shape)), shape)._toeplitz is not None

    assert [n for n in (64, 171, 512, 1024) if is_taken(13, n, n)] == [512, 1024]
    assert [k for k in (5, 13, 33, 65) if is_taken(k, 512, 512)] == [5, 13, 33]
    assert not is_taken(5, 64, 64, 64)  # where many small matrices cost more


def ways(k, n):
    """For an image of n x n pixels with a PSF of k rows of 3 samples, by what its shares are found."""
    return [layout.by_matrices for layout in _gram._layouts((k, 3), (n, n), (k // 2, 1), (k // 2, 1))]


def test_no_matrix_is_so_large_that_another_thread_of_blas_would_wake():
    with mock.patch.multiple(_gram, _NUMBERS=np.inf, _MULTIPLICATIONS=np.inf):
        assert ways(127, 600)[0]
        assert not ways(129, 600)[0]


def test_the_matrices_of_a_share_are_at_most_a_million_numbers():
    with mock.patch.object(_gram, "_MULTIPLICATIONS", np.inf):
        assert ways(33, 2000)[0]  # 2 blocks, 16 x 16 numbers, 1001 frequencies, complex: 1.025 * 10**6
        assert not ways(35, 2000)[0]


@pytest.mark.parametrize("boundary", [*SAME_SHAPE, "valid"])
@pytest.mark.parametrize(
    ("dtype", "size"), [(np.float32, 1e-25), (np.float32, 1e-12), (np.float32, 1e20), (float, 1e-170), (float, 1e155)]
)
@pytest.mark.parametrize("is_product", [True, False])
def test_the_gram_operator_of_a_psf_of_any_size(boundary, dtype, size, is_product):
    """Whose squares are out of the range of the precision, where all results are in it."""
    rng = np.random.default_rng(2)
    psf = np.outer(*rng.uniform(0.2, 1, (2, 5))) if is_product else rng.uniform(0.2, 1, (5, 5))
    K = rd.Convolution(size * psf, (48, 41), boundary)
    x = (rng.standard_normal((48, 41)) / size).astype(dtype)
    expected = K.adjoint(K.forward(x))
    assert np.isfinite(expected).all()
    assert K.gram(x).dtype == dtype
    assert np.abs(K.gram(x) - expected).max() <= 40 * np.finfo(dtype).eps * np.abs(expected).max()
