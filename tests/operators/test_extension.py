"""Extension against its definition and numpy.pad, and where its arguments are wrong."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import refdeconv as rd
from refdeconv import checks
from refdeconv.operators.extension import BOUNDARIES
from tests.oracles import extension_matrix

NUMPY_PAD = {"constant": "constant", "wrap": "wrap", "reflect": "symmetric", "mirror": "reflect", "nearest": "edge"}


@st.composite
def extensions(draw, max_size, max_width):
    """An extension of one to three axes, and a generator for arrays."""
    shape = draw(st.lists(st.integers(1, max_size), min_size=1, max_size=3))
    before, after = ([draw(st.integers(0, max_width)) for _ in shape] for _ in range(2))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    return rd.Extension(tuple(shape), before, after, draw(st.sampled_from(BOUNDARIES))), rng


@given(extensions(max_size=4, max_width=9))
def test_is_the_definition(case):
    """Copies are exact; folding sums small integers exactly."""
    extension, rng = case
    matrix = extension_matrix(extension.input_shape, extension.before, extension.after, extension.boundary)
    x = rng.integers(-9, 9, extension.input_shape).astype(float)
    y = rng.integers(-9, 9, extension.output_shape).astype(float)
    assert np.array_equal(extension.forward(x).ravel(), matrix @ x.ravel())
    assert np.array_equal(extension.adjoint(y).ravel(), matrix.T @ y.ravel())


@pytest.mark.parametrize("boundary", BOUNDARIES)
def test_every_width_along_one_axis(boundary):
    for size, before, after in itertools.product(range(1, 6), range(14), range(14)):
        extension = rd.Extension(size, before, after, boundary)
        matrix = extension_matrix((size,), (before,), (after,), boundary)
        assert np.array_equal(extension.to_dense(), matrix)
        assert np.array_equal(extension.T.to_dense(), matrix.T)


@given(extensions(max_size=30, max_width=70))
def test_is_numpys_pad(case):
    extension, rng = case
    x = rng.standard_normal(extension.input_shape)
    expected = np.pad(x, list(zip(extension.before, extension.after, strict=True)), NUMPY_PAD[extension.boundary])
    assert np.array_equal(extension.forward(x), expected)


@given(extensions(max_size=30, max_width=70))
def test_dot_product(case):
    extension, rng = case
    shapes = extension.input_shape, extension.output_shape
    error = checks.adjoint_error(extension.forward, extension.adjoint, *shapes, rng=rng)
    assert error <= 1e-15 * (1 + np.log2(np.prod(shapes[1])))


@pytest.mark.parametrize("boundary", [each for each in BOUNDARIES if each != "constant"])
def test_a_constant_image_stays_constant_and_nothing_is_lost(boundary):
    extension = rd.Extension((3, 2), (7, 0), (5, 11), boundary)
    assert np.array_equal(extension.forward(np.ones((3, 2))), np.ones((15, 13)))
    assert extension.adjoint(np.ones((15, 13))).sum() == 15 * 13


def test_the_sketches_of_the_docstring():
    sketch = {
        boundary: "".join(rd.Extension(4, 4, 4, boundary).forward(np.arange(1, 5)).astype(int).astype(str))
        for boundary in BOUNDARIES
    }
    assert sketch == {
        "constant": "000012340000",
        "wrap": "123412341234",
        "reflect": "432112344321",
        "mirror": "343212343212",
        "nearest": "111112344444",
    }
    for boundary, digits in sketch.items():
        row = next(line for line in rd.Extension.__doc__.splitlines() if line.strip().startswith(f"{boundary} "))
        letters = row.split("``")[1].replace(" ", "").replace("|", "")
        assert all(shown in (".", "0abcd"[int(digit)]) for shown, digit in zip(letters, digits, strict=True))


def test_widths_of_zero_copy():
    x = np.arange(6.0).reshape(2, 3)
    for boundary in BOUNDARIES:
        extension = rd.Extension(x.shape, 0, 0, boundary)
        for found in (extension.forward(x), extension.adjoint(x)):
            assert np.array_equal(found, x)
            assert not np.shares_memory(found, x)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"shape": (5, 0)}, ValueError, "shape"),
        ({"before": -1}, ValueError, "before must not be negative, got -1"),
        ({"before": (1, 2, 3)}, ValueError, "before needs one number, or one for each of the 2 axes"),
        ({"after": (1, 1.5)}, TypeError, "each number in after must be an integer"),
        ({"after": 1.0}, TypeError, "each number in after must be an integer"),
        ({"after": (0, -2)}, ValueError, "after must not be negative"),
        ({"boundary": "reflekt"}, ValueError, "unknown boundary 'reflekt': did you mean 'reflect'"),
        ({"boundary": "valid"}, ValueError, "unknown boundary 'valid'"),
    ],
)
def test_bad_arguments(arguments, error, message):
    with pytest.raises(error, match=message):
        rd.Extension(**{"shape": (5, 4), "before": 1, "after": 2, "boundary": "wrap", **arguments})
