"""The proof for the article's problem in its full size, in whole numbers.

Every image is a multiple of a power of two, and stays one under blur, differences and their adjoints: all sums are
exact, and only a few scalars at the end are intervals. Imports nothing of the package but what stands beside it.
Derivation: derivations/conformance/golden/optima.md, OPT.4, OPT.5
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from refdeconv.conformance.golden.optima.certificates import Proof, conclusion, require_inside
from refdeconv.conformance.golden.optima.functions import UnprovenError
from refdeconv.conformance.golden.optima.intervals import context, exact, lower, upper

Array = NDArray[Any]
_DIGITS = 120  # terms of the gradient cancel to some 50 digits in its square
_PROBE_BITS = 60


@dataclass(frozen=True, eq=False)
class Scaled:
    """An array of whole numbers, times a power of two: ``numbers * 2**-bits``."""

    numbers: Array
    bits: int

    @classmethod
    def of(cls, *parts: Array) -> Scaled:
        """The exact sum of float arrays."""
        sums = [
            sum((Fraction(float(p)) for p in entries), Fraction(0))
            for entries in zip(*map(np.ravel, parts), strict=True)
        ]
        bits = max(entry.denominator.bit_length() - 1 for entry in sums)
        whole = np.empty(len(sums), dtype=object)
        whole[:] = [entry.numerator << (bits - entry.denominator.bit_length() + 1) for entry in sums]
        return cls(whole.reshape(parts[0].shape), bits)

    def __sub__(self, other: Scaled) -> Scaled:
        bits = max(self.bits, other.bits)
        return Scaled(self._at(bits) - other._at(bits), bits)

    def _at(self, bits: int) -> Array:
        return self.numbers * (1 << (bits - self.bits))

    def dot(self, other: Scaled) -> Fraction:
        """The inner product, exactly."""
        return Fraction(int((self.numbers * other.numbers).sum()), 1 << (self.bits + other.bits))

    def floats(self) -> Array:
        """The nearest float64 numbers, about."""
        return np.array([number / (1 << self.bits) for number in self.numbers.ravel()]).reshape(self.numbers.shape)


def convolve(image: Array, psf: Array, *, adjoint: bool = False) -> Array:
    """The blur with zeros outside (CNV.1), or its adjoint, of numbers of any kind, by direct summation."""
    blurred = np.zeros(image.shape, dtype=image.dtype)
    for sample in np.ndindex(psf.shape):
        if psf[sample]:
            shifts = [(s - 1) // 2 - j for s, j in zip(psf.shape, sample, strict=True)]
            pairs = [_shifted(-shift if adjoint else shift, n) for shift, n in zip(shifts, image.shape, strict=True)]
            blurred[tuple(to for to, _ in pairs)] += psf[sample] * image[tuple(at for _, at in pairs)]
    return blurred


def _shifted(shift: int, n: int) -> tuple[slice, slice]:
    """The pixels i for which ``i + shift`` is inside too, and these."""
    first, last = max(0, -shift), max(0, -shift, n - max(0, shift))
    return slice(first, last), slice(first + shift, last + shift)


def negative_laplacian(image: Array) -> Array:
    """The adjoint of the forward differences after them (GRD.3)."""
    laplacian = np.zeros(image.shape, dtype=image.dtype)
    for near, far in _neighbours(image.ndim):
        flow = image[far] - image[near]
        laplacian[far] += flow
        laplacian[near] -= flow
    return laplacian


def _neighbours(ndim: int) -> Iterator[tuple[tuple[slice, ...], tuple[slice, ...]]]:
    for axis in range(ndim):
        before = (slice(None),) * axis
        yield (*before, slice(None, -1)), (*before, slice(1, None))


@dataclass(frozen=True, eq=False)
class Blur:
    """Convolution with a PSF of scaled whole numbers, zeros outside."""

    psf: Scaled

    def forward(self, image: Scaled) -> Scaled:
        """The blurred image, exactly."""
        return Scaled(convolve(image.numbers, self.psf.numbers), image.bits + self.psf.bits)

    def adjoint(self, image: Scaled) -> Scaled:
        """The adjoint's, exactly."""
        return Scaled(convolve(image.numbers, self.psf.numbers, adjoint=True), image.bits + self.psf.bits)


