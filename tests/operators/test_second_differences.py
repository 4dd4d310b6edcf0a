"""The second differences against their stencils, their null spaces, and where arguments are wrong."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import refdeconv as rd
from refdeconv import checks
from refdeconv.operators.second_differences import BOUNDARIES
from tests.oracles import second_difference_matrix
from tests.test_contracts import relative_error


def upper_triangle(ndim):
    return list(itertools.combinations_with_replacement(range(ndim), 2))


@given(st.lists(st.integers(1, 5), min_size=1, max_size=3), st.sampled_from(BOUNDARIES), st.data())
def test_is_its_stencils(shape, boundary, data):
    spacing = [data.draw(st.floats(0.1, 10)) for _ in shape]
    matrix = np.vstack(
        [
            second_difference_matrix(shape, spacing, boundary, a, b) * (1 if a == b else np.sqrt(2))
            for a, b in upper_triangle(len(shape))
        ]
    )
    second = rd.SecondDifferences(tuple(shape), spacing, boundary)
    assert second.output_shape == (len(upper_triangle(len(shape))), *shape)
    assert relative_error(second.to_dense(), matrix) <= 2e-15
    assert relative_error(second.T.to_dense(), matrix.T) <= 2e-15
    x = np.random.default_rng(data.draw(st.integers(0, 2**32))).standard_normal(shape)
    expected = matrix.T @ (matrix @ x.ravel())
    assert np.linalg.norm(second.gram(x).ravel() - expected) <= 1e-14 * np.linalg.norm(matrix, 2) ** 2 * np.linalg.norm(
        x
    )


@given(st.lists(st.integers(1, 32), min_size=1, max_size=3), st.sampled_from(BOUNDARIES), st.integers(0, 2**32))
def test_dot_product(shape, boundary, seed):
    second = rd.SecondDifferences(tuple(shape), 0.3, boundary)
    rng = np.random.default_rng(seed)
    error = checks.adjoint_error(second.forward, second.adjoint, second.input_shape, second.output_shape, rng=rng)
    assert error <= 1e-15 * (1 + np.log2(np.prod(shape)))


def test_gram_where_two_pixels_lie_close_together():
    """Along an axis of two pixels a free edge leaves nothing; its small spacing must not drown the other entries."""
    second = rd.SecondDifferences((2, 5), (1e-6, 1.0))
    x = np.random.default_rng(0).standard_normal((2, 5))
    assert relative_error(second.gram(x), second.adjoint(second.forward(x))) <= 1e-15


def test_the_sum_of_squares_is_the_squared_frobenius_norm():
    """Of the full matrix at each pixel, here of a quadratic image, whose second derivatives are known."""
    hessian = np.array([[2.0, -1.5, 0.5], [-1.5, 1.0, 0.75], [0.5, 0.75, -3.0]])
    spacing = np.array([0.5, 1.0, 2.0])
    shape = (4, 5, 3)
    points = np.moveaxis(np.indices(shape), 0, -1) * spacing
    x = np.einsum("...a,ab,...b->...", points, hessian, points) / 2 + points @ [1.0, -2.0, 0.3] + 7
    entries = rd.SecondDifferences(shape, spacing).forward(x)
    inner = entries[:, 1:-1, 1:-1, 1:-1].reshape(6, -1)
    expected = [hessian[a, b] * (1 if a == b else np.sqrt(2)) for a, b in upper_triangle(3)]
    assert np.allclose(inner, np.array(expected)[:, None], rtol=0, atol=1e-12)
    assert np.allclose((inner**2).sum(axis=0), np.linalg.norm(hessian) ** 2)


def test_affine_images_are_the_null_space_of_free_edges():
    shape = (5, 4, 3)
    second = rd.SecondDifferences(shape, (1, 2, 4))
    i, j, k = np.indices(shape)
    assert not second.forward(3.0 + 2.0 * i - 5.0 * j + 0.5 * k).any()
    assert np.linalg.matrix_rank(second.to_dense()) == np.prod(shape) - 4


@pytest.mark.parametrize(("boundary", "nullity"), [("free", 3), ("reflect", 1), ("wrap", 1), ("constant", 0)])
def test_null_spaces(boundary, nullity):
    assert np.linalg.matrix_rank(rd.SecondDifferences((4, 5), boundary=boundary).to_dense()) == 20 - nullity


@pytest.mark.parametrize("boundary", BOUNDARIES)
def test_one_pixel(boundary):
    second = rd.SecondDifferences((1, 1), (0.5, 0.25), boundary)
    expected = [-8, np.sqrt(2) * 8, -32] if boundary == "constant" else [0, 0, 0]
    assert np.allclose(second.forward([[1.0]]).ravel(), expected, rtol=1e-15, atol=0)


def test_one_axis_is_numpys_second_difference():
    x = np.random.default_rng(0).standard_normal(9)
    found = rd.SecondDifferences(9).forward(x)[0]
    assert np.allclose(found[1:-1], np.diff(x, 2), rtol=0, atol=1e-15)
    assert found[0] == found[-1] == 0


@pytest.mark.parametrize("boundary", BOUNDARIES)
def test_extreme_spacings(boundary):
    x = np.random.default_rng(0).standard_normal((4, 5))
    assert not rd.SecondDifferences(x.shape, 1e200, boundary).forward(x).any()  # squares of it would overflow
    assert not rd.SecondDifferences(x.shape, 1e200, boundary).gram(x).any()


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"shape": (3, 0)}, ValueError, "shape"),
        ({"shape": ()}, ValueError, "shape needs at least one axis"),
        ({"spacing": (1, -1)}, ValueError, "spacing must be > 0"),
        ({"spacing": (1, 2, 3)}, ValueError, "spacing needs one number"),
        ({"boundary": "mirror"}, ValueError, "unknown boundary 'mirror'"),
        ({"boundary": "Free"}, ValueError, "did you mean 'free'"),
    ],
)
def test_bad_arguments(arguments, error, message):
    with pytest.raises(error, match=message):
        rd.SecondDifferences(**{"shape": (4, 3), **arguments})
