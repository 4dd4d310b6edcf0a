"""Group norms: total variation by loops, zero groups, joints, extreme scales, and what their Hessians are made of."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import refdeconv as rd
from refdeconv import checks
from tests.by_definition import derivatives
from tests.test_contracts import relative_error

BOTH = [rd.SmoothedGroupNorm, rd.GroupHuber]


def lengths(u, axes):
    """The length of each group, one after the other, by math.hypot."""
    axes = {axis % u.ndim for axis in axes}
    kept = [range(size) if axis not in axes else [slice(None)] for axis, size in enumerate(u.shape)]
    return [math.hypot(*np.ravel(u[index])) for index in itertools.product(*kept)]


@st.composite
def fields(draw):
    """A field, and some of its axes, in any order and from either end."""
    shape = draw(st.lists(st.integers(1, 4), min_size=1, max_size=4))
    axes = draw(st.permutations(range(len(shape))))[: draw(st.integers(0, len(shape)))]
    axes = tuple(axis - len(shape) * draw(st.integers(0, 1)) for axis in axes)
    return np.random.default_rng(draw(st.integers(0, 2**32))).standard_normal(shape), axes


@given(fields(), st.floats(1e-8, 1e3))
def test_smoothed_value_is_the_definition(field, epsilon):
    u, axes = field
    expected = sum(r * r / (math.hypot(r, epsilon) + epsilon) for r in lengths(u, axes))
    assert math.isclose(rd.SmoothedGroupNorm(epsilon, axes).value(u), expected, rel_tol=1e-14)


@given(fields(), st.floats(0.1, 3))
def test_huber_value_is_the_definition(field, delta):
    u, axes = field
    expected = sum(r * r / (2 * delta) if r <= delta else r - delta / 2 for r in lengths(u, axes))
    assert math.isclose(rd.GroupHuber(delta, axes).value(u), expected, rel_tol=1e-14)


@pytest.mark.parametrize("axis", [0, 1, -1, (), (0, 1), (2, 0), (0, 1, 2)])
@pytest.mark.parametrize("cls", BOTH)
def test_weights_and_axes_to_fifty_digits(cls, axis):
    rng = np.random.default_rng(3)
    u, v = rng.standard_normal((2, 2, 3, 4))
    axes = {a % 3 for a in ((axis,) if isinstance(axis, int) else axis)}
    weight = rng.uniform(0.2, 2, [size for a, size in enumerate(u.shape) if a not in axes])
    f = cls(1.2, axis, weight)
    value, gradient, product = derivatives(f, u, v)
    assert math.isclose(f.value(u), value, rel_tol=1e-14)
    assert relative_error(f.gradient(u), gradient) <= 1e-14
    assert relative_error(f.hvp(u, v), product) <= 1e-14


@pytest.mark.parametrize("epsilon", [1e-8, 1e-3])
def test_every_entry_of_its_own_keeps_its_digits_where_the_curvature_is_tiny(epsilon):
    """Anisotropic: a Hessian of epsilon**2 / s**3, which 1 / s - u**2 / s**3 would lose."""
    u, v = np.random.default_rng(4).standard_normal((2, 3, 4))
    f = rd.SmoothedGroupNorm(epsilon, axis=())
    value, gradient, product = derivatives(f, u, v)
    assert math.isclose(f.value(u), value, rel_tol=1e-14)
    assert np.allclose(f.gradient(u), gradient, rtol=1e-14, atol=0)
    assert np.allclose(f.hvp(u, v), product, rtol=1e-14, atol=0)
    step = 2.0**-200
    assert np.allclose(f.gradient(u + 1j * step * v).imag / step, product, rtol=1e-13, atol=0)


def test_is_the_total_variation_in_the_limit():
    x = np.random.default_rng(5).standard_normal((6, 5, 3))
    D = rd.Gradient(x.shape, axes=(0, 1))
    down, right = D.forward(x)
    for axis, expected in [
        (0, np.sum(np.hypot(down, right))),
        ((), np.sum(np.abs(down)) + np.sum(np.abs(right))),
        ((0, -1), np.sum(np.sqrt(np.sum(down**2 + right**2, axis=-1)))),
    ]:
        for epsilon in (1e-3, 1e-6, 1e-12):
            value = (rd.SmoothedGroupNorm(epsilon, axis) @ D).value(x)
            assert expected - 200 * epsilon <= value <= expected * (1 + 1e-15)
            value = (rd.GroupHuber(epsilon, axis) @ D).value(x)
            assert expected - 100 * epsilon <= value <= expected * (1 + 1e-15)


@pytest.mark.parametrize("cls", BOTH)
def test_invariances(cls):
    rng = np.random.default_rng(6)
    u = rng.standard_normal((2, 5, 3))
    f = cls(0.7, axis=(0, 2))
    assert math.isclose(f.value(u[:, :, [2, 0, 1]]), f.value(u), rel_tol=1e-14)  # channels permuted
    assert math.isclose(f.value(u[:, ::-1]), f.value(u), rel_tol=1e-14)  # groups permuted
    turn, _ = np.linalg.qr(rng.standard_normal((2, 2)))
    turned = np.einsum("ab,bij->aij", turn, u)
    assert math.isclose(f.value(turned), f.value(u), rel_tol=1e-14)  # groups rotated
    assert np.allclose(f.gradient(turned), np.einsum("ab,bij->aij", turn, f.gradient(u)), rtol=1e-13)


@pytest.mark.parametrize("cls", BOTH)
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.longdouble])
def test_zero_groups(cls, dtype):
    """No kink: gradient zero, Hessian the identity divided by the parameter, also for what is almost zero."""
    v = np.random.default_rng(7).standard_normal((2, 3)).astype(dtype)
    for u in (np.zeros((2, 3), dtype), np.full((2, 3), np.finfo(dtype).tiny, dtype)):
        f = cls(0.25)
        assert f.value(u) < np.finfo(dtype).tiny
        assert np.array_equal(f.gradient(u), 4 * u)
        assert relative_error(f.hvp(u, v), 4 * v) <= 4 * np.finfo(dtype).eps
        assert f.hvp(u, v).dtype == dtype
    assert checks.hvp_error(f.gradient, f.hvp, np.zeros((2, 3), dtype)) <= 4 * np.finfo(dtype).eps


@pytest.mark.parametrize("scale", [1e-300, 1e-160, 1e-8, 1.0, 1e8, 1e160, 1e300])
@pytest.mark.parametrize("epsilon", [1e-300, 1e-8, 1.0, 1e160])
def test_any_scale(scale, epsilon):
    """Without overflow, underflow of squares, or a warning; against the same formulas in longdouble."""
    u, v = np.array([[3.0, 0.3], [-4.0, 0.4]]) * scale, np.array([[1.0, 2.0], [0.5, -1.0]])
    wide, e = u.astype(np.longdouble), np.longdouble(epsilon)
    s = np.sqrt(np.sum(wide**2, axis=0) + e**2)
    f = rd.SmoothedGroupNorm(epsilon)
    with np.errstate(under="ignore"):
        assert np.isclose(f.value(u), float(np.sum(np.sum(wide**2, axis=0) / (s + e))), rtol=1e-14, atol=1e-320)
        assert np.allclose(f.gradient(u), (wide / s).astype(float), rtol=1e-14, atol=1e-320)
        expected = (v / s - wide * np.sum(wide * v, axis=0) / s**3).astype(float)
        assert np.allclose(f.hvp(u, v), expected, rtol=1e-13, atol=1e-320)
    huber = rd.GroupHuber(epsilon)
    r = np.sqrt(np.sum(wide**2, axis=0))
    assert np.isclose(
        huber.value(u), float(np.sum(np.where(r <= e, r * r / (2 * e), r - e / 2))), rtol=1e-14, atol=1e-320
    )
    assert np.allclose(huber.gradient(u), (wide / np.maximum(r, e)).astype(float), rtol=1e-14, atol=1e-320)
    assert np.isfinite(huber.hvp(u, v)).all()


@pytest.mark.parametrize("cls", BOTH)
@pytest.mark.parametrize("parameter", [1e-320, 1e-200, 1e200])
def test_a_parameter_beyond_the_precision(cls, parameter):
    for u in (np.zeros((2, 3), np.float32), np.ones((2, 3), np.float32)):
        f = cls(parameter)
        assert np.isfinite(f.value(u))
        for result in (f.gradient(u), f.hvp(u, np.ones_like(u))):
            assert np.isfinite(result).all()
            assert result.dtype == np.float32


@pytest.mark.parametrize(("cls", "parameter"), [(rd.SmoothedGroupNorm, 1e-8), (rd.GroupHuber, 0.5)])
@pytest.mark.parametrize("axis", [0, ()])
def test_convex(cls, parameter, axis):
    rng = np.random.default_rng(8)
    f = cls(parameter, axis)
    for _ in range(5):
        u = rng.standard_normal((2, 4)) * 10.0 ** rng.integers(-9, 3, (2, 4))
        hessian = f.hessian(u).to_dense()
        assert np.linalg.eigvalsh(hessian).min() >= -1e-15 * np.linalg.norm(hessian)
        x = rng.standard_normal((2, 4))
        assert f.value(x) >= f.value(u) + np.sum(f.gradient(u) * (x - u)) - 1e-14 * f.value(x)


def test_the_eigenvalues_of_the_hessian():
    """Along the group's direction epsilon**2 / s**3, across 1 / s."""
    u = np.array([[3.0], [4.0], [12.0]])
    s = np.hypot(13, 2)
    found = np.linalg.eigvalsh(rd.SmoothedGroupNorm(2.0).hessian(u).to_dense())
    assert np.allclose(found, [4 / s**3, 1 / s, 1 / s], rtol=1e-13)
    assert np.allclose(np.linalg.eigvalsh(rd.GroupHuber(2.0).hessian(u).to_dense()), [0, 1 / 13, 1 / 13], atol=1e-16)
    assert np.allclose(rd.GroupHuber(14.0).hessian(u).to_dense(), np.eye(3) / 14, atol=1e-16)


