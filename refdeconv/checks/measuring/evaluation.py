"""Calls of a candidate's functions: on copies, counted, in limited time, never a traceback, in units of the problem.

Units: the point is `2**b` times an array of order one, the value `2**a` times a number of order one. Everything is
measured in these units, and powers of two multiply without rounding, so that a rescaled problem gives the same digits
and the same verdict.

Derivation: derivations/checks.md, CHE.11
"""

import ctypes
import math
import queue
import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from refdeconv.checks.candidate import Candidate
from refdeconv.checks.report import Verdict

Array = NDArray[Any]

# So small that its square vanishes beside anything, and far from underflow in every precision.
_COMPLEX_STEP_EXPONENT = {np.dtype(np.float16): -8, np.dtype(np.float32): -36}
_LONGEST_WAIT = 1e7  # seconds; the clock of threads does not go much further
_WATCHED_CALLS = 8  # results that are looked at again after the next call, for buffers that are used twice


class Stop(Exception):  # noqa: N818  # not an error of anybody: the check ends here with what it has
    """The time or the number of evaluations is used up."""


class Evaluator:
    """The candidate at the point: its functions as they are called by the checks.

    Attributes
    ----------
    x : ndarray
        The point, in its precision.
    b, a : int
        Exponents of the units of the point and of the value.
    counts : Counter
        Calls of each function.
    remarks : dict
        (property, function) -> (verdict, text): what is wrong with a result as such.
    """

    def __init__(
        self,
        candidate: Candidate,
        x: Array,
        *,
        looking: int,
        finding: int,
        seconds: float | None = None,
        progress: Callable[[int, int, str], None] | None = None,
    ) -> None:
        self.candidate, self.x = candidate, x
        self.work = np.dtype(np.longdouble if x.dtype == np.longdouble else np.float64)
        self.epsilon = float(np.finfo(x.dtype).eps)
        self.a = 0
        self.b = exponent(x)
        self.looking, self.budget, self.counts = looking, looking + finding, Counter[str]()
        self.pass_at_most = looking
        self.remarks: dict[tuple[str, str], tuple[Verdict, str]] = {}
        self.doing = ""
        self.outside = False  # the value is not finite at the point: it may be outside of the domain
        self.describing = False  # once there are findings, nothing is added to them
        self.settled = (
            False  # once the point itself has been seen, no result of value and gradient elsewhere is a fault
        )
        self._deadline = _Deadline(seconds)
        self._progress = progress
        self._watched: dict[str, tuple[Any, Array]] = {}
        self._raised: set[str] = set()
        self._tried_again: set[str] = set()
        self.bad_entries: dict[str, Array] = {}

    @property
    def spent(self) -> int:
        """Calls so far."""
        return self.counts.total()

    @property
    def left(self) -> int:
        """Calls that may still be made."""
        return self.budget - self.spent

    @property
    def left_to_look(self) -> int:
        """Calls that may still be made where nothing is wrong; the rest are to find the place and name of a fault."""
        return self.looking - self.spent

    def remark(self, about: str, function: str, verdict: Verdict, text: str) -> None:
        """Keep the first remark, or the first that is WRONG, of a property and a function."""
        known = self.remarks.get((about, function))
        if known is None or (verdict is Verdict.WRONG and known[0] is not Verdict.WRONG):
            self.remarks[about, function] = (verdict, text)

    # The point displaced, and what the functions give there, in units.

    def displaced(self, step: float, direction: Array) -> tuple[Array, Array]:
        """The point plus a step along a direction, in its precision, and the displacement that this really is."""
        wanted = self.x.astype(self.work) + np.ldexp(step * direction.astype(self.work), self.b)
        with np.errstate(over="ignore"):
            moved = wanted.astype(self.x.dtype)
        return moved, np.ldexp(moved.astype(self.work) - self.x.astype(self.work), -self.b)

    def value(self, x: Array) -> float | None:
        """The value, in units; None where it is not finite or there is none."""
        number = self._number(self._call("value", x))
        if number is None:
            return None
        with np.errstate(all="ignore"):
            scaled = float(np.ldexp(number, -self.a))
        return scaled if math.isfinite(scaled) else None

    def gradient(self, x: Array) -> Array | None:
        """The gradient, in units; None where it is not finite or there is none."""
        return self._scaled(self._array("gradient", self._call("gradient", x), self.x.shape), self.b - self.a)

    def hvp(self, x: Array, direction: Array) -> Array | None:
        """The Hessian times a direction (both in units)."""
        v = np.ldexp(direction.astype(self.work), self.b).astype(self.x.dtype)
        return self._scaled(self._array("hvp", self._call("hvp", x, v), self.x.shape), self.b - self.a)

    def linear(self, name: str, argument: Array, shape: tuple[int, ...] | None) -> Array | None:
        """The result of forward or adjoint, as it is; shape None: any."""
        return self._array(name, self._call(name, argument), shape)

    @property
    def _complex_exponent(self) -> int:
        return _COMPLEX_STEP_EXPONENT.get(self.x.dtype, -200)

    @property
    def complex_step(self) -> float:
        """The size of complex steps, in units of the point."""
        return 2.0**self._complex_exponent

    def complex_slope(self, x: Array, direction: Array, *, of: str = "value") -> Array | None:
        """The derivative along a direction by a complex step; None where the imaginary part is lost."""
        exponent = self._complex_exponent
        step = np.ldexp(direction.astype(self.work), self.b + exponent).astype(self.x.dtype)
        moved = x + np.asarray(1j * step, np.result_type(self.x.dtype, np.complex64))
        array = self._complex(of, moved)
        return None if array is None else self._scaled(array.imag.astype(self.work), self._unit_of(of) - exponent)

    def complex_result(self, turned: complex, direction: Array, *, of: str) -> tuple[Array, Array] | None:
        """Real and imaginary part at the point plus a complex multiple of a direction."""
        step = np.ldexp(direction.astype(self.work), self.b) * turned
        moved = (self.x + step).astype(np.result_type(self.x.dtype, np.complex64))
        array = self._complex(of, moved)
        if array is None:
            return None
        parts = [self._scaled(part.astype(self.work), self._unit_of(of)) for part in (array.real, array.imag)]
        return None if parts[0] is None or parts[1] is None else (parts[0], parts[1])

    def _unit_of(self, name: str) -> int:
        return (0 if name == "value" else self.b) - self.a

    def _complex(self, name: str, moved: Array) -> Array | None:
        """The result at a complex point; None where it is not complex or not what it should be."""
        result = self._call(name, moved, quiet=True)
        try:
            array = np.asarray(result)
        except Exception:
            return None
        if array.dtype.kind != "c" or array.size != (1 if name == "value" else self.x.size):
            return None
        return array.reshape(() if name == "value" else self.x.shape)

    def stop(self) -> None:
        """Make no more calls."""
        self.budget = self.spent

    def close(self) -> None:
        """Let go of the thread that the functions run in."""
        self._deadline.close()

    def set_units(self, value: float, gradient: Array | None) -> None:
        """Choose the unit of the value; and of the point, where the point is zero and says nothing."""
        slope = 0.0 if gradient is None else float(norm(gradient))
        if not self.x.any() and value != 0 and slope != 0:
            self.b = math.frexp(abs(value) / slope)[1]
        sizes = [abs(value), float(np.ldexp(slope, self.b))]
        self.a = math.frexp(max(sizes))[1] if 0 < max(sizes) < math.inf else 0

    # What a call gives, and what is wrong with it.

    def _call(self, name: str, *arguments: Array, quiet: bool = False) -> Any:
        """One call on copies. What it raises is None and a remark."""
        if self.left <= 0:
            raise Stop("no more evaluations may be made")
        self.counts[name] += 1
        copies = [argument.copy() for argument in arguments]
        result, error = self._deadline.call(name, getattr(self.candidate, name), *copies)
        if self._progress is not None:
            self._progress(self.spent, self.looking if self.left_to_look > 0 else self.budget, self.doing or name)
        self._raised.discard(name)
        if error is not None:
            self._raised.add(name)
            if not quiet and self._must_answer(name, arguments[0]):
                self.remark("finiteness", name, Verdict.WRONG, f"{name} raised {_said(error)}")
            elif not quiet:
                self._try_again(name, arguments, error)
            return None
        if not quiet:
            self._look_for_side_effects(name, arguments, copies, result)
        return result

    def _try_again(self, name: str, arguments: tuple[Array, ...], error: BaseException) -> None:
        """Whether a function that raised beside the point does so again: else it is no matter of the domain."""
        if name in self._tried_again or self.left <= 0:
            return
        self._tried_again.add(name)
        self.counts[name] += 1
        copies = [argument.copy() for argument in arguments]
        if self._deadline.call(name, getattr(self.candidate, name), *copies)[1] is None:
            text = f"{name} raised {_said(error)} and then, called again with the same, did not"
            self.remark("determinism", name, Verdict.WRONG, text)

    def _must_answer(self, name: str, x: Array | None = None) -> bool:
        """Whether having no finite result is a fault: the point may be near the end of the domain of the value."""
        if name == "hvp" and x is not None and x is not self.x:
            return False
        return not (self.settled and name in ("value", "gradient")) and not self.describing

    def _look_for_side_effects(self, name: str, given: tuple[Array, ...], copies: list[Array], result: Any) -> None:
        for kept, passed in zip(given, copies, strict=True):
            if not same(kept, passed):
                self.remark("purity", name, Verdict.WRONG, f"{name} changes its argument")
        if name in self._watched:
            earlier, content = self._watched.pop(name)
            if not same(earlier, content):
                text = (
                    f"{name} returns the same memory again: an earlier result changed in the next call; return a copy"
                )
                self.remark("purity", name, Verdict.WRONG, text)
        if isinstance(result, np.ndarray) and result.dtype != object:
            if not result.flags.writeable:
                self.remark("purity", name, Verdict.PASS, f"{name} returns a read-only array")
            if any(np.may_share_memory(result, passed) for passed in copies):
                text = f"{name} returns memory of its argument: changing one will change the other"
                self.remark("purity", name, Verdict.PASS, text)
            if self.counts[name] <= _WATCHED_CALLS:
                self._watched[name] = (result, result.copy())

    def _number(self, result: Any) -> float | None:
        """A value as float."""
        if result is None:
            self._no_result("value", "a float", result)
            return None
        array = self._numeric("value", result, "a float")
        if array is None:
            return None
        if array.size != 1:
            text = f"value returned an array of shape {array.shape}; it must return one number"
            self.remark("shape", "value", Verdict.WRONG, text)
            return None
        if array.ndim:
            text = f"value returned an array of shape {array.shape} with one entry; it should return a number"
            self.remark("shape", "value", Verdict.PASS, text)
        if array.dtype.itemsize < self.x.dtype.itemsize and array.dtype.kind == "f":
            text = f"value returned {array.dtype} at a point of {self.x.dtype}: digits are lost"
            self.remark("dtype", "value", Verdict.PASS, text)
        number = array.reshape(())[()]
        if not np.isfinite(number) and self._must_answer("value"):
            self.outside = True
            self.remark("finiteness", "value", Verdict.WRONG, f"value is {number}")
        return float(number)

    def _array(self, name: str, result: Any, shape: tuple[int, ...] | None) -> Array | None:
        """A result as an array of the working precision; a wrong shape of the right size is read as it was meant."""
        expected = "an array" if shape is None else f"an array of shape {shape}"
        if result is None:
            self._no_result(name, expected, result)
            return None
        array = self._numeric(name, result, expected)
        if array is None:
            return None
        if shape is not None and array.shape != shape:
            text = f"{name} returned shape {array.shape}; it must be {shape}"
            self.remark("shape", name, Verdict.WRONG, text)
            if array.size != math.prod(shape):
                return None
            array = array.reshape(shape)
        self._look_at_dtype(name, array.dtype)
        bad = np.count_nonzero(~np.isfinite(array))
        if bad and self._must_answer(name):
            first = tuple(int(i) for i in np.argwhere(~np.isfinite(np.atleast_1d(array)))[0])
            text = f"{name} is not finite at {bad} of {array.size} entries, the first {first}"
            self.remark("finiteness", name, Verdict.WRONG, text)
            self.bad_entries.setdefault(name, ~np.isfinite(array))
        return array.astype(self.work)

    def _numeric(self, name: str, result: Any, expected: str) -> Array | None:
        """A result as a numeric array; what is not one is a remark."""
        if isinstance(result, list | tuple):
            text = f"{name} returned a Python {type(result).__name__}; it must return {expected}"
            self.remark("dtype", name, Verdict.WRONG, text)
        if isinstance(result, np.ma.MaskedArray) and np.any(np.ma.getmaskarray(result)):
            text = f"{name} returned a masked array: masked entries have no value"
            self.remark("dtype", name, Verdict.WRONG, text)
        try:
            array = np.asarray(result)
        except Exception as error:
            text = f"{name} returned {type(result).__name__}, which is not {expected}: {_said(error)}"
            self.remark("dtype", name, Verdict.WRONG, text)
            return None
        if array.dtype == object:
            try:
                array = array.astype(self.work)
            except (TypeError, ValueError, OverflowError):
                self._no_result(name, expected, result)
                return None
        if array.dtype.kind == "c":
            lost = np.any(array.imag != 0)
            text = f"{name} returned {array.dtype} at a real point" + (", with an imaginary part" if lost else "")
            self.remark("dtype", name, Verdict.WRONG, text)
            array = array.real
        if array.dtype.kind not in "biuf":
            self._no_result(name, expected, result)
            return None
        return array

    def _look_at_dtype(self, name: str, dtype: np.dtype[Any]) -> None:
        if dtype == self.x.dtype:
            return
        if dtype.kind != "f":
            self.remark("dtype", name, Verdict.WRONG, f"{name} returned {dtype}; it must be {self.x.dtype}")
        elif dtype.itemsize < self.x.dtype.itemsize:
            text = f"{name} returned {dtype} at a point of {self.x.dtype}: digits are lost"
            self.remark("dtype", name, Verdict.WRONG, text)
        else:
            text = f"{name} returned {dtype} at a point of {self.x.dtype}: more than was asked for"
            self.remark("dtype", name, Verdict.PASS, text)

    def _no_result(self, name: str, expected: str, result: Any) -> None:
        if self._answered(name):
            text = f"{name} returned {type(result).__name__}; it must return {expected}"
            self.remark("dtype", name, Verdict.WRONG, text)

    def _answered(self, name: str) -> bool:
        """Whether the last call came back, rather than raised."""
        return name not in self._raised

    def _scaled(self, array: Array | None, exponent: int) -> Array | None:
        if array is None or not np.all(np.isfinite(array)):
            return None
        with np.errstate(over="ignore", under="ignore"):
            scaled = np.ldexp(array, exponent)
        return scaled if np.all(np.isfinite(scaled)) else None


