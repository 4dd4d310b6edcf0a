"""The affine map against its definition, in objectives, and where arguments are wrong."""

import numpy as np
import pytest

import refdeconv as rd
from refdeconv import checks


def test_is_its_definition():
    rng = np.random.default_rng(0)
    A, b, z = rng.standard_normal((6, 4)), rng.standard_normal((2, 3)), rng.standard_normal(4)
    affine = rd.Affine(rd.LinearOperator.from_scipy(A, 4, (2, 3)), b)
    assert np.allclose(affine.forward(z), (A @ z).reshape(2, 3) + b, rtol=1e-14, atol=0)
    assert np.array_equal(affine.forward(np.zeros(4)), b)


def test_a_known_background_is_data_with_it_subtracted():
    rng = np.random.default_rng(0)
    data, background, x = rng.random((3, 5, 4))
    K = rd.Convolution(rng.random((3, 2)), x.shape)
    f, g = rd.LeastSquares(data) @ rd.Affine(K, background), rd.LeastSquares(data - background) @ K
    assert np.isclose(f.value(x), g.value(x), rtol=1e-13)
    assert np.allclose(f.gradient(x), g.gradient(x), rtol=0, atol=1e-14)
    assert checks.gradient_error(f.value, f.gradient, x) <= 1e-14
    assert checks.hvp_error(f.gradient, f.hvp, x) <= 1e-14


def test_derivatives():
    diagonal = rd.Diagonal([1.0, 2.0])
    affine = rd.Affine(diagonal, [3.0, 4.0])
    assert affine.jacobian([5.0, 6.0]) is diagonal
    assert not affine.curvature([5.0, 6.0], [7.0, 8.0]).to_dense().any()


def test_the_offset_is_copied_and_met_in_the_precision_of_the_image():
    offset = np.array([3.0, 4.0])
    affine = rd.Affine(rd.Identity(2), offset)
    offset[:] = 0
    assert np.array_equal(affine.forward([0.0, 0.0]), [3.0, 4.0])
    for dtype in (np.float32, np.float64, np.longdouble):
        assert affine.forward(np.zeros(2, dtype)).dtype == dtype


@pytest.mark.parametrize(
    ("operator", "offset", "error", "message"),
    [
        (np.eye(2), [1.0, 2.0], TypeError, "operator must be a LinearOperator"),
        (rd.Affine(rd.Identity(2), [1.0, 2.0]), [1.0, 2.0], TypeError, "operator must be a LinearOperator"),
        (rd.Identity(2), [1.0, 2.0, 3.0], ValueError, r"offset has shape \(3,\), expected \(2,\)"),
        (rd.Identity(2), 1.0, ValueError, "offset has shape"),
        (rd.Identity(2), [1.0, np.inf], ValueError, "offset must be finite"),
        (rd.Identity(2), [1.0, 1j], TypeError, "offset must be real"),
    ],
)
def test_bad_arguments(operator, offset, error, message):
    with pytest.raises(error, match=message):
        rd.Affine(operator, offset)
