"""One instance of everything, away from defaults: a new class gets its tests by adding one line here.

Each entry makes an instance for a shape, with parameters drawn from a random generator. `test_contracts.py` applies
the whole harness to every entry; `test_derivations.py` asserts that every public class has one.
"""

import math

import numpy as np

import refdeconv as rd
from refdeconv.hessians import GramPlusRankOne
from tests.maps import Power, Sine
from tests.ready_made_cases import READY_MADE

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
        if boundary == "valid":  # a part of it that is no larger than the image
            psf = psf[tuple(map(slice, shape))]
            origin = tuple(min(o, k - 1) for o, k in zip(origin, psf.shape, strict=True))
        return rd.Convolution(psf, shape, boundary, origin)

    return make


def convolution_along_axes(boundary):
    """How to make a convolution whose PSF is a product of one for each axis."""

    def make(shape, rng):
        psf, origin = random_psf(shape, rng)
        lines = np.ix_(*(rng.standard_normal(k) for k in psf.shape))
        return rd.Convolution(math.prod(lines), shape, boundary, origin)

    return make


def extension(boundary):
    """How to make an extension by random widths, on some axes larger than the image."""

    def make(shape, rng):
        before, after = ([int(rng.integers(0, 2 * n + 2)) for n in shape] for _ in range(2))
        return rd.Extension(shape, before, after, boundary)

    return make


def diagonal(shape, rng):
    return rd.Diagonal(rng.standard_normal(shape))


def steps(shape, rng):
    """A distance between pixels for each axis."""
    return rng.uniform(0.5, 2, len(shape))


def subsampling(shape, rng):
    return rd.Subsampling(shape, rng.integers(1, 4, len(shape)), [rng.integers(size) for size in shape])


def binning(mean):
    """How to make a binning, in blocks as small as the image allows."""

    def make(shape, rng):
        return rd.Binning(shape, [next((k for k in (2, 3, 5) if size % k == 0), size) for size in shape], mean)

    return make


def matrix_field(rows, pixels):
    """A case whose matrices are stored in so many rows, at a few pixels whatever the shape."""

    def make(shape, rng):
        mix = rng.standard_normal((rows * pixels, int(np.prod(shape))))
        return rd.SmoothedNuclearNorm(0.8, rng.uniform(0.3, 2, pixels)) @ rd.LinearOperator.from_scipy(
            mix, shape, (rows, pixels)
        )

    return make


def selection(shape, rng):
    mask = rng.random(shape) < 0.6
    mask[(-1,) * len(shape)] = True
    return rd.Selection(mask)


def varying_convolution(boundary):
    """How to make a sum of two convolutions of weighted images."""

    def make(shape, rng):
        psf, origin = random_psf(shape, rng)
        psfs = [psf, rng.standard_normal(psf.shape)]
        return rd.VaryingConvolution(psfs, rng.standard_normal((2, *shape)), shape, boundary, origin)

    return make


def blind_convolution(boundary):
    """How to make a blind convolution, with a PSF of random sizes and origin."""

    def make(shape, rng):
        psf, origin = random_psf(shape, rng)
        if boundary == "valid":  # a part of it that is no larger than the image
            psf, origin = psf[tuple(map(slice, shape))], None
        return rd.BlindConvolution(shape, psf.shape, boundary, origin)

    return make


def blind_convolution_of_a_continued_image(shape, rng):
    """One whose image is continued by an operator of the user's: here by another blur."""
    sizes = tuple(int(rng.integers(1, n + 1)) for n in shape)
    return rd.BlindConvolution(shape, sizes, convolution("wrap")(shape, rng))


def sigmoid(shape, rng):
    lower = rng.standard_normal(shape)
    return rd.Sigmoid(shape, lower, lower + rng.uniform(0.5, 2, shape))


def blind(shape, rng):
    """The objective of blind deconvolution: a positive image, a PSF of sum one, both of them unknown."""
    sizes = random_psf(shape, rng)[0].shape
    misfit = rd.LeastSquares(rng.standard_normal(shape)) @ rd.BlindConvolution(shape, sizes)
    roughness = rd.LeastSquares() @ rd.Gradient(shape) @ rd.Block((shape, sizes), 0)
    return (misfit + 0.3 * roughness) @ rd.Parallel(rd.Square(shape), rd.Softmax(sizes))


def at_matrices(rows, make):
    """A case that takes fields of matrices stored in so many rows."""
    make.point = lambda shape, rng: rng.standard_normal((rows, *shape[2:]))
    return make


