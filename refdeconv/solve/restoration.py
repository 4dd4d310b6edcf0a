"""Deconvolution of an image in one call."""

from __future__ import annotations

import difflib
import inspect
import time
import warnings
from collections.abc import Mapping, Sequence
from typing import Any, Literal, overload

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import OptimizeResult

from refdeconv._arrays import Array, axis_index, real_array
from refdeconv.calculus import Functional
from refdeconv.problems import Model, by_name
from refdeconv.problems.by_name import without_masked
from refdeconv.psf import as_psf
from refdeconv.solve.evaluations import Callback
from refdeconv.solve.minimizing import KNOWN, STOPPED, minimize, parameter_names
from refdeconv.solve.outcome import ConvergenceWarning


@overload
def deconvolve(
    image: ArrayLike,
    psf: ArrayLike,
    mu: float = ...,
    *,
    fidelity: str | Functional = ...,
    regularizer: str | Functional = ...,
    boundary: str = ...,
    positivity: str | None = ...,
    bounds: Sequence[ArrayLike] | None = ...,
    fidelity_options: Mapping[str, Any] | None = ...,
    regularizer_options: Mapping[str, Any] | None = ...,
    x0: ArrayLike | None = ...,
    origin: int | Sequence[int] | None = ...,
    channel_axis: int | None = ...,
    coupled: bool = ...,
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
    fidelity: str | Functional = ...,
    regularizer: str | Functional = ...,
    boundary: str = ...,
    positivity: str | None = ...,
    bounds: Sequence[ArrayLike] | None = ...,
    fidelity_options: Mapping[str, Any] | None = ...,
    regularizer_options: Mapping[str, Any] | None = ...,
    x0: ArrayLike | None = ...,
    origin: int | Sequence[int] | None = ...,
    channel_axis: int | None = ...,
    coupled: bool = ...,
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
    fidelity: str | Functional = ...,
    regularizer: str | Functional = ...,
    boundary: str = ...,
    positivity: str | None = ...,
    bounds: Sequence[ArrayLike] | None = ...,
    fidelity_options: Mapping[str, Any] | None = ...,
    regularizer_options: Mapping[str, Any] | None = ...,
    x0: ArrayLike | None = ...,
    origin: int | Sequence[int] | None = ...,
    channel_axis: int | None = ...,
    coupled: bool = ...,
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
    fidelity: str | Functional = "l2-norm",
    regularizer: str | Functional = "gradient-norm",
    boundary: str = "constant",
    positivity: str | None = None,
    bounds: Sequence[ArrayLike] | None = None,
    fidelity_options: Mapping[str, Any] | None = None,
    regularizer_options: Mapping[str, Any] | None = None,
    x0: ArrayLike | None = None,
    origin: int | Sequence[int] | None = None,
    channel_axis: int | None = None,
    coupled: bool = False,
    method: str = "Newton-CG",
    callback: Callback | None = None,
    workers: int | None = None,
    full_output: bool = False,
    **options: Any,
) -> Array | tuple[Array, OptimizeResult]:
    """Deconvolve an image with a known point spread function.

    Minimises ``fidelity(psf * x) + mu * regularizer(x)`` over x. By default, that is the article's objective,
    ``sqrt(L(psf * x - image)) + mu * sqrt(L(D x))``, where ``L(t) = sum(t**2) / 2`` and D takes forward differences
    along every axis.

    Parameters
    ----------
    image : array_like
        The blurred image, 1-D to 3-D, without its channel axis. float32, float64 and longdouble are kept; integers and
        bool become float64 with the same values. It is not rescaled.
    psf : array_like
        The point spread function, with as many axes as the image has besides its channels. It should sum to one and
        have no negative entries; otherwise it is used as given, with a warning.
    mu : float
        Weight of the regulariser, > 0: larger is smoother. With the default objective it does not depend on the image's
        range; with any other it does, and 0.2 is no more than a number: begin, for total variation, with 0.005 times
        the image's range for 'least-squares', and with that divided by the mean count for 'poisson'.
    fidelity : str or Functional
        How the blurred x is compared with the image: 'l2-norm', 'least-squares', 'poisson' (counts),
        'poisson-gaussian', 'anscombe' (counts with read noise; data in counts times gain, not scaled to 0 to 1),
        'pseudo-huber', 'huber', 'log-cosh', 'smoothed-l1',
        'cauchy', 'student-t' (outliers); or a functional of arrays of the image's shape.
    regularizer : str or Functional
        'gradient-norm', 'tikhonov', 'tikhonov-gradient', 'tikhonov-laplacian' (smooth), 'total-variation',
        'anisotropic-total-variation', 'huber-total-variation' (edges), 'hessian-norm', 'hessian-schatten' (ramps),
        'good-roughness', 'entropy' (positive images), 'smoothed-l1' (points); or a functional of images.
    boundary : {'constant', 'wrap', 'reflect', 'mirror', 'nearest', 'valid'}
        What lies beyond the edges, in scipy.ndimage's terms: 'constant' is darkness, which is right for an object on a
        dark ground and rings at the edges of a photograph; for that take 'reflect' or 'valid'. With 'valid', nothing is
        assumed: the unknown image is larger than the data, and the part of it that lies under the data is returned.
    positivity : {'square', 'exponential', 'softplus'}, optional
        Keep the image positive, by solving for z with ``x = z**2``, ``exp(z)`` or ``log(1 + exp(z))``. Begin with
        the square: the others reach zero only at minus infinity, which takes them long.
    bounds : pair of float or array_like, optional
        Keep the image between two bounds, by a sigmoid; not together with `positivity`.
    fidelity_options, regularizer_options : mapping, optional
        Further parameters of the two, such as ``{"background": 4.0}``, ``{"weight": mask}``, or
        ``{"epsilon": 0.01, "spacing": (2, 1, 1)}``: those of the classes in `refdeconv` and of the functions in
        `refdeconv.regularizers`. Arrays of the image's shape are split among its channels. By default, an epsilon,
        delta or scale is a hundredth of the image's range, and the prior of 'entropy' its mean. Pixels of weight zero,
        whatever number stands there, count for nothing.
    x0 : array_like, optional
        The start, of the image's shape (with 'valid', also of the larger one). Default: the image itself.
    origin : int or sequence of int, optional
        Index of the PSF sample that multiplies the pixel itself; by default ``(k - 1) // 2`` along each axis.
    channel_axis : int, optional
        The axis that holds colour channels, each of which is deconvolved on its own. Default: a grey image, no such
        axis.
    coupled : bool
        Solve for all channels together, with edges in the same places: for the regularisers named '...total-variation'.
    method : {'Newton-CG', 'trust-ncg', 'trust-krylov', 'L-BFGS-B', 'CG', 'primal-dual'}
        See `minimize`.
    callback : callable, optional
        See `minimize`; it sees images, one channel at a time.
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
        If `full_output`: what `minimize` returns, with the whole unknown image as ``x`` and, where it is constrained or
        larger than the data, the solver's variables as ``variables``. For a colour image ``x``, ``fun``, the counts and
        the norms are those of all channels solved, together (the objective is their sum), and ``channels`` holds the
        result of each.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as described; the message names it, and a near match of an unknown name.

    Warns
    -----
    ConvergenceWarning
        If the solve did not succeed and `full_output` is not set; the message says what was reached and what to do.
    UserWarning
        If the PSF does not sum to one, or has negative entries.

    Notes
    -----
    Ctrl-C returns the best iterate so far. Derivation: derivations/problems/article.md, ART.2.
    Derivation: derivations/problems/ready_made.md, RDY.5

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
    # The channels first; a grey image is an image of one channel, and so is one of coupled channels.
    kernel = as_psf(psf, data.shape if axis is None else data.shape[:axis] + data.shape[axis + 1 :], stacklevel=2)
    _check_names(options, method)
    if coupled:
        fidelity_options = _for_all_channels(fidelity_options, data, axis)
        kernel, regularizer_options = _coupled(kernel, axis, regularizer, regularizer_options)
        axis = None
    channels = data[np.newaxis] if axis is None else np.moveaxis(data, axis, 0)
    models = [
        by_name(
            channel,
            kernel,
            mu,
            fidelity=fidelity,
            regularizer=regularizer,
            boundary=boundary,
            positivity=positivity,
            bounds=bounds,
            fidelity_options=_of_channel(fidelity_options, data, axis, number),
            regularizer_options=_of_channel(regularizer_options, data, axis, number),
            origin=origin,
            workers=workers,
        )
        for number, channel in enumerate(channels)
    ]
    measured = [
        without_masked(channel, _of_channel(fidelity_options, data, axis, number))
        for number, channel in enumerate(channels)
    ]
    firsts = _starts(models[0], data, measured, x0, axis)
    starts = [model.variables(first) for model, first in zip(models, firsts, strict=True)]

    results: list[OptimizeResult] = []
    began, limit = time.perf_counter(), options.get("max_seconds")
    try:
        for channel, model, start in zip(measured, models, starts, strict=True):
            spread = _spread(channel if model.constraint is None else start)
            for_channel = {"scale": spread, **options, "callback": _seeing_images(callback, model)}
            if limit is not None and results:
                for_channel["max_seconds"] = max(0.0, limit - (time.perf_counter() - began))
            results.append(minimize(model.objective, start, method, **for_channel))
            if results[-1].status == STOPPED:
                break
    except KeyboardInterrupt:
        if not results:
            raise
        results[-1].interrupted = True
    images = [model.image(result.x) for model, result in zip(models, results, strict=False)]
    for found, result in zip(images, results, strict=True):
        if found is not result.x or found.shape != data.shape:
            result.variables, result.x = result.x, found
    images += [model.image(start) for model, start in zip(models[len(results) :], starts[len(results) :], strict=True)]
    result = results[0] if axis is None else _all_channels(results, images, axis)
    shown = [model.seen(found) for model, found in zip(models, images, strict=True)]
    restored = shown[0] if axis is None else np.moveaxis(np.stack(shown), 0, axis)
    if full_output:
        return restored, result
    if not result.success:
        warnings.warn(result.message, ConvergenceWarning, stacklevel=2)
    return restored


def _coupled(
    kernel: Array, axis: int | None, regularizer: str | Functional, options: Mapping[str, Any] | None
) -> tuple[Array, Mapping[str, Any]]:
    """The PSF and the regulariser's options for an image whose channels are solved together."""
    if axis is None:
        raise ValueError("coupled needs channel_axis: which axis holds the channels?")
    if not (isinstance(regularizer, str) and regularizer.endswith("total-variation")):
        raise ValueError(
            f"coupled goes with the regularizers 'total-variation', 'anisotropic-total-variation' and "
            f"'huber-total-variation', got {regularizer!r}"
        )
    return np.expand_dims(kernel, axis), {**(options or {}), "channel_axis": axis}


