"""One instance of everything, away from defaults: a new class gets its tests by adding one line here.

Each entry makes an instance for a shape, with parameters drawn from a random generator. `test_contracts.py` applies
the whole harness to every entry; `test_derivations.py` asserts that every public class has one.
"""

import numpy as np

import refdeconv as rd
from refdeconv.hessians import GramPlusRankOne
from tests.maps import Power, Sine

# One to three axes, odd and even sizes, single pixels, never square where it could hide a transposition.
SHAPES = [(1,), (7,), (16,), (1, 1), (5, 8), (6, 3), (1, 4, 3), (3, 2, 5)]


def random_psf(shape, rng):
    """An asymmetric PSF of odd or even size, on some axes larger than the image, with its origin anywhere."""
    sizes = tuple(int(rng.integers(1, n + 4)) for n in shape)
    return rng.standard_normal(sizes), tuple(int(rng.integers(k)) for k in sizes)


def point(make, shape, rng):
    """A random point to test a case at: of normal numbers, unless the case says where its domain is."""
    return getattr(make, "point", lambda shape, rng: rng.standard_normal(shape) + 0.1)(shape, rng)


def at_positive(make):
    """A case that is defined at positive pixels."""
    make.point = lambda shape, rng: rng.uniform(0.3, 3, shape)
    return make


def convolution(boundary):
    """How to make a convolution with a random PSF."""

    def make(shape, rng):
        psf, origin = random_psf(shape, rng)
        return rd.Convolution(psf, shape, boundary, origin)

    return make


def diagonal(shape, rng):
    return rd.Diagonal(rng.standard_normal(shape))


LINEAR_OPERATORS = {
    "Convolution constant": convolution("constant"),
    "Convolution wrap": convolution("wrap"),
    "Gradient": lambda shape, rng: rd.Gradient(shape, spacing=rng.uniform(0.5, 2, len(shape))),
    "Gradient along the last axis": lambda shape, rng: rd.Gradient(shape, spacing=0.7, axes=(-1,)),
    "Identity": lambda shape, rng: rd.Identity(shape),
    "Diagonal": diagonal,
    "CosineTransform": lambda shape, rng: rd.CosineTransform(shape, workers=2),
    "Zero": lambda shape, rng: rd.Zero(shape, (2, *shape)),
    "SelfAdjoint": lambda shape, rng: rd.SelfAdjoint(shape, lambda v: 3 * v + v.sum()),
    "GramPlusRankOne": lambda shape, rng: GramPlusRankOne(shape, 0.7, -0.4, rng.standard_normal(shape)),
    "GramPlusRankOne pulled back": lambda shape, rng: (
        1.3 * GramPlusRankOne((len(shape), *shape), 0.7, -0.4, rng.standard_normal((len(shape), *shape)))
    ).congruence(rd.Gradient(shape, spacing=0.6)),
    "A @ B": lambda shape, rng: rd.Gradient(shape) @ convolution("constant")(shape, rng),
    "A + B": lambda shape, rng: diagonal(shape, rng) + convolution("wrap")(shape, rng),
    "A - B": lambda shape, rng: diagonal(shape, rng) - rd.Identity(shape),
    "-c A": lambda shape, rng: -(1.7 * convolution("constant")(shape, rng)),
    "A.T": lambda shape, rng: rd.Gradient(shape, spacing=0.6).T,
    "from_scipy": lambda shape, rng: rd.LinearOperator.from_scipy(
        rng.standard_normal((6, int(np.prod(shape)))), shape, (2, 3)
    ),
}

MAPS = {
    "Power": lambda shape, rng: Power(shape, 3),
    "Sine": lambda shape, rng: Sine(shape),
    "m @ A": lambda shape, rng: Sine(shape) @ convolution("wrap")(shape, rng),
    "A @ m": lambda shape, rng: rd.Gradient(shape) @ Sine(shape),
    "m @ m": lambda shape, rng: Sine(shape) @ Power(shape, 2),
    "m + m": lambda shape, rng: Sine(shape) + Power(shape, 2),
    "A - m": lambda shape, rng: diagonal(shape, rng) - Power(shape, 3),
    "c m": lambda shape, rng: 0.6 * Power(shape, 2),
}

FUNCTIONALS = {
    "L2Norm": lambda shape, rng: rd.L2Norm(),
    "L2Norm with data": lambda shape, rng: rd.L2Norm(rng.standard_normal(shape)),
    "LeastSquares": lambda shape, rng: rd.LeastSquares(),
    "LeastSquares with data": lambda shape, rng: rd.LeastSquares(rng.standard_normal(shape)),
    "LeastSquares with a weight": lambda shape, rng: rd.LeastSquares(rng.standard_normal(shape), 0.3),
    "LeastSquares with weights": lambda shape, rng: rd.LeastSquares(
        rng.standard_normal(shape), rng.uniform(0.2, 2, shape)
    ),
    "LeastSquares with variances": lambda shape, rng: rd.LeastSquares(
        rng.standard_normal(shape), variance=rng.uniform(0.2, 2, shape)
    ),
    "Poisson": at_positive(lambda shape, rng: rd.Poisson(rng.uniform(0.3, 4, shape))),
    "Poisson with everything": at_positive(
        lambda shape, rng: rd.Poisson(
            rng.poisson(2.0, shape), rng.uniform(0.1, 1, shape), rng.uniform(0.2, 2, shape), 0.05
        )
    ),
    "Poisson below its threshold": lambda shape, rng: rd.Poisson(rng.uniform(0.6, 4, shape), 0.2, threshold=0.5),
    "PoissonGaussian": at_positive(lambda shape, rng: rd.PoissonGaussian(rng.uniform(-0.2, 4, shape))),
    "PoissonGaussian with everything": at_positive(
        lambda shape, rng: rd.PoissonGaussian(
            rng.uniform(-0.5, 9, shape),
            rng.uniform(1.5, 3, shape),
            rng.uniform(0.3, 2, shape),
            rng.uniform(0.1, 1, shape),
            rng.uniform(0.2, 2, shape),
        )
    ),
    "Anscombe": at_positive(lambda shape, rng: rd.Anscombe(rng.uniform(0.3, 4, shape))),
    "Anscombe with everything": at_positive(
        lambda shape, rng: rd.Anscombe(
            rng.uniform(-2, 9, shape),
            rng.uniform(1.5, 3, shape),
            rng.uniform(0.3, 2, shape),
            rng.uniform(0.1, 1, shape),
            rng.uniform(0.2, 2, shape),
        )
    ),
    "f @ A": lambda shape, rng: rd.L2Norm(rng.standard_normal(shape)) @ convolution("constant")(shape, rng),
    "f @ m": lambda shape, rng: rd.LeastSquares(rng.standard_normal(shape)) @ Power(shape, 2),
    "f @ A @ m": lambda shape, rng: rd.L2Norm(rng.standard_normal(shape)) @ diagonal(shape, rng) @ Sine(shape),
    "f + g": lambda shape, rng: (
        rd.LeastSquares() @ convolution("wrap")(shape, rng) + rd.L2Norm(rng.standard_normal(shape))
    ),
    "f - c g": lambda shape, rng: rd.LeastSquares() - 0.3 * rd.L2Norm(rng.standard_normal(shape)),
    "(f + g) @ m": lambda shape, rng: (rd.LeastSquares() + rd.L2Norm(rng.standard_normal(shape))) @ Sine(shape),
    "the article's objective": lambda shape, rng: rd.problems.norm_and_gradient_norm(
        rng.standard_normal(shape), random_psf(shape, rng)[0], mu=0.37
    ),
}
