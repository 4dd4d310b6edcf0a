"""The record of a run: what was reached, with which versions."""

import platform
from importlib.metadata import version
from typing import Any

import refdeconv as rd
from refdeconv._fft import BACKEND


def reached(result: Any) -> dict[str, Any]:
    """What a solve reached, in the words of the record."""
    record = {
        "value": float(result.fun),
        "gradient_norm": result.gradient_norm,
        "relative_gradient_norm": result.relative_gradient_norm,
        "iterations": result.nit,
        "values": result.nfev,
        "gradients": result.njev,
        "hessian_products": result.nhev,
        "seconds": result.seconds,
        "success": result.success,
        "interrupted": result.interrupted,
        "message": result.message,
        "method": result.method,
    }
    if "channels" in result:
        record["channels"] = [reached(channel) for channel in result.channels]
    else:
        record["history"] = [iterate._asdict() for iterate in result.history]
    return record


def versions() -> dict[str, str]:
    """The versions of everything that the numbers depend on."""
    return {
        "refdeconv": rd.__version__,
        "python": platform.python_version(),
        **{name: version(name) for name in ("numpy", "scipy", "scikit-image")},
        "fft": BACKEND if BACKEND == "scipy" else f"{BACKEND} {version(BACKEND)}",
    }