def _check_names(options: Mapping[str, Any], method: str) -> None:
    """Refuse an argument that nothing knows, with the one that was probably meant."""
    own = set(inspect.signature(deconvolve).parameters) - {"options"}
    further = set(inspect.signature(minimize).parameters) - {"objective", "options"}
    known = own | further | set(KNOWN.get(method, ()))
    for name in options:
        near = difflib.get_close_matches(name, known, n=1)
        if name not in known and near and near[0] in own:
            raise TypeError(f"deconvolve has no argument {name!r}: did you mean {near[0]!r}?")


def _for_all_channels(options: Mapping[str, Any] | None, data: Array, axis: int | None) -> Mapping[str, Any] | None:
    """The options with arrays that have a pixel's shape, such as a mask, repeated for each channel."""
    if axis is None or not isinstance(options, Mapping):
        return options
    pixels = data.shape[:axis] + data.shape[axis + 1 :]
    return {
        name: np.broadcast_to(np.expand_dims(value, axis), data.shape) if np.shape(value) == pixels else value
        for name, value in options.items()
    }


def _of_channel(options: Mapping[str, Any] | None, data: Array, axis: int | None, number: int) -> Any:
    """The options with arrays of the whole image's shape cut down to one channel."""
    if axis is None or not isinstance(options, Mapping):
        return options
    return {
        name: np.moveaxis(np.asarray(value), axis, 0)[number] if np.shape(value) == data.shape else value
        for name, value in options.items()
    }


