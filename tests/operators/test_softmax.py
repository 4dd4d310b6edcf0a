"""Softmax against scipy, at extremes, backwards, and where its arguments are wrong."""

import mpmath
import numpy as np
import pytest
import scipy.special
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import refdeconv as rd
from tests.test_contracts import relative_error

EPS = np.finfo(float).eps
arrays = hnp.arrays(float, hnp.array_shapes(min_dims=1, max_dims=3, max_side=5), elements=st.floats(-700, 700))


@given(arrays)
def test_scipy_has_the_same(z):
    x = rd.Softmax(z.shape).forward(z)
    assert np.allclose(x, scipy.special.softmax(z), rtol=1e-13, atol=1e-310)
    assert abs(x.sum() - 1) <= EPS * (1 + z.size)
    assert (x >= 0).all()


@given(arrays, st.integers(0, 2**32))
def test_derivatives_anywhere(z, seed):
    """The Jacobian's matrix from the definition, constants in both null spaces, and nothing that is not a number."""
    m, (v, w) = rd.Softmax(z.shape), np.random.default_rng(seed).standard_normal((2, *z.shape))
    x = m.forward(z).ravel()
    bound = 4 * EPS * (1 + z.size)  # what a sum of as many numbers may lose, times the largest weights
    expected = np.diag(x) - np.outer(x, x)
    assert np.allclose(m.jacobian(z).to_dense(), expected, rtol=0, atol=bound)
    curvature = m.curvature(z, w).to_dense()
    assert np.isfinite(curvature).all()
    assert np.allclose(curvature, curvature.T, rtol=0, atol=bound)
    ones = np.ones(z.shape)
    assert np.abs(m.jacobian(z).forward(ones)).max() <= bound
    assert np.abs(m.curvature(z, w).forward(ones)).max() <= bound
    step = (m.jacobian(z + 1e-30j * v).adjoint(w).imag / 1e-30).ravel()
    assert np.allclose(curvature @ v.ravel(), step, rtol=0, atol=bound)


@given(arrays)
def test_a_number_added_changes_nothing(z):
    m = rd.Softmax(z.shape)
    assert np.allclose(m.forward(z + 1024), m.forward(z), rtol=1e-11, atol=1e-300)


@given(hnp.arrays(float, st.integers(1, 9), elements=st.floats(-300, 300)))
def test_inverse_is_the_one_of_mean_zero(z):
    m = rd.Softmax(z.shape)
    assert np.allclose(m.inverse(m.forward(z)), z - z.mean(), rtol=0, atol=1e-15 * (1 + np.abs(z).max()) * 8)
    x = m.forward(z)
    assert np.allclose(m.forward(m.inverse(3 * x)), x, rtol=1e-12)
    assert abs(m.inverse(x).mean()) <= 10 * EPS * (3 + np.abs(z).max())  # of logarithms as large


def test_far_numbers_and_single_pixels():
    assert rd.Softmax(3).forward([1e308, -1e308, 1e308]).tolist() == [0.5, 0, 0.5]
    assert rd.Softmax((1, 1)).forward([[-1e300]]).tolist() == [[1]]
    assert not rd.Softmax(1).jacobian([3.0]).to_dense().any()


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.longdouble])
def test_dtype_is_kept(dtype):
    m, z = rd.Softmax((4, 3)), np.random.default_rng(0).standard_normal((4, 3)).astype(dtype)
    value, jacobian = m.linearize(z)
    curvature = m.curvature(z, z)
    for result in (value, m.forward(z), jacobian.forward(z), curvature.forward(z), m.inverse(value, floor=0.01)):
        assert result.dtype == dtype
    assert relative_error(m.forward(m.inverse(value)), value) <= 10 * np.finfo(dtype).eps
    assert m.jacobian(z.astype(np.float64)).forward(np.ones((4, 3), np.float32)).dtype == np.float32


def test_value_and_jacobian_share_no_memory():
    value, jacobian = rd.Softmax(3).linearize([0.1, 0.2, 0.3])
    before = jacobian.to_dense()
    value[:] = 7
    assert np.array_equal(jacobian.to_dense(), before)


def test_a_psf_with_zeros_starts_with_a_floor():
    m, psf = rd.Softmax((3, 3)), np.pad([[1.0]], 1)
    assert np.allclose(m.forward(m.inverse(psf, floor=0.001)), np.maximum(psf, 0.001) / 1.008, rtol=1e-14)
    with pytest.raises(ValueError, match="x must be > 0, but 8 of its 9 values"):
        m.inverse(psf)
    with pytest.raises(ValueError, match="floor must be > 0"):
        m.inverse(psf, floor=-1)


def test_wrong_arguments_are_refused():
    with pytest.raises(ValueError, match="shape"):
        rd.Softmax((0,))
    m = rd.Softmax((4, 3))
    for call in (m.forward, m.jacobian, lambda z: m.curvature(z, np.zeros((4, 3)))):
        with pytest.raises(ValueError, match="z has shape"):
            call(np.zeros((3, 4)))
    with pytest.raises(ValueError, match="w has shape"):
        m.curvature(np.zeros((4, 3)), np.zeros((3, 4)))


def test_one_probability_close_to_one():
    """The mean is then close to the largest entry, from which it is taken."""
    z = 10 * np.random.default_rng(3).standard_normal(20)
    v = np.random.default_rng(4).standard_normal(20)
    with mpmath.workdps(40):
        weights = [mpmath.exp(mpmath.mpf(t)) for t in z]
        x = [w / sum(weights) for w in weights]
        mean = sum(p * mpmath.mpf(t) for p, t in zip(x, v, strict=True))
        exact = np.array([float(p * (mpmath.mpf(t) - mean)) for p, t in zip(x, v, strict=True)])
    found = rd.Softmax(20).jacobian(z).forward(v)
    assert np.linalg.norm(found - exact) <= 1e-14 * np.linalg.norm(exact)
