"""The differences against their definition, and where arguments are wrong."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import refdeconv as rd
from refdeconv import checks
from tests.oracles import gradient_matrix, stencil_matrix, unit_step
from tests.test_contracts import relative_error


@given(st.lists(st.integers(1, 6), min_size=1, max_size=3), st.data())
def test_is_the_definition(shape, data):
    axes = data.draw(st.permutations(range(len(shape))))[: data.draw(st.integers(1, len(shape)))]
    spacing = [data.draw(st.floats(0.1, 10)) for _ in axes]
    gradient = rd.Gradient(tuple(shape), spacing=spacing, axes=axes)
    matrix = gradient_matrix(shape, spacing, axes)
    assert gradient.output_shape == (len(axes), *shape)
    assert relative_error(gradient.to_dense(), matrix) <= 1e-15
    assert relative_error(gradient.T.to_dense(), matrix.T) <= 1e-15


@given(st.lists(st.integers(1, 64), min_size=1, max_size=3), st.integers(0, 2**32))
def test_dot_product(shape, seed):
    gradient = rd.Gradient(tuple(shape), spacing=0.3)
    rng = np.random.default_rng(seed)
    error = checks.adjoint_error(
        gradient.forward, gradient.adjoint, gradient.input_shape, gradient.output_shape, rng=rng
    )
    assert error <= 1e-15 * (1 + np.log2(np.prod(shape)))


@given(st.lists(st.integers(1, 5), min_size=1, max_size=3), st.sampled_from(["constant", "wrap"]), st.data())
def test_is_the_definition_with_other_edges(shape, boundary, data):
    axes = data.draw(st.permutations(range(len(shape))))[: data.draw(st.integers(1, len(shape)))]
    spacing = [data.draw(st.floats(0.1, 10)) for _ in axes]
    gradient = rd.Gradient(tuple(shape), spacing, axes, boundary)
    steps = [(unit_step(axis, len(shape)), 1 / h) for axis, h in zip(axes, spacing, strict=True)]
    matrix = np.vstack([stencil_matrix(shape, [(e, c), (0 * e, -c)], boundary) for e, c in steps])
    assert relative_error(gradient.to_dense(), matrix) <= 1e-15
    assert relative_error(gradient.T.to_dense(), matrix.T) <= 1e-15
    x = np.random.default_rng(data.draw(st.integers(0, 2**32))).standard_normal(shape)
    expected = matrix.T @ (matrix @ x.ravel())
    assert np.linalg.norm(gradient.gram(x).ravel() - expected) <= 1e-14 * np.linalg.norm(
        matrix, 2
    ) ** 2 * np.linalg.norm(x)


def test_reflected_edges_are_free_edges():
    """The pixel beyond a mirrored edge equals the last one."""
    x = np.random.default_rng(0).standard_normal((5, 4))
    free, reflected = rd.Gradient(x.shape), rd.Gradient(x.shape, boundary="reflect")
    assert reflected.boundary == free.boundary == "free"
    assert np.array_equal(reflected.forward(x), free.forward(x))
    e = unit_step(0, 2)
    assert np.array_equal(free.to_dense()[:20], stencil_matrix(x.shape, [(e, 1), (0 * e, -1)], "reflect"))


def test_one_pixel():
    for boundary, expected in (("free", 0.0), ("wrap", 0.0), ("constant", -6.0)):
        gradient = rd.Gradient((1,), spacing=0.5, boundary=boundary)
        assert gradient.forward([3.0])[0, 0] == expected
        assert gradient.adjoint([[3.0]])[0] == expected
        assert gradient.gram([3.0])[0] == expected * -2


def test_constant_edges_leave_no_null_space():
    assert np.linalg.matrix_rank(rd.Gradient((4, 3), boundary="constant").to_dense()) == 12
    assert np.linalg.matrix_rank(rd.Gradient((4, 3), boundary="wrap").to_dense()) == 11


@pytest.mark.parametrize("boundary", ["constant", "wrap"])
def test_extreme_spacings_across_the_edge(boundary):
    gradient = rd.Gradient((7,), spacing=1e200, boundary=boundary)
    assert np.array_equal(gradient.gram(np.arange(7.0)), np.zeros(7))  # its square would overflow


def test_spacings_of_any_size_and_precision():
    x = np.arange(7.0)
    assert np.array_equal(rd.Gradient((7,), spacing=1e200).gram(x), np.zeros(7))  # its square would overflow
    spacing = np.longdouble(1) / 10
    found = rd.Gradient((7,), spacing=spacing).forward(x.astype(np.longdouble))[0]
    assert np.array_equal(found[:-1], np.ones(6, np.longdouble) / spacing)


def test_is_numpys_difference_with_a_zero_at_the_far_edge():
    x = np.random.default_rng(0).standard_normal((5, 4))
    down, right = rd.Gradient(x.shape).forward(x)
    assert np.array_equal(down[:-1], np.diff(x, axis=0))
    assert np.array_equal(right[:, :-1], np.diff(x, axis=1))
    assert not down[-1].any()
    assert not right[:, -1].any()


def test_constant_images_are_its_null_space():
    gradient = rd.Gradient((4, 3, 2), spacing=(1, 2, 3))
    assert not gradient.forward(np.full((4, 3, 2), 5.0)).any()
    assert np.linalg.matrix_rank(gradient.to_dense()) == 4 * 3 * 2 - 1


def test_an_axis_may_be_a_number_and_negative():
    x = np.random.default_rng(0).standard_normal((5, 4))
    assert np.array_equal(rd.Gradient(x.shape, axes=-1).forward(x), rd.Gradient(x.shape, axes=(1,)).forward(x))


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"shape": ()}, ValueError, "shape needs at least one axis"),
        ({"shape": (3, -1)}, ValueError, "shape"),
        ({"shape": "ab"}, TypeError, "size in shape must be an integer"),
        ({"spacing": 0}, ValueError, "spacing must be > 0"),
        ({"spacing": (1, -1)}, ValueError, "spacing must be > 0"),
        ({"spacing": np.inf}, ValueError, "spacing must be a finite number"),
        ({"spacing": (1, 2, 3)}, ValueError, "spacing needs one number"),
        ({"spacing": "wide"}, ValueError, "spacing needs one number"),
        ({"spacing": None}, TypeError, "spacing must be a real number > 0"),
        ({"boundary": "wrapp"}, ValueError, "unknown boundary 'wrapp': did you mean 'wrap'"),
        ({"boundary": "mirror"}, ValueError, "unknown boundary 'mirror'"),
        ({"axes": (0, 0)}, ValueError, "none twice"),
        ({"axes": ()}, ValueError, "at least one axis"),
        ({"axes": (0, 2)}, ValueError, "between -2 and 1"),
        ({"axes": (0, -2)}, ValueError, "none twice"),
        ({"axes": (0.5,)}, TypeError, "integer"),
    ],
)
def test_bad_arguments(arguments, error, message):
    with pytest.raises(error, match=message):
        rd.Gradient(**{"shape": (4, 3), **arguments})


@pytest.mark.parametrize("axes", [(0, 1), (1, 0), (0,), (1,), (2, 0, 1)])
@pytest.mark.parametrize("spacing", [1.0, 2.0, 0.3])
@pytest.mark.parametrize("rows", [(0, 1), (0, 2), (1, 4), (3, 5), (4, 5), (0, 5)])
def test_some_rows_by_themselves(rows, spacing, axes):
    """From no more rows than are needed: the one after these, if any, where differences are taken along them."""
    whole, (start, stop) = rd.Gradient((5, 4, 3), spacing, axes), rows
    local = whole.cut(slice(start, stop))
    assert (local.rows.start, local.rows.stop, local.axis) == (start, min(stop + (0 in axes), 5), 1)
    expected = whole.to_dense().reshape(len(axes), 5, 4 * 3, 5, 4 * 3)[:, start:stop, :, local.rows]
    expected = expected.reshape(np.prod(local.operator.output_shape), np.prod(local.operator.input_shape))
    assert relative_error(local.operator.to_dense(), expected) <= 1e-15
    assert relative_error(local.operator.T.to_dense(), expected.T) <= 1e-15
    x = np.random.default_rng(0).standard_normal(local.operator.input_shape)
    gram, square = local.operator.gram_and_square(x)
    scale = np.linalg.norm(expected, 2) ** 2 * np.linalg.norm(x)
    assert np.linalg.norm(gram.ravel() - expected.T @ (expected @ x.ravel())) <= 1e-14 * scale
    assert np.isclose(square, np.sum(expected @ x.ravel() * (expected @ x.ravel())), rtol=1e-13, atol=0)
    assert np.array_equal(local.operator.gram(x), gram)


@pytest.mark.parametrize("boundary", ["free", "constant", "wrap"])
@pytest.mark.parametrize("spacing", [1.0, 2.0, (0.3, 5.0)])
def test_gram_and_square_is_the_pair(boundary, spacing):
    gradient = rd.Gradient((5, 4), spacing, boundary=boundary)
    x = np.random.default_rng(0).standard_normal((5, 4))
    gram, square = gradient.gram_and_square(x)
    differences = gradient.forward(x)
    assert relative_error(gram, gradient.adjoint(differences)) <= 1e-14
    assert np.isclose(square, np.sum(differences**2), rtol=1e-14, atol=0)