def _starts(model: Model, data: Array, channels: list[Array], x0: ArrayLike | None, axis: int | None) -> list[Array]:
    """The start of each channel, in the unknown image's shape."""
    if x0 is None:
        return [model.unseen(channel) for channel in channels]
    start = real_array(x0, "x0")
    unknown = list(model.blur.input_shape)
    if axis is not None:
        unknown.insert(axis, len(channels))
    if start.shape not in (data.shape, tuple(unknown)):
        larger = f", or {tuple(unknown)}" if tuple(unknown) != data.shape else ""
        raise ValueError(f"x0 has shape {start.shape}, expected {data.shape}{larger}")
    start = start.astype(data.dtype)
    return [model.unseen(channel) for channel in (start[np.newaxis] if axis is None else np.moveaxis(start, axis, 0))]


def _seeing_images(callback: Callback | None, model: Model) -> Callback | None:
    """The user's callback for a solver whose variables are not the image."""
    if callback is None or not callable(callback) or (model.constraint is None and model.blur.boundary != "valid"):
        return callback
    if parameter_names(callback) == ["intermediate_result"]:
        # The name of the parameter is how minimize tells the two kinds of callback apart.
        def with_result(intermediate_result: OptimizeResult) -> None:
            intermediate_result.x = model.seen(model.image(intermediate_result.x))
            callback(intermediate_result=intermediate_result)

        return with_result
    return lambda z: callback(model.seen(model.image(z)))


def _spread(channel: Array) -> float:
    """The size of what varies in an image: its range, whatever its offset; for a flat image, its value."""
    low, high = float(channel.min()), float(channel.max())
    return (high - low) or abs(high) or 1.0


def _all_channels(results: list[OptimizeResult], images: list[Array], axis: int) -> OptimizeResult:
    """One result for the sum of the channels' objectives; channels that a stop left out stay as they started."""
    missing = len(images) - len(results)
    failed = [r for r in results if not r.success]
    message = f"{len(results) - len(failed)} of {len(images)} channels converged."
    if failed:
        number = next(i for i, r in enumerate(results, start=1) if not r.success)
        message += f" Channel {number}: {failed[0].message}"
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
