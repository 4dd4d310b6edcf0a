"""Elementwise work in blocks that fit the cache, on several cores where that is worth it.

A formula in numpy passes over its arrays once an operation; on blocks of rows that stay in the cache, memory is passed
over once in all. Blocks are the same whatever the number of threads, and so are the digits of every result. The
environment variable ``REFDECONV_THREADS`` sets the number of threads, also of the transforms.
"""

from __future__ import annotations

import _thread
import os
import sys
import threading
from collections.abc import Callable, Sequence
from contextvars import copy_context
from functools import partial
from math import prod
from queue import SimpleQueue
from typing import Any, TypeVar

import numpy as np

from refdeconv import _arrays
from refdeconv._arrays import Array, Shape

BLOCK = 2**17  # pixels: a few arrays of these are near a core; of fewer, two threads wait for each other
_WHOLE = BLOCK + 2**14  # pixels: smaller images are one block, as is a block with rows of its neighbours
_THREADED = 2**20  # bytes: below, to wake another thread costs more than it gives
_LIGHT = 2**22  # bytes: up to here, a single pass is over before another thread has begun
_LONG = 2**23  # bytes: below, one thread adds up products as fast as two

Result = TypeVar("Result")


def _cores() -> int:
    wish = os.environ.get("REFDECONV_THREADS")
    if wish is not None:
        if not wish.isdecimal() or int(wish) < 1:
            raise ValueError(f"the environment variable REFDECONV_THREADS must be a number >= 1, got {wish!r}")
        return int(wish)
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


CORES = _cores()


class _Share:
    """Work that another thread may do, unless it is called off before that has begun."""

    def __init__(self, work: Callable[[], Any]) -> None:
        self.work = work
        self.result: Any = None
        self.error: BaseException | None = None
        self._begun, self._ended = threading.Lock(), threading.Lock()
        self._ended.acquire()

    def __call__(self) -> None:
        """Do it, in a thread that no signal interrupts."""
        if not self._begun.acquire(blocking=False):
            return
        try:
            self.result = self.work()
        except BaseException as error:
            self.error = error
        self._ended.release()

    def do_here(self) -> None:
        """Do it in the thread that waits for it."""
        self.result = self.work()
        self._ended.release()

    def wait(self) -> None:
        """Until it is done."""
        with self._ended:
            return

    def call_off(self) -> None:
        """Or, where it has begun, wait until it is done."""
        if not self._begun.acquire(blocking=False):
            self.wait()


class _Pool:
    """The other threads: made when they are first needed, and anew in a forked process, which has none.

    Of queues and locks that are not written in Python: an exception of a signal handler, as Ctrl-C raises, would leave
    others in between, and later evaluations would wait for ever. These threads end with the process.
    """

    def __init__(self) -> None:
        self.forget()
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self.forget)

    def forget(self) -> None:
        """Leave the threads to the process that has them."""
        self.threads = 0
        self.shares: SimpleQueue[_Share] = SimpleQueue()

    def start(self, share: _Share) -> None:
        """Have it done by another thread, or, where there can be none any more, do it here."""
        if sys.is_finalizing() or not self._has_threads():
            share.do_here()
        else:
            self.shares.put(share)

    def _has_threads(self) -> bool:
        try:
            while self.threads < CORES - 1:
                _thread.start_new_thread(_work, (self.shares,))
                self.threads += 1
        except RuntimeError:  # too many in the system, or the program ends
            pass
        return self.threads > 0


def _work(shares: SimpleQueue[_Share]) -> None:
    while True:
        shares.get()()


_POOL = _Pool()


class _Here(threading.local):
    """Whether this thread works on its share already: work on a block is not shared out once more."""

    busy = False


_HERE = _Here()


def threads_for(size: int) -> int:
    """How many threads work on an array of so many bytes is worth."""
    return CORES if size >= _THREADED else 1


