"""Image deconvolution with every gradient and Hessian-vector product derived by hand, and proof that they are right."""

from refdeconv import checks, problems, psf
from refdeconv.calculus import Expansion, Functional, LinearOperator, Operator, Zero
from refdeconv.functionals import L2Norm, LeastSquares
from refdeconv.hessians import SelfAdjoint
from refdeconv.operators import (
    Affine,
    Binning,
    Convolution,
    CosineTransform,
    Diagonal,
    Gradient,
    Identity,
    Laplacian,
    SecondDifferences,
    Selection,
    Subsampling,
    VaryingConvolution,
)
from refdeconv.solve import ConvergenceWarning, deconvolve, minimize

__version__ = "0.1.0"

__all__ = [
    "Affine",
    "Binning",
    "ConvergenceWarning",
    "Convolution",
    "CosineTransform",
    "Diagonal",
    "Expansion",
    "Functional",
    "Gradient",
    "Identity",
    "L2Norm",
    "Laplacian",
    "LeastSquares",
    "LinearOperator",
    "Operator",
    "SecondDifferences",
    "Selection",
    "SelfAdjoint",
    "Subsampling",
    "VaryingConvolution",
    "Zero",
    "checks",
    "deconvolve",
    "minimize",
    "problems",
    "psf",
]
