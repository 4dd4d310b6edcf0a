"""Pixel weights and masks."""

import numpy as np
import pytest

import refdeconv as rd


def test_multiplies_pixel_by_pixel():
    weights, x = np.array([[0.5, -2.0], [0.0, 3.0]]), np.array([[1.0, 2.0], [3.0, 4.0]])
    diagonal = rd.Diagonal(weights)
    assert np.array_equal(diagonal.forward(x), [[0.5, -4.0], [0.0, 12.0]])
    assert np.array_equal(diagonal.to_dense(), np.diag(weights.ravel()))
    assert diagonal.T is diagonal


def test_a_mask_of_booleans():
    mask = np.array([True, False, True])
    assert np.array_equal(rd.Diagonal(mask).forward([1.5, 2.5, 3.5]), [1.5, 0.0, 3.5])


@pytest.mark.parametrize("weights", [[], [np.inf, 1.0], [1j], ["a"], None])
def test_bad_weights(weights):
    with pytest.raises((ValueError, TypeError), match="weights"):
        rd.Diagonal(weights)