def test_huber_at_its_joint():
    """Value and gradient join; the Hessian there is that of the quadratic."""
    u, v = np.array([[3.0], [4.0]]), np.array([[1.0], [-2.0]])
    f = rd.GroupHuber(5.0)
    assert f.value(u) == 2.5
    assert np.allclose(f.gradient(u), u / 5, rtol=1e-15)
    assert np.allclose(f.hvp(u, v), v / 5, rtol=1e-15)
    beyond = np.nextafter(u, np.inf)
    assert np.allclose(f.gradient(beyond), u / 5, rtol=1e-15)
    assert np.allclose(f.hvp(beyond, v), (v - u * np.sum(u * v) / 25) / 5, rtol=1e-15)


@pytest.mark.parametrize("cls", BOTH)
def test_groups_of_weight_zero_count_for_nothing(cls):
    u = np.array([[1.0, np.nan, 2.0], [3.0, np.inf, 0.5]])
    f, rest = cls(0.3, weight=[1.5, 0, 1]), cls(0.3, weight=[1.5, 1])
    assert f.value(u) == rest.value(u[:, ::2])
    assert np.array_equal(f.gradient(u)[:, 1], np.zeros(2))
    assert np.array_equal(f.gradient(u)[:, ::2], rest.gradient(u[:, ::2]))
    assert np.array_equal(f.hvp(u, np.ones((2, 3)))[:, 1], np.zeros(2))


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"parameter": -1}, ValueError, "must be > 0"),
        ({"parameter": 0}, ValueError, "must be > 0"),
        ({"parameter": np.inf}, ValueError, "finite"),
        ({"parameter": "wide"}, TypeError, "real number"),
        ({"parameter": True}, TypeError, "real number"),
        ({"axis": 0.5}, TypeError, "axis must be an integer"),
        ({"axis": (0, None)}, TypeError, "axis must be an integer"),
        ({"axis": None}, TypeError, "axis must be an integer"),
        ({"axis": (0, 0)}, ValueError, "axis must not name one twice"),
        ({"weight": -1.0}, ValueError, "weight must be >= 0"),
        ({"weight": [1.0, np.nan]}, ValueError, "weight must be finite"),
        ({"weight": "heavy"}, TypeError, "weight"),
    ],
)
@pytest.mark.parametrize("cls", BOTH)
def test_bad_arguments(cls, arguments, error, message):
    with pytest.raises(error, match=message):
        cls(*{"parameter": 1.0, "axis": 0, "weight": None, **arguments}.values())


