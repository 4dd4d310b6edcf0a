"""What a check says: findings, each with its verdict and its power, and the report that holds them."""

import builtins
import json
import math
import os
import textwrap
from dataclasses import asdict, dataclass
from enum import Enum
from typing import Any, Literal, get_args

Property = Literal[
    "value-gradient",
    "gradient-hvp",
    "hvp-symmetry",
    "hvp-linearity",
    "adjoint",
    "linearity",
    "purity",
    "determinism",
    "finiteness",
    "shape",
    "dtype",
    # Of recorded answers each function is judged by itself, the adjoint under the name above.
    "value",
    "gradient",
    "hvp",
    "forward",
]
PROPERTIES: tuple[str, ...] = get_args(Property)
_WIDTH = 100


class Verdict(Enum):
    """What is known: that it is right (to the stated power), that it is wrong, or neither."""

    PASS = "PASS"
    WRONG = "WRONG"
    INCONCLUSIVE = "INCONCLUSIVE"

    @classmethod
    def of(cls, verdicts: Any) -> "Verdict":
        """That of several taken together: WRONG if any is, else INCONCLUSIVE if any is or there are none."""
        found = set(verdicts)
        for verdict in (cls.WRONG, cls.INCONCLUSIVE, cls.PASS):
            if verdict in found:
                return verdict
        return cls.INCONCLUSIVE


