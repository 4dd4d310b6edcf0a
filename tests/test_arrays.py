"""What arguments may be."""

import itertools
import math

import numpy as np
import pytest

import refdeconv as rd
from refdeconv import _arrays


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (np.float32, np.float32),
        (np.float64, np.float64),
        (np.longdouble, np.longdouble),
        (np.complex64, np.complex64),
        (np.clongdouble, np.clongdouble),
        (np.float16, np.float32),
        (np.uint8, np.float64),
        (np.int64, np.float64),
        (np.bool_, np.float64),
        (">f4", np.float32),
        (">c16", np.complex128),
    ],
)
def test_dtypes(given, kept):
    array = _arrays.operand(np.ones((2, 3), given), (2, 3))
    assert array.dtype == kept
    assert array.dtype.isnative
    assert np.array_equal(array, np.ones((2, 3)))


@pytest.mark.parametrize("given", ["text", np.array("x"), object(), None, {}, np.array("2020", "M8[D]"), [1, "a"]])
def test_what_is_not_a_number_is_refused(given):
    with pytest.raises(TypeError, match="image must hold numbers"):
        _arrays.real_array(given, "image")


def test_masked_arrays():
    masked = np.ma.masked_greater(np.arange(6.0), 3)
    with pytest.raises(ValueError, match="image is a masked array with 2 masked entries"):
        _arrays.real_array(masked, "image")
    unmasked = np.ma.masked_greater(np.arange(6.0), 10)
    assert type(_arrays.real_array(unmasked, "image")) is np.ndarray


def test_not_finite_says_where():
    array = np.ones((3, 4))
    array[1, 2] = np.nan
    array[2, 0] = np.inf
    with pytest.raises(ValueError, match=r"psf must be finite, but 2 of its 12 .* first at index \(1, 2\)"):
        _arrays.real_array(array, "psf")


def test_subclasses_become_arrays():
    class Quantity(np.ndarray):
        pass

    assert type(_arrays.operand(np.ones(2).view(Quantity), (2,))) is np.ndarray


@pytest.mark.parametrize(("value", "found"), [(2, 2.0), (np.float32(0.5), 0.5), (np.array(3), 3.0), (np.uint8(7), 7.0)])
def test_numbers(value, found):
    number = _arrays.real_number(value, "mu")
    assert number == found
    assert type(number) is float


@pytest.mark.parametrize("value", [True, np.True_, 1j, "1", None, [1.0], np.ones(1), np.ma.masked])
def test_not_numbers(value):
    with pytest.raises(TypeError, match="mu must be a real number"):
        _arrays.real_number(value, "mu")


def test_bounds():
    assert _arrays.real_number(0, "mu", minimum=0) == 0
    with pytest.raises(ValueError, match="mu must be > 0, got 0"):
        _arrays.real_number(0, "mu", minimum=0, exclusive=True)
    with pytest.raises(ValueError, match="mu must be >= 0, got -1"):
        _arrays.real_number(-1, "mu", minimum=0)
    with pytest.raises(ValueError, match="mu must be a finite number"):
        _arrays.real_number(np.nan, "mu")


def test_near_misses():
    with pytest.raises(
        ValueError, match=r"unknown method 'newtoncg': did you mean 'Newton-CG'\? Allowed: 'Newton-CG', 'CG'"
    ):
        _arrays.choice("newtoncg", "method", ["Newton-CG", "CG"])
    with pytest.raises(ValueError, match="unknown method 'zebra': Allowed"):
        _arrays.choice("zebra", "method", ["Newton-CG", "CG"])


# Rows that are summed as they are, too short for it, too long for it, of one axis, of less than a block.
INNER_SHAPES = [
    (40, 96),
    (40, 97),
    (3, 5, 200),
    (40, 95),
    (70, 30),
    (3, 4096),
    (3, 4097),
    (5000,),
    (1024,),
    (1023,),
    (7, 3),
]
LAID_OUT = {
    "contiguous": lambda a: a,
    "every other": lambda a: np.repeat(a, 2, axis=-1)[..., ::2],
    "the other way round": lambda a: np.ascontiguousarray(a.T).T,
}


@pytest.mark.parametrize(("shape", "layout"), list(itertools.product(INNER_SHAPES, LAID_OUT)))
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shared", [False, True])
def test_inner_products(shape, layout, dtype, shared):
    a, b = np.random.default_rng(2).standard_normal((2, *shape)).astype(dtype)
    products = np.multiply(a, b, dtype=np.longdouble).ravel()
    exact = math.fsum(products) + math.fsum(products - products.astype(float))
    result = _arrays.inner(LAID_OUT[layout](a), b, shared=shared)
    assert result.dtype == dtype
    assert abs(result - exact) <= 4 * np.finfo(dtype).eps * np.sum(np.abs(products))


def test_inner_products_of_several_shapes():
    a, b = np.random.default_rng(3).standard_normal((2, 5, 120))
    assert _arrays.inner(a, b[:1]) == pytest.approx(np.sum(a * b[0]), rel=1e-14)
    assert _arrays.inner(a + 1j * b, b) == pytest.approx(np.sum(a * b) + 1j * np.sum(b * b), rel=1e-14)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_fields_of_packed_records_are_copied(dtype):
    """Whose numbers do not lie where the processor wants them, nor where transforms accept them."""
    record = np.zeros((9, 8), [("flag", np.int8), ("flux", dtype), ("count", np.int32)])
    record["flux"] = np.random.default_rng(0).standard_normal((9, 8))
    field = record["flux"]
    array = _arrays.operand(field, (9, 8))
    assert array.flags.aligned
    assert np.array_equal(array, field)
    for operator in (rd.Convolution(np.eye(3), (9, 8), "wrap"), rd.CosineTransform((9, 8))):
        assert np.array_equal(operator.forward(field), operator.forward(field.copy()))
    plain = np.ones((9, 8))
    assert _arrays.operand(plain, (9, 8)) is plain
