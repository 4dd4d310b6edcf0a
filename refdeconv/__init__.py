"""Image deconvolution with every gradient and Hessian-vector product derived by hand, and proof that they are right."""

from refdeconv import checks, problems, psf
from refdeconv.calculus import Expansion, Functional, LinearOperator, Operator, Zero
from refdeconv.functionals import L2Norm, LeastSquares
from refdeconv.hessians import SelfAdjoint
from refdeconv.operators import (
    BlindConvolution,
    Block,
    BlockDiagonal,
    Convolution,
    CosineTransform,
    Diagonal,
    Exponential,
    Gradient,
    Identity,
    Packing,
    Parallel,
    Sigmoid,
    Softmax,
    Softplus,
    Square,
    SquareRoot,
)
from refdeconv.solve import ConvergenceWarning, deconvolve, minimize

__version__ = "0.1.0"

__all__ = [
    "BlindConvolution",
    "Block",
    "BlockDiagonal",
    "ConvergenceWarning",
    "Convolution",
    "CosineTransform",
    "Diagonal",
    "Expansion",
    "Exponential",
    "Functional",
    "Gradient",
    "Identity",
    "L2Norm",
    "LeastSquares",
    "LinearOperator",
    "Operator",
    "Packing",
    "Parallel",
    "SelfAdjoint",
    "Sigmoid",
    "Softmax",
    "Softplus",
    "Square",
    "SquareRoot",
    "Zero",
    "checks",
    "deconvolve",
    "minimize",
    "problems",
    "psf",
]
