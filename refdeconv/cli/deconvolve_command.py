"""``refdeconv deconvolve``: a user's own image."""

import tempfile
import warnings
from pathlib import Path
from typing import Any

import numpy as np

import refdeconv as rd
from refdeconv._arrays import axis_index
from refdeconv.cli import files, model_options, psf_option, record
from refdeconv.cli.progress import SolveProgress, consoles


def run(
    image_path: Path,
    psf_specification: str,
    out: Path,
    mu: float,
    fidelity: str,
    regularizer: str,
    fidelity_options: tuple[str, ...],
    regularizer_options: tuple[str, ...],
    boundary: str,
    positivity: str | None,
    bounds: str | None,
    coupled: bool,
    channel_axis: int | None,
    method: str,
    xtol: float | None,
    maxiter: int | None,
    max_seconds: float | None,
) -> Any:
    """Deconvolve the image in a file, write the result, and beside it the record of the run.

    Returns
    -------
    OptimizeResult
        What `refdeconv.deconvolve` returned.
    """
    messages, output = consoles()
    if out.suffix.lower() not in files.WRITABLE:
        raise files.InputError(f"--out: cannot write {out}: its ending must be one of {', '.join(files.WRITABLE)}")
    image = files.read_image(image_path, "IMAGE")
    psf, psf_remarks = psf_option.read_psf(psf_specification)
    axis = image.channel_axis if channel_axis is None else channel_axis
    with files.input_errors():
        axis = None if axis is None else axis_index(axis, image.values.ndim, "--channel-axis")
    given = [
        model_options.parse(texts, option)
        for texts, option in (
            (fidelity_options, "--fidelity-option"),
            (regularizer_options, "--regularizer-option"),
        )
    ]
    limits = None if bounds is None else model_options.numbers(bounds, "--bounds")
    given_limits: dict[str, Any] = {"xtol": xtol, "maxiter": maxiter}
    limits_of_solve = {name: value for name, value in given_limits.items() if value is not None}
    record_path = out.with_name(out.name + ".json")
    inputs = [path for path in (image_path, Path(psf_specification)) if path.exists()]
    for written in (out, record_path):
        if written.exists() and any(written.samefile(path) for path in inputs):
            raise files.InputError(f"--out: {written} is an input of this run, which is never overwritten")
    files.check_fits_png(out, image.values.shape, axis)
    files.check_writable(out)
    files.check_writable(record_path)
    remarks = [*image.remarks, *psf_remarks]

    channels = 1 if axis is None or coupled else image.values.shape[axis]
    with (
        files.input_errors(),
        warnings.catch_warnings(record=True) as warned,
        SolveProgress(messages, channels) as progress,
    ):
        warnings.simplefilter("always", UserWarning)
        restored, result = rd.deconvolve(
            image.values,
            psf,
            mu,
            fidelity=fidelity,
            regularizer=regularizer,
            fidelity_options=given[0],
            regularizer_options=given[1],
            boundary=boundary,
            positivity=positivity,
            bounds=limits,
            channel_axis=axis,
            coupled=coupled,
            method=method,
            callback=progress.callback,
            max_seconds=max_seconds,
            full_output=True,
            **limits_of_solve,
        )
    with files.uninterrupted():
        remarks += [str(warning.message) for warning in warned]
        try:
            remarks.append(f"{out}: {files.write_image(out, restored, axis, image.values.dtype)}")
        except OSError as error:
            rescued = Path(tempfile.mkdtemp(prefix="refdeconv-")) / f"{out.stem}.npy"
            files.write_image(rescued, restored, axis, image.values.dtype)
            raise files.InputError(f"cannot write {out} ({error}); the result is in {rescued}") from error
        files.write_json(
            record_path,
            {
                "objective": "fidelity(psf * x) + mu regularizer(x), for each channel unless coupled; by default "
                "sqrt(L(psf * x - image)) + mu sqrt(L(D x)), L(t) = sum(t**2)/2",
                "parameters": {
                    "image": str(image_path),
                    "shape": image.values.shape,
                    "dtype": str(image.values.dtype),
                    "psf": psf_specification,
                    "psf_shape": psf.shape,
                    "psf_sum": float(np.sum(psf)),
                    "mu": mu,
                    "fidelity": fidelity,
                    "regularizer": regularizer,
                    "fidelity_options": fidelity_options,
                    "regularizer_options": regularizer_options,
                    "boundary": boundary,
                    "positivity": positivity,
                    "bounds": limits,
                    "coupled": coupled,
                    "channel_axis": axis,
                    "method": method,
                    "xtol": xtol,
                    "maxiter": maxiter,
                    "max_seconds": max_seconds,
                },
                "reached": record.reached(result),
                "remarks": remarks,
                "versions": record.versions(),
            },
        )
    for remark in remarks:
        messages.print(f"Note: {remark}")
    messages.print(result.message, style=None if result.success else "bold")
    output.print(f"Wrote {out} and {record_path}")
    return result
