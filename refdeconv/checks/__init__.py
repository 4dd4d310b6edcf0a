"""Is this gradient, Hessian product or adjoint right? Measures of plain callables; nothing here uses the package."""

from refdeconv.checks.identities import adjoint_error, gradient_error, hvp_error, hvp_symmetry_error

__all__ = ["adjoint_error", "gradient_error", "hvp_error", "hvp_symmetry_error"]
