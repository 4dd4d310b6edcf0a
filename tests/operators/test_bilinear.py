"""The convolution of two unknowns against direct sums, `Convolution` and scipy; blind objectives; bad arguments."""

import itertools
import warnings

import numpy as np
import pytest
import scipy.signal
from hypothesis import given
from hypothesis import strategies as st

import refdeconv as rd
from refdeconv import checks
from tests.oracles import convolution_matrix, extended_index
from tests.test_contracts import relative_error

BOUNDARIES = ("constant", "wrap")


def image_matrix(x, psf_shape, boundary, origin):
    """The matrix of k -> k * x on flat PSFs: y[i] = sum_j x[i + origin - j] k[j], summed directly."""
    matrix = np.zeros((x.size, np.prod(psf_shape)), x.dtype)
    for row, pixel in enumerate(itertools.product(*map(range, x.shape))):
        for column, sample in enumerate(itertools.product(*map(range, psf_shape))):
            source = [
                extended_index(i + o - j, n, boundary)
                for i, o, j, n in zip(pixel, origin, sample, x.shape, strict=True)
            ]
            if None not in source:
                matrix[row, column] = x[tuple(source)]
    return matrix


@st.composite
def problems(draw, dtype=np.float64):
    """A blind convolution of any sizes and origin, with an image and a PSF."""
    ndim = draw(st.integers(1, 3))
    shape = tuple(draw(st.integers(1, (12, 6, 4)[ndim - 1])) for _ in range(ndim))
    sizes = tuple(draw(st.integers(1, (15, 8, 5)[ndim - 1])) for _ in range(ndim))
    origin = tuple(draw(st.integers(0, k - 1)) for k in sizes)
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    blur = rd.BlindConvolution(shape, sizes, draw(st.sampled_from(BOUNDARIES)), origin)
    return blur, rng.standard_normal(shape).astype(dtype), rng.standard_normal(sizes).astype(dtype), rng


def both_matrices(blur, x, k):
    """The two blocks of the Jacobian by direct summation."""
    options = blur.boundary, blur.origin
    return convolution_matrix(k, x.shape, *options), image_matrix(x, k.shape, *options)


@given(problems())
def test_is_the_direct_sum(case):
    blur, x, k, _ = case
    of_image, of_psf = both_matrices(blur, x, k)
    z, scale = blur.packing.pack(x, k), np.linalg.norm(x) * np.linalg.norm(k)
    assert np.linalg.norm(blur.forward(z).ravel() - of_image @ x.ravel()) <= 1e-14 * scale
    assert np.linalg.norm(blur.forward(z).ravel() - of_psf @ k.ravel()) <= 1e-14 * scale
    value, jacobian = blur.linearize(z)
    assert np.array_equal(value, blur.forward(z))
    matrix = np.hstack([of_image, of_psf])
    scale = np.linalg.norm(x) + np.linalg.norm(k)
    assert np.abs(jacobian.to_dense() - matrix).max() <= 1e-14 * scale
    assert np.abs(jacobian.T.to_dense() - matrix.T).max() <= 1e-14 * scale


@given(problems())
def test_curvature_has_mixed_blocks_alone(case):
    blur, x, k, rng = case
    w = rng.standard_normal(blur.output_shape)
    curvature = blur.curvature(blur.packing.pack(x, k), w).to_dense()
    # Entry (p, j) is the sum of w over the pixels at which the product x[p] k[j] arrives.
    units = np.eye(x.size).reshape(x.size, *x.shape)
    mixed = np.stack([image_matrix(unit, k.shape, blur.boundary, blur.origin).T @ w.ravel() for unit in units])
    scale = 1e-14 * np.linalg.norm(w)
    assert np.abs(curvature[: x.size, x.size :] - mixed).max() <= scale
    assert np.abs(curvature[x.size :, : x.size] - mixed.T).max() <= scale
    assert not curvature[: x.size, : x.size].any()
    assert not curvature[x.size :, x.size :].any()