def blocks(shape: Shape) -> list[slice]:
    """The rows of an image, in blocks along its first axis, for two threads as many each; one, where it is small."""
    pixels, rows = prod(shape), shape[0] if shape else 1
    pairs = 0 if pixels < _WHOLE else -(-pixels // (2 * BLOCK))
    height = -(-rows // max(1, 2 * pairs))
    return [slice(first, min(first + height, rows)) for first in range(0, rows, height)]


def each(work: Callable[[slice], Result], rows: Sequence[slice], size: int) -> list[Result]:
    """The results of work on each block of so many bytes in all, in order; neighbouring blocks by the same thread."""
    threads = 1 if _HERE.busy else min(threads_for(size), len(rows))
    if threads == 1:
        return [work(block) for block in rows]
    own, *rest = [rows[len(rows) * index // threads : len(rows) * (index + 1) // threads] for index in range(threads)]
    others = [_Share(partial(copy_context().run, _all, work, part)) for part in rest]
    try:
        for share in others:
            _POOL.start(share)
        first = _all(work, own)
        for share in others:
            share.wait()
    except BaseException:
        for share in others:  # all have ended, before anybody sees their arrays
            share.call_off()
        raise
    for share in others:
        if share.error is not None:
            raise share.error
    return first + [result for share in others for result in share.result]


def _all(work: Callable[[slice], Result], rows: Sequence[slice]) -> list[Result]:
    _HERE.busy = True
    try:
        return [work(block) for block in rows]
    finally:
        _HERE.busy = False


def pixelwise(work: Callable[..., object], *arrays: Array, passes: int = 1) -> None:
    """Work on the rows of several arrays of one shape, block by block: it writes into one, in so many passes."""
    rows = blocks(arrays[0].shape) if arrays[0].nbytes * passes > _LIGHT else []
    if len(rows) <= 1:
        work(*arrays)
    else:
        each(lambda block: work(*(array[block] for array in arrays)), rows, arrays[0].nbytes)


def gather(
    work: Callable[[int, Array], tuple[Result, Array]], rows: Sequence[slice], x: Array, onto: Array | None = None
) -> tuple[list[Result], Array]:
    """Work on blocks of rows of x that may share rows: what it gives beside arrays, and the sum of the arrays.

    Each block writes the rows before the next one's, or adds them onto an array of x's shape and dtype; what it has for
    those of the next one is added afterwards.
    """
    result = np.empty_like(x, order="C") if onto is None else onto
    ends = [block.start for block in rows[1:]] + [len(x)]
    numbers = {block.start: number for number, block in enumerate(rows)}

    def write(block: slice) -> tuple[Result, Array]:
        number = numbers[block.start]
        extra, part = work(number, x[block])
        own = ends[number] - block.start
        if onto is None:
            result[block.start : ends[number]] = part[:own]
        else:
            result[block.start : ends[number]] += part[:own]
        return extra, part[own:].copy()

    done = each(write, rows, x.nbytes)
    for end, (_, beyond) in zip(ends, done, strict=True):
        result[end : end + len(beyond)] += beyond
    return [extra for extra, _ in done], result


def total(numbers: Sequence[Any]) -> Any:
    """The sum of what blocks gave."""
    return numbers[0] if len(numbers) == 1 else np.sum(numbers)


def inner(a: Array, b: Array) -> Any:
    """The inner product of the whole package, see `_arrays.inner`; of large arrays in blocks, which are then summed."""
    if a.nbytes < _LONG or a.shape != b.shape:
        return _arrays.inner(a, b)
    return np.sum(each(lambda rows: _arrays.inner(a[rows], b[rows], shared=True), blocks(a.shape), a.nbytes))


def owned(result: Array, giver: Any) -> Array:
    """The same array, if who gave it gives new ones; otherwise a copy, so that it can be written to."""
    return result if giver.new_arrays else np.array(result)


def added(left: Array, right: Array) -> Array:
    """The sum, in the first array, where its dtype can hold it."""
    if left.dtype != right.dtype or left.shape != right.shape or _is_number(left):
        return left + right
    pixelwise(lambda a, b: np.add(a, b, out=a), left, right)
    return left


def added_multiple(total: Array, array: Array, factor: Any) -> Array:
    """The sum with a multiple of another array, in the first one, where its dtype can hold it; both are overwritten."""
    fits = np.result_type(total, array, factor) == array.dtype == total.dtype
    if factor == 1 or not fits or _is_number(total):
        return added(total, scaled(array, factor))

    def work(a: Array, b: Array) -> None:
        b *= factor
        a += b

    pixelwise(work, total, array, passes=2)
    return total


def scaled(array: Array, factor: Any) -> Array:
    """The product with a number, in the same array, where its dtype can hold it."""
    if factor == 1:
        return array
    if np.result_type(array, factor) != array.dtype or _is_number(array):
        return array * factor
    pixelwise(lambda a: np.multiply(a, factor, out=a), array)
    return array


def _is_number(array: Any) -> bool:
    """Whether it has no axes: such arrays become scalars of numpy in every formula, which cannot be written to."""
    return not array.shape
