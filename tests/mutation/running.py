"""Tests against mutants: everything is imported and collected once, and each mutant gets a fork of that process.

In the fork, the code of the function that a mutant changes is exchanged in place, so that every reference to it runs
the changed one. Where the change is outside of functions, a constant, the package is imported anew from the changed
source, in a process that has not seen it yet.
"""

import ast
import gc
import importlib.abc
import importlib.machinery
import importlib.util
import inspect
import os
import resource
import signal
import sys
import time
import types
import warnings
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest

from tests.mutation.mutants import ROOT, Mutant, functions_of, modules, source_of

TESTS = (
    "tests/test_contracts.py",
    "tests/functionals",
    "tests/operators",
    "tests/test_pairs.py",
    "tests/test_parts.py",
    "tests/test_regularizers.py",
)
MEMORY = 6 << 30  # bytes; a mutant may ask for an array of any size
ENOUGH = 5.0  # seconds of tests for one mutant: what survives them is called a survivor
PATIENCE = 5.0  # seconds; and ten times what the test takes without the mutant


# Forked, not spawned: the libraries, and what is known of the tests, are already there.
PROCESSES = get_context("fork")


@dataclass(frozen=True)
class Timed:
    """A test, how long it took, and the functions of the mutated rooms that it called: (module, qualified name)."""

    test: str
    seconds: float
    called: frozenset[tuple[str, str]]


@dataclass(frozen=True)
class Outcome:
    """What became of a mutant: killed by a test (or by time, or a crash in it), or not."""

    killed_by: str | None
    how: str = ""


class _Session:
    """A plugin that hands the collected tests to a function, instead of running them, and sees which fail."""

    def __init__(self, then: Callable[[list[pytest.Item]], None]) -> None:
        self.then = then
        self.collected = False
        self.failure: tuple[str, str] | None = None

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        if session.testsfailed:
            raise session.Interrupted("errors in what was collected")
        self.collected = True
        self.then(session.items)
        return True

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_makereport(self, item: pytest.Item, call: pytest.CallInfo[None]) -> None:
        if call.excinfo is not None and not call.excinfo.errisinstance(pytest.skip.Exception):
            self.failure = item.nodeid, repr(call.excinfo.value)[:300]


class CollectionError(RuntimeError):
    """The tests could not be imported."""


def with_tests(tests: Sequence[str], then: Callable[[list[pytest.Item]], None]) -> None:
    """Import and collect tests in this process, and hand them to a function."""
    os.environ["HYPOTHESIS_PROFILE"] = "mutation"
    options = ["-q", "-s", "-p", "no:cacheprovider", "-m", "not slow or thinned", "--assert=plain", f"--rootdir={ROOT}"]
    session = _Session(then)
    status = pytest.main([*options, *tests], plugins=[session])
    # An import may also fail in a hook of conftest.py, which pytest calls an internal error.
    if status == pytest.ExitCode.INTERRUPTED or (status == pytest.ExitCode.INTERNAL_ERROR and not session.collected):
        raise CollectionError("the tests could not be imported")
    if status not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
        raise RuntimeError(f"pytest ended with {status!r}")


def survey(tests: Sequence[str] = TESTS) -> list[Timed]:
    """Run all tests once, without a mutant: each must pass; how long it takes and which functions it calls."""
    found: list[Timed] = []
    failures = []

    def measure(items: list[pytest.Item]) -> None:
        called = _marked()
        for item in items:
            called.clear()
            start = time.process_time()
            failures.append(_failure_of(item))
            if called:
                found.append(Timed(item.nodeid, time.process_time() - start, frozenset(called)))

    with_tests(tests, measure)
    if any(failures):
        raise RuntimeError(f"tests fail without any mutant: {list(filter(None, failures))}")
    return found


def _marked() -> set[tuple[str, str]]:
    """A set to which the functions of all modules that are mutated add themselves when they are called."""
    called: set[tuple[str, str]] = set()
    for module in modules():
        tree = ast.parse(source_of(module))
        functions = functions_of(tree)
        for name, node in functions:
            mark = ast.parse(f"_called.add({(module, name)!r})").body
            node.body[:0] = mark
        vars(sys.modules[_dotted(module)])["_called"] = called
        _exchange(module, ast.unparse(tree), [name for name, _ in functions])
    return called


