"""Operators and maps, one module each; each with its adjoint or derivatives, derived on the page of the same name."""

from refdeconv.operators.affine import Affine
from refdeconv.operators.bilinear import BlindConvolution
from refdeconv.operators.convolution import Convolution
from refdeconv.operators.cosine_transform import CosineTransform
from refdeconv.operators.diagonal import Diagonal
from refdeconv.operators.extension import Extension
from refdeconv.operators.gradient import Gradient
from refdeconv.operators.identity import Identity
from refdeconv.operators.laplacian import Laplacian
from refdeconv.operators.packing import Block, BlockDiagonal, Packing, Parallel
from refdeconv.operators.pointwise_map import PointwiseMap, SquareRoot
from refdeconv.operators.positive_map import Exponential, PositiveMap, Softplus, Square
from refdeconv.operators.sampling import Binning, Selection, Subsampling
from refdeconv.operators.second_differences import SecondDifferences
from refdeconv.operators.sigmoid import Sigmoid
from refdeconv.operators.softmax import Softmax
from refdeconv.operators.varying_convolution import VaryingConvolution

__all__ = [
    "Affine",
    "Binning",
    "BlindConvolution",
    "Block",
    "BlockDiagonal",
    "Convolution",
    "CosineTransform",
    "Diagonal",
    "Exponential",
    "Extension",
    "Gradient",
    "Identity",
    "Laplacian",
    "Packing",
    "Parallel",
    "PointwiseMap",
    "PositiveMap",
    "SecondDifferences",
    "Selection",
    "Sigmoid",
    "Softmax",
    "Softplus",
    "Square",
    "SquareRoot",
    "Subsampling",
    "VaryingConvolution",
]
