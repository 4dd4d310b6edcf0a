"""Definitions of operators and maps, held against other software."""

import numpy as np
import pytest
import scipy.fft
import scipy.ndimage
import scipy.signal
import scipy.special

pytest.importorskip("mpmath")

from refdeconv.conformance.golden import definitions
from refdeconv.conformance.golden.definitions import DEFINITIONS, arrays, maps
from refdeconv.conformance.golden.part import Part

RNG = np.random.default_rng(5)


def defined(model, parameters, x):
    """What a definition says, in float64."""
    return arrays_as_floats(DEFINITIONS[model](parameters, arrays.exact(x)))


def arrays_as_floats(found):
    return np.array([float(number) for number in found.flat]).reshape(found.shape)


@pytest.mark.parametrize("boundary", ["constant", "wrap", "reflect", "mirror", "nearest"])
@pytest.mark.parametrize(("shape", "sizes"), [((7,), (4,)), ((5, 6), (3, 4)), ((3, 4, 2), (2, 3, 5)), ((3, 2), (9, 4))])
def test_blur_is_that_of_scipy_ndimage(boundary, shape, sizes):
    x, psf = RNG.standard_normal(shape), RNG.standard_normal(sizes)
    mode = {"wrap": "grid-wrap", "constant": "grid-constant"}.get(boundary, boundary)
    parameters = {"psf": psf, "shape": shape, "boundary": boundary, "origin": tuple(k // 2 for k in sizes)}
    expected = scipy.ndimage.convolve(x, psf, mode=mode)
    np.testing.assert_allclose(defined("Convolution", parameters, x), expected, atol=1e-13)


@pytest.mark.parametrize(("boundary", "mode"), [("constant", "same"), ("valid", "valid")])
def test_blur_is_that_of_scipy_signal(boundary, mode):
    x, psf = RNG.standard_normal((6, 5)), RNG.standard_normal((4, 3))
    parameters = {"psf": psf, "shape": (6, 5), "boundary": boundary}
    expected = scipy.signal.convolve(x, psf, mode=mode, method="direct")
    np.testing.assert_allclose(defined("Convolution", parameters, x), expected, atol=1e-13)


@pytest.mark.parametrize(
    ("boundary", "mode"), [("wrap", "wrap"), ("reflect", "symmetric"), ("mirror", "reflect"), ("nearest", "edge")]
)
def test_extension_is_that_of_numpy(boundary, mode):
    x, before, after = RNG.standard_normal((3, 4)), (5, 0), (2, 9)
    parameters = {"shape": (3, 4), "before": before, "after": after, "boundary": boundary}
    expected = np.pad(x, tuple(zip(before, after, strict=True)), mode=mode)
    np.testing.assert_array_equal(defined("Extension", parameters, x), expected)


def test_others():
    x = RNG.standard_normal((4, 6))
    expected = scipy.fft.dctn(x, norm="ortho")
    np.testing.assert_allclose(defined("CosineTransform", {"shape": (4, 6)}, x), expected, atol=1e-13)
    expected = scipy.ndimage.laplace(x, mode="reflect")
    np.testing.assert_allclose(defined("Laplacian", {"shape": (4, 6)}, x), expected, atol=1e-13)
    expected = x.reshape(2, 2, 3, 2).mean(axis=(1, 3))
    np.testing.assert_allclose(defined("Binning", {"shape": (4, 6), "size": 2}, x), expected, atol=1e-13)
    np.testing.assert_array_equal(
        defined("Subsampling", {"shape": (4, 6), "step": (2, 4), "offset": (1, 0)}, x), x[1::2, ::4]
    )
    np.testing.assert_array_equal(defined("Selection", {"mask": x > 0}, x), x[x > 0])
    np.testing.assert_allclose(defined("Softmax", {"shape": (4, 6)}, x), scipy.special.softmax(x), atol=1e-15)
    np.testing.assert_allclose(defined("Sigmoid", {"shape": (4, 6)}, x), scipy.special.expit(x), atol=1e-15)
    np.testing.assert_allclose(defined("Softplus", {"shape": (4, 6)}, x), np.logaddexp(0, x), atol=1e-15)
    np.testing.assert_array_equal(defined("Square", {"shape": (4, 6)}, x), x**2)
    np.testing.assert_allclose(defined("Exponential", {"shape": (4, 6)}, x), np.exp(x), rtol=1e-15)
    np.testing.assert_allclose(defined("SquareRoot", {"epsilon": 9}, x), np.sqrt(x + 9), rtol=1e-15)
    for axis, expected in enumerate(np.gradient(x)):
        inner = (slice(1, -1),) * 2
        there = defined("Gradient", {"shape": (4, 6), "axes": axis}, x)[0]
        back = np.roll(there, 1, axis)
        np.testing.assert_allclose(((there + back) / 2)[inner], expected[inner], atol=1e-14)


def test_second_differences_of_a_polynomial():
    i, j = np.indices((4, 5), dtype=float)
    found = defined("SecondDifferences", {"shape": (4, 5), "spacing": (2.0, 0.5)}, i**2 - 3 * i * j + 2 * j**2)
    np.testing.assert_allclose(found[0, 1:-1], 2 / 4, atol=1e-14)
    np.testing.assert_allclose(found[1, :-1, :-1], -3 * np.sqrt(2), atol=1e-14)
    np.testing.assert_allclose(found[2, :, 1:-1], 4 / 0.25, atol=1e-14)
    assert not found[0, [0, -1]].any()
    assert not found[1, -1].any()
    assert not found[1, :, -1].any()


def test_parts_stand_one_after_the_other():
    parts = (Part("Square", {"shape": (2, 2)}), Part("Binning", {"shape": (4,), "size": 2, "mean": False}))
    found = defined("Parallel", {"operators": parts}, np.arange(8.0))
    np.testing.assert_array_equal(found, [0, 1, 4, 9, 4 + 5, 6 + 7])
    blind = {"image_shape": (3,), "psf_shape": (2,)}
    np.testing.assert_array_equal(defined("BlindConvolution", blind, np.array([1.0, 2, 3, 10, 1])), [10, 21, 32])


def test_adjoint_by_columns():
    x, y = RNG.standard_normal((3, 4)), RNG.standard_normal((2, 3, 4))
    forward = lambda image: DEFINITIONS["Gradient"]({"shape": (3, 4), "boundary": "wrap"}, image)  # noqa: E731
    adjoint = arrays_as_floats(definitions.operators.adjoint(forward, (3, 4), arrays.exact(y)))
    assert np.sum(adjoint * x) == pytest.approx(np.sum(y * arrays_as_floats(forward(arrays.exact(x)))), rel=1e-13)


def test_numbers_are_taken_exactly():
    assert arrays.exact(np.array([0.1]))[0] - arrays.exact(np.array([0.1], dtype=np.float32))[0] != 0
    assert maps.square({}, arrays.exact(np.array([1e-200])))[0] > 0