class _Deadline:
    """Runs functions until a time is over. They run in a thread of their own, which can be left behind."""

    def __init__(self, seconds: float | None) -> None:
        self._end = None if seconds is None else time.monotonic() + min(seconds, _LONGEST_WAIT)
        self._seconds = seconds
        self._jobs: queue.SimpleQueue[Any] | None = None
        self._answers: queue.SimpleQueue[Any] = queue.SimpleQueue()

    def call(self, name: str, function: Callable[..., Any], *arguments: Any) -> tuple[Any, BaseException | None]:
        """The result and None, or None and what was raised.

        Raises
        ------
        Stop
            When the time is over.
        """
        if self._end is None:
            return _guarded(function, arguments)
        if self._jobs is None:
            self._jobs = queue.SimpleQueue()
            self._thread = threading.Thread(target=self._work, daemon=True, name="refdeconv-check")
            self._thread.start()
        self._jobs.put((function, arguments))
        try:
            answer: tuple[Any, BaseException | None] = self._answers.get(timeout=max(0.0, self._end - time.monotonic()))
            return answer
        except queue.Empty:
            self._abandon()
            raise Stop(f"the time limit of {self._seconds:g} s was reached in {name}") from None

    def _abandon(self) -> None:
        """Ask the thread to end at its next line of Python; where it is in a library, it ends with the program."""
        identity = ctypes.c_ulong(self._thread.ident or 0)
        ctypes.pythonapi.PyThreadState_SetAsyncExc(identity, ctypes.py_object(SystemExit))
        self.close()

    def close(self) -> None:
        """Let the thread end."""
        if self._jobs is not None:
            self._jobs.put(None)

    def _work(self) -> None:
        assert self._jobs is not None
        try:
            while (job := self._jobs.get()) is not None:
                self._answers.put(_guarded(*job))
        except SystemExit:  # asked to end, when its function just had
            pass


