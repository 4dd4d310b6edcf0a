"""Parameters as JSON, and back; their arrays stand in files, among the numbers of all cases of a model."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from refdeconv.conformance.golden.part import Part

Array = NDArray[Any]


class Numbers:
    """The float64 numbers of a file, array after array; booleans are 0 and 1."""

    def __init__(self) -> None:
        self._arrays: list[Array] = []
        self._count = 0

    def add(self, array: Array) -> dict[str, Any]:
        """Where the array stands, for the manifest."""
        start = self._count
        self._arrays.append(np.asarray(array, dtype=np.float64).reshape(-1))
        self._count += array.size
        dtype = "bool" if array.dtype == np.bool_ else "float64"
        return {"offset": start, "shape": list(array.shape), "dtype": dtype}

    def all(self) -> Array:
        """All of them."""
        return np.concatenate(self._arrays)


def encoded(value: Any, numbers: Numbers) -> Any:
    """A parameter as JSON, its arrays added to the numbers."""
    if isinstance(value, np.ndarray):
        return {"array": numbers.add(value)}
    if isinstance(value, Part):
        return {"model": value.model, "parameters": encoded_all(value.parameters, numbers)}
    if isinstance(value, Mapping):
        return {"mapping": encoded_all(value, numbers)}
    if isinstance(value, tuple | list):
        return [encoded(part, numbers) for part in value]
    if isinstance(value, np.generic):
        return value.item()
    return value


def encoded_all(parameters: Mapping[str, Any], numbers: Numbers) -> dict[str, Any]:
    """All parameters as JSON."""
    return {name: encoded(value, numbers) for name, value in parameters.items()}


def decoded(value: Any, array: Callable[[Mapping[str, Any]], Array]) -> Any:
    """A parameter from JSON; `array` finds the array that stands at a place."""
    if isinstance(value, list):
        return tuple(decoded(part, array) for part in value)
    if isinstance(value, dict):
        if "array" in value:
            return array(value["array"])
        if "mapping" in value:
            return decoded_all(value["mapping"], array)
        return Part(value["model"], decoded_all(value["parameters"], array))
    return value


def decoded_all(parameters: Mapping[str, Any], array: Callable[[Mapping[str, Any]], Array]) -> dict[str, Any]:
    """All parameters from JSON."""
    return {name: decoded(value, array) for name, value in parameters.items()}
