"""Functionals, one module each; each with its gradient and Hessian, derived on the page of the same name."""

from refdeconv.functionals.anscombe import Anscombe
from refdeconv.functionals.cauchy import Cauchy, StudentT
from refdeconv.functionals.entropy import Entropy
from refdeconv.functionals.group_norm import GroupHuber, SmoothedGroupNorm
from refdeconv.functionals.huber import Huber
from refdeconv.functionals.l2_norm import L2Norm
from refdeconv.functionals.least_squares import LeastSquares
from refdeconv.functionals.log_cosh import LogCosh
from refdeconv.functionals.poisson import Poisson
from refdeconv.functionals.poisson_gaussian import PoissonGaussian
from refdeconv.functionals.pseudo_huber import PseudoHuber, SmoothedL1
from refdeconv.functionals.schatten import SmoothedNuclearNorm

__all__ = [
    "Anscombe",
    "Cauchy",
    "Entropy",
    "GroupHuber",
    "Huber",
    "L2Norm",
    "LeastSquares",
    "LogCosh",
    "Poisson",
    "PoissonGaussian",
    "PseudoHuber",
    "SmoothedGroupNorm",
    "SmoothedL1",
    "SmoothedNuclearNorm",
    "StudentT",
]
