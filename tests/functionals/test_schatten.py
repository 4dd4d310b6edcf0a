"""The nuclear norm against numpy's and mpmath's eigenvalues: equal and zero ones, extreme scales, complex matrices."""

import math

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import refdeconv as rd
from refdeconv import checks
from tests.by_definition import derivatives
from tests.test_contracts import relative_error

SIZES = {1: 1, 2: 3, 3: 6}  # rows of the matrices -> entries of the field


def symmetric_matrix(entries):
    """The matrix of which the entries are the upper triangle, those off the diagonal multiplied by the root of two."""
    d = {1: 1, 3: 2, 6: 3}[len(entries)]
    matrix, entries = mpmath.matrix(d), iter(entries)
    for i in range(d):
        for j in range(i, d):
            matrix[i, j] = matrix[j, i] = next(entries) / (1 if i == j else mpmath.sqrt(2))
    return matrix


def written_out(u):
    """The matrices of a field, pixel by pixel, by the layout's definition."""
    pixels = [symmetric_matrix(list(column)) for column in u.reshape(len(u), -1).T]
    return np.array([[[float(m[i, j]) for j in range(m.cols)] for i in range(m.rows)] for m in pixels])


def field(matrices):
    """The field of symmetric matrices, of shape (pixels, d, d)."""
    rows, columns = np.triu_indices(matrices.shape[-1])
    return (matrices[:, rows, columns] * np.where(rows == columns, 1, np.sqrt(2))).T.copy()


def rotation(d, rng):
    return np.linalg.qr(rng.standard_normal((d, d)))[0]


def with_eigenvalues(values, rng):
    """A field of one randomly turned matrix."""
    turn = rotation(len(values), rng)
    matrix = turn @ np.diag(values) @ turn.T
    return field(((matrix + matrix.T) / 2)[None])


# Equal, nearly equal, zero and opposite eigenvalues, and those of widely different sizes.
SPECTRA = [
    (0.0,), (2.0,), (0.0, 0.0), (1.5, 1.5), (1.5, -1.5), (0.0, 2.0), (1.0, 1.0 + 1e-9), (1.0, 1e-12),
    (0.0, 0.0, 0.0), (-2.0, -2.0, -2.0), (3.0, 0.0, 0.0), (1.0, 1.0, 0.0), (1.0, 1.0, -1.0), (2.0, 2.0, 1.0),
    (1.0, 1.0 + 1e-9, 1.0 - 1e-12), (100.0, 1.0, 1e-5),
]  # fmt: skip


@given(st.sampled_from([1, 2, 3]), st.lists(st.integers(1, 3), max_size=3), st.floats(1e-8, 10), st.integers(0, 2**32))
def test_value_is_that_of_numpys_eigenvalues(d, shape, epsilon, seed):
    u = np.random.default_rng(seed).standard_normal((SIZES[d], *shape))
    values = np.linalg.eigvalsh(written_out(u))
    expected = np.sum(values * (values / (np.hypot(values, epsilon) + epsilon)))
    assert math.isclose(rd.SmoothedNuclearNorm(epsilon).value(u), expected, rel_tol=1e-13)


@pytest.mark.parametrize("d", [1, 2, 3])
def test_is_the_nuclear_norm_in_the_limit(d):
    u = np.random.default_rng(1).standard_normal((SIZES[d], 7))
    expected = np.sum(np.linalg.norm(written_out(u), "nuc", axis=(1, 2)))
    for epsilon in (1e-3, 1e-6, 1e-12):
        value = rd.SmoothedNuclearNorm(epsilon).value(u)
        assert expected - 7 * d * epsilon <= value <= expected * (1 + 1e-14)


@pytest.mark.parametrize("epsilon", [0.6, 1e-2, 1e-8])
@pytest.mark.parametrize("spectrum", SPECTRA)
def test_fifty_digits_at_any_spectrum(spectrum, epsilon):
    """Equal eigenvalues are nothing special to the formulas, in theory or in rounding."""
    rng = np.random.default_rng(2)
    u = with_eigenvalues(spectrum, rng)
    v = rng.standard_normal(u.shape)
    f = rd.SmoothedNuclearNorm(epsilon)
    with np.errstate(under="ignore"):
        value, gradient, product = derivatives(f, u, v)
    # What rounding the eigenvalues alone, to eps * ||M||, does: the derivatives change on the scale of epsilon.
    sensitivity = 1 + np.linalg.norm(u) / epsilon
    scale = np.linalg.norm(f.hessian(u).to_dense())
    assert abs(f.value(u) - value) <= 1e-15 * (np.linalg.norm(u) + value)
    assert np.linalg.norm(f.gradient(u) - gradient) <= 2e-15 * min(sensitivity, 1e8)
    assert np.linalg.norm(f.hvp(u, v) - product) <= 2e-15 * sensitivity * scale * np.linalg.norm(v)


