"""Real Fourier transforms: scipy.fft, or the faster ducc0 where it is installed (the extra ``[fast]``).

The environment variable ``REFDECONV_FFT``, set to ``scipy`` or ``ducc0`` before the import, decides instead.
"""

import importlib.util
import os
from types import ModuleType
from typing import Any

import numpy as np
import scipy.fft

from refdeconv._arrays import Array, Shape, choice, whole_number
from refdeconv._blocks import pixelwise, threads_for
from refdeconv._scratch import scratch

BACKENDS = ("scipy", "ducc0")


def _chosen_backend() -> str:
    wish = os.environ.get("REFDECONV_FFT")
    if wish is not None:
        wish = choice(wish, "FFT in the environment variable REFDECONV_FFT", BACKENDS)
    installed = importlib.util.find_spec("ducc0") is not None
    if wish == "ducc0" and not installed:
        raise ModuleNotFoundError(
            "the environment variable REFDECONV_FFT asks for ducc0, which is not installed: "
            'pip install "refdeconv[fast]"'
        )
    return wish or ("ducc0" if installed else "scipy")


BACKEND = _chosen_backend()


def fast_shape(needed: Shape) -> Shape:
    """The next larger sizes that the transforms do well."""
    last = len(needed) - 1
    return tuple(scipy.fft.next_fast_len(size, real=axis == last) for axis, size in enumerate(needed))


def spectrum(x: Array, workers: int | None = None, axes: Shape | None = None) -> Array:
    """The transform of a real array along some axes, by default all, in the half that its symmetry leaves."""
    threads = _threads(workers, x.nbytes)
    if BACKEND == "ducc0":
        return np.asarray(_ducc0().fft.r2c(x, axes=axes, nthreads=threads))
    return np.asarray(scipy.fft.rfftn(x, axes=axes, workers=threads))


def inverse_spectrum(product: Array, shape: Shape, workers: int | None = None, axes: Shape | None = None) -> Array:
    """The real array, of a shape along these axes, from its transform, which may be overwritten."""
    threads = _threads(workers, product.nbytes)
    if BACKEND == "ducc0":
        back = {"lastsize": shape[-1], "forward": False, "inorm": 2, "allow_overwriting_input": True}
        return np.asarray(_ducc0().fft.c2r(product, axes=axes, nthreads=threads, **back))
    return np.asarray(scipy.fft.irfftn(product, shape, axes=axes, workers=threads, overwrite_x=True))


def complex_spectrum(x: Array, shape: Shape, axes: Shape, workers: int | None = None) -> Array:
    """The complex transform along some axes, after zeros up to a shape."""
    result: Array = scipy.fft.fftn(x, shape, axes, workers=_threads(workers, x.nbytes))
    return result


def inverse_complex_spectrum(product: Array, axes: Shape, workers: int | None = None) -> Array:
    """The array from its transform along some axes, which may be overwritten."""
    result: Array = scipy.fft.ifftn(product, axes=axes, workers=_threads(workers, product.nbytes), overwrite_x=True)
    return result


def multiply_spectrum(
    x: Array, factor: Array, *, conjugate: bool = False, workers: int | None = None, overwrite: bool = False
) -> Array:
    """Multiply the spectrum of x by a factor, or by the factor's conjugate, and transform back, into x if allowed.

    A transform with the sign of its exponent reversed gives the conjugate spectrum; with both transforms reversed, the
    factor acts as its conjugate, which saves conjugating it.
    """
    multiply = _multiply_with_ducc0 if BACKEND == "ducc0" else _multiply_with_scipy
    return multiply(x, factor, conjugate, _threads(workers, x.nbytes), overwrite)


def _multiply_with_scipy(x: Array, factor: Array, conjugate: bool, threads: int, overwrite: bool) -> Array:
    there, back = (scipy.fft.ihfftn, scipy.fft.hfftn) if conjugate else (scipy.fft.rfftn, scipy.fft.irfftn)
    product = there(x, workers=threads)
    pixelwise(_multiply, product, factor)
    result: Array = back(product, x.shape, workers=threads, overwrite_x=True)
    return result


def _multiply_with_ducc0(x: Array, factor: Array, conjugate: bool, threads: int, overwrite: bool) -> Array:
    fft = _ducc0().fft
    with scratch(factor.shape, np.result_type(x.dtype, np.complex64)) as product:
        fft.r2c(x, forward=not conjugate, out=product, nthreads=threads)
        pixelwise(_multiply, product, factor)
        result: Array = fft.c2r(
            product,
            lastsize=x.shape[-1],
            forward=conjugate,
            inorm=2,
            out=x if overwrite else None,
            nthreads=threads,
            allow_overwriting_input=True,
        )
    return result


def multiply_matrices(x: Array, matrices: Array, workers: int | None = None) -> Array:
    """Transform all axes but the first and last, multiply along the last by a matrix at each frequency, and back."""
    axes = tuple(range(1, x.ndim - 1))
    vectors = spectrum(x, workers, axes)
    products = np.matmul(matrices, vectors[..., None])[..., 0]
    return inverse_spectrum(products, x.shape[1:-1], workers, axes)


def _multiply(product: Array, factor: Array) -> None:
    product *= factor


def cosine_transform(x: Array, workers: int | None = None) -> Array:
    """The orthonormal DCT-II of a real array along every axis."""
    if BACKEND == "ducc0":
        return np.asarray(_ducc0().fft.dct(x, type=2, inorm=1, nthreads=_threads(workers, x.nbytes)))
    return np.asarray(scipy.fft.dctn(x, norm="ortho", workers=_threads(workers, x.nbytes)))


def inverse_cosine_transform(x: Array, workers: int | None = None) -> Array:
    """The inverse of `cosine_transform`, and its adjoint."""
    if BACKEND == "ducc0":
        return np.asarray(_ducc0().fft.dct(x, type=3, inorm=1, nthreads=_threads(workers, x.nbytes)))
    return np.asarray(scipy.fft.idctn(x, norm="ortho", workers=_threads(workers, x.nbytes)))


def checked_workers(workers: int | None) -> int | None:
    """The number of threads, checked as an argument of this name."""
    if workers is not None and whole_number(workers, "workers") == 0:
        raise ValueError("workers must not be 0: give a number of threads, or -1 for one a core")
    cores = os.cpu_count() or 1
    if workers is not None and workers < -cores:
        raise ValueError(f"workers must be >= {-cores} on this machine of {cores} cores, got {workers}")
    return workers


def _ducc0() -> Any:
    import ducc0

    module: ModuleType = ducc0
    return module


def _threads(workers: int | None, size: int) -> int:
    """The number of threads: what is asked for, else what scipy.fft was set to, else what so many bytes are worth."""
    if workers is None:
        workers = scipy.fft.get_workers()
        if workers == 1:
            return threads_for(size)
    return workers if workers > 0 else max(1, (os.cpu_count() or 1) + 1 + workers)
