"""Run every example anew and print the table: ``python -m tests.autodiff.pitfalls``."""

from collections.abc import Sequence

from tests.autodiff.solves import choose, parser_of, write

from .example import NAMES
from .memory import PSF_SIZE, SIZE
from .table import MEMORY_LIMIT, markdown, rows

INTRODUCTION = f"""# Where automatic differentiation goes wrong, and a hand-derived formula does not

Written by `python -m tests.autodiff.pitfalls --markdown tests/autodiff/pitfalls.md`, which runs every example anew; the
test is [`test_pitfalls.py`](test_pitfalls.py), which fails where a release gives another verdict than this page.

*right*: within 1e-12 of the truth (relative to its largest entry), in float32 within 2e-6; **wrong**: a finite number
further away, by as much as stands there, without any warning; **fails**: NaN, infinity, None or an exception. The truth
is the derivative of the definition in mpmath at 60 digits and more; at a kink, where there is no derivative, the
subgradient of least norm. The functions are written as users write them, with each framework's own operations, or with
its library function where the row says so; a framework without such a function has no row. Hessian-vector products are
with the vector 1, 2, 3, ... (of a matrix, its symmetric part).

Memory: the largest resident size while one gradient of the article's objective is computed in a fresh process, less
the resident size just before, in images of {SIZE} x {SIZE} float64 pixels, with a PSF of {PSF_SIZE} x {PSF_SIZE};
*right* means below {MEMORY_LIMIT} images, **much memory** that many or more; the gradient is right in both cases. On a
CPU, the `conv2d` of PyTorch and TensorFlow in float64 unfolds the image into one copy for each sample of the PSF;
Autograd's and JAX's need no more than refdeconv's FFTs.

"""


def main(arguments: Sequence[str] | None = None) -> None:
    parser = parser_of("Where automatic differentiation gives a wrong derivative or none.")
    parser.add_argument("--no-memory", action="store_true", help="leave out the memory of gradients")
    options = parser.parse_args(arguments)
    names = [name for name in NAMES if name in choose(parser, options.only)]
    table = list(rows(names, memory_too=not options.no_memory))
    print(markdown(table), end="")
    write(options, INTRODUCTION + markdown(table), table)


if __name__ == "__main__":
    main()