def _guarded(function: Callable[..., Any], arguments: Any) -> tuple[Any, BaseException | None]:
    try:
        with np.errstate(all="ignore"):
            return function(*arguments), None
    except KeyboardInterrupt as error:
        if threading.current_thread() is threading.main_thread():
            raise  # a person wants to stop
        return None, error
    except BaseException as error:  # whatever it is, it is the candidate's, and a finding
        return None, error


def _said(error: BaseException) -> str:
    """The kind of an exception and the first line of its text."""
    try:
        lines = str(error).splitlines()
    except Exception:
        lines = []
    return f"{type(error).__name__}: {lines[0]}" if lines and lines[0] else type(error).__name__


def exponent(array: Array) -> int:
    """The exponent of the power of two above the largest entry; 0 for zeros."""
    largest = np.max(np.abs(array), initial=0)
    return int(np.frexp(largest)[1]) if largest > 0 else 0


def norm(array: Array) -> Any:
    """The Euclidean norm, without overflow or underflow of the squares."""
    if np.ndim(array) == 0:
        return np.abs(array)
    power = exponent(array)
    return np.ldexp(np.sqrt(np.sum(np.ldexp(np.asarray(array), -power) ** 2)), power)


def inner(a: Array, b: Array) -> Any:
    """The sum of products, in extended precision where there is one: its own rounding must not be seen."""
    return np.sum(np.asarray(a, np.longdouble) * b)


def same(a: Any, b: Any) -> bool:
    """Whether two arrays have the same bits, NaN included."""
    return bool(np.array_equal(a, b, equal_nan=np.asarray(a).dtype.kind in "fc"))
