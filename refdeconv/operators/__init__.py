"""Linear operators, one module each; each with its adjoint, derived on the page of the same name."""

from refdeconv.operators.convolution import Convolution
from refdeconv.operators.cosine_transform import CosineTransform
from refdeconv.operators.diagonal import Diagonal
from refdeconv.operators.extension import Extension
from refdeconv.operators.gradient import Gradient
from refdeconv.operators.identity import Identity

__all__ = ["Convolution", "CosineTransform", "Diagonal", "Extension", "Gradient", "Identity"]
