"""The rows: everything public that is derived by hand, and what its docstring cites."""

import inspect

import pytest

import refdeconv as rd
from refdeconv.conformance.evidence import models
from refdeconv.conformance.evidence.instances import AT_KINKS, instances
from refdeconv.conformance.golden.cases import CASES

MODELS = {model.name: model for model in models.public_models()}


def public_names():
    """By what is public, and nothing else: classes with derivatives or adjoints, and all that makes them."""
    for name in rd.__all__:
        thing = getattr(rd, name)
        if inspect.isclass(thing) and issubclass(thing, rd.Functional | rd.Operator):
            yield name
    yield from (f"regularizers.{name}" for name, f in vars(rd.regularizers).items() if is_public(f, rd.regularizers))
    for name in rd.problems.__all__:
        if is_public(getattr(rd.problems, name), rd.problems) and name != "astronaut":
            yield f"problems.{name}"
    for name in rd.psf.__all__:
        if name != "as_psf":  # checks what others made
            yield f"psf.{name}"


def is_public(thing, room):
    in_room = inspect.isfunction(thing) and thing.__module__.startswith(room.__name__)
    return in_room and not thing.__name__.startswith("_")


@pytest.mark.parametrize("name", sorted(public_names()))
def test_every_public_model_is_a_row(name):
    model = MODELS[name]
    assert model.citations
    assert model.room in models.ROOMS
    assert models.named(name) is not None


def test_rows_are_there_once_and_by_room():
    names = [model.name for model in models.public_models()]
    assert len(names) == len(set(names))
    rooms = [model.room for model in models.public_models()]
    assert rooms == sorted(rooms, key=models.ROOMS.index)
    assert set(rooms) == set(models.ROOMS)


def test_kinds():
    expected = {"L2Norm": "functional", "regularizers.tikhonov": "functional", "problems.blind": "functional"}
    expected |= {"Convolution": "linear operator", "SelfAdjoint": "linear operator", "Softmax": "map"}
    expected |= {"Functional": "calculus", "psf.airy": "psf", "minimize": "procedure", "Packing": "procedure"}
    assert {name: MODELS[name].kind for name in expected} == expected


def test_citations_over_a_broken_line():
    text = "Convex. Derivation: derivations/a/b.md, ABC.1,\n    ABC.12\n\nAlso derivations/c.md, XY2.3 and UVW.4."
    assert models.citations(text) == [("a/b.md", ("ABC.1", "ABC.12")), ("c.md", ("XY2.3",))]
    assert models.citations(None) == []


@pytest.mark.parametrize(
    "name",
    [name for name, model in MODELS.items() if model.kind in ("functional", "linear operator", "map", "calculus")],
)
def test_every_model_with_derivatives_has_instances(name):
    kind = {"linear operator": rd.LinearOperator, "map": rd.Operator, "functional": rd.Functional}
    for instance in instances(name):
        assert isinstance(instance.thing, kind.get(MODELS[name].kind, object))
        break
    else:
        pytest.fail(f"{name} has no instance")


def test_the_kinks_are_those_of_cases():
    assert set(AT_KINKS) <= {case.name for case in CASES}
