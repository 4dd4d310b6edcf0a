"""The minimiser of the article's problem in its full size, to some 25 digits: Newton's method with exact gradients.

Nothing here is trusted: what is found is proven afterwards.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse.linalg import LinearOperator, cg

from refdeconv.calculus import Functional
from refdeconv.conformance.golden.optima.intervals import context, exact, lower
from refdeconv.conformance.golden.optima.large_article import Blur, Scaled, cosine_preconditioner, negative_laplacian

Array = NDArray[Any]
_STEPS = 8


def refined(functional: Functional, data: Array, psf: Array, mu: float, begin: Array) -> tuple[Array, Array]:
    """The minimiser as float64, and what remains as float32.

    Parameters
    ----------
    functional : Functional
        The objective, for products with its Hessian in common arithmetic.
    data, psf, mu
        The problem's.
    begin : ndarray
        What a solver found, good to some five digits.
    """
    K, y, x = Blur(Scaled.of(psf)), Scaled.of(data), Scaled.of(begin)
    for _ in range(_STEPS):
        gradient, rho, sigma = _gradient(K, y, mu, x)
        size = float(np.linalg.norm(gradient))
        if size < 1e-29:
            break
        hessian, precondition = functional.hessian(x.floats()), cosine_preconditioner(begin.shape, rho, sigma, mu)
        shape = (begin.size, begin.size)
        H = LinearOperator(
            shape, matvec=lambda v, h=hessian: h.forward(v.reshape(begin.shape)).ravel(), dtype=np.float64
        )
        P = LinearOperator(shape, matvec=precondition, dtype=np.float64)
        step, _ = cg(H, np.ravel(gradient / size), rtol=1e-11, maxiter=500, M=P)
        x = x - _scaled(step.reshape(begin.shape), size)
    high = x.floats()
    return high, (x - Scaled.of(high)).floats().astype(np.float32)


def _gradient(K: Blur, y: Scaled, mu: float, x: Scaled) -> tuple[Array, float, float]:
    """The gradient of exact images, rounded after its terms have cancelled; the two norms."""
    residual, v = K.forward(x) - y, Scaled(negative_laplacian(x.numbers), x.bits)
    u, iv = K.adjoint(residual), context()
    rho, sigma = iv.sqrt(exact(iv, residual.dot(residual))), iv.sqrt(exact(iv, v.dot(x)))
    root = iv.sqrt(iv.mpf(2))
    factors = 1 / (root * rho), exact(iv, Fraction(mu)) / (root * sigma)
    whole = [int(lower(factor) * (1 << 200)) for factor in factors]
    total = Scaled(u.numbers * whole[0], u.bits + 200) - Scaled(v.numbers * -whole[1], v.bits + 200)
    return total.floats(), float(rho.mid), float(sigma.mid)


def _scaled(step: Array, size: float) -> Scaled:
    """A step times the gradient's norm, in multiples of ``2**-160``."""
    whole = np.empty(step.size, dtype=object)
    whole[:] = [round(Fraction(entry) * Fraction(size) * (1 << 160)) for entry in step.ravel().tolist()]
    return Scaled(whole.reshape(step.shape), 160)
