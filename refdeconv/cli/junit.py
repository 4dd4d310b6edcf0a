"""A report as JUnit XML, which continuous integration shows: a test for each finding."""

import math
import platform
import re
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from xml.etree import ElementTree

from refdeconv.checks.report import Finding, Report, Verdict
from refdeconv.cli import files

# What XML 1.0 has no way to write.
_UNWRITABLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def write(
    path: Path,
    report: Report,
    target: str,
    point: str,
    *,
    interrupted: bool = False,
    suite_name: str = "refdeconv check",
) -> None:
    """Write the report: WRONG is a failure, INCONCLUSIVE an error, so that nobody takes it for a pass.

    Parameters
    ----------
    path : Path
        Where to.
    report : Report
        What the check returned.
    target, point : str
        What was checked, and where, in words.
    interrupted : bool
        Whether the check was ended before its time.
    suite_name : str
        The command whose report it is.
    """
    cases = [_case(finding, report, target) for finding in report.findings]
    if interrupted or not report.findings:
        said = "interrupted: this is what was found until then" if interrupted else "; ".join(report.unchecked)
        case = _element("testcase", name="check", classname=_class(target), time="0.000")
        _add(case, "error", said, message=said or "nothing could be checked", type=Verdict.INCONCLUSIVE.value)
        cases.append(case)
    known = {
        "target": target,
        "point": point,
        "verdict": report.verdict.value,
        "seed": report.seed,
        "shape": "x".join(map(str, report.shape)) or "number",
        "dtype": report.dtype,
        "evaluations": report.evaluations,
    }
    write_suite(path, suite_name, target, cases, known, report.seconds, str(report))


def write_suite(
    path: Path,
    name: str,
    package: str,
    cases: Sequence[ElementTree.Element],
    known: Mapping[str, object],
    seconds: float,
    output: str,
) -> None:
    """Write tests as one suite.

    Parameters
    ----------
    path : Path
        Where to.
    name, package : str
        What ran, and on what.
    cases : sequence of Element
        As `outcome` makes them.
    known : mapping
        The suite's properties.
    seconds : float
        How long it took.
    output : str
        What would be printed.
    """
    suite = _element(
        "testsuite",
        name=name,
        package=_token(package),
        id="0",
        timestamp=time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime()),
        hostname=_token(platform.node()) or "localhost",
        tests=str(len(cases)),
        failures=str(sum(case.find("failure") is not None for case in cases)),
        errors=str(sum(case.find("error") is not None for case in cases)),
        time=_seconds(seconds),
    )
    properties = ElementTree.SubElement(suite, "properties")
    for key, value in known.items():
        properties.append(_element("property", name=key, value=str(value)))
    suite.extend(cases)
    _add(suite, "system-out", output)
    _add(suite, "system-err", "")
    suites = ElementTree.Element("testsuites")
    suites.append(suite)
    ElementTree.indent(suites)
    content = ElementTree.tostring(suites, encoding="utf-8", xml_declaration=True) + b"\n"
    files.write_whole(path, lambda file: file.write_bytes(content))


def outcome(name: str, group: str, seconds: float, kind: str, text: str) -> ElementTree.Element:
    """A test: passed where `kind` is empty, else "failure", "error" or "skipped", with what is said of it."""
    case = _element("testcase", name=name, classname=_class(group), time=_seconds(seconds))
    if kind == "skipped":
        _add(case, kind, "", message=text)
    elif kind:
        _add(case, kind, text, message=text, type=kind)
    return case


def _case(finding: Finding, report: Report, target: str) -> ElementTree.Element:
    """A test; its time is its part of the evaluations, since they are what takes time."""
    part = finding.evaluations / report.evaluations if report.evaluations else 0
    name = finding.property
    case = _element("testcase", name=name, classname=_class(target), time=_seconds(part * report.seconds))
    if finding.verdict is not Verdict.PASS:
        kind = "failure" if finding.verdict is Verdict.WRONG else "error"
        said = "; ".join(filter(None, (finding.where, finding.diagnosis)))
        message = f"{name}: {finding.verdict.value}, error {finding.error:.2g}" + (f"; {said}" if said else "")
        _add(case, kind, _text(finding, report), message=message, type=finding.verdict.value)
    return case


def _text(finding: Finding, report: Report) -> str:
    lines = [f"{finding.verdict.value}: {finding.property}, error {finding.error:.3g}, {finding.power}"]
    lines += [f"{word}: {said}" for word, said in (("where", finding.where), ("what", finding.diagnosis)) if said]
    lines.append(f"how: {finding.method}")
    if report.blame and finding.verdict is Verdict.WRONG:
        lines.append(f"to blame: {' and '.join(report.blame)}. {report.explanation}".rstrip())
    return "\n".join(lines)


def _element(tag: str, **attributes: str) -> ElementTree.Element:
    return ElementTree.Element(tag, {name: _writable(value) for name, value in attributes.items()})


def _add(parent: ElementTree.Element, tag: str, text: str, **attributes: str) -> None:
    element = _element(tag, **attributes)
    element.text = _writable(text)
    parent.append(element)


def _writable(text: str) -> str:
    return _UNWRITABLE.sub("?", text)


def _token(text: str) -> str:
    """Without the spaces that a token of XML does not have."""
    return " ".join(text.split())


def _class(target: str) -> str:
    """``a.py:NAME`` as ``a.NAME``: what stands before the last point is shown as a group."""
    return _token(re.sub(r"\.py(:+|$)", ".", target).strip("."))


def _seconds(seconds: float) -> str:
    return f"{seconds:.3f}" if math.isfinite(seconds) else "0.000"
