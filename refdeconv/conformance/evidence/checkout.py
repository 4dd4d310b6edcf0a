"""A source checkout, which has what the installed package has not: derivations, tests, the autodiff versions."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import refdeconv as rd
from refdeconv.conformance.evidence.cells import Say

PACKAGE = Path(rd.__file__).parent
_LAST_WORDS = 400  # characters of a failed command's output that are kept


class CheckoutError(Exception):
    """A command of the checkout cannot be run, or failed in another way than by a test: the message says why."""


@dataclass(frozen=True)
class PytestResult:
    """One test: its id, what it said of itself (`record_property`), whether it passed, and what it said if not."""

    name: str
    properties: dict[str, str]
    passed: bool
    skipped: bool
    message: str


@dataclass(frozen=True)
class Checkout:
    """The folder of a clone, whose package is the one that runs."""

    root: Path

    def pytest(self, arguments: Sequence[str], say: Say) -> list[PytestResult]:
        """Run tests and read what became of each.

        Raises
        ------
        CheckoutError
            pytest is not installed, or found no test.
        """
        need("pytest")
        with tempfile.TemporaryDirectory() as folder:
            report = Path(folder, "report.xml")
            said = self.run(["-m", "pytest", "-q", "-p", "no:cacheprovider", f"--junit-xml={report}", *arguments], say)
            if not report.exists():
                raise CheckoutError(f"pytest did not run: {said[-_LAST_WORDS:]}")
            results = [_result(case) for case in ElementTree.parse(report).iter("testcase")]
        if not results:
            raise CheckoutError(f"pytest found no test: {said[-_LAST_WORDS:]}")
        return results

    def rows(self, arguments: Sequence[str], say: Say) -> list[dict[str, Any]]:
        """What a command of the checkout prints as JSON: its rows.

        Raises
        ------
        CheckoutError
            What it printed is not that.
        """
        printed = self.run(arguments, say, errors_apart=True)
        try:
            found = json.loads(printed)
            return list(found["rows"] if isinstance(found, dict) else found)
        except (ValueError, KeyError, TypeError) as error:
            raise CheckoutError(f"`python {' '.join(arguments)}` did not print its rows as JSON") from error

    def run(self, arguments: Sequence[str], say: Say, *, errors_apart: bool = False) -> str:
        """Run this Python in the checkout, and return what it prints; each line is said while it comes."""
        environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(self.root), os.environ.get("PYTHONPATH", "")])}
        with tempfile.TemporaryFile("w+") as printed:
            with subprocess.Popen(
                [sys.executable, "-u", *arguments],
                cwd=self.root,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=printed if errors_apart else subprocess.PIPE,
                stderr=subprocess.PIPE if errors_apart else subprocess.STDOUT,
                text=True,
                errors="replace",
            ) as process:
                try:
                    lines = list(_said(process, say))
                except BaseException:
                    process.kill()
                    raise
            printed.seek(0)
            return printed.read() if errors_apart else "".join(lines)

    def commit(self) -> str | None:
        """The commit, with "+" where files differ from it; None without git."""
        try:
            head = self._git("rev-parse", "HEAD")
            return head + ("+" if self._git("status", "--porcelain", "--untracked-files=no") else "")
        except (OSError, subprocess.CalledProcessError):
            return None

    def _git(self, *arguments: str) -> str:
        done = subprocess.run(["git", "-C", self.root, *arguments], capture_output=True, text=True, check=True)
        return done.stdout.strip()


def find() -> Checkout | None:
    """The checkout that the package is in, or else the working directory if it holds the same sources."""
    for root in (PACKAGE.parent, Path.cwd()):
        if (root / "derivations").is_dir() and (root / "tests").is_dir() and _same_sources(root / "refdeconv"):
            return Checkout(root)
    return None


def need(*modules: str, extra: str = "test") -> None:
    """Raise `CheckoutError`, with what to install, where a module is missing."""
    missing = [name for name in modules if find_spec(name) is None]
    if missing:
        raise CheckoutError(f'needs {", ".join(missing)}: pip install "refdeconv[{extra}]"')


def _same_sources(other: Path) -> bool:
    """Whether the package in another folder is this one, file by file."""
    if other == PACKAGE:
        return True
    here, there = ({path.relative_to(folder): path for path in folder.rglob("*.py")} for folder in (PACKAGE, other))
    return here.keys() == there.keys() and all(here[name].read_bytes() == there[name].read_bytes() for name in here)


def _said(process: subprocess.Popen[str], say: Say) -> Iterator[str]:
    stream = process.stdout or process.stderr
    for line in stream or ():
        if line.strip():
            say(line.strip().rsplit("\r", 1)[-1])
        yield line


def _result(case: ElementTree.Element) -> PytestResult:
    bad = next((child for child in case if child.tag in ("failure", "error")), None)
    return PytestResult(
        name=f"{case.get('classname')}::{case.get('name')}",
        properties={p.get("name", ""): p.get("value", "") for p in case.iter("property")},
        passed=bad is None,
        skipped=case.find("skipped") is not None,
        message="" if bad is None else (bad.get("message") or ""),
    )
