"""No parameter of a model can be ignored unnoticed: some golden vector is far off where it is left out, or changed."""

import inspect

import numpy as np
import pytest

import refdeconv as rd
from refdeconv.conformance.golden import running, suite
from refdeconv.conformance.golden.cases.operators import BOUNDARIES
from refdeconv.conformance.golden.part import Part
from tests.conformance.golden.test_suite import public_models

CASES = suite.read().cases
FAR = 1e4  # times what is allowed
NO_DEFAULT = {("problems.article", "image")}  # left out, it is another image, of another shape
NO_NUMBERS = {("regularizers.entropy", "shape")}  # it says which images are taken, where the prior is one number


def signature(model):
    """What a model can be given, but for how many threads compute it: that changes nothing."""
    owner = rd
    for name in model.split("."):
        owner = getattr(owner, name)
    return {name: p.default for name, p in inspect.signature(owner).parameters.items() if name != "workers"}


PARAMETERS = [(model, name, default) for model in public_models() for name, default in signature(model).items()]
OPTIONAL = [(*found, default) for *found, default in PARAMETERS if default is not inspect.Parameter.empty]
REQUIRED = [tuple(found) for *found, default in PARAMETERS if default is inspect.Parameter.empty]


def outcomes(model, name, change):
    """Of all cases that give a parameter, with other parameters."""
    for case in CASES:
        if case.model == model and name in case.parameters:
            parameters = change(case.parameters)
            yield running.run(case, make=lambda model, _, parameters=parameters: running.made(model, parameters))


def is_far(outcome):
    """An answer of the right form, and of other numbers; what raises tells nothing."""
    return any(c.error > FAR * c.allowed for c in outcome.comparisons)


@pytest.mark.parametrize(("model", "name", "default"), OPTIONAL, ids=lambda value: str(value)[:50])
def test_left_out(model, name, default):
    """As a program would answer that ignores the parameter."""

    def without(parameters):
        return {key: value for key, value in parameters.items() if key != name}

    found = list(outcomes(model, name, without))
    assert found
    if (model, name) in NO_DEFAULT:
        assert all(outcome.status == "WRONG" for outcome in found)
    elif (model, name) not in NO_NUMBERS:
        assert any(map(is_far, found)), f"{len(found)} cases"


def other(value):
    """Another value that may stand in the place of one; None where only the shape of the answer tells."""
    if isinstance(value, np.ndarray) and value.dtype.kind == "f":
        return 1.5 * value
    if isinstance(value, float):
        return 1.5 * value
    if isinstance(value, tuple) and isinstance(value[0], np.ndarray):
        return tuple(map(other, value))
    if isinstance(value, np.ndarray):
        return np.roll(value, 1)
    if isinstance(value, str):
        return next(choice for choice in ("wrap", "reflect") if choice != value)
    return None


@pytest.mark.parametrize(("model", "name"), REQUIRED)
def test_changed(model, name):
    """Those without a default: numbers, masks and choices. The others are shapes, or models, which have their own."""
    given = [case.parameters[name] for case in CASES if case.model == model]  # in every case
    if any(other(value) is not None for value in given):
        assert any(map(is_far, outcomes(model, name, lambda parameters: {**parameters, name: other(parameters[name])})))
    else:
        assert all(isinstance(value, int | tuple | Part) for value in given)


PROBLEMS = [model for model, name, _ in PARAMETERS if model.startswith("problems.") and name == "boundary"]


@pytest.mark.parametrize("model", PROBLEMS)
def test_every_boundary_of_every_problem(model):
    """Each with an origin off the centre; 'valid' has none, and is not for blurs that must keep the shape."""
    cases = [case for case in CASES if case.model == model]
    off_centre = {case.parameters.get("boundary") for case in cases if "origin" in case.parameters}
    assert off_centre >= set(BOUNDARIES) - {"valid"}
    if model not in ("problems.super_resolution", "problems.blind"):
        assert "valid" in {case.parameters.get("boundary") for case in cases}


@pytest.mark.parametrize("model", PROBLEMS)
def test_no_boundary_passes_for_another(model):
    """A program that continues images in another way is wrong, whichever two are confused."""
    kept = BOUNDARIES[:-1]
    for case in CASES:
        if case.model == model and "-edges-" in case.name and case.parameters["boundary"] in kept:
            for boundary in set(kept) - {case.parameters["boundary"]}:
                parameters = {**case.parameters, "boundary": boundary}
                outcome = running.run(case, make=lambda name, _, given=parameters: running.made(name, given))
                assert is_far(outcome), (case.name, boundary)
