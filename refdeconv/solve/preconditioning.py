"""A change of variables in which the Hessian of a deconvolution is close to the identity."""

import numpy as np
import scipy  # whose ndimage is loaded when it is used

from refdeconv._arrays import Array, norm
from refdeconv.calculus import LinearOperator
from refdeconv.operators import CosineTransform, Diagonal, Identity

_PROBES = 2  # Hessian products that the estimate takes
PRODUCTS = _PROBES + 1  # and one more, which tells whether it is of use
_NEIGHBOURS = 9  # frequencies, along each axis, over which it is averaged; on small images a quarter of them
_SMALLEST = 1e-3  # eigenvalues below this part of the largest are taken for it: the estimate is not that good
_USEFUL = 0.85  # part of its spread that the Hessian may keep, for the change of variables to be worth its transforms


def cosine_preconditioner(hessian: LinearOperator, dtype: np.dtype[np.floating]) -> LinearOperator:
    """An operator P, from cosine coefficients to images, such that P^T H P is closer to a multiple of 1 than H.

    Parameters
    ----------
    hessian : LinearOperator
        A self-adjoint operator H on images; `PRODUCTS` products with it are taken.
    dtype : dtype
        The precision of the images.

    Returns
    -------
    LinearOperator
        P; the identity if there is none to be had: H shows no curvature, or is not nearly diagonal in the cosine basis.

    Notes
    -----
    Derivation: derivations/solve.md, SOL.5
    """
    shape = hessian.input_shape
    transform = CosineTransform(shape)
    rng = np.random.default_rng(0)
    signs = [rng.choice(np.array([-1, 1], dtype), shape) for _ in range(PRODUCTS)]
    probes = [transform.forward(hessian.forward(transform.adjoint(sign))) for sign in signs[:_PROBES]]
    mean = np.mean([sign * probe for sign, probe in zip(signs, probes, strict=False)], axis=0)
    neighbours = [min(_NEIGHBOURS, 1 + 2 * (size // 8)) for size in shape]
    diagonal = np.abs(scipy.ndimage.uniform_filter(mean.astype(np.float64), neighbours, mode="reflect"))
    largest = diagonal.max()
    if not 0 < largest < np.inf:
        return Identity(shape)
    scales: Array = np.sqrt(largest / np.maximum(diagonal, _SMALLEST * largest))
    preconditioner = transform.T @ Diagonal(scales.astype(dtype))
    tried = preconditioner.adjoint(hessian.forward(preconditioner.forward(signs[-1])))
    is_useful = _spread(tried, signs[-1]) < _USEFUL * _spread(probes[0], signs[0])
    return preconditioner if is_useful else Identity(shape)


def _spread(product: Array, signs: Array) -> float:
    """How far a product with random signs is from a multiple of them: for the identity's multiples, not at all."""
    multiple = np.mean(product * signs)
    return float(norm(product - multiple * signs) / norm(multiple * signs)) if multiple else np.inf