def chosen(mutant: Mutant, surveyed: Sequence[Timed], killers: Sequence[str] = ()) -> list[Timed]:
    """The tests that can notice a mutant, those first that noticed others, then by turns of each test function.

    A test function of many cases has many turns; the cheaper it is, the sooner they come.
    """
    if mutant.function:
        able = [t for t in surveyed if (mutant.module, mutant.function) in t.called]
    else:
        able = [t for t in surveyed if any(module == mutant.module for module, _ in t.called)]
    turns = Counter[str]()
    order = []
    for timed in able:
        function = timed.test.partition("[")[0]
        turns[function] += 1
        order.append((turns[function] * timed.seconds, timed))
    order.sort(key=lambda entry: entry[0])
    recent = {test: rank for rank, test in enumerate(reversed(killers))}
    order.sort(key=lambda entry: recent.get(entry[1].test, len(recent)))
    affordable, left = [], ENOUGH
    for _, timed in order:
        if timed.seconds <= left:
            affordable.append(timed)
            left -= timed.seconds
    return affordable


def tried(
    mutants: Sequence[Mutant],
    surveyed: Sequence[Timed],
    report: Callable[[Mutant, Outcome], None],
    tests: Sequence[str] = TESTS,
) -> None:
    """Run what can notice each mutant until a test fails, and report the outcome."""
    in_place = [mutant for mutant in mutants if mutant.function]
    killers: list[str] = []

    def each(items: list[pytest.Item]) -> None:
        by_name = {item.nodeid: item for item in items}
        gc.freeze()  # so that the forks share these objects, and do not look through them
        for mutant in in_place:
            outcome = _in_a_fork(
                lambda mutant=mutant: _exchange(mutant.module, mutant.source, [mutant.function]),
                by_name,
                chosen(mutant, surveyed, killers),
            )
            _remember(killers, outcome)
            report(mutant, outcome)

    for mutant in mutants:
        if not mutant.function:
            report(mutant, _imported_anew(mutant, tests, chosen(mutant, surveyed)))
    if in_place:
        with_tests(tests, each)


def _remember(killers: list[str], outcome: Outcome) -> None:
    """Put a test that killed a mutant last in the list, and keep that short."""
    if outcome.killed_by:
        if outcome.killed_by in killers:
            killers.remove(outcome.killed_by)
        killers.append(outcome.killed_by)
        del killers[:-30]


def _imported_anew(mutant: Mutant, tests: Sequence[str], timed: list[Timed]) -> Outcome:
    """The outcome of a mutant that is in place before anything of the package is imported."""

    def run(write: Callable[[str], None]) -> None:
        sys.meta_path.insert(0, _Changed(mutant))
        try:
            with_tests(tests, lambda items: _run_all({item.nodeid: item for item in items}, timed, write))
        except CollectionError as error:
            write(f"the import\t{error}")
            os._exit(_KILLED)

    return _forked(run)


def _in_a_fork(change: Callable[[], None], items: dict[str, pytest.Item], timed: list[Timed]) -> Outcome:
    def run(write: Callable[[str], None]) -> None:
        change()
        _run_all(items, timed, write)

    return _forked(run)


def _run_all(items: dict[str, pytest.Item], timed: list[Timed], write: Callable[[str], None]) -> None:
    for one in timed:
        write(one.test)
        if one.test in items:  # what is collected may depend on the mutant
            # In seconds of computing, which a busy machine does not use up; and for what only waits, in many of time.
            limit = PATIENCE + 10 * one.seconds
            signal.setitimer(signal.ITIMER_PROF, limit)
            signal.setitimer(signal.ITIMER_REAL, 20 * limit)
            failure = _failure_of(items[one.test])
            if failure is not None:
                write("\t".join(failure).replace("\n", " "))
                os._exit(_KILLED)  # and nothing else that a process does at its end


