"""The package against its golden vectors; and faults, which must be found."""

import os
import subprocess
import sys

import numpy as np
import pytest

import refdeconv as rd
from refdeconv.conformance.array_files import FileError
from refdeconv.conformance.golden import running, suite

CASES = suite.read().cases


@pytest.mark.parametrize("dtype", running.DTYPES)
def test_the_package_is_right(dtype):
    outcomes = [running.run(case, dtype) for case in CASES]
    assert [(o.case.name, o.message) for o in outcomes if o.status == "WRONG"] == []
    # What is granted is for other orders of summation: our own needs less than a fifth of it.
    assert max(o.worst.part for o in outcomes if o.worst) < 0.2
    left_out = [o for o in outcomes if o.status == "LEFT OUT"]
    assert len(left_out) < 0.05 * len(CASES) if dtype == "float32" else not left_out


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["scipy", "ducc0"])
def test_with_either_fft(backend):
    command = [sys.executable, "-m", "refdeconv", "conformance", "run", "--filter", "onvolution"]
    environment = {**os.environ, "REFDECONV_FFT": backend}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"float64, {backend}" in done.stdout


def case_of(name):
    return next(case for case in CASES if case.name == name)


class Faulty:
    """A model with one method replaced."""

    def __init__(self, model, **methods):
        self._model, self._methods = model, methods

    def __getattr__(self, name):
        return self._methods.get(name) or getattr(self._model, name)


def faulty(**methods):
    """How to make a model with methods replaced; each is given the model first."""

    def make(name, parameters):
        model = running.made(name, parameters)
        bound = {key: (lambda *args, method=method: method(model, *args)) for key, method in methods.items()}
        return Faulty(model, **bound)

    return make


NAME = "convolution-reflect-even-psf-2d"


@pytest.mark.parametrize(
    ("methods", "said"),
    [
        ({"adjoint": lambda K, y: K.adjoint(np.roll(y, 1))}, "adjoint is off by"),
        ({"forward": lambda K, x: K.forward(x.astype(np.float32)).astype(np.float64)}, "forward is off by"),
        ({"forward": lambda K, x: (1 + 1e-13) * K.forward(x)}, "forward is off by"),
        ({"forward": lambda K, x: K.forward(x)[:-1]}, "forward has shape (4, 6), expected (5, 6)"),
        ({"forward": lambda K, x: K.forward(x).astype(np.float32)}, "forward has dtype float32, expected float64"),
        ({"forward": lambda K, x: np.full_like(x, np.nan)}, "forward is off by inf"),
        ({"forward": lambda K, x: 1 / 0}, "ZeroDivisionError"),
        ({"adjoint": lambda K, y: None}, "adjoint has shape ()"),
    ],
)
def test_faults_are_found(methods, said):
    assert running.run(case_of(NAME)).status == "PASS"
    outcome = running.run(case_of(NAME), make=faulty(**methods))
    assert outcome.status == "WRONG"
    assert said in outcome.message


@pytest.mark.parametrize(
    ("name", "methods", "said"),
    [
        ("poisson-outside", {"value": lambda F, u: 0.5}, "value should be infinite, and is 0.5"),
        ("poisson-outside", {"value": lambda F, u: -np.inf}, "value should be infinite, and is -inf"),
        ("poisson-outside", {"value": lambda F, u: np.nan}, "value should be infinite, and is nan"),
        ("poisson-outside", {"value": lambda F, u: np.full(3, np.inf)}, "value should be infinite"),
        ("poisson-outside", {"value": lambda F, u: F.gradient(u)}, "should be infinite, but raises OutsideDomain"),
        ("poisson-outside", {"gradient": lambda F, u: np.zeros(3)}, "gradient should raise a ValueError, and returns"),
        ("entropy-at-zero", {"hvp": lambda F, u, v: v}, "hvp should raise"),
        ("entropy-at-zero", {"value": lambda F, u: F.value(u) + 0.6}, "value is off by 0.6"),
        ("square-root-at-zero", {"curvature": lambda m, z, w: rd.Identity(3)}, "curvature should raise"),
        ("square-root-outside", {"forward": lambda m, z: np.sqrt(np.abs(z))}, "forward should raise"),
        ("square-root-outside", {"forward": lambda m, z: 1 / 0}, "ZeroDivisionError"),
    ],
)
@pytest.mark.parametrize("dtype", running.DTYPES)
def test_faults_where_there_are_no_numbers_are_found(name, methods, said, dtype):
    assert running.run(case_of(name), dtype).status == "PASS"
    outcome = running.run(case_of(name), dtype, make=faulty(**methods))
    assert outcome.status == "WRONG"
    assert said in outcome.message


def test_an_origin_that_is_off_by_one_is_found():
    def make(name, parameters):
        origin = tuple(k // 2 for k in parameters["psf"].shape)
        return rd.Convolution(parameters["psf"], parameters["shape"], parameters["boundary"], origin)

    for boundary in ("constant", "wrap", "reflect", "mirror", "nearest"):
        case = case_of(f"convolution-{boundary}-default-origin")
        assert running.run(case).status == "PASS"
        assert running.run(case, make=make).status == "WRONG"


@pytest.mark.parametrize(
    "name",
    ["os", "os.system", "problems.np", "psf.gaussian", "minimize", "_fft", "Nothing", "problems.Model", "checks.check"],
)
def test_only_models_are_made(name):
    with pytest.raises(FileError, match="is not a model"):
        running.made(name, {})