@given(problems())
def test_dot_product(case):
    blur, x, k, rng = case
    jacobian = blur.jacobian(blur.packing.pack(x, k))
    error = checks.adjoint_error(
        jacobian.forward, jacobian.adjoint, blur.input_shape, blur.output_shape, directions=3, rng=rng
    )
    assert error <= 1e-15 * (1 + np.log2(jacobian.input_shape[0]))


@given(problems(), st.integers(0, 2**32))
def test_complex_step_mixes_image_and_psf(case, seed):
    """Real and imaginary parts multiply as complex numbers, to first order with steps of 1e-100, and to second."""
    blur, x, k, _ = case
    dx, dk = (np.random.default_rng(seed).standard_normal(a.shape) for a in (x, k))
    of_image, of_psf = both_matrices(blur, x, k)
    z, dz = blur.packing.pack(x, k), blur.packing.pack(dx, dk)
    found = blur.forward(z + 1e-100j * dz)
    first_order = of_image @ dx.ravel() + of_psf @ dk.ravel()
    scale = 1e-14 * np.linalg.norm(z) * np.linalg.norm(dz)
    assert np.linalg.norm(found.imag.ravel() * 1e100 - first_order) <= scale
    assert np.linalg.norm(found.real - blur.forward(z)) <= 1e-14 * np.linalg.norm(z) ** 2
    found = blur.forward(z + 1j * dz)
    assert np.linalg.norm(found.real - blur.forward(z) + blur.forward(dz)) <= 1e-14 * (z @ z + dz @ dz)
    assert np.linalg.norm(found.imag.ravel() - first_order) <= 2 * scale


@pytest.mark.parametrize("boundary", BOUNDARIES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.longdouble])
def test_every_precision(boundary, dtype):
    rng, eps = np.random.default_rng(0), np.finfo(dtype).eps
    x, k = (rng.standard_normal(s).astype(dtype) / dtype(3) for s in ((5, 6), (4, 3)))
    blur = rd.BlindConvolution(x.shape, k.shape, boundary, origin=(1, 2))
    of_image, of_psf = both_matrices(blur, x, k)
    z, w = blur.packing.pack(x, k), rng.standard_normal(x.shape).astype(dtype)
    value, jacobian = blur.linearize(z)
    back = jacobian.adjoint(w)
    curved = blur.curvature(z, w).forward(z)
    forward = jacobian.forward(z)
    assert value.dtype == back.dtype == curved.dtype == forward.dtype == dtype
    assert relative_error(value.ravel(), of_image @ x.ravel()) <= 20 * eps
    assert relative_error(forward.ravel(), 2 * of_image @ x.ravel()) <= 20 * eps
    assert relative_error(back, np.hstack([of_image, of_psf]).T @ w.ravel()) <= 20 * eps
    assert relative_error(curved, back) <= 20 * eps  # at (x, k) itself the two are the same
    assert blur.jacobian(z.astype(np.float64)).adjoint(w.astype(np.float32)).dtype == np.float32
    assert blur.forward(z + 0j).dtype == np.result_type(dtype, np.complex64)


@pytest.mark.parametrize("boundary", BOUNDARIES)
@pytest.mark.parametrize(
    ("shape", "sizes"), [((33, 40), (6, 5)), ((8, 7), (9, 20)), ((64,), (13,)), ((9, 8, 7), (2, 3, 4))]
)
def test_agrees_with_convolution(boundary, shape, sizes):
    rng = np.random.default_rng(0)
    x, k = rng.standard_normal(shape), rng.standard_normal(sizes)
    known, blur = rd.Convolution(k, shape, boundary), rd.BlindConvolution(shape, sizes, boundary, workers=2)
    assert blur.origin == known.origin
    z = blur.packing.pack(x, k)
    scale = 1e-14 * np.linalg.norm(x) * np.linalg.norm(k)
    assert np.linalg.norm(blur.forward(z) - known.forward(x)) <= scale
    assert np.linalg.norm(blur.packing.unpack(blur.jacobian(z).adjoint(x))[0] - known.adjoint(x)) <= scale


