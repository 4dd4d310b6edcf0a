"""Certified optima: minimisers and minima of convex problems, with proofs that anybody can evaluate again.

`definitions`, `functions`, `intervals`, `certificates` and `large_article` import nothing of the package but each other
and what lies beyond the edges: sums of functions of few numbers, and inequalities in interval arithmetic. Derivation:
derivations/conformance/golden/optima.md, OPT.1, OPT.2, OPT.3, OPT.4, OPT.5
"""
