"""The evidence as JSON."""

from __future__ import annotations

import math
from typing import Any

from refdeconv.conformance.evidence.cells import Cell
from refdeconv.conformance.evidence.gathering import Evidence

SCHEMA_VERSION = 1


def as_dict(evidence: Evidence) -> dict[str, Any]:
    """Plain dictionaries, lists, strings and finite numbers; an infinite error is the string "inf"."""
    return {
        "schema_version": SCHEMA_VERSION,
        "passed": evidence.passed,
        "date": evidence.began.isoformat(timespec="seconds"),
        "seconds": round(evidence.seconds, 1),
        "commit": evidence.commit,
        "system": evidence.system,
        "versions": dict(evidence.versions),
        "columns": [{"name": c.name, "says": c.says, "command": c.command} for c in evidence.columns],
        "models": [
            {
                "name": model.name,
                "room": model.room,
                "kind": model.kind,
                "derivation": [{"page": c.page, "labels": list(c.labels)} for c in model.citations],
                "cells": {
                    column.name: _cell(cell)
                    for column in evidence.columns
                    if (cell := evidence.cell(model, column)) is not None
                },
            }
            for model in evidence.models
        ],
    }


def _cell(cell: Cell) -> dict[str, Any]:
    return {
        "state": cell.state,
        "worst": None if cell.worst is None else _number(cell.worst),
        "count": cell.count,
        "command": cell.command,
        "remark": cell.remark,
        "recorded": cell.recorded,
        "details": {name: _number(error) for name, error in cell.details.items()},
    }


def _number(x: float) -> float | str:
    return float(f"{x:.3g}") if math.isfinite(x) else str(float(x))
