"""The README.md of a challenge: all that somebody needs to know who has never seen refdeconv."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib import resources
from math import prod
from typing import Any

from refdeconv.conformance.challenge.folder import Challenge
from refdeconv.conformance.challenge.problem import Problem

_EDGES = {
    "constant": "zeros: `x[m] = 0` for `m` outside of the image",
    "wrap": "the image again, periodically: `x[-1] = x[n-1]`, `x[n] = x[0]`",
    "reflect": "its mirror image, with the edge between two pixels: `x[-1] = x[0]`, `x[-2] = x[1]`, `x[n] = x[n-1]`",
    "mirror": "its mirror image about the last pixel: `x[-1] = x[1]`, `x[-2] = x[2]`, `x[n] = x[n-2]`",
    "nearest": "the nearest pixel: `x[-1] = x[-2] = x[0]`, `x[n] = x[n-1]`",
    "valid": "nothing: only those pixels are computed that need no other",
}
_BLUR = """The **blur** `K` is the convolution with the PSF `h`, whose sample at `o = {origin}` multiplies the
pixel itself:

    (K x)[i] = sum over all j of  h[j] * x[i + o - j]

Indices are tuples, one number for each axis, and start at 0. It is a convolution (the PSF is flipped),
not a correlation. The PSF does not sum to one, and is to be taken as it is.

Beyond the edges of `x` there is (`{boundary}`) {edge}; `n` is the number of pixels along an axis.
"""
_VALID = """The **blur** `K` is the convolution with the PSF `h` of shape `k`, where the PSF lies inside of the image:

    (K x)[i] = sum over all j of  h[j] * x[i + k - 1 - j]          (`valid`)

Indices are tuples, one number for each axis, and start at 0. It is a convolution (the PSF is flipped),
not a correlation. The PSF does not sum to one, and is to be taken as it is.
`K x` has shape {data_shape}: `k - 1` pixels less along each axis than `x`, which has shape {shape}.
"""
_ADJOINT = """
`forward` is `K x`. `adjoint` is `K^T y`, the transposed matrix, with respect to the plain sum of products:
`sum((K x) * y) = sum(x * (K^T y))` for all x and y, what lies beyond the edges included.
"""
_DIFFERENCES = """`forward` is the stack of the forward differences along each axis, of shape {data_shape}:

    (D x)[a, i] = x[i + 1 along axis a] - x[i],   and 0 for the last i along axis a

Indices start at 0. `adjoint` is `D^T y`, the transposed matrix: `sum((D x) * y) = sum(x * (D^T y))` for all x and y.
"""
_TV = "    TV(x) = sum over pixels of  sqrt(sum over axes a of (D_a x)^2 + epsilon^2) - epsilon"
_OBJECTIVES: Mapping[str, str] = {
    "article": """    F(x) = sqrt(sum((K x - data)^2) / 2) + mu * sqrt(sum over axes a of sum((D_a x)^2) / 2)

Both are norms, **not squared**.""",
    "least-squares-tikhonov": (
        "    F(x) = sum(weight * (K x - data)^2) / 2 + mu * sum over axes a of sum((D_a x)^2) / 2"
    ),
    "least-squares-total-variation": f"""    F(x) = sum(weight * (K x - data)^2) / 2 + mu * TV(x)
{_TV}""",
    "robust-total-variation": f"""    F(x) = sum(weight * delta^2 * (sqrt(1 + (r / delta)^2) - 1)) + mu * TV(x)
    r = K x - data
{_TV}""",
    "poisson-total-variation": f"""    F(x) = sum(u - data + data * log(data / u)) + mu * TV(x)
    u = K x + background,   0 * log(0) = 0
{_TV}

The terms without x are part of the value: please do not leave them out.""",
}
_DERIVATIVES = """
`D_a` are forward differences along axis a: `(D_a x)[i] = x[i + 1 along a] - x[i]`, and 0 for the last i along a,
whatever the boundary of the blur.

