"""Convolutions along one axis after the other, against those by transforms, matrices and exact sums."""

from math import prod
from unittest import mock

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import refdeconv as rd
from refdeconv.operators import _separable
from refdeconv.operators._separable import Separable, is_worth_it, separated
from tests.oracles import convolution_matrix

BOUNDARIES = ("constant", "reflect", "mirror", "nearest", "valid")


def product(lines):
    psf = lines[0]
    for line in lines[1:]:
        psf = np.multiply.outer(psf, line)
    return psf


@st.composite
def separables(draw):
    """A convolution of two or three axes, of which some are long enough for equal rows to be left out."""
    boundary = draw(st.sampled_from(BOUNDARIES))
    sizes = draw(st.lists(st.sampled_from([1, 2, 3, 7, 16, 40, 97, 150]), min_size=2, max_size=3))
    shape = sizes if prod(sizes) < 30_000 else sizes[:2]
    widths = [draw(st.integers(1, min(n, 20) if boundary == "valid" else 20)) for n in shape]
    origin = [draw(st.integers(0, k - 1)) for k in widths]
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    lines = [rng.standard_normal(k) for k in widths]
    with mock.patch.object(_separable, "is_worth_it", return_value=True):
        K = rd.Convolution(product(lines), tuple(shape), boundary, tuple(origin))
    with (
        mock.patch.object(_separable, "_LINES", draw(st.sampled_from([256, 7]))),  # of 7: pieces, and a rest
        mock.patch.object(_separable, "_ROWS_OF_END", draw(st.sampled_from([32, 5]))),
    ):
        return K, Separable(lines, tuple(shape), tuple(origin), boundary), rng


@given(separables())
def test_the_same_as_by_transforms(drawn):
    """In extended precision the convolution goes by transforms: there is no other way in that precision."""
    K, ways, rng = drawn
    scale = np.abs(K.psf).sum() * (1 if K.boundary in ("constant", "valid") else 6)
    for name, shape, power in (
        ("forward", K.input_shape, 1),
        ("adjoint", K.output_shape, 1),
        ("gram", K.input_shape, 2),
    ):
        x = rng.standard_normal(shape)
        expected = getattr(K, name)(x.astype(np.longdouble))
        for dtype in (np.float64, np.float32):
            found = getattr(ways, name)(x.astype(dtype))
            assert found.dtype == dtype
            assert found.shape == expected.shape
            error = np.abs(
                found - (expected if dtype == np.float64 else getattr(K, name)(x.astype(dtype).astype(np.longdouble)))
            )
            assert error.max() <= 30 * np.finfo(dtype).eps * scale**power * np.abs(x).max()


@pytest.mark.parametrize("boundary", BOUNDARIES)
@pytest.mark.parametrize("shape", [(12, 9), (5, 8, 6), (1, 7)])
def test_the_matrix_of_the_definition(boundary, shape):
    rng = np.random.default_rng(5)
    lines = [rng.standard_normal(min(4 + axis, n)) for axis, n in enumerate(shape)]
    origin = tuple(min(1, len(line) - 1) for line in lines)
    K = rd.Convolution(product(lines), shape, boundary, origin)
    assert K._separable is not None
    expected = convolution_matrix(K.psf, shape, boundary, origin)
    assert np.allclose(K.to_dense(), expected, rtol=0, atol=1e-14 * np.abs(expected).sum())
    assert np.allclose(K.T.to_dense(), expected.T, rtol=0, atol=1e-14 * np.abs(expected).sum())
    gram = np.stack([K.gram(unit.reshape(shape)).ravel() for unit in np.eye(prod(shape))])
    assert np.allclose(gram, expected.T @ expected, rtol=0, atol=1e-13 * np.abs(expected).sum())