def test_identity_as_boundary_is_scipys_valid():
    rng = np.random.default_rng(0)
    x, k = rng.standard_normal((9, 8)), rng.standard_normal((3, 4))
    blur = rd.BlindConvolution(x.shape, k.shape, rd.Identity(x.shape))
    assert blur.output_shape == (7, 5)
    expected = scipy.signal.convolve(x, k, mode="valid", method="direct")
    assert np.allclose(blur.forward(blur.packing.pack(x, k)), expected, rtol=0, atol=1e-13)


@pytest.mark.parametrize("mode", ["symmetric", "reflect", "edge"])
def test_any_linear_continuation_may_be_the_boundary(mode):
    """A matrix made of numpy's padding: the blurred image is the valid convolution of the padded one."""
    rng = np.random.default_rng(0)
    shape, sizes, origin = (6, 5), (4, 3), (1, 2)
    widths = [(k - 1 - o, o) for k, o in zip(sizes, origin, strict=True)]
    columns = [np.pad(unit.reshape(shape), widths, mode=mode).ravel() for unit in np.eye(30)]
    extension = rd.LinearOperator.from_scipy(np.stack(columns, axis=1), shape, (9, 7))
    blur = rd.BlindConvolution(shape, sizes, extension)
    x, k = rng.standard_normal(shape), rng.standard_normal(sizes)
    expected = scipy.signal.convolve(np.pad(x, widths, mode=mode), k, mode="valid", method="direct")
    z = blur.packing.pack(x, k)
    assert blur.output_shape == shape
    assert np.allclose(blur.forward(z), expected, rtol=0, atol=1e-13)
    f = rd.LeastSquares(rng.standard_normal(shape)) @ blur
    assert checks.gradient_error(f.value, f.gradient, z) <= 1e-14
    assert checks.hvp_error(f.gradient, f.hvp, z) <= 1e-14


@pytest.mark.parametrize("boundary", BOUNDARIES)
def test_an_all_zero_psf_or_image_is_a_point_like_any_other(boundary):
    blur = rd.BlindConvolution((5, 4), (3, 2), boundary)
    x = np.random.default_rng(0).standard_normal((5, 4))
    z = blur.packing.pack(x, np.zeros((3, 2)))
    value, jacobian = blur.linearize(z)
    assert not value.any()
    image, psf = blur.packing.unpack(jacobian.adjoint(np.ones((5, 4))))
    assert not image.any()
    assert psf.any()
    assert not blur.jacobian(np.zeros(26)).forward(z).any()


def test_samples_beyond_reach_have_a_gradient_of_exactly_zero():
    """And, however large, they leave no rounding in the blurred image."""
    blur = rd.BlindConvolution(2, 7, origin=3)
    x, k = np.array([1.0, 3.0]), np.array([1e20, 1e20, 0.5, 1.0, 0.25, 1e20, 1e20])
    z = blur.packing.pack(x, k)
    assert np.allclose(blur.forward(z), [1 + 0.5 * 3, 3 + 0.25], rtol=1e-15)
    gradient = blur.packing.unpack(blur.jacobian(z).adjoint(np.ones(2)))[1]
    assert np.allclose(gradient, [0, 0, 3, 4, 1, 0, 0], rtol=1e-15)
    assert not gradient[[0, 1, 5, 6]].any()
    assert not blur.curvature(z, np.ones(2)).forward(z)[[2, 3, 7, 8]].any()


def test_scale_is_not_determined():
    blur = rd.BlindConvolution((7, 6), (3, 4))
    x, k = (np.random.default_rng(0).standard_normal(s) for s in blur.packing.shapes)
    z = blur.packing.pack(x, k)
    assert np.allclose(blur.forward(blur.packing.pack(3 * x, k / 3)), blur.forward(z))
    assert np.abs(blur.jacobian(z).forward(blur.packing.pack(x, -k))).max() <= 1e-14


def blind_objective(shape, sizes, data):
    """Misfit of a positive image and a PSF of sum one, and the roughness of the image."""
    blur, square = rd.BlindConvolution(shape, sizes), rd.Square(shape)
    misfit = rd.LeastSquares(data) @ blur @ rd.Parallel(square, rd.Softmax(sizes))
    return misfit + 0.01 * rd.LeastSquares() @ rd.Gradient(shape) @ square @ rd.Block((shape, sizes), 0)


