"""Golden vectors: inputs and outputs of every model, from its definition by direct summation at 50 digits.

`definitions` imports nothing of the package: plain sums over pixels in mpmath, and their derivatives by differences in
far more digits than are kept.
"""