def prove(data: Array, psf: Array, mu: float, parts: tuple[Array, ...], radius: Fraction) -> Proof:
    """What is proven of the sum of `parts` as a minimiser of the article's objective (OPT.4, OPT.5).

    Raises
    ------
    UnprovenError
        If the gradient is too large for what is known of the curvature.
    """
    iv, K, weight = context(_DIGITS), Blur(Scaled.of(psf)), Fraction(mu)
    x = Scaled.of(*parts)
    residual = K.forward(x) - Scaled.of(data)
    u, v = K.adjoint(residual), Scaled(negative_laplacian(x.numbers), x.bits)
    scalars = Scalars(iv, exact(iv, weight), _root(iv, residual.dot(residual)), _root(iv, v.dot(x)))
    size = upper(iv.sqrt(_square_of_sum(scalars, u.dot(u), u.dot(v), v.dot(v))))
    least = curvature(scalars, K, u, v) - radius * upper(change(scalars, psf, data.ndim, radius))
    require_inside(size, least, radius)
    return conclusion((scalars.rho + scalars.mu * scalars.sigma) * scalars.c, size, least)


@dataclass(frozen=True, eq=False)
class Scalars:
    """Intervals: mu, the norm rho of the residual, the norm sigma of the differences; c is one over the root of two."""

    iv: Any
    mu: Any
    rho: Any
    sigma: Any

    @property
    def c(self) -> Any:
        """One over the root of two."""
        return 1 / self.iv.sqrt(self.iv.mpf(2))


def _root(iv: Any, number: Fraction) -> Any:
    if number <= 0:
        raise UnprovenError("the residual or every difference is zero: the objective has a kink there")
    return iv.sqrt(exact(iv, number))


def _square_of_sum(s: Scalars, uu: Fraction, uv: Fraction, vv: Fraction) -> Any:
    """The squared norm of ``c (u / rho + mu v / sigma)``, the gradient, from exact inner products."""
    a, b = s.c / s.rho, s.c * s.mu / s.sigma
    total = a * a * exact(s.iv, uu) + 2 * a * b * exact(s.iv, uv) + b * b * exact(s.iv, vv)
    return _not_negative(s.iv, total)


def _not_negative(iv: Any, interval: Any) -> Any:
    """A square's interval, cut at zero below."""
    return iv.mpf([0, interval.b]) if lower(interval) < 0 else interval


def curvature(s: Scalars, K: Blur, u: Scaled, v: Scaled) -> Fraction:
    """A lower bound of the Hessian's eigenvalues at x (OPT.5)."""
    iv = s.iv
    least = without_ranks(s, K, u.numbers.shape)
    probe = _probe(s, K, u)
    gram = K.adjoint(K.forward(probe)), Scaled(negative_laplacian(probe.numbers), probe.bits)
    a, b = s.c / s.rho, s.c * s.mu / s.sigma
    product = a * exact(iv, probe.dot(gram[0])) + b * exact(iv, probe.dot(gram[1]))
    trace = iv.mpf(0)
    # The unit vectors' images k = u / rho and d = v / sigma, of which one is about -mu times the other at a minimiser.
    for image, length, factor, sign in (
        (u, s.rho, s.c / s.rho, iv.mpf(1)),
        (v, s.sigma, s.c * s.mu / s.sigma, -1 / s.mu),
    ):
        inner = exact(iv, image.dot(probe)) / length
        image_square = exact(iv, image.dot(image)) / (length * length)
        mixed = a * exact(iv, image.dot(gram[0])) / length + b * exact(iv, image.dot(gram[1])) / length
        gram_square = (
            a * a * exact(iv, gram[0].dot(gram[0]))
            + 2 * a * b * exact(iv, gram[0].dot(gram[1]))
            + b * b * exact(iv, gram[1].dot(gram[1]))
        )
        error = _not_negative(iv, image_square - 2 * sign * mixed + sign * sign * gram_square)
        trace += factor * (2 * sign * inner - sign * sign * product + error / exact(iv, least))
    rest = 1 - upper(trace)
    if rest <= 0:
        raise UnprovenError(f"the two directions of the norms may take all curvature: {float(upper(trace)):.3f} of it")
    return rest * least