def test_the_hessian_is_full_and_not_that_of_gauss_newton():
    shape, sizes, rng = (5, 6), (3, 2), np.random.default_rng(0)
    F = blind_objective(shape, sizes, rng.standard_normal(shape))
    z = rng.standard_normal(36)
    steps = [F.gradient(z + 1e-100j * unit).imag * 1e100 for unit in np.eye(36)]
    H = F.hessian(z).to_dense()
    assert relative_error(H, np.array(steps)) <= 1e-14
    assert relative_error(H, H.T) <= 1e-14
    assert np.linalg.norm(H[:30, 30:]) > 0.01 * np.linalg.norm(H)


@pytest.mark.parametrize("method", ["Newton-CG", "trust-ncg", "L-BFGS-B"])
def test_blind_solves_decrease(method):
    shape, sizes = (9, 8), (3, 3)
    truth = np.pad(np.ones((4, 3)), ((2, 3), (3, 2)))
    data = rd.Convolution(rd.psf.gaussian(sizes, 0.8), shape).forward(truth)
    F = blind_objective(shape, sizes, data)
    start = rd.Packing((shape, sizes)).pack(rd.Square(shape).inverse(data, floor=0.01), np.zeros(sizes))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        result = rd.minimize(F, start, method=method, maxiter=100)
    assert result.fun < 0.3 * F.value(start)
    assert result.gradient_norm < 0.1 * np.linalg.norm(F.gradient(start))


def test_results_share_no_memory_and_inputs_are_kept():
    blur = rd.BlindConvolution(5, 1, rd.Identity(5))
    z = np.arange(6.0)
    before = z.copy()
    value, jacobian = blur.linearize(z)
    for result in (value, jacobian.forward(z), jacobian.adjoint(np.ones(5)), blur.curvature(z, value).forward(z)):
        assert not np.shares_memory(result, z)
    assert np.array_equal(z, before)
    expected = jacobian.to_dense()
    z[:] = 0
    value[:] = 0
    assert np.array_equal(jacobian.to_dense(), expected)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"image_shape": (5, 0)}, ValueError, "image_shape needs"),
        ({"image_shape": 5.0}, TypeError, "each size in image_shape must be an integer"),
        ({"psf_shape": (3, 0)}, ValueError, "psf_shape needs"),
        ({"psf_shape": 3}, ValueError, r"psf_shape \(3,\) has 1 axes, image_shape \(5, 4\) has 2"),
        ({"boundary": "warp"}, ValueError, "unknown boundary 'warp': did you mean 'wrap'"),
        ({"boundary": rd.Identity((4, 5))}, ValueError, "boundary takes images of shape"),
        ({"boundary": rd.Zero((5, 4), (2, 4))}, ValueError, "boundary must return an array at least as large"),
        ({"boundary": rd.Gradient((5, 4))}, ValueError, "boundary must return an array at least as large"),
        ({"boundary": rd.Identity((5, 4)), "origin": 1}, ValueError, "origin must be left out"),
        ({"origin": (0, 3)}, ValueError, "origin must lie inside"),
        ({"origin": (0, 1, 2)}, ValueError, "origin needs one number"),
        ({"workers": 0}, ValueError, "workers must not be 0"),
    ],
)
def test_bad_arguments(arguments, error, message):
    with pytest.raises(error, match=message):
        rd.BlindConvolution(**{"image_shape": (5, 4), "psf_shape": (3, 3), **arguments})


def test_wrong_shapes_are_refused():
    blur = rd.BlindConvolution((5, 4), (3, 2))
    for call in (blur.forward, blur.jacobian, blur.linearize, lambda z: blur.curvature(z, np.zeros((5, 4)))):
        with pytest.raises(ValueError, match="z has shape"):
            call(np.zeros((5, 4)))
    with pytest.raises(ValueError, match="w has shape"):
        blur.curvature(np.zeros(26), np.zeros(20))
