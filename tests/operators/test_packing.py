"""Packing and what acts on packed vectors, against plain concatenation and block matrices."""

import numpy as np
import pytest
import scipy.linalg
from hypothesis import given
from hypothesis import strategies as st

import refdeconv as rd
from refdeconv import checks
from refdeconv.hessians import SelfAdjoint

shapes = st.lists(st.lists(st.integers(1, 4), min_size=1, max_size=3).map(tuple), min_size=1, max_size=4)


@given(shapes, st.data())
def test_packing_and_blocks(shapes, data):
    packing = rd.Packing(shapes)
    rng = np.random.default_rng(0)
    arrays = [rng.standard_normal(shape) for shape in shapes]
    z = packing.pack(*arrays)
    assert np.array_equal(z, np.concatenate([array.ravel() for array in arrays]))
    assert packing.size == z.size
    for array, same in zip(arrays, packing.unpack(z), strict=True):
        assert np.array_equal(array, same)
        assert not np.shares_memory(same, z)
    index = data.draw(st.integers(-len(shapes), len(shapes) - 1))
    block = rd.Block(shapes, index)
    assert np.array_equal(block.forward(z), arrays[index])
    assert np.array_equal(block.adjoint(arrays[index]), packing.block(index).T.forward(arrays[index]))
    everything = sum(rd.Block(shapes, i).T.forward(array) for i, array in enumerate(arrays))
    assert np.array_equal(everything, z)


def test_any_layout_and_dtype():
    packing = rd.Packing([(2, 3), 2])
    a = np.asfortranarray(np.arange(6.0).reshape(2, 3))
    assert packing.pack(a, [7, 8]).tolist() == [0, 1, 2, 3, 4, 5, 7, 8]
    assert packing.pack(a.astype(np.float32), np.ones(2, np.float32)).dtype == np.float32
    assert packing.pack(a.astype(np.float32), np.ones(2)).dtype == np.float64
    one = rd.Packing([3])
    x = np.arange(3.0)
    assert not np.shares_memory(one.pack(x), x)


def test_side_by_side():
    rng = np.random.default_rng(0)
    parts = [
        rd.Convolution(rng.standard_normal(4), 5),
        rd.Gradient((2, 3)),
        rd.LinearOperator.from_scipy(rng.standard_normal((2, 3)), 3, 2),
    ]
    both = rd.BlockDiagonal(*parts)
    dense = scipy.linalg.block_diag(*(part.to_dense() for part in parts))
    assert np.array_equal(both.to_dense(), dense)
    assert np.array_equal(both.T.to_dense(), scipy.linalg.block_diag(*(part.T.to_dense() for part in parts)))
    assert isinstance(both @ both.T, rd.LinearOperator)
    assert isinstance(rd.Parallel(*parts).jacobian(np.zeros(14)), rd.LinearOperator)
    assert isinstance(rd.Parallel(*parts).curvature(np.zeros(14), np.zeros(19)), rd.Zero)


def test_maps_side_by_side_with_linear_operators():
    m = rd.Parallel(rd.Exponential((2, 2)), rd.Identity(3))
    z, w = np.random.default_rng(0).standard_normal((2, 7))
    assert np.array_equal(m.forward(z), np.concatenate([np.exp(z[:4]), z[4:]]))
    assert np.array_equal(m.curvature(z, w).to_dense(), np.diag([*(w[:4] * np.exp(z[:4])), 0, 0, 0]))


def test_maps_compose_inside_and_outside():
    rng = np.random.default_rng(0)
    inner = rd.Parallel(rd.Softplus((2, 3)), rd.Softmax(4))
    outer = rd.Parallel(rd.Square((2, 3)), rd.Exponential(4))
    f = rd.LeastSquares(rng.standard_normal(10)) @ outer @ inner
    z = rng.standard_normal(10)
    assert checks.gradient_error(f.value, f.gradient, z) <= 1e-14
    assert checks.hvp_error(f.gradient, f.hvp, z) <= 1e-14
    blockwise = rd.Parallel(rd.Square((2, 3)) @ rd.Softplus((2, 3)), rd.Exponential(4) @ rd.Softmax(4))
    again = rd.LeastSquares(rng.standard_normal(10)) @ blockwise
    assert np.allclose(blockwise.forward(z), (outer @ inner).forward(z))
    assert checks.hvp_error(again.gradient, again.hvp, z) <= 1e-14


def test_results_do_not_share_memory_with_the_vector():
    """Even where a block of the user's returns what it was given."""
    view = SelfAdjoint((3,), lambda v: v)
    z = np.arange(3.0)
    for result in (rd.BlockDiagonal(view).forward(z), rd.BlockDiagonal(view).adjoint(z), rd.Block([3], 0).forward(z)):
        assert not np.shares_memory(result, z)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: rd.Packing([]), ValueError, "shapes must hold at least one shape"),
        (lambda: rd.Packing(3), TypeError, "shapes must be a sequence of shapes"),
        (lambda: rd.Packing([(2, 0)]), ValueError, "each of shapes needs"),
        (lambda: rd.Packing([(2.5,)]), TypeError, "each of shapes must be an integer"),
        (lambda: rd.Packing([2, 3]).pack(np.ones(2)), ValueError, "pack takes 2 arrays"),
        (lambda: rd.Packing([2, 3]).pack(np.ones(2), np.ones(2)), ValueError, "array 1 has shape"),
        (lambda: rd.Packing([2, 3]).unpack(np.ones(6)), ValueError, "z has shape"),
        (lambda: rd.Block([2, 3], 2), ValueError, "index must be between -2 and 1"),
        (lambda: rd.Block([2, 3], 0.5), TypeError, "index must be an integer"),
        (lambda: rd.Parallel(), ValueError, "Parallel needs at least one operator"),
        (lambda: rd.BlockDiagonal(), ValueError, "BlockDiagonal needs at least one operator"),
        (lambda: rd.Parallel(rd.LeastSquares()), TypeError, "operators must be operators"),
        (lambda: rd.Parallel(np.ones(3)), TypeError, "operators must be operators"),
        (lambda: rd.BlockDiagonal(rd.Square(3)), TypeError, "operators must be linear operators"),
        (lambda: rd.Parallel(rd.Square(3)).forward(np.ones(4)), ValueError, "z has shape"),
        (lambda: rd.Parallel(rd.Square(3)).curvature(np.ones(3), np.ones(4)), ValueError, "w has shape"),
    ],
)
def test_bad_arguments(make, error, message):
    with pytest.raises(error, match=message):
        make()