@pytest.mark.parametrize("size", [*range(30, 60), *range(100, 150), 400])
def test_whatever_is_left_out_the_matrix_is_whole(size):
    """Axes of every length about those where another block of equal rows is left out."""
    rng = np.random.default_rng(size)
    lines = rng.standard_normal(3), rng.standard_normal(6)
    for shape in ((size, 40), (40, size)):
        ways = Separable(lines, shape, (0, 4), "mirror")
        K = rd.Convolution(product(lines), shape, "mirror", (0, 4))
        x = rng.standard_normal(shape)
        for name in ("forward", "adjoint", "gram"):
            expected = getattr(K, name)(x.astype(np.longdouble)).astype(np.float64)
            assert np.allclose(getattr(ways, name)(x), expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("width", [33, 64, 65, 97])
def test_wide_psfs(width):
    """Of which the rows near the edges take several blocks."""
    rng = np.random.default_rng(width)
    lines = rng.standard_normal(width), rng.standard_normal(width - 2)
    for shape in ((250, 221), (221, 250)):
        ways = Separable(lines, shape, (7, 30), "reflect")
        K = rd.Convolution(product(lines), shape, "reflect", (7, 30))
        x = rng.standard_normal(shape)
        for name, power in (("forward", 1), ("adjoint", 1), ("gram", 2)):
            expected = getattr(K, name)(x.astype(np.longdouble)).astype(np.float64)
            scale = (4 * np.abs(K.psf).sum()) ** power
            assert np.allclose(getattr(ways, name)(x), expected, rtol=0, atol=1e-15 * scale)


@pytest.mark.parametrize("shape", [(171, 171), (512, 300), (700, 2000), (128, 128, 128)])
@pytest.mark.parametrize("width", [5, 13, 33, 65, 97])
def test_no_product_wakes_the_threads_of_blas(width, shape):
    """OpenBLAS leaves a matrix product of no more than 2**18 multiplications to the thread that asks for it."""
    ways = Separable([np.ones(width)] * len(shape), shape, (width // 2,) * len(shape), "constant")
    for name in ("forward", "adjoint", "gram"):
        steps = ways._products[np.dtype(float)][name]._steps.values()
        calls = [call for part in steps for calls, _ in part for call in calls]
        lines = [call.taken.shape[-2 if call.is_last else -1] for call in calls]
        assert max(n * call.entries.size for n, call in zip(lines, calls, strict=True)) <= 2**18
        assert max(lines) > 50  # of fewer, products take longer


def test_an_array_of_another_precision_is_not_written_to():
    ways = Separable([np.arange(1.0, 4.0)] * 2, (9, 8), (1, 1), "nearest")
    x = np.random.default_rng(0).standard_normal((9, 8))
    double, single = np.zeros((9, 8)), np.zeros((9, 8), np.float32)
    assert ways.forward(x, double) is double
    found = ways.forward(x, single)
    assert not single.any()
    assert np.array_equal(found, double)


def test_factors():
    rng = np.random.default_rng(0)
    for shape in ((3,), (4, 5), (2, 6, 3)):
        psf = product([rng.standard_normal(n) for n in shape])
        factors = separated(psf)
        assert [len(factor) for factor in factors] == list(shape)
        assert np.abs(product(factors) - psf).max() <= 4e-16 * np.abs(psf).max()
        for scale in (1e-300, 1e300):
            assert separated(scale * psf) is not None
    for psf in (
        rd.psf.gaussian((9, 11), (1.2, 2.3)),
        rd.psf.article(),
        rd.psf.box((4, 5), (2.0, 3.0)),
        np.ones((1, 1)),
        np.eye(1, 7),
    ):
        assert separated(psf) is not None


def test_what_is_not_a_product():
    rng = np.random.default_rng(0)
    psf = product([rng.standard_normal(5), rng.standard_normal(6)])
    for size in (1e-14, 1e-10, 1.0):
        other = psf.copy()
        other[2, 3] += size * np.abs(psf).max()
        assert separated(other) is None
    assert separated(rng.standard_normal((5, 6))) is None
    assert separated(np.eye(3)) is None
    assert separated(rd.psf.airy((15, 15), 3.0)) is None


def test_a_sample_that_is_no_product_counts():
    """However small it is beside the others: it is above what rounding makes of them."""
    psf = rd.psf.gaussian((9, 9), 1.5)
    psf[0, 8] += 1e-13
    K = rd.Convolution(psf, (40, 40))
    assert K._separable is None
    unit = np.zeros((40, 40))
    unit[20, 20] = 1
    assert abs(K.forward(unit)[16, 24] - psf[0, 8]) <= 1e-16


def test_where_it_is_taken():
    gaussian = rd.psf.gaussian((13, 13), 2.0)
    for shape in ((20, 20), (171, 171), (512, 512), (3000, 100)):
        assert rd.Convolution(gaussian, shape)._separable is not None, shape
    assert rd.Convolution(gaussian, (64, 64), "wrap")._separable is None
    assert rd.Convolution(gaussian[6], (64,))._separable is None
    assert rd.Convolution(rd.psf.gaussian((151, 151), 20.0), (512, 512))._separable is None
    assert rd.Convolution(gaussian, (100_000, 4))._separable is None  # many blocks of next to nothing
    assert not is_worth_it((201, 201), (512, 512), (720, 720))
    assert is_worth_it((13, 13), (512, 512), (525, 525))


def test_what_is_positive_stays_positive():
    """Where the transforms of an image with dark parts leave rounding of either sign."""
    x = np.zeros((90, 80))
    x[:20] = 1e3
    for boundary in BOUNDARIES:
        K = rd.Convolution(rd.psf.gaussian((9, 9), 1.5), x.shape, boundary)
        assert K.forward(x).min() >= 0
        assert (K.forward(x)[40:60] == 0).all()


def test_layouts_and_threads(monkeypatch):
    from refdeconv import _blocks

    rng = np.random.default_rng(1)
    K = rd.Convolution(rd.psf.gaussian((9, 7), (1.5, 1.0)), (300, 250), "reflect")
    x = rng.standard_normal((300, 250))
    expected = [K.forward(x), K.adjoint(x), K.gram(x)]
    for same in (np.asfortranarray(x), np.repeat(x, 2, axis=1)[:, ::2], x[::-1].copy()[::-1]):
        assert all(
            np.array_equal(a, b)
            for a, b in zip(expected, (K.forward(same), K.adjoint(same), K.gram(same)), strict=True)
        )
    monkeypatch.setattr(_blocks, "_THREADED", 1)
    for cores in (1, 2, 3):
        monkeypatch.setattr(_blocks, "CORES", cores)
        assert all(np.array_equal(a, b) for a, b in zip(expected, (K.forward(x), K.adjoint(x), K.gram(x)), strict=True))
