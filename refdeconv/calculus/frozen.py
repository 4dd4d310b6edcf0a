"""Objects that cannot be changed once they are made: they can be shared between threads."""

from __future__ import annotations

import inspect
from abc import ABCMeta
from dataclasses import FrozenInstanceError
from typing import Any, ClassVar, NoReturn

import numpy as np

from refdeconv._arrays import read_only


class _FreezeAfterInit(ABCMeta):
    """Makes instances that can be changed by their constructor alone."""

    def __call__(cls, *arguments: Any, **options: Any) -> Any:
        instance = super().__call__(*arguments, **options)
        vars(instance)["_frozen"] = True
        return instance

    @property
    def __signature__(cls) -> inspect.Signature:
        """The constructor's signature, for help() and for completion."""
        signature = inspect.signature(cls.__init__)  # type: ignore[misc]  # of the class, not of an instance
        return signature.replace(parameters=list(signature.parameters.values())[1:])


class Frozen(metaclass=_FreezeAfterInit):
    """An object whose attributes are set in its constructor, and never after."""

    # numpy arrays and scalars on the left of `*`, `+` or `@` then leave the operation to this package.
    __array_ufunc__ = None

    # Whether the repr is a sum, which is put in parentheses as a factor.
    _is_sum: ClassVar[bool] = False

    def __setattr__(self, name: str, value: Any) -> None:
        if "_frozen" in vars(self):
            raise FrozenInstanceError(f"cannot set {name!r}: a {type(self).__name__} is frozen, make a new one instead")
        super().__setattr__(name, value)

    def __setstate__(self, state: dict[str, Any]) -> None:
        """The state of a pickle or of a deep copy, whose arrays are read-only again."""
        for value in state.values():
            _make_read_only(value)
        vars(self).update(state)

    def __delattr__(self, name: str) -> NoReturn:
        raise FrozenInstanceError(f"cannot delete {name!r}: a {type(self).__name__} is frozen")


def _make_read_only(value: Any) -> None:
    """Mark an array, or those in a mapping or a sequence, as read-only."""
    if isinstance(value, np.ndarray):
        read_only(value)
    elif isinstance(value, dict | tuple | list):
        for part in value.values() if isinstance(value, dict) else value:
            _make_read_only(part)
