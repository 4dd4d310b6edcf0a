"""Functionals, one module each; each with its gradient and Hessian, derived on the page of the same name."""

from refdeconv.functionals.l2_norm import L2Norm
from refdeconv.functionals.least_squares import LeastSquares

__all__ = ["L2Norm", "LeastSquares"]
