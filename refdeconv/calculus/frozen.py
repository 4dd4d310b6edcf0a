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


# What an object is, and what follows from that, which a class may define too, where it knows a shorter way.
_DEFINITIONS = {"adjoint", "at", "forward", "gradient", "hessian", "jacobian", "value"}
_SHORTCUTS = {
    "_forward_into",
    "_forward_onto",
    "_forward_over",
    "_keeps_nothing",
    "_value_and_gradient_onto",
    "_value_and_gradient_over",
    "cut",
    "gram",
    "gram_and_square",
    "in_parts",
    "new_arrays",
    "value_and_gradient",
}


class Frozen(metaclass=_FreezeAfterInit):
    """An object whose attributes are set in its constructor, and never after.

    Attributes
    ----------
    new_arrays : bool
        Whether every array that it gives is a new one, which shares memory with nothing else, so that others may write
        to it. False, unless a class says otherwise.

    Notes
    -----
    A subclass that defines a method anew (`forward`, say) inherits no shorter ways of its base for what follows from
    that method, and has to say itself that its arrays are new: what it inherits is true of what it is.
    """

    new_arrays: bool = False

    # Whether it keeps no array that `forward` and `adjoint`, or `value_and_gradient`, are given: then this may be
    # scratch memory, which is written over afterwards.
    _keeps_nothing: bool = False

    # numpy arrays and scalars on the left of `*`, `+` or `@` then leave the operation to this package.
    __array_ufunc__ = None

    # Whether it is a map, from arrays to arrays.
    _is_map: ClassVar[bool] = False

    # Whether the repr is a sum, which is put in parentheses as a factor.
    _is_sum: ClassVar[bool] = False

    def __init_subclass__(cls) -> None:
        if (_DEFINITIONS | _SHORTCUTS).isdisjoint(vars(cls)):
            return
        for name in _SHORTCUTS - vars(cls).keys():
            longest = next((vars(base)[name] for base in reversed(cls.__mro__) if name in vars(base)), None)
            if longest is not None and getattr(cls, name) is not longest:
                setattr(cls, name, longest)

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