def _failure_of(item: pytest.Item) -> tuple[str, str] | None:
    """Run a test; if it fails, its name and the error."""
    item.config.hook.pytest_runtest_protocol(item=item, nextitem=None)
    session = next(plugin for plugin in item.config.pluginmanager.get_plugins() if isinstance(plugin, _Session))
    failure, session.failure = session.failure, None
    return failure


def _forked(run: Callable[[Callable[[str], None]], None]) -> Outcome:
    """Run tests in a fork, which says of each that it begins; what they said and how it ended is the outcome."""
    reading, writing = os.pipe()
    sys.stdout.flush()
    sys.stderr.flush()
    child = os.fork()
    if child == 0:
        os.close(reading)
        _run_and_leave(run, writing)
    os.close(writing)
    with os.fdopen(reading, encoding="utf-8", errors="replace") as pipe:
        said = pipe.read().splitlines()
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if status == _SURVIVED:
        return Outcome(None)
    if status < 0 and -status not in (signal.SIGKILL, signal.SIGTERM, signal.SIGINT):  # these come from elsewhere
        return Outcome(said[-1] if said else "the start", signal.Signals(-status).name)
    if status == _KILLED:
        test, _, how = said[-1].partition("\t")
        return Outcome(test, how)
    raise RuntimeError(f"a mutant could not be tried: {said[-1:]}")


_SURVIVED, _KILLED, _BROKEN = 0, 10, 11


def _run_and_leave(run: Callable[[Callable[[str], None]], None], pipe: int) -> None:
    """Run tests in this process, a fork, and end it at once."""
    status = _BROKEN
    try:
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.signal(signal.SIGPROF, signal.SIG_DFL)
        run(lambda line: os.write(pipe, (line + "\n").encode()) and None)
        status = _SURVIVED
    except BaseException as error:
        os.write(pipe, f"\t{error!r}".replace("\n", " ").encode())
    finally:
        os._exit(status)


def in_a_process(function: Callable[[], Any]) -> Any:
    """What a function returns, called in a process of its own, whose imports do not stay in this one."""
    receiving, sending = PROCESSES.Pipe(duplex=False)

    def run() -> None:
        quiet()
        try:
            sending.send(function())
        except BaseException as error:
            sending.send(error)

    process = PROCESSES.Process(target=run)
    process.start()
    sending.close()
    result = receiving.recv()
    process.join()
    if isinstance(result, BaseException):
        raise result
    return result


def quiet() -> None:
    """Send what this process prints nowhere."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)


def _exchange(module: str, source: str, names: Sequence[str]) -> None:
    """Give functions of a module, which is imported, code and defaults as in another source of it."""
    changed = types.ModuleType(_dotted(module))
    exec(_compiled(source, ROOT / "refdeconv" / module), vars(changed))
    for name in names:
        old, new = _as_function(sys.modules[_dotted(module)], name), _as_function(changed, name)
        old.__code__, old.__defaults__, old.__kwdefaults__ = new.__code__, new.__defaults__, new.__kwdefaults__


def _dotted(module: str) -> str:
    """The name by which a module is imported."""
    return f"refdeconv.{module.removesuffix('.py').replace('/', '.')}"


def _compiled(source: str, path: Path) -> types.CodeType:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of an "is" beside a number
        return compile(source, str(path), "exec", dont_inherit=True)


def _as_function(module: types.ModuleType, name: str) -> types.FunctionType:
    """The function of a qualified name, out of what wraps it."""
    found: Any = module
    for part in name.split("."):
        found = inspect.getattr_static(found, part)
    if isinstance(found, property):
        found = found.fget
    return getattr(found, "__func__", found)


class _Changed(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds one module, and gives it a mutant's source."""

    def __init__(self, mutant: Mutant) -> None:
        self.name = _dotted(mutant.module)
        self.path = ROOT / "refdeconv" / mutant.module
        self.source = mutant.source

    def find_spec(self, fullname: str, path: Any, target: Any = None) -> importlib.machinery.ModuleSpec | None:
        if fullname != self.name:
            return None
        return importlib.util.spec_from_file_location(fullname, self.path, loader=self)

    def exec_module(self, module: types.ModuleType) -> None:
        exec(_compiled(self.source, self.path), module.__dict__)
