"""A change of variables in which the Hessian of a deconvolution is close to the identity."""

import numpy as np
import scipy.ndimage

from refdeconv._arrays import Array
from refdeconv.calculus import LinearOperator
from refdeconv.operators import CosineTransform, Diagonal, Identity

PROBES = 2  # Hessian products that the estimate takes
_NEIGHBOURS = 9  # frequencies, along each axis, over which it is averaged; on small images a quarter of them
_SMALLEST = 1e-3  # eigenvalues below this part of the largest are taken for it: the estimate is not that good


def cosine_preconditioner(hessian: LinearOperator, dtype: np.dtype[np.floating]) -> LinearOperator:
    """An operator P, from cosine coefficients to images, such that P^T H P is closer to a multiple of 1 than H.

    Parameters
    ----------
    hessian : LinearOperator
        A self-adjoint operator H on images; `PROBES` products with it are taken.
    dtype : dtype
        The precision of the images.

    Returns
    -------
    LinearOperator
        P; the identity if H shows no curvature from which a scale could be taken.

    Notes
    -----
    Derivation: derivations/solve.md, SOL.5
    """
    shape = hessian.input_shape
    transform = CosineTransform(shape)
    rng = np.random.default_rng(0)
    diagonal = np.zeros(shape)
    for _ in range(PROBES):
        signs = rng.choice(np.array([-1, 1], dtype), shape)
        diagonal += signs * transform.forward(hessian.forward(transform.adjoint(signs)))
    neighbours = [min(_NEIGHBOURS, 1 + 2 * (size // 8)) for size in shape]
    diagonal = np.abs(scipy.ndimage.uniform_filter(diagonal / PROBES, neighbours, mode="reflect"))
    largest = diagonal.max()
    if not 0 < largest < np.inf:
        return Identity(shape)
    scales: Array = np.sqrt(largest / np.maximum(diagonal, _SMALLEST * largest))
    return transform.T @ Diagonal(scales.astype(dtype))
