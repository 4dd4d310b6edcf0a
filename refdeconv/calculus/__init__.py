"""The three kinds, and the rules by which they compose.

A `LinearOperator` A with its adjoint, an `Operator` m with its Jacobian and curvature, a `Functional` f with its
gradient and Hessian. They are composed as they are written (``A @ B``, ``f @ A``, ``f @ m``, ``f + g``, ``2.0 * f``,
``A.T``), and each rule of composition stands once. Nothing here knows of images.
"""

from refdeconv.calculus.expansion import Expansion
from refdeconv.calculus.functional import Functional
from refdeconv.calculus.operator import LinearOperator, Operator, OutsideDomain, Zero
from refdeconv.calculus.parts import LocalPart, Parts, composition_in_parts
from refdeconv.calculus.symmetric import Symmetric

__all__ = [
    "Expansion",
    "Functional",
    "LinearOperator",
    "LocalPart",
    "Operator",
    "OutsideDomain",
    "Parts",
    "Symmetric",
    "Zero",
    "composition_in_parts",
]
