"""Where other libraries place a point spread function, as the `origin` with which `Convolution` computes the same."""

from collections.abc import Sequence

from refdeconv._arrays import Shape, image_shape, whole_numbers

__all__ = [
    "deepinv",
    "pylops",
    "scico_circular_convolve",
    "scico_convolve",
    "scipy_ndimage",
    "scipy_signal",
    "skimage_richardson_lucy",
    "skimage_wiener",
]


def scipy_signal(sizes: int | Sequence[int]) -> Shape:
    """The origin of scipy.signal: ``convolve``, ``fftconvolve``, ``oaconvolve`` and ``convolve2d`` in mode 'same'.

    Parameters
    ----------
    sizes : int or sequence of int
        Shape of the PSF.

    Returns
    -------
    tuple of int
        ``(k - 1) // 2`` for k samples: the default of `Convolution`.

    Raises
    ------
    TypeError, ValueError
        If a size is not a positive integer.

    Notes
    -----
    The boundary is 'constant'; for ``convolve2d``, its 'fill', 'wrap' and 'symm' are 'constant', 'wrap' and 'reflect'.
    Derivation: derivations/psf_origin.md, ORG.1, ORG.2
    """
    return tuple((size - 1) // 2 for size in image_shape(sizes, "sizes"))


def scipy_ndimage(sizes: int | Sequence[int], origin: int | Sequence[int] = 0) -> Shape:
    """The origin of ``scipy.ndimage.convolve`` and ``convolve1d``.

    Parameters
    ----------
    sizes : int or sequence of int
        Shape of the PSF.
    origin : int or sequence of int
        The argument of this name there: a shift against the centre, from ``-(k // 2)`` to ``(k - 1) // 2`` for k
        samples.

    Returns
    -------
    tuple of int
        ``k // 2 + origin``

    Raises
    ------
    TypeError, ValueError
        If a size is not a positive integer, or an origin is not one that scipy.ndimage allows.

    Notes
    -----
    The boundaries have the same names; ``mode='reflect'`` is the default there. Derivation: derivations/psf_origin.md,
    ORG.3
    """
    sizes = image_shape(sizes, "sizes")
    return _inside(
        [k // 2 + shift for k, shift in zip(sizes, whole_numbers(origin, "origin", len(sizes)), strict=True)], sizes
    )


def skimage_richardson_lucy(sizes: int | Sequence[int]) -> Shape:
    """The origin of ``skimage.restoration.richardson_lucy``.

    Parameters
    ----------
    sizes : int or sequence of int
        Shape of the PSF.

    Returns
    -------
    tuple of int
        ``(k - 1) // 2`` for k samples

    Raises
    ------
    TypeError, ValueError
        If a size is not a positive integer.

    Notes
    -----
    It blurs with ``scipy.signal.convolve`` (boundary 'constant'), and takes for the adjoint the flipped PSF at the
    default origin: for odd sizes this is the adjoint, for even sizes the adjoint shifted by one pixel. Derivation:
    derivations/psf_origin.md, ORG.4
    """
    return scipy_signal(sizes)


def skimage_wiener(sizes: int | Sequence[int]) -> Shape:
    """The origin of ``skimage.restoration.wiener`` and ``unsupervised_wiener``: that of ``skimage``'s ``uft.ir2tf``.

    Parameters
    ----------
    sizes : int or sequence of int
        Shape of the PSF.

    Returns
    -------
    tuple of int
        ``k // 2`` for k samples

    Raises
    ------
    TypeError, ValueError
        If a size is not a positive integer.

    Notes
    -----
    The boundary is 'wrap'. For even sizes it is not the origin of ``richardson_lucy``. Derivation:
    derivations/psf_origin.md, ORG.4
    """
    return scipy_ndimage(sizes)


def pylops(sizes: int | Sequence[int], offset: int | Sequence[int] = 0) -> Shape:
    """The origin of PyLops' ``Convolve1D``, ``Convolve2D`` and ``ConvolveND``.

    Parameters
    ----------
    sizes : int or sequence of int
        Shape of the filter.
    offset : int or sequence of int
        The argument of this name there: the index of the filter's centre. Zero by default, as there.

    Returns
    -------
    tuple of int
        `offset`

    Raises
    ------
    TypeError, ValueError
        If a size is not a positive integer, or an offset lies outside the filter.

    Notes
    -----
    The boundary is 'constant'. Derivation: derivations/psf_origin.md, ORG.5
    """
    sizes = image_shape(sizes, "sizes")
    return _inside(whole_numbers(offset, "offset", len(sizes)), sizes)


def scico_convolve(sizes: int | Sequence[int]) -> Shape:
    """The origin of SCICO's ``linop.Convolve`` in mode 'same'.

    Parameters
    ----------
    sizes : int or sequence of int
        Shape of the filter.

    Returns
    -------
    tuple of int
        ``(k - 1) // 2`` for k samples

    Raises
    ------
    TypeError, ValueError
        If a size is not a positive integer.

    Notes
    -----
    The boundary is 'constant'; mode 'valid' is the boundary 'valid'. Derivation: derivations/psf_origin.md, ORG.5
    """
    return scipy_signal(sizes)


def scico_circular_convolve(sizes: int | Sequence[int], h_center: int | Sequence[int] = 0) -> Shape:
    """The origin of SCICO's ``linop.CircularConvolve``.

    Parameters
    ----------
    sizes : int or sequence of int
        Shape of the filter.
    h_center : int or sequence of int
        The argument of this name there: the index of the filter's centre, here whole numbers only. Zero by default, as
        there.

    Returns
    -------
    tuple of int
        `h_center`

    Raises
    ------
    TypeError, ValueError
        If a size is not a positive integer, or a centre is not an integer or lies outside the filter.

    Notes
    -----
    The boundary is 'wrap'. Derivation: derivations/psf_origin.md, ORG.5
    """
    sizes = image_shape(sizes, "sizes")
    return _inside(whole_numbers(h_center, "h_center", len(sizes)), sizes)


def deepinv(sizes: int | Sequence[int]) -> Shape:
    """The origin of deepinv's ``physics.Blur`` and ``physics.functional.conv2d``.

    Parameters
    ----------
    sizes : int or sequence of int
        Shape of the filter.

    Returns
    -------
    tuple of int
        ``k // 2`` for k samples

    Raises
    ------
    TypeError, ValueError
        If a size is not a positive integer.

    Notes
    -----
    Derivation: derivations/psf_origin.md, ORG.5
    """
    return scipy_ndimage(sizes)


def _inside(indices: Sequence[int], sizes: Shape) -> Shape:
    if any(not 0 <= index < size for index, size in zip(indices, sizes, strict=True)):
        raise ValueError(f"the origin must lie inside the psf of shape {sizes}, but is the sample {tuple(indices)}")
    return tuple(indices)