def test_zero_epsilon_is_explained():
    with pytest.raises(ValueError, match="smoothed form needs"):
        rd.SmoothedGroupNorm(0)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"axis": 2}, "axis must be between -2 and 1"),
        ({"axis": (0, -2)}, "axis must not name one twice"),
        ({"weight": np.ones(2)}, r"weight has shape \(2,\), but .* groups have shape \(3,\)"),
        ({"weight": np.ones((2, 3))}, "groups have shape"),
    ],
)
def test_fields_that_do_not_fit(options, message):
    for cls in BOTH:
        with pytest.raises(ValueError, match=message):
            cls(1.0, **options).value(np.ones((2, 3)))


def test_reprs():
    assert repr(rd.SmoothedGroupNorm()) == "SmoothedGroupNorm(epsilon=0.001, axis=0)"
    assert repr(rd.GroupHuber(2, (0, 1), 3.0)) == "GroupHuber(delta=2, axis=(0, 1), weight)"


@pytest.mark.parametrize(
    ("dtype", "parameter", "size"),
    [(np.float64, 1e-300, 1e-170), (np.float64, 1e-180, 1e-160), (np.float32, 1e-30, 1e-25)],
)
@pytest.mark.parametrize("cls", BOTH)
def test_a_short_group_keeps_its_digits_beside_a_long_one(cls, dtype, parameter, size):
    """Though its square underflows: its length is above the parameter all the same."""
    u = np.array([[3, 3 * size], [4, 4 * size]], dtype)
    eps = np.finfo(dtype).eps
    f = cls(parameter)
    assert np.allclose(f.gradient(u), [[0.6, 0.6], [0.8, 0.8]], rtol=8 * eps, atol=0)
    across = f.hvp(u, np.array([[4, 4], [-3, -3]], dtype))
    assert np.allclose(across, np.array([[4, 4 / size], [-3, -3 / size]]) / 5, rtol=8 * eps, atol=0)
    stepped = f.gradient(u + 1j * u.dtype.type(2.0**-30) * np.array([[4, 4], [-3, -3]], dtype) * u[0] / u[0, 0])
    assert np.allclose(stepped.real, [[0.6, 0.6], [0.8, 0.8]], rtol=8 * eps, atol=0)
    assert np.allclose(stepped.imag * 2.0**30, [[0.8, 0.8], [-0.6, -0.6]], rtol=8 * eps, atol=0)


