"""Golden vectors: inputs and outputs of every model, from its definition by direct summation at 50 digits.

`definitions` imports nothing of the package but `edges`, which imports nothing: plain sums over pixels in mpmath, and
their derivatives by differences in far more digits than are kept. `computing` adds the plain records `case` and `part`,
and so do `cases`; the proofs in `optima` have `edges` in common with them. Only what runs the package on the vectors
(`running`, `optima.running`) and what finds the optima (`optima.making`) imports its mathematics.
"""
