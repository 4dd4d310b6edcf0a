"""What a reader of the suite must know: the manifest's ``conventions`` and ``kinds``."""

from __future__ import annotations

VERSION = 1  # of the layout; readers refuse others
# How many units of rounding of an array's scale an implementation may be off by. The package itself needs less than 3,
# in float64 and float32, with both FFTs: what is granted beyond that is for other orders of summation.
ROUNDINGS = 16

CONVENTIONS = {
    "numbers": "The inputs are the float64 numbers in the files, exactly; outputs are of the exact result for them.",
    "files": (
        "Each case names a file without its ending: NAME.npy (version 1.0, one axis, float64, little-endian, never "
        "pickled) and NAME.bin (the same numbers, 8 bytes each, little-endian IEEE 754, nothing else) hold the same. "
        "An array is prod(shape) consecutive numbers from `offset` on, which counts numbers, not bytes, from 0. Arrays "
        "of dtype bool are numbers 0 and 1."
    ),
    "axis order": (
        "Arrays are in C order: the last index varies fastest. Index and shape name the axes in the same order, the "
        "slowest first. Indices count from 0."
    ),
    "inner product": "The plain sum of products of all entries; adjoints and gradients are with respect to it.",
    "psf origin": (
        "The index of the PSF sample that multiplies the pixel itself: blurred[i] = sum_j psf[j] x[i + origin - j]. "
        "By default (k - 1) // 2 along an axis of k samples, rounded down. The PSF is convolved, not correlated, and "
        "is not divided by its sum. With the boundary 'valid' the origin has no influence."
    ),
    "boundary": {
        "constant": "0000|abcd|0000: zeros",
        "wrap": "abcd|abcd|abcd: the image again, periodically",
        "reflect": "dcba|abcd|dcba: mirrored about the outer side of the edge pixel",
        "mirror": "dcb|abcd|cba: mirrored about the centre of the edge pixel",
        "nearest": "aaaa|abcd|dddd: the edge pixel",
        "valid": "only the pixels for which nothing beyond the edges is needed: n - k + 1 along an axis",
        "free": "of differences: those that need a pixel beyond the edges are 0",
    },
    "parameters": (
        "By the names of refdeconv's documentation; one that is left out has its default. {array: ...} is an array, "
        "{model: ..., parameters: ...} a model that is part of this one, {mapping: ...} options by name."
    ),
    "directions": "Two, stacked along a new first axis; so are outputs that are computed for each of them.",
    "bound": (
        "No entry of the stored array is further than this from the exact result. It has two parts. Round-off "
        "of storing in float64, the distance of the stored numbers from those computed to more than 50 digits, is "
        "computed exactly: all of the bound but its last digits. The error of the computed numbers is estimated, not "
        "proven: of derivatives from central differences of the definition, in arithmetic of 300 digits, with two step "
        "sizes, whose distance, doubled, exceeds the error wherever that falls at least in proportion to the step; of "
        "sums from the digits that they were computed with. It is below 1e-50 of the output's scale, 34 digits below "
        "round-off."
    ),
    "scale": (
        "How far the output moves, per unit, when all numbers of the input are moved relatively by plus or minus a "
        "tiny amount: the largest entry, over a few random patterns of signs; at least the largest entry of the output "
        "itself, and of a value also the sum of the sizes of all that is added up. Of specified outputs, their own."
    ),
    "moved_in_float32": (
        "How far the output moves when all numbers of the input are rounded to float32; null where they are outside of "
        "its range, or the result is not defined."
    ),
    "tolerance": (
        "An entry is right if it is within bound + roundings * (eps * scale + the smallest positive number) of what is "
        "stored, eps the distance from 1 to the next number of the precision that is computed in; in float32 "
        "moved_in_float32 is added. The same for all cases: an algorithm that is as good as exact arithmetic on inputs "
        "that are off by some units in the last place meets it."
    ),
    "optima": (
        "Minimisers of convex problems. An array there is a file `npy` of its own, in its shape; the same bytes stand "
        "in optima/optima.bin from `byte_offset` on. `minimum` is a decimal number, off by at most `bound_on_minimum`; "
        "`minimiser` is at most `bound_on_minimiser` from the exact one, in the Euclidean norm; `method` and "
        "`certificate` say how that is proven, and optima/optima.json says more."
    ),
    "specified": (
        "True where the output is not a derivative, but what the documentation specifies: at a kink, the subgradient "
        "of least norm, and a matching Hessian; or an `answer`."
    ),
    "answer": (
        "In place of numbers. 'infinite': the value is plus infinity, since the point is outside of the domain. "
        "'raises': there is no such output, and refdeconv raises a ValueError; an implementation without errors has "
        "its own way to say so, NaN for instance, but no finite number is right. Without bound and scale: the same in "
        "every precision."
    ),
}

KINDS = {
    "functional": {
        "inputs": "point u; directions v",
        "value": "f(u), a number",
        "gradient": "(grad f)(u)[i] = the derivative of f at u along pixel i; of u's shape",
        "hvp": "(hess f)(u) v = the derivative of grad f at u along v, for each of the directions; of their shape",
    },
    "linear operator": {
        "inputs": "point x; weights y, of the output's shape",
        "forward": "A x",
        "adjoint": "A^T y, with <A x, y> = <x, A^T y> for all x and y",
    },
    "map": {
        "inputs": "point z; directions v; weights w, of the output's shape",
        "forward": "m(z)",
        "jvp": "m'(z) v = the derivative of m at z along v, for each of the directions",
        "vjp": "m'(z)^T w = the gradient of <w, m(z)> in z",
        "curvature": "(the Hessian of <w, m(z)> in z) v, for each of the directions",
    },
}
