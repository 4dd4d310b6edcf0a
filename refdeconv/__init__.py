"""Image deconvolution with every gradient and Hessian-vector product derived by hand, and proof that they are right."""

from refdeconv import checks, problems, psf, psf_origin
from refdeconv.calculus import Expansion, Functional, LinearOperator, Operator, Zero
from refdeconv.functionals import L2Norm, LeastSquares
from refdeconv.hessians import SelfAdjoint
from refdeconv.operators import Convolution, CosineTransform, Diagonal, Extension, Gradient, Identity
from refdeconv.solve import ConvergenceWarning, deconvolve, minimize

__version__ = "0.1.0"

__all__ = [
    "ConvergenceWarning",
    "Convolution",
    "CosineTransform",
    "Diagonal",
    "Expansion",
    "Extension",
    "Functional",
    "Gradient",
    "Identity",
    "L2Norm",
    "LeastSquares",
    "LinearOperator",
    "Operator",
    "SelfAdjoint",
    "Zero",
    "checks",
    "deconvolve",
    "minimize",
    "problems",
    "psf",
    "psf_origin",
]
