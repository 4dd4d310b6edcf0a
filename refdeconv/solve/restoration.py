"""Deconvolution of an image in one call."""

import time
import warnings
from collections.abc import Sequence
from typing import Any, Literal, overload

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import OptimizeResult

from refdeconv._arrays import Array, axis_index, real_array, real_number
from refdeconv.problems import norm_and_gradient_norm
from refdeconv.psf import as_psf
from refdeconv.solve.evaluations import Callback
from refdeconv.solve.minimizing import STOPPED, minimize
from refdeconv.solve.outcome import ConvergenceWarning


@overload
def deconvolve(
    image: ArrayLike,
    psf: ArrayLike,
    mu: float = ...,
    *,
    x0: ArrayLike | None = ...,
    boundary: str = ...,
    origin: int | Sequence[int] | None = ...,
    channel_axis: int | None = ...,
    method: str = ...,
    callback: Callback | None = ...,
    workers: int | None = ...,
    full_output: Literal[False] = ...,
    **options: Any,
) -> Array: ...
@overload
def deconvolve(
    image: ArrayLike,
    psf: ArrayLike,
    mu: float = ...,
    *,
    x0: ArrayLike | None = ...,
    boundary: str = ...,
    origin: int | Sequence[int] | None = ...,
    channel_axis: int | None = ...,
    method: str = ...,
    callback: Callback | None = ...,
    workers: int | None = ...,
    full_output: Literal[True],
    **options: Any,
) -> tuple[Array, OptimizeResult]: ...
@overload
def deconvolve(
    image: ArrayLike,
    psf: ArrayLike,
    mu: float = ...,
    *,
    x0: ArrayLike | None = ...,
    boundary: str = ...,
    origin: int | Sequence[int] | None = ...,
    channel_axis: int | None = ...,
    method: str = ...,
    callback: Callback | None = ...,
    workers: int | None = ...,
    full_output: bool,
    **options: Any,
) -> Array | tuple[Array, OptimizeResult]: ...
def deconvolve(
    image: ArrayLike,
    psf: ArrayLike,
    mu: float = 0.2,
    *,
    x0: ArrayLike | None = None,
    boundary: str = "constant",
    origin: int | Sequence[int] | None = None,
    channel_axis: int | None = None,
    method: str = "Newton-CG",
    callback: Callback | None = None,
    workers: int | None = None,
    full_output: bool = False,
    **options: Any,
) -> Array | tuple[Array, OptimizeResult]:
    """Deconvolve an image with a known point spread function.

    Minimises ``sqrt(L(psf * x - image)) + mu * sqrt(L(D x))`` over x, where ``L(t) = sum(t**2) / 2`` and D takes
    forward differences along every axis.

    Parameters
    ----------
    image : array_like
        The blurred image, 1-D to 3-D, without its channel axis. float32, float64 and longdouble are kept; integers and
        bool become float64 with the same values. It is not rescaled.
    psf : array_like
        The point spread function, with as many axes as the image has besides its channels. It should sum to one and
        have no negative entries; otherwise it is used as given, with a warning.
    mu : float
        Weight of the smoothness term, > 0: larger is smoother. It does not depend on the image's range.
    x0 : array_like, optional
        The start, of the image's shape. Default: the image itself.
    boundary : {'constant', 'wrap', 'reflect', 'mirror', 'nearest'}
        What lies beyond the edges: zeros, the image again, its mirror image with the edge between two pixels or on the
        last one, or the nearest pixel.
    origin : int or sequence of int, optional
        Index of the PSF sample that multiplies the pixel itself; by default ``(k - 1) // 2`` along each axis.
    channel_axis : int, optional
        The axis that holds colour channels, each of which is deconvolved on its own. Default: a grey image, no such
        axis.
    method : {'Newton-CG', 'trust-ncg', 'trust-krylov', 'L-BFGS-B', 'CG'}
        See `minimize`.
    callback : callable, optional
        See `minimize`; it sees one channel at a time.
    workers : int, optional
        Threads that the FFT may use, as in scipy.fft.
    full_output : bool
        Whether to return the solver's result, too.
    **options
        Further options of `minimize`, such as ``xtol``, ``maxiter`` or ``max_seconds`` (for all channels together).
        ``scale`` is by default the difference between the image's largest and smallest value, so that the tolerances
        are relative to it.

    Returns
    -------
    image : ndarray
        The deconvolved image, of the same shape and precision.
    result : OptimizeResult
        If `full_output`: what `minimize` returns. For a colour image ``x``, ``fun``, the counts and the norms are those
        of all channels solved, together (the objective is their sum), and ``channels`` holds the result of each.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as described; the message names it.

    Warns
    -----
    ConvergenceWarning
        If the solve did not succeed and `full_output` is not set; the message says what was reached and what to do.
    UserWarning
        If the PSF does not sum to one, or has negative entries.

    Notes
    -----
    Ctrl-C returns the best iterate so far. Derivation: derivations/problems.md, ART.2

    Examples
    --------
    >>> import numpy as np, refdeconv as rd
    >>> sharp = np.zeros((32, 32))
    >>> sharp[8:24, 12:20] = 1.0
    >>> psf = rd.psf.gaussian((7, 7), 1.5)
    >>> blurred = rd.Convolution(psf, sharp.shape).forward(sharp)
    >>> restored = rd.deconvolve(blurred, psf, mu=0.01)
    >>> bool(np.linalg.norm(restored - sharp) < 0.5 * np.linalg.norm(blurred - sharp))
    True
    """
    data = real_array(image, "image")
    axis = None if channel_axis is None else axis_index(channel_axis, data.ndim, "channel_axis")
    if axis is not None and data.ndim == 1:
        raise ValueError("channel_axis leaves a 1-D image without pixels: it needs at least one further axis")
    start = data if x0 is None else real_array(x0, "x0", shape=data.shape).astype(data.dtype)
    # The channels first; a grey image is an image of one channel.
    channels, starts = (a[np.newaxis] if axis is None else np.moveaxis(a, axis, 0) for a in (data, start))
    kernel = as_psf(psf, channels.shape[1:], stacklevel=2)
    mu = real_number(mu, "mu", minimum=0, exclusive=True)

    results: list[OptimizeResult] = []
    began, limit = time.perf_counter(), options.get("max_seconds")
    try:
        for channel, first in zip(channels, starts, strict=True):
            objective = norm_and_gradient_norm(channel, kernel, mu, boundary=boundary, origin=origin, workers=workers)
            for_channel = {"scale": _spread(channel), **options}
            if limit is not None and results:
                for_channel["max_seconds"] = max(0.0, limit - (time.perf_counter() - began))
            results.append(minimize(objective, first, method, callback=callback, **for_channel))
            if results[-1].status == STOPPED:
                break
    except KeyboardInterrupt:
        if not results:
            raise
        results[-1].interrupted = True
    result = results[0] if axis is None else _all_channels(results, starts, axis)
    if full_output:
        return result.x, result
    if not result.success:
        warnings.warn(result.message, ConvergenceWarning, stacklevel=2)
    return result.x


