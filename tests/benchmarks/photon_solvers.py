"""Problem (b), solved by refdeconv and by what else can state it, each as its own users would.

A solver is a function of the data and of `watch`, which it calls with each iterate. It prepares everything that does
not count (compiling, operators, spectra), calls `watch.start()`, and runs until `watch` raises `Reached`.
"""

from __future__ import annotations

import sys
import time
import types
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

import refdeconv as rd

from . import photon_problem as b

Array = Any


class Reached(Exception):  # noqa: N818 (the good end of a solve, or its time limit)
    """The gap is small enough, or the time over."""


class Watch:
    """The clock of a solve: stopped while a value is computed; one needs not be computed at each iterate.

    Parameters
    ----------
    value : callable
        The objective.
    minimum, start : float
        Its certified lower bound, and its value at the start.
    smallest : float
        The gap, relative to that of the start, at which a solve ends.
    limit : float
        Seconds after which it does, too.
    """

    def __init__(
        self, value: Callable[[Array], float], minimum: float, start: float, smallest: float, limit: float
    ) -> None:
        self.value, self.minimum, self.range = value, minimum, start - minimum
        self.smallest, self.limit = smallest, limit
        self.trace: list[tuple[float, float, int]] = []
        self.iterates = 0
        self.start()

    def start(self) -> None:
        self.began, self.aside, self.trace, self.iterates = time.perf_counter(), 0.0, [], 0

    def __call__(self, x: Array) -> None:
        x = np.asarray(x, np.float64).reshape(b.SHAPE)  # waits until it is there
        now = time.perf_counter()
        elapsed = now - self.began - self.aside
        self.iterates += 1
        # Values only as dense as makes no difference to the result: steps of 1 % of the time.
        if not self.trace or elapsed > 1.01 * self.trace[-1][0]:
            gap = (float(self.value(x)) - self.minimum) / self.range
            self.trace.append((elapsed, gap, self.iterates))
            self.aside += time.perf_counter() - now
            if gap <= self.smallest or elapsed > self.limit:
                raise Reached


def refdeconv_primal_dual(data: Array, watch: Watch) -> None:
    """The package's method for smoothed total variation."""
    f = b.objective(data)
    watch.start()
    rd.minimize(f, data, "primal-dual", callback=lambda x: watch(x), xtol=1e-9)


def refdeconv_newton_cg(data: Array, watch: Watch) -> None:
    """The default: scipy's Newton-CG."""
    f = b.objective(data)
    watch.start()
    rd.minimize(f, data, callback=lambda x: watch(x), xtol=1e-9, scale=b.PHOTONS)


def lbfgsb(data: Array, watch: Watch, memory: int = 10) -> None:
    """scipy's L-BFGS-B with refdeconv's gradient."""
    import scipy.optimize

    f = b.objective(data, b.THRESHOLD)

    def value_and_gradient(z: Array) -> tuple[float, Array]:
        value, gradient = f.value_and_gradient(z.reshape(b.SHAPE))
        return value, gradient.ravel()

    watch.start()
    options = {"maxcor": memory, "maxiter": 10**6, "maxfun": 10**6, "ftol": 0, "gtol": 0}
    scipy.optimize.minimize(
        value_and_gradient, data.ravel(), jac=True, method="L-BFGS-B", callback=lambda x: watch(x), options=options
    )


def _in_jax(data: Array) -> tuple[Any, Callable[[Any], Any], Callable[[Any], Any], Callable[[Any], Any]]:
    """jax.numpy, the blur, the differences and the objective."""
    import jax

    jax.config.update("jax_enable_x64", True)
    import jax.numpy as jnp

    grid = (520, 520)
    placed = np.zeros(grid)
    placed[:13, :13] = b.psf()
    spectrum = jnp.fft.rfft2(jnp.asarray(np.roll(placed, (-6, -6), (0, 1))))
    counts = jnp.asarray(data)

    def blur(x: Any) -> Any:
        return jnp.fft.irfft2(spectrum * jnp.fft.rfft2(x, grid), grid)[:512, :512]

    def differences(x: Any) -> Any:
        return jnp.stack([jnp.diff(x, axis=0, append=x[-1:]), jnp.diff(x, axis=1, append=x[:, -1:])])

    def value(x: Any) -> Any:
        v = blur(x) + b.BACKGROUND
        inside = jnp.maximum(v, b.THRESHOLD)
        step = jnp.minimum(v - b.THRESHOLD, 0)
        fidelity = inside - counts * jnp.log(inside) + step * (1 - counts / inside) + step**2 * counts / inside**2 / 2
        lengths = jnp.sqrt(jnp.sum(differences(x) ** 2, 0) + b.EPSILON**2)
        return jnp.sum(fidelity) + b.MU * jnp.sum(lengths - b.EPSILON)

    return jnp, blur, differences, value