@pytest.mark.parametrize("spectrum", SPECTRA)
def test_complex_step_at_any_spectrum(spectrum):
    u = with_eigenvalues(spectrum, np.random.default_rng(3))
    f = rd.SmoothedNuclearNorm(2.0)
    assert checks.gradient_error(f.value, f.gradient, u) <= 1e-14
    if max(spectrum) < 50:
        assert checks.hvp_error(f.gradient, f.hvp, u) <= 1e-14


@pytest.mark.parametrize("d", [1, 2, 3])
@pytest.mark.parametrize("size", [1e-30, 1e-3, 0.2])
def test_complex_matrices_of_any_size_of_imaginary_part(d, size):
    """The value is that of mpmath's complex eigenvalues: an analytic function, and not a first-order expansion."""
    rng = np.random.default_rng(4)
    u = rng.standard_normal((SIZES[d], 1)) + size * 1j * rng.standard_normal((SIZES[d], 1))
    with mpmath.workdps(80):
        matrix = symmetric_matrix([mpmath.mpc(z.real, z.imag) for z in u.ravel()])
        root = mpmath.sqrtm(matrix**2 + mpmath.mpf(0.7) ** 2 * mpmath.eye(d))
        expected = sum(root[i, i] for i in range(d)) - d * mpmath.mpf(0.7)
        slope = matrix * root**-1
        found = rd.SmoothedNuclearNorm(0.7).value(u)
        assert abs(found.real - expected.real) <= 1e-14 * abs(expected.real)
        assert abs(found.imag - expected.imag) <= 1e-14 * size
        gradient = symmetric_matrix(
            [mpmath.mpc(z.real, z.imag) for z in rd.SmoothedNuclearNorm(0.7).gradient(u).ravel()]
        )
        assert all(
            abs((x - y).real) <= 1e-14 and abs((x - y).imag) <= 1e-14 * size
            for x, y in zip(gradient, slope, strict=True)
        )


def test_a_complex_matrix_far_from_real_is_refused():
    with pytest.raises(ValueError, match="imaginary part of u is too large"):
        rd.SmoothedNuclearNorm(0.1).value(np.array([[1j], [0.5j], [-0.3j]]))


@pytest.mark.parametrize("d", [2, 3])
def test_does_not_change_when_the_axes_turn(d):
    rng = np.random.default_rng(5)
    u, v = rng.standard_normal((2, SIZES[d], 6))
    turn = rotation(d, rng)
    f = rd.SmoothedNuclearNorm(0.3, rng.uniform(0.2, 2, 6))

    def turned(field_of_matrices):
        return field(turn @ written_out(field_of_matrices) @ turn.T)

    assert math.isclose(f.value(turned(u)), f.value(u), rel_tol=1e-14)
    assert math.isclose(f.value(-u), f.value(u), rel_tol=1e-15)
    assert relative_error(f.gradient(turned(u)), turned(f.gradient(u))) <= 1e-14
    assert relative_error(f.hvp(turned(u), turned(v)), turned(f.hvp(u, v))) <= 1e-14


def test_of_one_row_it_is_the_group_norm_of_single_entries():
    u, v = np.random.default_rng(6).standard_normal((2, 1, 5, 4))
    f, g = rd.SmoothedNuclearNorm(1e-4), rd.SmoothedGroupNorm(1e-4)
    assert math.isclose(f.value(u), g.value(u), rel_tol=1e-14)
    assert np.allclose(f.gradient(u), g.gradient(u), rtol=1e-14, atol=0)
    assert np.allclose(f.hvp(u, v), g.hvp(u, v), rtol=1e-14, atol=0)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.longdouble])
@pytest.mark.parametrize("d", [1, 2, 3])
def test_at_zero(d, dtype):
    """No kink: the gradient is zero, the Hessian the identity divided by epsilon."""
    u, v = np.zeros((SIZES[d], 4), dtype), np.random.default_rng(7).standard_normal((SIZES[d], 4)).astype(dtype)
    f = rd.SmoothedNuclearNorm(0.25)
    assert f.value(u) == 0
    assert not f.gradient(u).any()
    assert np.allclose(f.hvp(u, v), 4 * v, rtol=8 * np.finfo(dtype).eps, atol=0)
    assert f.hvp(u, v).dtype == dtype


