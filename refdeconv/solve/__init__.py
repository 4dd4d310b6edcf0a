"""From an objective to a solution: scipy's optimisers driven by exact gradients and Hessian-vector products.

The only place that flattens arrays or knows scipy.optimize.
"""

from refdeconv.solve.minimizing import minimize
from refdeconv.solve.outcome import ConvergenceWarning
from refdeconv.solve.restoration import deconvolve

__all__ = ["ConvergenceWarning", "deconvolve", "minimize"]
