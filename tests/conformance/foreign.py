"""Programs in other languages: GNU Octave and a C compiler, where there are any.

Without one of them a test is skipped; with REFDECONV_REQUIRE_FOREIGN in the environment it fails.
"""

import os
import shutil

import pytest

REQUIRE = "REFDECONV_REQUIRE_FOREIGN"


def octave():
    """The command that runs GNU Octave without a window."""
    found = _first("octave-cli", "octave", missing="GNU Octave: apt-get install --no-install-recommends octave")
    return [found, "--no-gui", "--norc"]


def compiler():
    """The command that compiles C."""
    return [_first("cc", "gcc", "clang", missing="C compiler: apt-get install gcc libc6-dev")]


def _first(*names, missing):
    found = next((path for path in map(shutil.which, names) if path), None)
    if found is None:
        if os.environ.get(REQUIRE):
            pytest.fail(f"{REQUIRE} is set, but there is no {missing}")
        pytest.skip(f"no {missing}")
    return found