@pytest.mark.parametrize("d", [2, 3])
@pytest.mark.parametrize("scale", [1e-300, 1e-160, 1e-8, 1.0, 1e8, 1e160, 1e300])
def test_any_scale(d, scale):
    """The norm is homogeneous: u and epsilon together scale the value, and nothing over- or underflows."""
    u, v = np.random.default_rng(8).standard_normal((2, SIZES[d], 5))
    f, g = rd.SmoothedNuclearNorm(0.5), rd.SmoothedNuclearNorm(0.5 * scale)
    assert math.isclose(g.value(u * scale), f.value(u) * scale, rel_tol=1e-14)
    assert relative_error(g.gradient(u * scale), f.gradient(u)) <= 1e-14
    assert relative_error(g.hvp(u * scale, v) * scale, f.hvp(u, v)) <= 1e-14
    for other in (1e-300, 1e-8, 1e300):
        f = rd.SmoothedNuclearNorm(other)
        assert np.isfinite(f.value(u * scale))
        assert np.isfinite(f.gradient(u * scale)).all()
        assert np.isfinite(f.hvp(u * scale, v)).all()


@pytest.mark.parametrize("parameter", [1e-320, 1e-200, 1e200])
def test_a_parameter_beyond_the_precision(parameter):
    f = rd.SmoothedNuclearNorm(parameter)
    for u in (np.zeros((3, 2), np.float32), np.ones((6, 2), np.float32)):
        assert np.isfinite(f.value(u))
        for result in (f.gradient(u), f.hvp(u, np.ones_like(u))):
            assert np.isfinite(result).all()
            assert result.dtype == np.float32


@pytest.mark.parametrize("epsilon", [1.0, 1e-3, 1e-8])
@pytest.mark.parametrize("spectrum", SPECTRA)
def test_convex(spectrum, epsilon):
    """The Hessian's eigenvalues lie between 0 and 1 / epsilon, and those of the page are found."""
    rng = np.random.default_rng(9)
    u = with_eigenvalues(spectrum, rng)
    f = rd.SmoothedNuclearNorm(epsilon)
    found = np.linalg.eigvalsh(f.hessian(u).to_dense())
    assert found.min() >= -1e-15 * found.max()
    assert found.max() <= (1 + 1e-14) / epsilon
    x = rng.standard_normal(u.shape)
    assert f.value(x) >= f.value(u) + np.sum(f.gradient(u) * (x - u)) - 1e-14 * (f.value(x) + np.linalg.norm(u))


def test_pixels_of_weight_zero_count_for_nothing():
    u = np.random.default_rng(10).standard_normal((6, 3))
    u[:, 1] = np.nan
    f, rest = rd.SmoothedNuclearNorm(0.3, [1.5, 0, 1]), rd.SmoothedNuclearNorm(0.3, [1.5, 1])
    assert f.value(u) == rest.value(u[:, ::2])
    assert np.array_equal(f.gradient(u)[:, 1], np.zeros(6))
    assert np.array_equal(f.gradient(u)[:, ::2], rest.gradient(u[:, ::2]))
    assert np.array_equal(f.hvp(u, np.ones((6, 3)))[:, 1], np.zeros(6))


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"epsilon": 0}, ValueError, "epsilon must be > 0, .* smoothed form needs"),
        ({"epsilon": -1}, ValueError, "epsilon must be > 0"),
        ({"epsilon": np.nan}, ValueError, "epsilon must be a finite number"),
        ({"epsilon": None}, TypeError, "epsilon must be a real number"),
        ({"weight": [-1.0]}, ValueError, "weight must be >= 0"),
        ({"weight": 1j}, TypeError, "weight must be real"),
    ],
)
def test_bad_arguments(arguments, error, message):
    with pytest.raises(error, match=message):
        rd.SmoothedNuclearNorm(**arguments)


def test_fields_that_do_not_fit():
    for shape in [(), (2,), (4, 3), (2, 2, 5)]:
        with pytest.raises(ValueError, match="first axis of u must be of size 1, 3 or 6"):
            rd.SmoothedNuclearNorm().value(np.ones(shape))
    with pytest.raises(ValueError, match=r"weight has shape \(3,\), but .* groups have shape \(2,\)"):
        rd.SmoothedNuclearNorm(weight=np.ones(3)).value(np.ones((3, 2)))
