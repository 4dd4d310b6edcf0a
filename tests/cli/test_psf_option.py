"""What ``--psf`` says is what the library makes."""

import re

import numpy as np
import pytest

from refdeconv import psf
from refdeconv.cli.psf_option import KINDS, read_psf

OPTICAL = {"wavelength": 0.52, "numerical_aperture": 1.4, "pixel_size": 0.065}


@pytest.mark.parametrize(
    ("specification", "expected"),
    [
        ("gaussian:13x9:1,3", psf.gaussian((13, 9), (1, 3))),
        ("gaussian:5:1.5", psf.gaussian(5, 1.5)),
        ("moffat:9X8:4,2.5", psf.moffat((9, 8), 4, 2.5)),
        ("airy:9x8:3.5", psf.airy((9, 8), 3.5)),
        ("airy:31x31:0.52,1.4,0.065", psf.airy((31, 31), **OPTICAL)),
        ("defocus:5x6x7:2.25", psf.defocus((5, 6, 7), 2.25)),
        ("motion:9x15:9,30", psf.motion((9, 15), 9, 30)),
        ("motion:9x15:4.5,-20", psf.motion((9, 15), 4.5, -20)),
        ("motion:9:4", psf.motion(9, 4)),
        ("box:9x9:5", psf.box((9, 9), 5)),
        ("box:9x9:5,2.5", psf.box((9, 9), (5, 2.5))),
        ("delta:3x4", psf.delta((3, 4))),
    ],
)
def test_is_what_it_says(specification, expected):
    found, remarks = read_psf(specification)
    assert np.array_equal(found, expected)
    assert remarks == ()


@pytest.mark.parametrize("kind", KINDS)
def test_the_examples_of_the_messages_work(kind):
    for example in f"{kind}:{KINDS[kind].example}".split(" or "):
        assert read_psf(example)[0].sum() == pytest.approx(1)


def test_the_help_names_every_kind_and_its_examples_work(run):
    text = run("deconvolve", "--help").stdout
    for kind, described in KINDS.items():
        assert f"{kind}:SHAPE{':' if described.form else ''}{described.form.split(' ')[0]}" in text
    examples = [spec for spec in re.findall(r"--psf (\S+)", text) if ":" in spec]
    assert len(examples) >= 3
    for example in examples:
        assert read_psf(example)[0].sum() == pytest.approx(1)


def test_a_file_comes_before_a_kind_of_its_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.save("delta:3.npy", np.full(3, 1 / 3))
    assert np.allclose(read_psf("delta:3.npy")[0], 1 / 3)
