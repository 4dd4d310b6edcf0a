"""The Laplacian against its stencil, scipy.ndimage and scipy.sparse.linalg, and where arguments are wrong."""

import numpy as np
import pytest
import scipy.ndimage
import scipy.sparse.linalg
from hypothesis import given
from hypothesis import strategies as st

import refdeconv as rd
from refdeconv.operators.laplacian import BOUNDARIES
from tests.oracles import second_difference_matrix
from tests.test_contracts import relative_error


@given(st.lists(st.integers(1, 5), min_size=1, max_size=3), st.sampled_from(BOUNDARIES), st.data())
def test_is_its_stencil(shape, boundary, data):
    spacing = [data.draw(st.floats(0.1, 10)) for _ in shape]
    matrix = sum(second_difference_matrix(shape, spacing, boundary, a, a) for a in range(len(shape)))
    laplacian = rd.Laplacian(tuple(shape), spacing, boundary)
    assert relative_error(laplacian.to_dense(), matrix) <= 1e-15
    assert relative_error(laplacian.T.to_dense(), matrix.T) <= 1e-15


@given(st.lists(st.integers(1, 9), min_size=1, max_size=3), st.sampled_from(BOUNDARIES), st.integers(0, 2**32))
def test_scipy_ndimage(shape, boundary, seed):
    x = np.random.default_rng(seed).standard_normal(shape)
    expected = scipy.ndimage.laplace(x, mode=boundary)
    assert np.allclose(rd.Laplacian(x.shape, boundary=boundary).forward(x), expected, rtol=0, atol=1e-13)


@pytest.mark.parametrize(
    ("boundary", "name"), [("reflect", "neumann"), ("constant", "dirichlet"), ("wrap", "periodic")]
)
def test_scipy_sparse(boundary, name):
    expected = scipy.sparse.linalg.LaplacianNd((4, 5), boundary_conditions=name).toarray()
    assert np.array_equal(rd.Laplacian((4, 5), boundary=boundary).to_dense(), expected)


def test_it_would_not_be_self_adjoint_with_the_boundary_mirror():
    """Which is why that one is refused."""
    columns = [scipy.ndimage.laplace(column, mode="mirror") for column in np.eye(4)]
    assert not np.array_equal(columns, np.transpose(columns))
    with pytest.raises(ValueError, match="unknown boundary 'mirror'"):
        rd.Laplacian((4,), boundary="mirror")


@pytest.mark.parametrize("boundary", BOUNDARIES)
def test_is_its_own_adjoint_and_negative(boundary):
    laplacian = rd.Laplacian((4, 3, 2), (0.5, 1.0, 2.0), boundary)
    assert laplacian.T is laplacian
    dense = laplacian.to_dense()
    assert np.array_equal(dense, dense.T)
    eigenvalues = np.linalg.eigvalsh(dense)
    assert np.count_nonzero(eigenvalues > -1e-12) == (0 if boundary == "constant" else 1)


def test_some_axes_only():
    x = np.random.default_rng(0).standard_normal((3, 5, 4))
    for found, channel in zip(rd.Laplacian(x.shape, axes=(-2, -1)).forward(x), x, strict=True):
        assert np.allclose(found, scipy.ndimage.laplace(channel), rtol=0, atol=1e-14)


@pytest.mark.parametrize("boundary", BOUNDARIES)
def test_one_and_two_pixels(boundary):
    one = rd.Laplacian((1,), 0.5, boundary).forward([3.0])
    assert one[0] == {"reflect": 0, "constant": -24, "wrap": 0}[boundary]
    two = rd.Laplacian((2,), 0.5, boundary).forward([3.0, 5.0])
    expected = {"reflect": [8, -8], "constant": [-4, -28], "wrap": [16, -16]}[boundary]
    assert np.array_equal(two, expected)


@pytest.mark.parametrize("boundary", BOUNDARIES)
def test_extreme_spacings(boundary):
    x = np.arange(7.0)
    assert not rd.Laplacian((7,), 1e200, boundary).forward(x).any()  # its square would overflow
    tiny = rd.Laplacian((7,), 1e-200, boundary).forward(x * 1e-300)  # and this one underflow
    expected = np.array([1e-300, -2e-300]) / 1e-200 / 1e-200
    assert np.allclose(tiny[:1], {"reflect": expected[0], "constant": expected[0], "wrap": 7 * expected[0]}[boundary])


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"shape": (3, 0)}, ValueError, "shape"),
        ({"spacing": 0}, ValueError, "spacing must be > 0"),
        ({"spacing": (1, 2, 3)}, ValueError, "spacing needs one number"),
        ({"boundary": "free"}, ValueError, "unknown boundary 'free'"),
        ({"boundary": "reflct"}, ValueError, "did you mean 'reflect'"),
        ({"axes": (0, 0)}, ValueError, "none twice"),
        ({"axes": 2}, ValueError, "between -2 and 1"),
    ],
)
def test_bad_arguments(arguments, error, message):
    with pytest.raises(error, match=message):
        rd.Laplacian(**{"shape": (4, 3), **arguments})
