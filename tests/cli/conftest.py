"""Files and a runner for the tests of the command line."""

import numpy as np
import pytest
from click.testing import CliRunner

import refdeconv as rd
from refdeconv.cli.commands import refdeconv


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Run a command line in an empty folder; the result has exit_code, stdout and stderr."""
    monkeypatch.chdir(tmp_path)

    def invoke(*arguments):
        return CliRunner().invoke(refdeconv, list(map(str, arguments)), prog_name="refdeconv", catch_exceptions=False)

    return invoke


@pytest.fixture(scope="session")
def blurred():
    """A small blurred image between 0 and 1, and its PSF."""
    sharp = np.random.default_rng(0).random((24, 21))
    psf = rd.psf.gaussian((5, 4), (1, 0.8))
    return np.clip(rd.Convolution(psf, sharp.shape, "wrap").forward(sharp), 0, 1), psf