@pytest.mark.parametrize("weight", [0.0, 0.5, 1.0, 2.0])
@pytest.mark.parametrize("cls", BOTH)
def test_one_weight_for_all(cls, weight):
    u, v = np.random.default_rng(9).standard_normal((2, 2, 5))
    f, plain = cls(0.3, weight=weight), cls(0.3)
    assert np.isclose(f.value(u), weight * plain.value(u), rtol=1e-15)
    assert np.allclose(f.gradient(u), weight * plain.gradient(u), rtol=1e-15)
    assert np.allclose(f.hvp(u, v), weight * plain.hvp(u, v), rtol=1e-14)


@pytest.mark.parametrize("cls", BOTH)
def test_a_weight_for_each_entry(cls):
    u, weight = np.array([3.0, -0.1, 2.0]), np.array([1.0, 2.0, 0.5])
    assert np.allclose(cls(0.3, (), weight).gradient(u), weight * cls(0.3, ()).gradient(u), rtol=1e-15)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("size", [1e-5, 1e-2, 0.1, 0.2, 0.3, 0.5, 1, 30, 1e4])
@pytest.mark.parametrize("weight", [None, 1, 0.5])
def test_sums_keep_their_digits_from_short_groups_to_long_ones(size, weight, dtype):
    """The sum of the roots less that of the epsilons, where nothing is lost by it, and the longer way elsewhere."""
    u = (0.3 * size * np.random.default_rng(0).standard_normal((2, 40, 50))).astype(dtype)
    epsilon = np.longdouble(dtype(0.3))
    square = np.sum(u.astype(np.longdouble) ** 2, axis=0)
    exact = np.sum(square / (np.sqrt(square + epsilon**2) + epsilon)) * (1 if weight is None else weight)
    f = rd.SmoothedGroupNorm(0.3, weight=weight)
    for value in (f.value(u), f.value_and_gradient(u)[0], f.at(u).value()):
        assert value.dtype == dtype
        assert abs(value - exact) <= 16 * np.finfo(dtype).eps * exact


@pytest.mark.parametrize("cls", BOTH)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_a_single_group_of_two(cls, dtype):
    """The gradient of an image of one pixel, say: nothing is left beside the axis of the group."""
    f, u = cls(0.3), np.array([0.7, -1.2], dtype)
    for v in np.array([[1.1, 0.4], [-0.3, 2.0]], dtype):
        product = f.hessian(u).forward(v)
        assert product.dtype == dtype
        step = f.gradient(u.astype(np.float64) + 1e-40j * v.astype(np.float64)).imag / 1e-40
        assert np.allclose(product, step, rtol=20 * np.finfo(dtype).eps, atol=0)
