"""Functionals, one module each; each with its gradient and Hessian, derived on the page of the same name."""

from refdeconv.functionals.anscombe import Anscombe
from refdeconv.functionals.l2_norm import L2Norm
from refdeconv.functionals.least_squares import LeastSquares
from refdeconv.functionals.poisson import Poisson
from refdeconv.functionals.poisson_gaussian import PoissonGaussian

__all__ = ["Anscombe", "L2Norm", "LeastSquares", "Poisson", "PoissonGaussian"]
