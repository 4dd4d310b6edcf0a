"""A suite of golden vectors that a test may spoil."""

import hashlib
import json
import shutil

import pytest

from refdeconv.conformance.golden import exporting, suite


@pytest.fixture(scope="session")
def own():
    return suite.read()


@pytest.fixture(scope="session")
def with_few_cases(own, tmp_path_factory):
    """A copy of the package's suite with few of its cases, which is read in less time."""

    def leave_out(manifest):
        manifest["cases"] = [case for case in manifest["cases"] if case["model"] in ("Square", "Poisson")]

    folder = tmp_path_factory.mktemp("golden")
    exporting.export(own, folder)
    return _rewrite(folder, leave_out)


@pytest.fixture
def exported(with_few_cases, tmp_path):
    """A copy of it that may be spoilt."""
    return shutil.copytree(with_few_cases, tmp_path / "golden")


@pytest.fixture
def rewritten(exported):
    """One of which the manifest is changed, and the hash of the manifest with it."""
    return lambda change: _rewrite(exported, change)


def _rewrite(folder, change):
    path = folder / "suite.json"
    manifest = json.loads(path.read_text(encoding="utf-8"))
    manifest = change(manifest) or manifest
    path.write_text(manifest if isinstance(manifest, str) else json.dumps(manifest), encoding="utf-8")
    sums = folder / "SHA256SUMS"
    lines = [line for line in sums.read_text().splitlines() if not line.endswith("  suite.json")]
    lines.append(f"{hashlib.sha256(path.read_bytes()).hexdigest()}  suite.json")
    sums.write_text("\n".join(lines) + "\n")
    return folder
