"""Subsampling, binning and selection against direct loops, numpy and scikit-image; where arguments are wrong."""

import itertools

import numpy as np
import pytest
import skimage.measure
from hypothesis import given
from hypothesis import strategies as st

import refdeconv as rd

sizes = st.lists(st.integers(1, 7), min_size=1, max_size=3)


@given(sizes, st.data())
def test_subsampling_is_its_definition(shape, data):
    step = [data.draw(st.integers(1, 9)) for _ in shape]
    offset = [data.draw(st.integers(0, n - 1)) for n in shape]
    kept = [[i for i in range(n) if i >= o and (i - o) % s == 0] for n, o, s in zip(shape, offset, step, strict=True)]
    matrix = np.zeros((np.prod([len(indices) for indices in kept]), np.prod(shape)))
    for row, pixel in enumerate(itertools.product(*kept)):
        matrix[row, np.ravel_multi_index(pixel, shape)] = 1
    subsampling = rd.Subsampling(tuple(shape), step, offset)
    assert subsampling.output_shape == tuple(map(len, kept))
    assert np.array_equal(subsampling.to_dense(), matrix)
    assert np.array_equal(subsampling.T.to_dense(), matrix.T)


@given(sizes, st.booleans(), st.data())
def test_binning_is_its_definition(shape, mean, data):
    size = [data.draw(st.sampled_from([k for k in range(1, n + 1) if n % k == 0])) for n in shape]
    coarse = tuple(n // k for n, k in zip(shape, size, strict=True))
    matrix = np.zeros((np.prod(coarse), np.prod(shape)))
    for column, pixel in enumerate(itertools.product(*map(range, shape))):
        block = [i // k for i, k in zip(pixel, size, strict=True)]
        matrix[np.ravel_multi_index(block, coarse), column] = 1 / np.prod(size) if mean else 1
    binning = rd.Binning(tuple(shape), size, mean)
    assert binning.output_shape == coarse
    assert np.array_equal(binning.to_dense(), matrix)
    assert np.array_equal(binning.T.to_dense(), matrix.T)


@pytest.mark.parametrize(("mean", "function"), [(True, np.mean), (False, np.sum)])
@pytest.mark.parametrize(("shape", "size"), [((12,), 3), ((6, 8), (3, 2)), ((6, 8), (1, 8)), ((4, 6, 9), (2, 1, 3))])
def test_binning_is_scikit_images_block_reduce(shape, size, mean, function):
    x = np.random.default_rng(0).standard_normal(shape)
    expected = skimage.measure.block_reduce(x, size, function)
    assert np.allclose(rd.Binning(shape, size, mean).forward(x), expected, rtol=1e-14, atol=1e-15)


def test_binning_to_sums_keeps_the_sum_and_to_means_the_mean():
    x = np.random.default_rng(0).random((6, 8))
    assert np.isclose(rd.Binning(x.shape, (3, 2), mean=False).forward(x).sum(), x.sum(), rtol=1e-15)
    assert np.isclose(rd.Binning(x.shape, (3, 2)).forward(x).mean(), x.mean(), rtol=1e-15)


def test_binning_is_subsampling_after_a_box_blur():
    """With the origin of the box at its last sample, each kept pixel sums the block that begins at it."""
    x = np.random.default_rng(0).standard_normal((6, 8))
    blur = rd.Convolution(np.full((3, 2), 1 / 6), x.shape, origin=(2, 1))
    assert np.allclose(
        rd.Binning(x.shape, (3, 2)).forward(x), (rd.Subsampling(x.shape, (3, 2)) @ blur).forward(x), rtol=0, atol=1e-15
    )


@given(sizes, st.integers(0, 2**32))
def test_selection_is_its_definition(shape, seed):
    mask = np.random.default_rng(seed).random(shape) < 0.5
    mask.flat[0] = True
    matrix = np.array([row for row, kept in zip(np.eye(mask.size), mask.ravel(), strict=True) if kept])
    selection = rd.Selection(mask)
    assert selection.output_shape == (len(matrix),)
    assert np.array_equal(selection.to_dense(), matrix)
    assert np.array_equal(selection.T.to_dense(), matrix.T)


def test_missing_pixels_are_never_looked_at():
    mask = np.array([[True, False], [False, True]])
    x = np.array([[1.0, np.nan], [np.inf, 4.0]])
    assert np.array_equal(rd.Selection(mask).forward(x), [1.0, 4.0])
    assert np.array_equal(rd.Selection(mask).gram(x), [[1.0, 0.0], [0.0, 4.0]])
    assert np.array_equal(rd.Subsampling((2, 2), 2).gram(x), [[1.0, 0.0], [0.0, 0.0]])


def test_the_users_mask_is_copied():
    mask = np.array([True, False, True])
    selection = rd.Selection(mask)
    mask[:] = True
    assert np.array_equal(selection.forward([1.0, 2.0, 3.0]), [1.0, 3.0])


def test_a_list_is_a_mask():
    assert rd.Selection([[True, False]]).input_shape == (1, 2)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: rd.Subsampling((4, 0), 2), ValueError, "shape"),
        (lambda: rd.Subsampling((4, 3), 0), ValueError, "step must be >= 1, got 0"),
        (lambda: rd.Subsampling((4, 3), 1.5), TypeError, "step must be an integer"),
        (lambda: rd.Subsampling((4, 3), (1, 2, 3)), ValueError, "step needs one integer"),
        (lambda: rd.Subsampling((4, 3), 2, -1), ValueError, "offset must be >= 0"),
        (lambda: rd.Subsampling((4, 3), 2, 3), ValueError, "offset must lie inside the image"),
        (lambda: rd.Subsampling((4, 3), 2, "ab"), TypeError, "offset must be an integer"),
        (lambda: rd.Binning((4, 3), 2), ValueError, r"size \(2, 2\) does not divide .* would cover \(4, 2\)"),
        (lambda: rd.Binning((4, 3), (8, 3)), ValueError, "size .* does not divide"),
        (lambda: rd.Binning((4, 3), 0), ValueError, "size must be >= 1"),
        (lambda: rd.Binning((4, 3), True), TypeError, "size must be an integer"),
        (lambda: rd.Binning((4, 3), (2, 3), mean="sum"), TypeError, "mean must be True or False"),
        (lambda: rd.Selection([[1, 0]]), TypeError, "mask must be an array of booleans"),
        (lambda: rd.Selection(True), TypeError, "mask must be an array of booleans"),
        (lambda: rd.Selection([[False, False]]), ValueError, "mask must be true somewhere"),
        (lambda: rd.Selection(np.zeros((3, 0), bool)), ValueError, "mask must be true somewhere"),
    ],
)
def test_bad_arguments(make, error, message):
    with pytest.raises(error, match=message):
        make()