@dataclass(frozen=True)
class Finding:
    """What was found of one property.

    Attributes
    ----------
    property : str
        Which; one of `PROPERTIES`.
    verdict : Verdict
        PASS, WRONG or INCONCLUSIVE.
    error : float
        The largest error seen, relative to the norm of what is checked.
    detectable : float
        The smallest relative error that would not have passed, with probability at least 0.999; infinite where nothing
        could be measured, 0 where every difference is seen.
    method : str
        How it was measured, with step and order.
    where : str
        The place of the error; empty if there is none.
    diagnosis : str
        What it looks like and how well that fits, or why there is no verdict.
    evaluations : int
        Calls of the candidate's functions that it took.
    """

    property: Property
    verdict: Verdict
    error: float
    detectable: float
    method: str
    where: str = ""
    diagnosis: str = ""
    evaluations: int = 0

    @builtins.property  # the field above has taken the short name
    def power(self) -> str:
        """What would have been caught, in words."""
        if not math.isfinite(self.detectable):
            return "no power"
        if self.detectable == 0:
            return "would catch any difference"
        return f"would catch any error >= {self.detectable:.0e} of {_SCALES.get(self.property, 'the norm')}"

    @builtins.property
    def is_plain(self) -> bool:
        """Whether there is nothing to say but that it passed: every difference would have been seen, and none was."""
        return self.verdict is Verdict.PASS and self.detectable == 0 and self.error == 0 and not self.diagnosis

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers and strings; what is infinite or undefined is None, as JSON has no word for it."""
        entries = asdict(self) | {"verdict": self.verdict.value}
        return {
            key: None if isinstance(entry, float) and not math.isfinite(entry) else entry
            for key, entry in entries.items()
        }


_SCALES = {
    "value-gradient": "the gradient's norm",
    "gradient-hvp": "the Hessian product's norm",
    "hvp-symmetry": "the Hessian's norm",
    "hvp-linearity": "the Hessian product's norm",
    "adjoint": "the operator's norm",
    "linearity": "the result's norm",
    "value": "the value",
    "gradient": "the gradient's norm",
    "hvp": "the Hessian product's norm",
    "forward": "the result's norm",
}


@dataclass(frozen=True)
class Report:
    """Everything that a check found; true if and only if all of it passed.

    Attributes
    ----------
    findings : tuple of Finding
        One for each property that could be looked at.
    blame : tuple of str
        The smallest set of functions whose being wrong explains all that is wrong; empty if nothing is.
    explanation : str
        Why these.
    unchecked : tuple of str
        What could not be looked at, and what would have to be given for it.
    evaluations : int
        Calls of the candidate's functions in all.
    seconds : float
        How long it took.
    seed, shape, dtype
        Of the directions, and of the point: enough to repeat the check.
    curves : tuple of Curve
        How the error of the differences depends on the step, for each derivative; drawn by `plot`.
    errors : tuple of (str, ndarray)
        Maps of the error over the pixels, where one could be made; drawn by `plot`.
    """

    findings: tuple[Finding, ...]
    blame: tuple[str, ...] = ()
    explanation: str = ""
    unchecked: tuple[str, ...] = ()
    evaluations: int = 0
    seconds: float = 0.0
    seed: int = 0
    shape: tuple[int, ...] = ()
    dtype: str = "float64"
    curves: tuple[Any, ...] = ()
    errors: tuple[Any, ...] = ()

    @property
    def verdict(self) -> Verdict:
        """WRONG if any finding is, else INCONCLUSIVE if any is, or if nothing could be compared, else PASS."""
        verdict = Verdict.of(finding.verdict for finding in self.findings)
        compared = any(finding.property in _SCALES for finding in self.findings)
        return verdict if compared or verdict is Verdict.WRONG else Verdict.INCONCLUSIVE

    def __bool__(self) -> bool:
        return self.verdict is Verdict.PASS

    def __repr__(self) -> str:
        found = ", ".join(f"{finding.property}: {finding.verdict.value}" for finding in self.findings)
        return f"<Report {self.verdict.value}; {found}>"

    def __getitem__(self, name: str) -> Finding:
        """The finding of a property."""
        for finding in self.findings:
            if finding.property == name:
                return finding
        raise KeyError(f"{name!r} was not looked at; there are {', '.join(f.property for f in self.findings)}")

    def __str__(self) -> str:
        point = " x ".join(map(str, self.shape)) or "a single number"
        lines = [f"{self.verdict.value}: at a point of {point}, {self.dtype}, seed {self.seed}"]
        plain = [finding for finding in self.findings if finding.is_plain]
        lines += [line for finding in self.findings if finding not in plain for line in _paragraph(finding)]
        if plain:
            lines.append(f"  {Verdict.PASS.value:<12} {', '.join(finding.property for finding in plain)}")
        if self.blame:
            why = f": {self.explanation}" if self.explanation else ""
            lines.append(f"To blame: {', '.join(self.blame)}{why}")
        lines += [f"Not checked: {text}" for text in self.unchecked]
        lines.append(f"{self.evaluations} evaluations in {self.seconds:.2g} s")
        return "\n".join(wrapped for line in lines for wrapped in _wrap(line))

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers, strings, lists and dictionaries."""
        return {
            "verdict": self.verdict.value,
            "findings": [finding.to_dict() for finding in self.findings],
            "blame": list(self.blame),
            "explanation": self.explanation,
            "unchecked": list(self.unchecked),
            "evaluations": self.evaluations,
            "seconds": self.seconds,
            "seed": self.seed,
            "shape": list(self.shape),
            "dtype": self.dtype,
        }

    def to_json(self) -> str:
        """The dictionary as JSON, valid everywhere: no NaN and no Infinity."""
        return json.dumps(self.to_dict(), indent=2, allow_nan=False)

    def plot(self, path: str | os.PathLike[str]) -> None:
        """Draw what was measured: errors against their thresholds, convergence of the differences, maps of the error.

        Parameters
        ----------
        path : path
            Where to; the ending (.png, .pdf, .svg) says in which format.

        Raises
        ------
        ModuleNotFoundError
            Without matplotlib, which is in the extra ``refdeconv[cli]``.
        """
        from refdeconv.checks.figure import draw  # matplotlib is heavy, and an extra

        draw(self, path)


def _paragraph(finding: Finding) -> list[str]:
    """A finding in words: its verdict and power, then the place and name of what is wrong."""
    head = f"{finding.verdict.value:<12} {finding.property:<14}"
    size = "" if finding.error == 0 else f" error {finding.error:.1e};"
    lines = [f"  {head}{size} {finding.power} ({finding.method})"]
    if finding.where:
        lines.append(f"      where: {finding.where}")
    if finding.diagnosis:
        lines.append(f"      {'what' if finding.verdict is Verdict.WRONG else 'note'}: {finding.diagnosis}")
    return lines


def _wrap(line: str) -> list[str]:
    indent = " " * (len(line) - len(line.lstrip()) + 4)
    return textwrap.wrap(line, _WIDTH, subsequent_indent=indent, break_long_words=False) or [""]
