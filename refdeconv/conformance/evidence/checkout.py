"""A source checkout, which has what the installed package has not: derivations, tests, the autodiff versions."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
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
            command = ["-m", "pytest", "-q", "-p", "no:cacheprovider", f"--junit-xml={report}", *arguments]
            said = self.run(command, partial(_say_part, say))
            if not report.exists():
                raise CheckoutError(f"pytest did not run: {said[-_LAST_WORDS:]}")
            results = [_result(case) for case in ElementTree.parse(report).iter("testcase")]
        if not results:
            raise CheckoutError(f"pytest found no test: {said[-_LAST_WORDS:]}")
        return results

    def rows(self, arguments: Sequence[str], say: Say) -> list[dict[str, Any]]:
        """What a command of the checkout writes with ``--json FILE``: a list of rows.

        Raises
        ------
        CheckoutError
            It did not.
        """
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "rows.json")
            said = self.run([*arguments, "--json", str(path)], say)
            try:
                return list(json.loads(path.read_text(encoding="utf-8")))
            except (OSError, ValueError, TypeError) as error:
                command = f"python {' '.join(arguments)}"
                raise CheckoutError(f"`{command}` wrote no rows: {said[-_LAST_WORDS:]}") from error

    def run(self, arguments: Sequence[str], say: Say) -> str:
        """Run this Python in the checkout, and return what it prints; each line is said while it comes."""
        environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(self.root), os.environ.get("PYTHONPATH", "")])}
        with subprocess.Popen(
            [sys.executable, "-u", *arguments],
            cwd=self.root,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,  # a carriage return ends a line, too
            errors="replace",
        ) as process:
            try:
                return "".join(_said(process, say))
            except BaseException:
                process.kill()
                raise

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
    for line in process.stdout or ():
        if line.strip():
            say(line.strip())
        yield line


def _say_part(say: Say, line: str) -> None:
    """Of pytest's lines of dots, how much is done."""
    part = re.search(r"\[ *(\d+)%\]$", line)
    if part:
        say(f"{part[1]} % of the tests")


def _result(case: ElementTree.Element) -> PytestResult:
    bad = next((child for child in case if child.tag in ("failure", "error")), None)
    return PytestResult(
        name=f"{case.get('classname')}::{case.get('name')}",
        properties={p.get("name", ""): p.get("value", "") for p in case.iter("property")},
        passed=bad is None,
        skipped=case.find("skipped") is not None,
        message="" if bad is None else (bad.get("message") or ""),
    )
