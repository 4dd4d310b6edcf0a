"""The cosine transform, against its definition."""

import numpy as np
import pytest

import refdeconv as rd
from refdeconv import _fft


def definition(n):
    k, i = np.arange(n, dtype=np.longdouble)[:, None], np.arange(n, dtype=np.longdouble)
    return np.sqrt(np.where(k == 0, 1, 2) / np.longdouble(n)) * np.cos(np.longdouble(np.pi) * k * (2 * i + 1) / (2 * n))


@pytest.mark.parametrize("backend", _fft.BACKENDS)
@pytest.mark.parametrize("shape", [(1,), (2,), (7,), (6, 5), (1, 4), (3, 2, 5)])
def test_is_its_definition(shape, backend, monkeypatch):
    monkeypatch.setattr(_fft, "BACKEND", backend)
    expected = np.ones((1, 1))
    for n in shape:
        expected = np.kron(expected, definition(n))
    transform = rd.CosineTransform(shape)
    np.testing.assert_allclose(transform.to_dense(), expected.astype(float), rtol=0, atol=1e-15)
    np.testing.assert_allclose(transform.T.to_dense(), expected.T.astype(float), rtol=0, atol=1e-15)


def test_differences_are_diagonal_in_it():
    transform = rd.CosineTransform((5, 4)).to_dense()
    matrix = transform @ rd.Gradient((5, 4)).to_dense().T @ rd.Gradient((5, 4)).to_dense() @ transform.T
    eigenvalues = [2 - 2 * np.cos(np.pi * np.arange(n) / n) for n in (5, 4)]
    np.testing.assert_allclose(matrix, np.diag(np.add.outer(*eigenvalues).ravel()), atol=1e-14)


def test_bad_arguments():
    with pytest.raises(ValueError, match="shape"):
        rd.CosineTransform((3, 0))
    with pytest.raises(ValueError, match="workers must not be 0"):
        rd.CosineTransform((3, 2), workers=0)
