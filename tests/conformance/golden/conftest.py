"""A suite of golden vectors that a test may spoil."""

import hashlib
import json

import pytest

from refdeconv.conformance.golden import exporting, suite


@pytest.fixture(scope="session")
def own():
    return suite.read()


@pytest.fixture
def exported(own, tmp_path):
    """A copy of the package's suite."""
    folder = tmp_path / "golden"
    exporting.export(own, folder)
    return folder


@pytest.fixture
def rewritten(exported):
    """A copy of which the manifest is changed, and the hash of the manifest with it."""

    def rewrite(change):
        path = exported / "suite.json"
        manifest = json.loads(path.read_text(encoding="utf-8"))
        manifest = change(manifest) or manifest
        path.write_text(manifest if isinstance(manifest, str) else json.dumps(manifest), encoding="utf-8")
        sums = exported / "SHA256SUMS"
        lines = [line for line in sums.read_text().splitlines() if not line.endswith("  suite.json")]
        lines.append(f"{hashlib.sha256(path.read_bytes()).hexdigest()}  suite.json")
        sums.write_text("\n".join(lines) + "\n")
        return exported

    return rewrite
