"""Problem (b) as a whole solve: a photograph of few photons, blurred, with noise, and a proof of its minimum.

``F(x) = sum(phi(K x)) + mu sum(psi(D x))`` at 512 x 512, with ``phi(u) = v - d + d log(d / v)``, ``v = u + b``, and
``psi(w) = sqrt(abs(w)**2 + epsilon**2) - epsilon``. The camera of scikit-image, of at most 100 photons a pixel, a PSF
of 13 x 13 samples of standard deviations 1 and 3, zeros beyond the edges; epsilon is a hundredth of the range.

The minimum is bounded from below by the dual problem (Fenchel): for all fields p <= 1 and q, abs(q) <= mu, with
``K^T p + D^T q = 0``,

``min F >= -sum(phi*(p)) - sum((mu psi)*(q))``, which is summed here as F(x) less the Fenchel-Young gaps at x:

``phi(u) + phi*(p) - p u >= 0`` with ``phi*(p) = -b p - d log(1 - p)``, and ``mu psi(w) + (mu psi)*(q) - q w >= 0`` with
``(mu psi)*(q) = epsilon (mu - sqrt(mu**2 - abs(q)**2))``. All gaps vanish for ``p = phi'(K x)`` and
``q = mu psi'(D x)``, which fulfil the constraint where x is the minimiser. Elsewhere ``K^T p + D^T q`` is the gradient,
and they are changed until it is zero: a number taken from all p where there are counts makes its mean zero, and the
least change of q takes the rest away, by the cosine transform, in which D^T D is diagonal. Each gap is then of second
order in the gradient.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.fft
import scipy.ndimage
from numpy.typing import NDArray
from skimage.data import camera

import refdeconv as rd

Array = NDArray[Any]

PHOTONS, BACKGROUND, MU, EPSILON = 100.0, 2.0, 0.05, 1.0
# Expected counts below which the solvers see the data term's Taylor expansion, so that none leaves its domain. It is
# the same function around the minimiser, where there are more; what they reach is measured by the data term itself.
THRESHOLD = 1.0
SHAPE = (512, 512)


def psf() -> Array:
    impulse = np.zeros((13, 13))
    impulse[6, 6] = 1
    blurred = scipy.ndimage.gaussian_filter(impulse, (1, 3))
    return blurred / blurred.sum()


def sharp() -> Array:
    return PHOTONS * camera().astype(float) / 255


def counts() -> Array:
    expected = rd.Convolution(psf(), SHAPE).forward(sharp()) + BACKGROUND
    return np.random.default_rng(0).poisson(expected).astype(float)


def objective(data: Array, threshold: float | None = None) -> rd.Functional:
    fidelity = rd.Poisson(data, background=BACKGROUND, threshold=threshold) @ rd.Convolution(psf(), SHAPE)
    return fidelity + MU * rd.SmoothedGroupNorm(EPSILON) @ rd.Gradient(SHAPE)


def lower_bound(data: Array, x: Array) -> tuple[float, float]:
    """A number that no value of F lies below, by the dual point next to x; and how far the constraint misses, at most.

    What rounding leaves of the constraint, a field rho, adds ``<rho, x* - x>``: by far less than 1e-10 of F for any
    image with entries of a size that could be a minimiser's.
    """
    K, D = rd.Convolution(psf(), SHAPE), rd.Gradient(SHAPE)
    u, w = K.forward(x), D.forward(x)
    v, length = u + BACKGROUND, np.sqrt(np.sum(w * w, 0) + EPSILON**2)
    p, q = 1 - data / v, MU * w / length
    counted = (data > 0).astype(float)  # elsewhere p is 1, the most that it may be
    p -= counted * (np.sum(K.adjoint(p) + D.adjoint(q)) / np.sum(K.adjoint(counted)))
    q -= D.forward(_inverse_of_differences(K.adjoint(p) + D.adjoint(q)))
    square = np.sum(q * q, 0)
    # A multiple of a dual point is one, too: by it, no vector is longer than mu.
    shrink = min(1.0, MU * (1 - 1e-15) / float(np.sqrt(square.max())))
    p, q, square = shrink * p, shrink * q, shrink**2 * square
    assert p[data > 0].max() < 1
    assert p.max() <= 1
    conjugate = -BACKGROUND * p - _times_log(data, 1 - p)
    phi = v - data + _times_log(data, data / v)
    gaps = (
        phi + conjugate - p * u,
        MU * (length - EPSILON) + EPSILON * (MU - np.sqrt(MU**2 - square)) - np.sum(q * w, 0),
    )
    value = float(np.sum(phi) + MU * np.sum(length - EPSILON))
    missed = float(np.max(np.abs(K.adjoint(p) + D.adjoint(q))))
    return value - sum(float(np.sum(gap)) for gap in gaps), missed


def _times_log(data: Array, argument: Array) -> Array:
    return data * np.log(np.where(data > 0, argument, 1))


def _inverse_of_differences(r: Array) -> Array:
    """The solution of ``D^T D z = r`` of mean zero, for an r of mean zero."""
    eigenvalues = sum(
        np.expand_dims(4 * np.sin(np.pi * np.arange(n) / (2 * n)) ** 2, 1 - axis) for axis, n in enumerate(SHAPE)
    )
    eigenvalues[0, 0] = np.inf
    return scipy.fft.idctn(scipy.fft.dctn(r, norm="ortho") / eigenvalues, norm="ortho")


def certified(data: Array) -> tuple[float, float]:
    """The lowest value found, and a lower bound of all."""
    f = objective(data)
    result = rd.minimize(f, data, "primal-dual", xtol=1e-12, maxiter=40)
    return float(f.value(result.x)), lower_bound(data, result.x)[0]
