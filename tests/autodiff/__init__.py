"""The article's program in four frameworks for automatic differentiation, to hold refdeconv's formulas against.

The article deblurs an image by minimising

    F(x) = sqrt(L(psf * x - blurred)) + mu * sqrt(L(vertical differences of x) + L(horizontal differences of x)),
    L(t) = sum(t**2) / 2,

where psf * x is the full convolution with zeros outside the image, cropped so that the sample ``(k - 1) // 2`` of the
PSF, on each axis, multiplies the pixel itself. Each `article_*` module writes that down the way a user of its framework
would, shares no code with refdeconv, and lets the framework find the gradient and the Hessian-vector product.

The `models_*` modules do the same for the field's other models (`models` has their list), `agreement` draws problems
and makes the table of the worst errors, and `record` keeps what the frameworks computed in `recorded/`, for where they
are not installed. README.md has the list of what is here.

`every_model` does it for every public functional, operator, map, regulariser and problem, each by its definition;
`solves` runs the article's whole solve with each framework's derivatives, `routes` the article's two ways to the
picture, beside refdeconv's; `pitfalls` executes where frameworks give a wrong derivative or none, or need much memory,
and where they are right. Their tables are every_model/agreement.md, solves.md, pitfalls.md, and the figure of the two
routes is derivations/figures/routes.png.

Beside them: the candidates that `refdeconv.checks` makes of functions of these frameworks, and the field's checkers of
derivatives (`other_checkers`), which ``python -m tests.autodiff.compare_checkers`` compares with refdeconv's.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from numpy.typing import NDArray

Array = NDArray[Any]


class Program(NamedTuple):
    """What every framework's `objective` returns: functions of numpy arrays in the image's shape."""

    value: Callable[[Array], Any]  # a scalar of the dtype that the program was made for
    gradient: Callable[[Array], Array]
    hvp: Callable[[Array, Array], Array]
    version: str