def _prox_poisson(z: Array, data: Array, scale: Any, np: Any = np) -> Array:
    """Of ``scale * sum(phi)``."""
    half = (z + b.BACKGROUND - scale) / 2
    return half + np.sqrt(half**2 + scale * data) - b.BACKGROUND


def _prox_lengths(w: Array, scale: Any, np: Any = np) -> Array:
    """Of ``scale * sum(psi)``: the root of a concave function of the length, by Newton's method from its left."""
    a = np.sqrt(np.sum(w * w, 0))
    r = np.maximum(a - scale, a * b.EPSILON / (b.EPSILON + scale))
    for _ in range(5):
        s = np.sqrt(r * r + b.EPSILON**2)
        r = r - (r + scale * r / s - a) / (1 + scale * b.EPSILON**2 / s**3)
    return w * (r / np.maximum(a, 1e-300))


def scico_accelerated_pgm(data: Array, watch: Watch) -> None:
    """All of F as its smooth part, steps by a robust line search."""
    from scico import functional
    from scico.optimize import AcceleratedPGM
    from scico.optimize.pgm import RobustLineSearchStepSize

    jnp, _, _, value = _in_jax(data)

    class Smooth(functional.Functional):  # type: ignore[misc, unused-ignore]
        has_eval, has_prox = True, False

        def __call__(self, x: Any) -> Any:
            return value(x)

    _scico(
        lambda x0: AcceleratedPGM(Smooth(), functional.ZeroFunctional(), 1.0, x0, RobustLineSearchStepSize()),
        watch,
        jnp.asarray(data),
    )


def scico_admm(data: Array, watch: Watch, rho: tuple[float, float] = (0.01, 0.003)) -> None:
    """Two splittings, of the blurred image and of the differences; the linear systems by CG."""
    from scico import functional, linop
    from scico.optimize import ADMM
    from scico.optimize.admm import LinearSubproblemSolver

    jnp, blur, differences, _ = _in_jax(data)
    counts = jnp.asarray(data)

    class Fidelity(functional.Functional):  # type: ignore[misc, unused-ignore]
        has_eval, has_prox = False, True

        def prox(self, v: Any, lam: float = 1.0, **_: Any) -> Any:
            return _prox_poisson(v, counts, lam, jnp)

    class Lengths(functional.Functional):  # type: ignore[misc, unused-ignore]
        has_eval, has_prox = False, True

        def prox(self, v: Any, lam: float = 1.0, **_: Any) -> Any:
            return _prox_lengths(v, b.MU * lam, jnp)

    K = linop.LinearOperator(b.SHAPE, b.SHAPE, eval_fn=blur, input_dtype=np.float64, jit=True)
    D = linop.LinearOperator(b.SHAPE, (2, *b.SHAPE), eval_fn=differences, input_dtype=np.float64, jit=True)

    def make(x0: Any) -> Any:
        solver = LinearSubproblemSolver(cg_kwargs={"tol": 1e-4, "maxiter": 30})
        return ADMM(None, [Fidelity(), Lengths()], [K, D], list(rho), x0=x0, subproblem_solver=solver)

    _scico(make, watch, counts)


def _scico(make: Callable[[Any], Any], watch: Watch, x0: Any) -> None:
    warm = make(x0)
    for _ in range(3):
        warm.step()
    solver = make(x0)
    watch.start()
    while True:
        solver.step()
        watch(solver.x)


def pyproximal_primal_dual(data: Array, watch: Watch, tau: float = 30.0) -> None:
    """Chambolle and Pock's method on blurred image and differences, with refdeconv's operators."""
    import pylops
    import pyproximal

    K, D = rd.Convolution(b.psf(), b.SHAPE), rd.Gradient(b.SHAPE)
    n = data.size

    class Stacked(pylops.LinearOperator):  # type: ignore[misc, unused-ignore]
        def __init__(self) -> None:
            super().__init__(dtype=np.float64, shape=(3 * n, n))

        def _matvec(self, x: Array) -> Array:
            x = x.reshape(b.SHAPE)
            return np.concatenate([K.forward(x).ravel(), D.forward(x).ravel()])

        def _rmatvec(self, y: Array) -> Array:
            return (K.adjoint(y[:n].reshape(b.SHAPE)) + D.adjoint(y[n:].reshape(2, *b.SHAPE))).ravel()

    class Terms(pyproximal.ProxOperator):  # type: ignore[misc, unused-ignore]
        def __call__(self, y: Array) -> float:
            return 0.0

        def prox(self, y: Array, tau: float, **_: Any) -> Array:
            lengths = _prox_lengths(y[n:].reshape(2, *b.SHAPE), b.MU * tau)
            return np.concatenate([_prox_poisson(y[:n], data.ravel(), tau), lengths.ravel()])

        def proxdual(self, y: Array, tau: float, **_: Any) -> Array:
            return y - tau * self.prox(y / tau, 1 / tau)

    class Zero(pyproximal.ProxOperator):  # type: ignore[misc, unused-ignore]
        def __call__(self, x: Array) -> float:
            return 0.0

        def prox(self, x: Array, tau: float, **_: Any) -> Array:
            return x

    terms, operator = Terms(), Stacked()
    watch.start()
    pyproximal.optimization.primaldual.PrimalDual(
        Zero(), terms, operator, data.ravel(), tau, 1 / (9 * tau), niter=10**6, callback=watch
    )


