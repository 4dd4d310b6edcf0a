"""Image deconvolution with every gradient and Hessian-vector product derived by hand, and proof that they are right."""

from refdeconv import checks, problems, psf
from refdeconv.calculus import Expansion, Functional, LinearOperator, Operator, Zero
from refdeconv.functionals import Anscombe, L2Norm, LeastSquares, Poisson, PoissonGaussian
from refdeconv.hessians import SelfAdjoint
from refdeconv.operators import Convolution, CosineTransform, Diagonal, Gradient, Identity
from refdeconv.solve import ConvergenceWarning, deconvolve, minimize

__version__ = "0.1.0"

__all__ = [
    "Anscombe",
    "ConvergenceWarning",
    "Convolution",
    "CosineTransform",
    "Diagonal",
    "Expansion",
    "Functional",
    "Gradient",
    "Identity",
    "L2Norm",
    "LeastSquares",
    "LinearOperator",
    "Operator",
    "Poisson",
    "PoissonGaussian",
    "SelfAdjoint",
    "Zero",
    "checks",
    "deconvolve",
    "minimize",
    "problems",
    "psf",
]
