"""How much memory a call takes at most, as the system counts it."""

import ctypes
import gc
import re
import resource
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

STATUS, CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")


def resting() -> int:
    """Bytes of this process that are in memory, after what is free was given back to the system."""
    gc.collect()
    with suppress(AttributeError, OSError):  # not the GNU C library
        ctypes.CDLL(None).malloc_trim(0)
    return _status("VmRSS") or most()


def most() -> int:
    """The most that was in memory, since the start or `forget`."""
    return _status("VmHWM") or resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def forget() -> None:
    """Count `most` from here on, where the system can."""
    with suppress(OSError):  # not Linux: the difference of the peaks since the start is what is left
        CLEAR.write_text("5")


def peak_of(job: Callable[[], Any]) -> tuple[int, int]:
    """Bytes in memory before the call, after one that does not count, and what it adds at most; its result counts."""
    job()
    before = resting()
    forget()
    result = job()
    added = most() - before
    del result
    return before, added


def _status(name: str) -> int:
    if not STATUS.exists():
        return 0
    found = re.search(rf"{name}:\s*(\d+) kB", STATUS.read_text())
    return int(found[1]) * 1024 if found else 0
