"""Image deconvolution with every gradient and Hessian-vector product derived by hand, and proof that they are right."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

# Used further down. From here CPython 3.11 imports them faster: deep in a chain of imports, it may get and give back
# memory for frames at every call.
import scipy.fft
import scipy.optimize  # noqa: F401

from refdeconv import problems, regularizers
from refdeconv.calculus import Expansion, Functional, LinearOperator, Operator, Zero
from refdeconv.functionals import (
    Anscombe,
    Cauchy,
    Entropy,
    GroupHuber,
    Huber,
    L2Norm,
    LeastSquares,
    LogCosh,
    Poisson,
    PoissonGaussian,
    PseudoHuber,
    SmoothedGroupNorm,
    SmoothedL1,
    SmoothedNuclearNorm,
    StudentT,
)
from refdeconv.hessians import SelfAdjoint
from refdeconv.operators import (
    Affine,
    Binning,
    BlindConvolution,
    Block,
    BlockDiagonal,
    Convolution,
    CosineTransform,
    Diagonal,
    Exponential,
    Extension,
    Gradient,
    Identity,
    Laplacian,
    Packing,
    Parallel,
    SecondDifferences,
    Selection,
    Sigmoid,
    Softmax,
    Softplus,
    Square,
    SquareRoot,
    Subsampling,
    VaryingConvolution,
)
from refdeconv.solve import ConvergenceWarning, deconvolve, minimize

if TYPE_CHECKING:
    from refdeconv import checks, psf, psf_origin

__version__ = "0.1.0"
_LOADED_WHEN_USED = ("checks", "psf", "psf_origin")  # which an objective and its solve do without

__all__ = [
    "Affine",
    "Anscombe",
    "Binning",
    "BlindConvolution",
    "Block",
    "BlockDiagonal",
    "Cauchy",
    "ConvergenceWarning",
    "Convolution",
    "CosineTransform",
    "Diagonal",
    "Entropy",
    "Expansion",
    "Exponential",
    "Extension",
    "Functional",
    "Gradient",
    "GroupHuber",
    "Huber",
    "Identity",
    "L2Norm",
    "Laplacian",
    "LeastSquares",
    "LinearOperator",
    "LogCosh",
    "Operator",
    "Packing",
    "Parallel",
    "Poisson",
    "PoissonGaussian",
    "PseudoHuber",
    "SecondDifferences",
    "Selection",
    "SelfAdjoint",
    "Sigmoid",
    "SmoothedGroupNorm",
    "SmoothedL1",
    "SmoothedNuclearNorm",
    "Softmax",
    "Softplus",
    "Square",
    "SquareRoot",
    "StudentT",
    "Subsampling",
    "VaryingConvolution",
    "Zero",
    "checks",
    "deconvolve",
    "minimize",
    "problems",
    "psf",
    "psf_origin",
    "regularizers",
]


def __getattr__(name: str) -> Any:
    """A room that is loaded when it is first used."""
    if name in _LOADED_WHEN_USED:
        return import_module(f"refdeconv.{name}")
    raise AttributeError(f"module 'refdeconv' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