def pyproximal_fista(data: Array, watch: Watch) -> None:
    """Its accelerated proximal gradient with backtracking, all of F (refdeconv's) as its smooth part."""
    import pyproximal

    f = b.objective(data, b.THRESHOLD)

    class Smooth(pyproximal.ProxOperator):  # type: ignore[misc, unused-ignore]
        def __call__(self, x: Array) -> float:
            return float(f.value(x.reshape(b.SHAPE)))

        def grad(self, x: Array) -> Array:
            return f.gradient(x.reshape(b.SHAPE)).ravel()

    class Zero(pyproximal.ProxOperator):  # type: ignore[misc, unused-ignore]
        def __call__(self, x: Array) -> float:
            return 0.0

        def prox(self, x: Array, tau: float, **_: Any) -> Array:
            return x

    watch.start()
    pyproximal.optimization.primal.ProximalGradient(
        Smooth(), Zero(), data.ravel(), tau=4.0, backtracking=True, niter=10**6, acceleration="fista", callback=watch
    )


def deepinv_fista(data: Array, watch: Watch, stepsize: float = 2.0) -> None:
    """Its FISTA, all of F as the data fidelity, in float64, by PyTorch's FFT."""
    import torch

    # Declares operators that a torchvision built for another torch lacks, and which nothing here needs.
    sys.modules.setdefault("torchvision._meta_registrations", types.ModuleType("torchvision._meta_registrations"))
    import deepinv
    from deepinv.optim.optim_iterators import FISTAIteration

    grid = (520, 520)
    placed = np.zeros(grid)
    placed[:13, :13] = b.psf()
    spectrum = torch.fft.rfft2(torch.from_numpy(np.roll(placed, (-6, -6), (0, 1))))
    counts = torch.from_numpy(data)[None, None]

    def blur(x: Any) -> Any:
        return torch.fft.irfft2(spectrum * torch.fft.rfft2(x, grid), grid)[..., :512, :512]

    def blur_adjoint(y: Any) -> Any:
        return torch.fft.irfft2(spectrum.conj() * torch.fft.rfft2(y, grid), grid)[..., :512, :512]

    class Whole(deepinv.optim.DataFidelity):  # type: ignore[misc, unused-ignore]
        def fn(self, x: Any, y: Any, physics: Any, *_: Any, **__: Any) -> Any:
            return torch.zeros(1)

        def grad(self, x: Any, y: Any, physics: Any, *_: Any, **__: Any) -> Any:
            v = blur(x) + b.BACKGROUND
            inside = v.clamp(min=b.THRESHOLD)
            slope = 1 - y / inside + (v - inside) * y / inside**2
            down, right = x[..., 1:, :] - x[..., :-1, :], x[..., :, 1:] - x[..., :, :-1]
            square = torch.full_like(x, b.EPSILON**2)
            square[..., :-1, :] += down**2
            square[..., :, :-1] += right**2
            scale = b.MU * square.rsqrt()
            down, right = down * scale[..., :-1, :], right * scale[..., :, :-1]
            gradient = blur_adjoint(slope)
            gradient[..., 1:, :] += down
            gradient[..., :-1, :] -= down
            gradient[..., :, 1:] += right
            gradient[..., :, :-1] -= right
            return gradient

    iterate, fidelity, prior = FISTAIteration(F_fn=None, has_cost=False), Whole(), deepinv.optim.ZeroPrior()
    parameters = {"stepsize": stepsize, "lambda": 1.0, "beta": 1.0, "g_param": None, "a": 3}
    physics = deepinv.physics.Denoising()

    def states() -> Iterator[Any]:
        X: Any = {"est": (counts.clone(), counts.clone()), "cost": None, "it": 0}
        while True:
            X = iterate(X, fidelity, prior, parameters, counts, physics)
            yield X["est"][0]

    with torch.no_grad():
        warm = states()
        for _ in range(3):
            next(warm)
        watch.start()
        for x in states():
            watch(x)


SOLVERS: dict[str, Callable[[Array, Watch], None]] = {
    "refdeconv, primal-dual": refdeconv_primal_dual,
    "refdeconv, Newton-CG": refdeconv_newton_cg,
    "scipy L-BFGS-B, m = 10": lbfgsb,
    "scipy L-BFGS-B, m = 30": lambda data, watch: lbfgsb(data, watch, 30),
    "SCICO AcceleratedPGM": scico_accelerated_pgm,
    "SCICO ADMM": scico_admm,
    "PyProximal PrimalDual": pyproximal_primal_dual,
    "PyProximal FISTA": pyproximal_fista,
    "deepinv FISTA": deepinv_fista,
}
