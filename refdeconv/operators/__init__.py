"""Linear operators, one module each; each with its adjoint, derived on the page of the same name."""

from refdeconv.operators.affine import Affine
from refdeconv.operators.convolution import Convolution
from refdeconv.operators.cosine_transform import CosineTransform
from refdeconv.operators.diagonal import Diagonal
from refdeconv.operators.gradient import Gradient
from refdeconv.operators.identity import Identity
from refdeconv.operators.laplacian import Laplacian
from refdeconv.operators.sampling import Binning, Selection, Subsampling
from refdeconv.operators.second_differences import SecondDifferences
from refdeconv.operators.varying_convolution import VaryingConvolution

__all__ = [
    "Affine",
    "Binning",
    "Convolution",
    "CosineTransform",
    "Diagonal",
    "Gradient",
    "Identity",
    "Laplacian",
    "SecondDifferences",
    "Selection",
    "Subsampling",
    "VaryingConvolution",
]
