"""Readers in other languages, by what the suite's README tells them."""

import re
import subprocess

import numpy as np
import pytest

from refdeconv.conformance.golden import suite
from tests.conformance import foreign

README = (suite.OWN / "README.md").read_text(encoding="utf-8")

C = r"""
#include <stdio.h>
int main(int count, char **words) {
    long offset, size; double number;
    FILE *file = fopen(words[1], "rb");
    if (count != 4 || !file || sscanf(words[2], "%ld", &offset) != 1 || sscanf(words[3], "%ld", &size) != 1) return 1;
    fseek(file, 8 * offset, SEEK_SET);
    while (size-- && fread(&number, sizeof number, 1, file)) printf("%.17g\n", number);
    return 0;
}
"""


def entry(found, name):
    return next(case for case in found.manifest["cases"] if case["name"] == name)


def test_octave(tmp_path):
    octave = foreign.octave()
    found = suite.read()
    expected = next(case for case in found.cases if case.name == "gradient-constant-3d").outputs["forward"].numbers
    code = re.search(r"```matlab\n(.*?)```", README, re.DOTALL)[1]
    # Its own loops over indices that count from 1, the first axis first, the last one fastest.
    code += (
        "for a = 1:size(array, 1) for i = 1:size(array, 2) for j = 1:size(array, 3) for k = 1:size(array, 4)\n"
        "printf('%.17g\\n', array(a, i, j, k)); end end end end\n"
    )
    (tmp_path / "reader.m").write_text(code)
    command = [*octave, str(tmp_path / "reader.m")]
    done = subprocess.run(command, cwd=suite.OWN, capture_output=True, text=True, check=False, timeout=120)
    numbers = np.array([float(line) for line in done.stdout.splitlines()])
    np.testing.assert_array_equal(numbers.reshape(expected.shape), expected)


def test_c(tmp_path):
    compiler = foreign.compiler()
    found = suite.read()
    case = entry(found, "convolution-mirror-odd-psf-3d")
    place = case["outputs"]["adjoint"]["array"]
    (tmp_path / "reader.c").write_text(C)
    subprocess.run([*compiler, "-o", tmp_path / "reader", tmp_path / "reader.c"], check=True)
    size = int(np.prod(place["shape"]))
    command = [tmp_path / "reader", suite.OWN / f"{case['file']}.bin", str(place["offset"]), str(size)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    expected = next(c for c in found.cases if c.name == case["name"]).outputs["adjoint"].numbers
    np.testing.assert_array_equal([float(line) for line in done.stdout.splitlines()], expected.ravel())


class TestRequired:
    @pytest.fixture(autouse=True)
    def _nothing_installed(self, monkeypatch, tmp_path):
        monkeypatch.setenv("PATH", str(tmp_path))

    @pytest.mark.parametrize("wanted", [foreign.octave, foreign.compiler])
    def test_skipped_without(self, wanted, monkeypatch):
        monkeypatch.delenv(foreign.REQUIRE, raising=False)
        with pytest.raises(pytest.skip.Exception, match="apt-get install"):
            wanted()

    @pytest.mark.parametrize("wanted", [foreign.octave, foreign.compiler])
    def test_failed_where_required(self, wanted, monkeypatch):
        monkeypatch.setenv(foreign.REQUIRE, "1")
        with pytest.raises(pytest.fail.Exception, match="apt-get install"):
            wanted()
