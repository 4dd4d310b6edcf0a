"""What was tried to make problem (b) faster: products and processor time to gaps of 1e-4 and 1e-6, one row an idea.

``REFDECONV_THREADS=1 OPENBLAS_NUM_THREADS=1 python -m tests.benchmarks.photon_ideas [NAME ...]``
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any
from unittest import mock

import numpy as np
import scipy.ndimage

import refdeconv as rd
from refdeconv.solve import primal_dual

from . import photon_problem as b

GAPS, LIMIT = (1e-4, 1e-6), 60.0
DATA = b.counts()
F = b.objective(DATA)
START = float(F.value(DATA))


def solve(method: str, start: Any = DATA, began: float | None = None, products: int = 0, **options: Any) -> str:
    """When the gaps were reached, of a solve that may have had a stage before."""
    began, found, aside = time.process_time() if began is None else began, {}, 0.0

    def watch(intermediate_result: Any) -> None:
        nonlocal aside
        now = time.process_time()
        seconds = now - began - aside
        gap = (F.value(intermediate_result.x) - BOUND) / (START - BOUND)
        aside += time.process_time() - now
        for each in GAPS:
            if gap <= each:
                total = intermediate_result.hessian_products + products
                found.setdefault(
                    each, f"{each:.0e}: {intermediate_result.nit} iterations, {total} products, {seconds:.1f} s"
                )
        if gap <= GAPS[-1] or seconds > LIMIT:
            raise StopIteration

    rd.minimize(F, start, method, scale=b.PHOTONS, callback=watch, **options)
    return "; ".join(found.values()) or f"not within {LIMIT:.0f} s"


def continued(method: str, *epsilons: float) -> str:
    """Coarse solves with larger epsilons first."""
    began, products, x = time.process_time(), 0, DATA
    fidelity = rd.Poisson(DATA, background=b.BACKGROUND) @ rd.Convolution(b.psf(), b.SHAPE)
    for epsilon in epsilons:
        coarse = fidelity + b.MU * rd.SmoothedGroupNorm(epsilon) @ rd.Gradient(b.SHAPE)
        result = rd.minimize(coarse, x, method, scale=b.PHOTONS, xtol=1e-2 if method == "primal-dual" else 2e-3)
        x, products = result.x, products + result.nhev
    return solve(method, x, began, products, xtol=1e-9)


def richardson_lucy() -> Any:
    K, x = rd.Convolution(b.psf(), b.SHAPE), np.maximum(DATA, 1)
    return x * K.adjoint(DATA / (K.forward(x) + b.BACKGROUND)) / K.adjoint(np.ones(b.SHAPE))


def patched(name: str, value: Any) -> str:
    with mock.patch.object(primal_dual, name, value):
        return solve("primal-dual", xtol=1e-9)


IDEAS: dict[str, Callable[[], str]] = {
    "primal-dual": lambda: solve("primal-dual", xtol=1e-9),
    "newton-cg": lambda: solve("Newton-CG", xtol=1e-9),
    "newton-cg-plain": lambda: solve("Newton-CG", xtol=1e-9, preconditioner=None),
    "newton-cg-epsilon-4": lambda: continued("Newton-CG", 4.0),
    "newton-cg-epsilon-16-4": lambda: continued("Newton-CG", 16.0, 4.0),
    "primal-dual-epsilon-4": lambda: continued("primal-dual", 4.0),
    "newton-cg-lucy": lambda: solve("Newton-CG", richardson_lucy(), xtol=1e-9),
    "primal-dual-lucy": lambda: solve("primal-dual", richardson_lucy(), xtol=1e-9),
    "primal-dual-smooth": lambda: solve("primal-dual", scipy.ndimage.gaussian_filter(DATA, 1.0), xtol=1e-9),
    "primal-dual-float64": lambda: patched("_COARSE", np.dtype(np.float64)),
    "primal-dual-cg-0.5": lambda: patched("_LOOSEST", 0.5),
    "primal-dual-cg-0.3": lambda: patched("_LOOSEST", 0.3),
    "primal-dual-cg-0.01": lambda: patched("_LOOSEST", 0.01),
    "primal-dual-no-diagonal": lambda: patched("_SMALLEST", 1.0),
    "trust-krylov": lambda: solve("trust-krylov", gtol=1e-9),
    "trust-ncg": lambda: solve("trust-ncg", gtol=1e-9),
}

BOUND = 0.0

if __name__ == "__main__":
    BOUND = b.certified(DATA)[1]
    unknown = set(sys.argv[1:]) - set(IDEAS)
    if unknown:
        sys.exit(f"no such idea: {', '.join(sorted(unknown))}; there are {', '.join(IDEAS)}")
    for chosen in sys.argv[1:] or IDEAS:
        print(f"{chosen}: {IDEAS[chosen]()}", flush=True)
