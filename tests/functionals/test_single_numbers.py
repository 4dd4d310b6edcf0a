"""A single number, an array without axes, is as good as an image of one pixel."""

import numpy as np
import pytest

import refdeconv as rd

FUNCTIONALS = {
    "LeastSquares": lambda data: rd.LeastSquares(data, weight=1.7),
    "L2Norm": lambda data: rd.L2Norm(data),
    "PseudoHuber": lambda data: rd.PseudoHuber(data, 0.3),
    "Huber": lambda data: rd.Huber(data, 0.3),
    "Cauchy": lambda data: rd.Cauchy(data, 0.4),
    "LogCosh": lambda data: rd.LogCosh(data),
    "Poisson": lambda data: rd.Poisson(data, 0.2),
    "Poisson with a threshold": lambda data: rd.Poisson(data, threshold=2.5),
    "PoissonGaussian": lambda data: rd.PoissonGaussian(data, 1.3),
    "Anscombe": lambda data: rd.Anscombe(data),
    "Entropy": lambda data: rd.Entropy(data),
    "SmoothedGroupNorm": lambda data: rd.SmoothedGroupNorm(0.2, axis=()),
    "GroupHuber": lambda data: rd.GroupHuber(0.2, axis=(), weight=0.6),
    "a sum": lambda data: rd.LeastSquares(data) + 0.3 * rd.LogCosh(),
}


@pytest.mark.parametrize("name", FUNCTIONALS)
@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.longdouble, np.complex128])
@pytest.mark.parametrize("number", [0.07, 1.9, 40.0])
def test_as_an_image_of_one_pixel(name, dtype, number):
    f, of_image = FUNCTIONALS[name](np.float64(3.0)), FUNCTIONALS[name](np.array([3.0]))
    x, v = np.array([number], dtype), np.array([0.7], dtype)
    value, gradient = f.value_and_gradient(x[0])
    for found, expected in (
        (value, of_image.value(x)),
        (f.value(x[0]), of_image.value(x)),
        (gradient, of_image.gradient(x)[0]),
        (f.gradient(x[0]), of_image.gradient(x)[0]),
        (f.hvp(x[0], v[0]), of_image.hvp(x, v)[0]),
    ):
        assert np.shape(found) == ()
        assert np.asarray(found).dtype == dtype
        assert found == pytest.approx(expected, rel=float(4 * np.finfo(dtype).eps), abs=0)