def without_ranks(s: Scalars, K: Blur, shape: tuple[int, ...]) -> Fraction:
    """A lower bound of the eigenvalues of ``M = c (K^T K / rho + mu D^T D / sigma)`` (OPT.5)."""
    iv = s.iv
    ones = np.empty(shape, dtype=object)
    ones[...] = 1
    blurred = K.forward(Scaled(ones, 0))
    kept = blurred.dot(blurred) / ones.size
    most = Fraction(int(np.abs(K.psf.numbers).sum()), 1 << K.psf.bits)
    alpha, beta = s.c / s.rho, s.c * s.mu / s.sigma
    tau = 4 * iv.sin(iv.pi / (2 * max(shape))) ** 2
    share = _balanced(float((beta * tau / alpha).mid), float(kept), float(most * most))
    constants = alpha * exact(iv, share * kept)
    others = beta * tau - alpha * exact(iv, most * most * share / (1 - share))
    least = min(lower(constants), lower(others))
    if least <= 0:
        raise UnprovenError("the blur may take away constant images: no curvature is known")
    return least


def _balanced(a: float, kept: float, most: float) -> Fraction:
    """The share t between 0 and 1 at which ``t kept = a - most t / (1 - t)``, about."""
    b = kept + a + most
    return Fraction(2 * a / (b + (b * b - 4 * kept * a) ** 0.5))


def _probe(s: Scalars, K: Blur, u: Scaled) -> Scaled:
    """About ``M^-1 u / rho``, M as in `without_ranks`, in common arithmetic: any array proves something."""
    from scipy.sparse.linalg import LinearOperator, cg

    shape, psf = u.numbers.shape, K.psf.floats()
    rho, sigma, mu, c = (float(t.mid) for t in (s.rho, s.sigma, s.mu, s.c))

    def gram(w: Array) -> Array:
        image = w.reshape(shape)
        blurred = convolve(convolve(image, psf), psf, adjoint=True)
        return np.ravel(c * (blurred / rho + mu * negative_laplacian(image) / sigma))

    n, precondition = u.numbers.size, cosine_preconditioner(shape, rho, sigma, mu)
    target = np.ravel(u.floats() / rho)
    M, P = (LinearOperator((n, n), matvec=f, dtype=np.float64) for f in (gram, precondition))
    found, _ = cg(M, target, rtol=1e-7, maxiter=500, M=P)
    whole = np.empty(n, dtype=object)
    whole[:] = [round(entry * 2**_PROBE_BITS) for entry in found.tolist()]
    return Scaled(whole.reshape(shape), _PROBE_BITS)


def cosine_preconditioner(shape: tuple[int, ...], rho: float, sigma: float, mu: float) -> Callable[[Array], Array]:
    """About the inverse of M, which is nearly diagonal in the basis of the cosine transform."""
    from scipy.fft import dctn, idctn

    waves = sum(np.meshgrid(*(4 * np.sin(np.pi * np.arange(n) / (2 * n)) ** 2 for n in shape), indexing="ij"))
    diagonal = 0.5**0.5 * (np.exp(-2 * waves) / rho + mu * waves / sigma) + 1e-6

    def precondition(w: Array) -> Array:
        return np.ravel(idctn(dctn(w.reshape(shape), norm="ortho") / diagonal, norm="ortho"))

    return precondition


def change(s: Scalars, psf: Array, ndim: int, radius: Fraction) -> Any:
    """A bound of the change of the Hessian per distance, within a radius of x (OPT.3)."""
    iv = s.iv
    blur = exact(iv, sum((abs(Fraction(float(sample))) for sample in psf.ravel()), Fraction(0)))
    gradient = 2 * iv.sqrt(iv.mpf(ndim))
    total = iv.mpf(0)
    for weight, length, size in ((s.c, s.rho, blur), (s.c * s.mu, s.sigma, gradient)):
        least = length - size * exact(iv, radius)
        if lower(least) <= 0:
            raise UnprovenError("a norm may be zero in the ball: a smaller radius is needed")
        total += weight * 2 * size * size * size / (least * least)
    return total
