"""The varying convolution against direct summation with a PSF for each pixel; where arguments are wrong."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import refdeconv as rd
from refdeconv.operators import varying_convolution
from tests.oracles import convolution_matrix, extended_index
from tests.test_contracts import relative_error

BOUNDARIES = ["constant", "wrap"]


def varying_matrix(psfs, weights, shape, boundary, origin):
    """Direct summation: the PSF of each pixel of the unknown image is mixed first, and then spread from there."""
    matrix = np.zeros((np.prod(shape), np.prod(shape)))
    for row, pixel in enumerate(itertools.product(*map(range, shape))):
        for sample in itertools.product(*map(range, psfs[0].shape)):
            reached = zip(pixel, origin, sample, shape, strict=True)
            source = [extended_index(i + o - j, n, boundary) for i, o, j, n in reached]
            if None not in source:
                mixed = sum(weight[tuple(source)] * psf[sample] for psf, weight in zip(psfs, weights, strict=True))
                matrix[row, np.ravel_multi_index(source, shape)] += mixed
    return matrix


@given(st.lists(st.integers(1, 5), min_size=1, max_size=3), st.sampled_from(BOUNDARIES), st.data())
def test_is_the_direct_sum(shape, boundary, data):
    count = data.draw(st.integers(1, 3))
    sizes = [data.draw(st.integers(1, n + 2)) for n in shape]
    origin = [data.draw(st.integers(0, k - 1)) for k in sizes]
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    psfs, weights = rng.standard_normal((count, *sizes)), rng.standard_normal((count, *shape))
    matrix = varying_matrix(psfs, weights, shape, boundary, origin)
    varying = rd.VaryingConvolution(psfs, weights, tuple(shape), boundary, origin)
    scale = np.linalg.norm(psfs) * np.linalg.norm(weights)
    assert np.linalg.norm(varying.to_dense() - matrix) <= 1e-14 * max(np.linalg.norm(matrix), scale)
    assert np.linalg.norm(varying.T.to_dense() - matrix.T) <= 1e-14 * max(np.linalg.norm(matrix), scale)


@pytest.mark.parametrize("boundary", BOUNDARIES)
def test_equal_psfs_and_weights_that_sum_to_one_are_the_plain_convolution(boundary):
    rng = np.random.default_rng(0)
    psf, x, weight = rng.random((4, 3)), rng.standard_normal((9, 7)), rng.random((9, 7))
    varying = rd.VaryingConvolution([psf, psf], [weight, 1 - weight], x.shape, boundary, (1, 2))
    plain = rd.Convolution(psf, x.shape, boundary, (1, 2))
    assert relative_error(varying.forward(x), plain.forward(x)) <= 1e-15
    assert relative_error(varying.adjoint(x), plain.adjoint(x)) <= 1e-15


def test_psfs_of_different_sizes_each_about_its_centre():
    rng = np.random.default_rng(0)
    psfs, weights = [rng.random((3, 5)), rng.random((4, 2))], rng.random((2, 6, 7))
    matrices = [convolution_matrix(psf, (6, 7), "constant", [(k - 1) // 2 for k in psf.shape]) for psf in psfs]
    expected = sum(matrix * weight.ravel() for matrix, weight in zip(matrices, weights, strict=True))
    assert relative_error(rd.VaryingConvolution(psfs, weights, (6, 7)).to_dense(), expected) <= 1e-15


def test_a_point_is_spread_by_the_mixture_at_its_pixel():
    wide, narrow = rd.psf.gaussian(5, 2.0), rd.psf.gaussian(5, 0.5)
    ramp = np.linspace(0, 1, 21)
    point = np.zeros(21)
    point[8] = 1
    spread = rd.VaryingConvolution([wide, narrow], [ramp, 1 - ramp], (21,)).forward(point)
    assert np.allclose(spread[6:11], 0.4 * wide + 0.6 * narrow, rtol=0, atol=1e-16)
    assert np.isclose(spread.sum(), 1, rtol=1e-15)


def test_weights_at_the_output_by_composition():
    rng = np.random.default_rng(0)
    p, w = rng.random((2, 4)), rng.random((2, 9))
    gathered = rd.Diagonal(w[0]) @ rd.Convolution(p[0], 9) + rd.Diagonal(w[1]) @ rd.Convolution(p[1], 9)
    expected = sum(w[j][:, None] * convolution_matrix(p[j], (9,), "constant", (1,)) for j in range(2))
    assert relative_error(gathered.to_dense(), expected) <= 1e-15
    assert relative_error(rd.VaryingConvolution(p, w, 9).to_dense(), expected) > 0.01


def test_arrays_are_copied():
    psf, weight = np.array([0.2, 0.5, 0.3]), np.linspace(0, 1, 5)
    varying = rd.VaryingConvolution([psf], [weight], (5,))
    before = varying.forward(np.ones(5))
    psf[:] = weight[:] = 0
    assert np.array_equal(varying.forward(np.ones(5)), before)


def test_psfs_must_agree_on_the_shapes_of_the_images(monkeypatch):
    """Where a boundary makes the unknown image larger by the PSF, say; here a stand-in for such a one."""

    class Larger(rd.Convolution):
        def __init__(self, psf, shape, *arguments, **options):
            super().__init__(
                psf, tuple(n + k for n, k in zip(shape, np.shape(psf), strict=True)), *arguments, **options
            )

    monkeypatch.setattr(varying_convolution, "Convolution", Larger)
    with pytest.raises(ValueError, match="psfs must be of one shape for the boundary 'constant'"):
        rd.VaryingConvolution([np.ones(2), np.ones(3)], np.ones((2, 5)), (5,))
    assert rd.VaryingConvolution([np.ones(2)], np.ones((1, 7)), (5,)).input_shape == (7,)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"psfs": []}, ValueError, "psfs must be a sequence of at least one"),
        ({"psfs": 3.0}, TypeError, "psfs must be a sequence of arrays"),
        ({"psfs": "ab"}, TypeError, "psfs must be a sequence of arrays"),
        ({"psfs": [np.ones((3, 3))]}, ValueError, "weights must be as many as psfs, got 2 for 1"),
        ({"psfs": [np.ones((3, 3)), np.full((3, 3), np.nan)]}, ValueError, r"psfs\[1\] must be finite"),
        ({"psfs": [np.ones((3, 3)), np.ones(3)]}, ValueError, "psf has 1 axes"),
        ({"weights": [np.ones((5, 4)), np.ones((4, 5))]}, ValueError, r"weights\[1\] has shape \(4, 5\)"),
        ({"weights": [np.ones((5, 4)), 1j * np.ones((5, 4))]}, TypeError, r"weights\[1\] must be real"),
        ({"weights": None}, TypeError, "weights must be a sequence"),
        ({"shape": (5, 0)}, ValueError, "shape"),
        ({"boundary": "warp"}, ValueError, "unknown boundary 'warp'"),
        ({"origin": (0, 3)}, ValueError, "origin must lie inside"),
        ({"workers": 0}, ValueError, "workers must not be 0"),
    ],
)
def test_bad_arguments(arguments, error, message):
    given_well = {"psfs": [np.ones((3, 3))] * 2, "weights": [np.ones((5, 4))] * 2, "shape": (5, 4)}
    with pytest.raises(error, match=message):
        rd.VaryingConvolution(**{**given_well, **arguments})
