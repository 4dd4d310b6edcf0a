"""Image deconvolution with every gradient and Hessian-vector product derived by hand, and proof that they are right."""

from refdeconv import checks, problems, psf
from refdeconv.calculus import Expansion, Functional, LinearOperator, Operator, Zero
from refdeconv.functionals import (
    Cauchy,
    Entropy,
    Huber,
    L2Norm,
    LeastSquares,
    LogCosh,
    PseudoHuber,
    SmoothedL1,
    StudentT,
)
from refdeconv.hessians import SelfAdjoint
from refdeconv.operators import Convolution, CosineTransform, Diagonal, Gradient, Identity
from refdeconv.solve import ConvergenceWarning, deconvolve, minimize

__version__ = "0.1.0"

__all__ = [
    "Cauchy",
    "ConvergenceWarning",
    "Convolution",
    "CosineTransform",
    "Diagonal",
    "Entropy",
    "Expansion",
    "Functional",
    "Gradient",
    "Huber",
    "Identity",
    "L2Norm",
    "LeastSquares",
    "LinearOperator",
    "LogCosh",
    "Operator",
    "PseudoHuber",
    "SelfAdjoint",
    "SmoothedL1",
    "StudentT",
    "Zero",
    "checks",
    "deconvolve",
    "minimize",
    "problems",
    "psf",
]