LINEAR_OPERATORS = {
    "Convolution constant": convolution("constant"),
    "Convolution wrap": convolution("wrap"),
    "Convolution reflect": convolution("reflect"),
    "Convolution mirror": convolution("mirror"),
    "Convolution nearest": convolution("nearest"),
    "Convolution valid": convolution("valid"),
    "Convolution along axes, constant": convolution_along_axes("constant"),
    "Convolution along axes, mirror": convolution_along_axes("mirror"),
    "Extension constant": extension("constant"),
    "Extension wrap": extension("wrap"),
    "Extension reflect": extension("reflect"),
    "Extension mirror": extension("mirror"),
    "Extension nearest": extension("nearest"),
    "Gradient": lambda shape, rng: rd.Gradient(shape, spacing=rng.uniform(0.5, 2, len(shape))),
    "Gradient along the last axis": lambda shape, rng: rd.Gradient(shape, spacing=0.7, axes=(-1,)),
    "Gradient of pixels two apart": lambda shape, rng: rd.Gradient(shape, spacing=2.0),
    "Gradient constant": lambda shape, rng: rd.Gradient(shape, steps(shape, rng), boundary="constant"),
    "Gradient wrap": lambda shape, rng: rd.Gradient(shape, steps(shape, rng), boundary="wrap"),
    "Laplacian reflect": lambda shape, rng: rd.Laplacian(shape, steps(shape, rng)),
    "Laplacian constant": lambda shape, rng: rd.Laplacian(shape, steps(shape, rng), "constant"),
    "Laplacian wrap": lambda shape, rng: rd.Laplacian(shape, steps(shape, rng), "wrap"),
    "Laplacian along the last axis": lambda shape, rng: rd.Laplacian(shape, 0.7, "constant", axes=-1),
    "SecondDifferences free": lambda shape, rng: rd.SecondDifferences(shape, steps(shape, rng)),
    "SecondDifferences reflect": lambda shape, rng: rd.SecondDifferences(shape, steps(shape, rng), "reflect"),
    "SecondDifferences constant": lambda shape, rng: rd.SecondDifferences(shape, steps(shape, rng), "constant"),
    "SecondDifferences wrap": lambda shape, rng: rd.SecondDifferences(shape, steps(shape, rng), "wrap"),
    "Subsampling": subsampling,
    "Binning": binning(mean=True),
    "Binning to sums": binning(mean=False),
    "Selection": selection,
    "VaryingConvolution constant": varying_convolution("constant"),
    "VaryingConvolution wrap": varying_convolution("wrap"),
    "VaryingConvolution reflect": varying_convolution("reflect"),
    "Identity": lambda shape, rng: rd.Identity(shape),
    "Diagonal": diagonal,
    "CosineTransform": lambda shape, rng: rd.CosineTransform(shape, workers=2),
    "Block": lambda shape, rng: rd.Block([2, shape, (1, 3)], 1),
    "BlockDiagonal": lambda shape, rng: rd.BlockDiagonal(
        convolution("constant")(shape, rng), rd.Gradient(shape), rd.Zero(2, 3)
    ),
    "Jacobian of BlindConvolution": lambda shape, rng: (m := blind_convolution("constant")(shape, rng)).jacobian(
        rng.standard_normal(m.input_shape)
    ),
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
    "Affine": lambda shape, rng: rd.Affine(rd.Gradient(shape, spacing=0.8), rng.standard_normal((len(shape), *shape))),
    "Affine @ m": lambda shape, rng: rd.Affine(diagonal(shape, rng), rng.standard_normal(shape)) @ Sine(shape),
    "Square": lambda shape, rng: rd.Square(shape),
    "Exponential": lambda shape, rng: rd.Exponential(shape),
    "Softplus": lambda shape, rng: rd.Softplus(shape, sharpness=2.3),
    "Sigmoid": lambda shape, rng: rd.Sigmoid(shape, lower=-0.3, upper=1.7),
    "Sigmoid with arrays": sigmoid,
    "SquareRoot": at_positive(lambda shape, rng: rd.SquareRoot(shape, epsilon=0.1)),
    "Softmax": lambda shape, rng: rd.Softmax(shape),
    "Parallel": lambda shape, rng: rd.Parallel(rd.Softplus(shape), rd.Gradient(shape), rd.Softmax((2, 3))),
    "BlindConvolution constant": blind_convolution("constant"),
    "BlindConvolution wrap": blind_convolution("wrap"),
    "BlindConvolution reflect": blind_convolution("reflect"),
    "BlindConvolution mirror": blind_convolution("mirror"),
    "BlindConvolution nearest": blind_convolution("nearest"),
    "BlindConvolution valid": blind_convolution("valid"),
    "BlindConvolution with an operator": blind_convolution_of_a_continued_image,
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
    "PseudoHuber": lambda shape, rng: rd.PseudoHuber(rng.standard_normal(shape), 0.4, rng.uniform(0.2, 2, shape)),
    "PseudoHuber without data": lambda shape, rng: rd.PseudoHuber(delta=2.5),
    "SmoothedL1": lambda shape, rng: rd.SmoothedL1(rng.standard_normal(shape), 0.3, rng.uniform(0.2, 2, shape)),
    "SmoothedL1 by default": lambda shape, rng: rd.SmoothedL1(),
    "Huber": lambda shape, rng: rd.Huber(rng.standard_normal(shape), 1.1, rng.uniform(0.2, 2, shape)),
    "Huber without data": lambda shape, rng: rd.Huber(delta=0.9),
    "LogCosh": lambda shape, rng: rd.LogCosh(rng.standard_normal(shape), 0.4, rng.uniform(0.2, 2, shape)),
    "LogCosh without data": lambda shape, rng: rd.LogCosh(delta=2.5),
    "Cauchy": lambda shape, rng: rd.Cauchy(rng.standard_normal(shape), 0.4, rng.uniform(0.2, 2, shape)),
    "Cauchy without data": lambda shape, rng: rd.Cauchy(scale=2.5),
    "StudentT": lambda shape, rng: rd.StudentT(rng.standard_normal(shape), 0.4, 2.7, rng.uniform(0.2, 2, shape)),
    "StudentT without data": lambda shape, rng: rd.StudentT(scale=1.8),
    "Entropy": at_positive(
        lambda shape, rng: rd.Entropy(rng.uniform(0.3, 3, shape), weight=rng.uniform(0.2, 2, shape))
    ),
    "Entropy of a flat prior": at_positive(lambda shape, rng: rd.Entropy(1.3)),
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
    "SmoothedGroupNorm": lambda shape, rng: rd.SmoothedGroupNorm(0.6),
    "SmoothedGroupNorm of every entry": lambda shape, rng: rd.SmoothedGroupNorm(0.9, axis=(), weight=0.7),
    "SmoothedGroupNorm of differences": lambda shape, rng: (
        rd.SmoothedGroupNorm(0.4, weight=rng.uniform(0.3, 2, shape)) @ rd.Gradient(shape, spacing=0.7)
    ),
    "SmoothedGroupNorm of coupled channels": lambda shape, rng: (
        rd.SmoothedGroupNorm(0.3, axis=(1, 0), weight=rng.uniform(0.3, 2, shape[1:])) @ rd.Gradient(shape, spacing=0.7)
    ),
    "GroupHuber": lambda shape, rng: rd.GroupHuber(1.1),
    "GroupHuber of every entry": lambda shape, rng: rd.GroupHuber(0.9, axis=(), weight=0.7),
    "GroupHuber of differences": lambda shape, rng: (
        rd.GroupHuber(1.6, weight=rng.uniform(0.3, 2, shape)) @ rd.Gradient(shape, spacing=0.7)
    ),
    "SmoothedNuclearNorm of 1 x 1": at_matrices(1, lambda shape, rng: rd.SmoothedNuclearNorm(0.7)),
    "SmoothedNuclearNorm of 2 x 2": at_matrices(3, lambda shape, rng: rd.SmoothedNuclearNorm(0.7, 1.4)),
    "SmoothedNuclearNorm of 3 x 3": at_matrices(6, lambda shape, rng: rd.SmoothedNuclearNorm(0.9)),
    "SmoothedNuclearNorm of 2 x 2 after A": matrix_field(3, 4),
    "SmoothedNuclearNorm of 3 x 3 after A": matrix_field(6, 2),
    "f @ A": lambda shape, rng: rd.L2Norm(rng.standard_normal(shape)) @ convolution("constant")(shape, rng),
    "f @ m": lambda shape, rng: rd.LeastSquares(rng.standard_normal(shape)) @ Power(shape, 2),
    "f @ A @ m": lambda shape, rng: rd.L2Norm(rng.standard_normal(shape)) @ diagonal(shape, rng) @ Sine(shape),
    "f + g": lambda shape, rng: (
        rd.LeastSquares() @ convolution("wrap")(shape, rng) + rd.L2Norm(rng.standard_normal(shape))
    ),
    "f - c g": lambda shape, rng: rd.LeastSquares() - 0.3 * rd.L2Norm(rng.standard_normal(shape)),
    "(f + g) @ m": lambda shape, rng: (rd.LeastSquares() + rd.L2Norm(rng.standard_normal(shape))) @ Sine(shape),
    "(f + g) @ blind": blind,
    "f @ m @ m": lambda shape, rng: (
        rd.LeastSquares() @ rd.Gradient(shape) @ rd.SquareRoot(shape) @ rd.Softplus(shape, 0.8)
        + rd.LeastSquares(rng.standard_normal(shape)) @ convolution("constant")(shape, rng) @ rd.Exponential(shape)
    ),
    "problems.norm_and_gradient_norm": lambda shape, rng: rd.problems.norm_and_gradient_norm(
        rng.standard_normal(shape), random_psf(shape, rng)[0], mu=0.37
    ),
    **READY_MADE,
}


def model_of(name, make):
    """The public name of what a case is an instance of; what was composed counts for the calculus."""
    first, public = name.split()[0], set(rd.__all__)
    if first.split(".")[0] in ("regularizers", "problems"):
        return first
    case = make((4, 3), np.random.default_rng(0))
    if type(case).__name__ in public:
        return type(case).__name__
    return next(kind.__name__ for kind in (rd.Functional, rd.LinearOperator, rd.Operator) if isinstance(case, kind))
