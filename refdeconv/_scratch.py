"""Memory for large intermediate arrays, kept by each thread for its next evaluation.

A fresh large array costs more than a pass over it: the system hands its pages out one by one, and takes them back when
it is freed. What a transform needs between its input and its result is therefore kept: as many bytes as the three
largest arrays that a thread has worked with, until the thread ends. For all other arrays of up to 32 MB, the allocator
is made to keep what is freed.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from math import prod

import numpy as np
from numpy.typing import DTypeLike

from refdeconv._arrays import Array, Shape

_KEPT = 3  # arrays
_ALIGNMENT = 64  # bytes: a cache line
_WASTE = 2  # times what is needed that a kept array may have
_LARGEST = 2**25 - 2**16  # bytes: of what is larger, glibc learns nothing


class _Free(threading.local):
    """The bytes that nobody uses at the moment, of this thread."""

    def __init__(self) -> None:
        self.buffers: list[Array] = []


_FREE = _Free()


@contextmanager
def scratch(shape: Shape, dtype: DTypeLike) -> Iterator[Array]:
    """An array with anything in it, of this thread alone; what must outlive the block has to be copied."""
    needed = prod(shape) * np.dtype(dtype).itemsize
    buffer = _taken(needed)
    yield np.ndarray(shape, dtype, buffer)
    # After an exception it is not used again: where Ctrl-C came twice, other threads may still write to it.
    _FREE.buffers.append(buffer)
    del _FREE.buffers[:-_KEPT]


def _taken(needed: int) -> Array:
    """Bytes that are free, or new ones."""
    for index, buffer in enumerate(_FREE.buffers):
        if needed <= buffer.size <= _WASTE * (needed + _ALIGNMENT):
            return _FREE.buffers.pop(index)
    memory = np.empty(needed + _ALIGNMENT, np.uint8)
    start = -memory.ctypes.data % _ALIGNMENT
    return memory[start : start + needed]


def _keep_freed_memory() -> None:
    """Let the allocator keep freed memory for the next array, instead of giving it back to the system each time.

    glibc keeps twice as many bytes as had the largest block that it got from the system by itself and gave back, of up
    to 32 MB (mallopt(3), M_MMAP_THRESHOLD). Without such a one it gives back what the arrays of a small image take, and
    gets it again a page at a time: half as much time once more for a gradient at 171 x 171. A block of which no page
    is ever touched will do, and costs nothing. Other allocators do not mind.
    """
    np.empty(_LARGEST, np.uint8)


_keep_freed_memory()
