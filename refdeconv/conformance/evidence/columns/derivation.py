"""The labels of each derivation, and whether the page has them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from refdeconv.conformance.evidence.cells import Cell, Say, not_run
from refdeconv.conformance.evidence.checkout import Checkout
from refdeconv.conformance.evidence.models import Model


class Derivation:
    """What the docstring cites is on the page."""

    name = "derivation"
    says = "The page of the derivation, and the labels there that the docstring cites; each was found on the page."
    command = "python -m pytest tests/test_derivations.py -k citation"

    def __init__(self, checkout: Checkout | None) -> None:
        self.checkout = checkout

    def run(self, models: Sequence[Model], say: Say) -> Mapping[str, Cell]:
        """Each page is read."""
        if self.checkout is None:
            return not_run(models, self.command, "the pages are in a source checkout")
        folder = self.checkout.root / "derivations"
        cells = {}
        for model in models:
            missing = [
                f"{label} on {citation.page}"
                for citation in model.citations
                for label in citation.labels
                if not _has(folder, citation.page, label)
            ]
            count = sum(len(citation.labels) for citation in model.citations)
            remark = f"not on the page: {', '.join(missing)}" if missing else ""
            cells[model.name] = Cell("failed" if missing else "passed", self.command, count=count, remark=remark)
        return cells


def _has(folder: Path, page: str, label: str) -> bool:
    path = folder / page
    return path.is_file() and bool(re.search(rf"^### {re.escape(label)} \S", path.read_text("utf-8"), re.MULTILINE))