- `value` is F(x), a number.
- `gradient` is the gradient of F at x, an array like x.
- `hvp` is the Hessian of F at x times the direction v, an array like x: the exact one, not Gauss-Newton.
"""


def text(made: Challenge) -> str:
    """The whole page."""
    problem = made.problem
    template = resources.files("refdeconv.conformance.challenge").joinpath("README.template.md").read_text("utf-8")
    digits = "float32 or float64" if problem.precision == "single" else "float64"
    known = {
        "name": problem.name,
        "title": problem.about.title,
        "formulas": formulas(problem),
        "sizes": _sizes(problem),
        "shape": _shape(problem.shape),
        "calls": str(len(made.calls)),
        "functions": ", ".join(f"`{function}`" for function in problem.functions),
        "dtype": digits,
        "precision": _PRECISION[problem.precision],
        "direction": ", direction (`-` where there is none)"
        if "hvp" in problem.functions
        else ", direction (always `-`)",
        "and_direction": " (and the direction)" if "hvp" in problem.functions else "",
        "numbers": str(max(prod(problem.shape), prod(problem.data_shape))),
        "shape_reversed": ", ".join(map(str, problem.shape[::-1])),
        "axes_matlab": " ".join(str(axis) for axis in range(len(problem.shape), 0, -1)),
        "axes_julia": ", ".join(str(axis) for axis in range(len(problem.shape), 0, -1)),
    }
    layout = _MANY if len(problem.shape) > 1 else _ONE
    for key, entry in {**layout, **known}.items():  # what stands in the layout is known
        template = template.replace(f"@{key}@", entry)
    return template


_MANY = {
    "order": """```text
MATLAB, Octave:  x = permute(reshape(x, [@shape_reversed@]), [@axes_matlab@]);
                 y = permute(y, [@axes_matlab@]);  % before writing
Julia:           x = permutedims(reshape(x, @shape_reversed@), (@axes_julia@))
                 y = permutedims(y, (@axes_julia@))  # before writing
```""",
    "matlab_read": "x = permute(reshape(x, [@shape_reversed@]), [@axes_matlab@]);  % x(i+1, j+1) is x[i, j] above",
    "matlab_write": "y = permute(x, [@axes_matlab@]);",
    "julia_read": "x = permutedims(reshape(x, @shape_reversed@), (@axes_julia@))  # x[i+1, j+1] is x[i, j] above",
    "julia_write": 'write("answers/001.bin", permutedims(x, (@axes_julia@)))',
}
_ONE = {
    "order": "With a single axis, as here, there is nothing to turn around.",
    "matlab_read": "% x(i+1) is x[i] above",
    "matlab_write": "y = x;",
    "julia_read": "# x[i+1] is x[i] above",
    "julia_write": 'write("answers/001.bin", collect(x))',
}
_PRECISION = {
    "double": "Double precision is expected throughout; single precision anywhere inside is found, and is wrong.",
    "single": (
        "Single precision is enough: all inputs are numbers of float32, kept as float64. Answers may be float32 or "
        "float64, and\nmay be off by what arithmetic in float32 makes of them: some hundred roundings of 6e-8, and "
        "where terms cancel,\nthat of the terms. Computing in double precision is right as well."
    ),
}


def formulas(problem: Problem) -> str:
    """What is to be computed."""
    if problem.base == "differences":
        return _DIFFERENCES.format(data_shape=_shape(problem.data_shape))
    if problem.boundary == "valid":
        blur = _VALID.format(data_shape=_shape(problem.data_shape), shape=_shape(problem.shape))
    else:
        blur = _BLUR.format(origin=_shape(problem.origin), boundary=problem.boundary, edge=_EDGES[problem.boundary])
    operator = blur + (_ADJOINT if {"forward", "adjoint"} & set(problem.functions) else "")
    if problem.base not in _OBJECTIVES:
        return operator
    return f"The **objective** of an image `x`:\n\n{_OBJECTIVES[problem.base]}\n\n{operator}{_DERIVATIVES}"


def _sizes(problem: Problem) -> str:
    rows = [f"- images `x`{' and directions `v`' if 'hvp' in problem.functions else ''}: {_shape(problem.shape)}"]
    rows += [f"- what `forward` returns and `adjoint` takes: {_shape(problem.data_shape)}"]
    rows += [f"- `inputs/{name}`: {_shape(array.shape)}" for name, array in problem.arrays.items()]
    rows += [f"- {name} = {number!r}" for name, number in problem.parameters.items()]
    return "\n".join(rows)


def _shape(shape: tuple[int, ...]) -> str:
    return f"({', '.join(map(str, shape))}{',' if len(shape) == 1 else ''})"


def json_text(manifest: Mapping[str, Any]) -> str:
    """A manifest as it stands in the file."""
    return json.dumps(manifest, indent=1, allow_nan=False) + "\n"