def _spread(channel: Array) -> float:
    """The size of what varies in an image: its range, whatever its offset; for a flat image, its value."""
    low, high = float(channel.min()), float(channel.max())
    return (high - low) or abs(high) or 1.0


def _all_channels(results: list[OptimizeResult], starts: Array, axis: int) -> OptimizeResult:
    """One result for the sum of the channels' objectives; channels that a stop left out stay as they started."""
    images = [result.x for result in results] + list(starts[len(results) :])
    missing = len(starts) - len(results)
    failed = [r for r in results if not r.success]
    message = f"{len(starts) - missing - len(failed)} of {len(starts)} channels converged."
    if failed:
        message += f" Channel {results.index(failed[0]) + 1}: {failed[0].message}"
    if missing:
        message += f" The last {missing} of them stay as they started."
    norms = np.array([[r.gradient_norm, r.history[0].gradient_norm] for r in results])
    gradient_norm, start_norm = map(float, np.linalg.norm(norms, axis=0))
    return OptimizeResult(
        x=np.moveaxis(np.stack(images), 0, axis),
        fun=sum(r.fun for r in results),
        jac=np.moveaxis(np.stack([r.jac for r in results]), 0, axis),
        success=not failed and not missing,
        status=failed[0].status if failed else STOPPED if missing else 0,
        message=message,
        **{count: sum(r[count] for r in results) for count in ("nit", "nfev", "njev", "nhev")},
        gradient_norm=gradient_norm,
        relative_gradient_norm=gradient_norm / start_norm if start_norm > 0 else 0.0,
        seconds=sum(r.seconds for r in results),
        method=results[0].method,
        interrupted=results[-1].interrupted,
        channels=tuple(results),
    )
