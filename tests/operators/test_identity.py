"""The identity."""

import numpy as np
import pytest

import refdeconv as rd


def test_is_the_identity():
    identity = rd.Identity((3, 2))
    assert np.array_equal(identity.to_dense(), np.eye(6))
    assert identity.T is identity


def test_bad_shape():
    with pytest.raises(ValueError, match="shape"):
        rd.Identity((3, 0))
