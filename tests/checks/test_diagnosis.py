"""A fault is named by the correction that takes the error away, at any size, scale and precision."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pytest

from refdeconv import checks
from refdeconv.checks.checking import _Course
from refdeconv.checks.faults.adjoints import explain_adjoint
from refdeconv.checks.faults.corrections import (
    Bands,
    Explanation,
    best,
    borders,
    explained,
    fitted,
    in_single_precision,
    narrowest,
    rearrangements,
)
from refdeconv.checks.faults.factors import factor
from refdeconv.checks.faults.gradients import explain_gradient
from refdeconv.checks.faults.jacobians import patch
from refdeconv.checks.faults.products import explain_hvp, explain_symmetry
from refdeconv.checks.measuring.evaluation import Evaluator
from refdeconv.checks.measuring.gradient_hvp import GradientHvp
from refdeconv.checks.measuring.value_gradient import ValueGradient
from tests.checks.named_faults import FAULTS, Scene, entropy, scaled_gradient, tikhonov
from tests.thinned import thinned


def names(candidate, x, seed=0):
    """What the findings that are WRONG call it."""
    y = None if candidate.forward is None else candidate.forward(x)
    report = checks.check(candidate, x, y_like=y, seed=seed)
    assert report.evaluations <= 300
    return [f.diagnosis for f in report.findings if f.verdict is checks.Verdict.WRONG]


def is_named(fault, seed):
    candidate, x = fault.make(Scene.draw(seed, **fault.draw))
    return any(said.startswith(f"{name}: ") for said in names(candidate, x, seed) for name in fault.said)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_faults_are_named(fault):
    assert is_named(fault, 100)


@pytest.mark.slow
def test_of_many_faults_nine_in_ten_are_named():
    found = [is_named(fault, seed) for fault in FAULTS for seed in range(10)]
    assert np.mean(found) >= 0.9


@pytest.mark.parametrize("power", [-100, 0, 100])
@pytest.mark.parametrize("name", ["half forgotten", "mean in the gradient", "ridge missing", "gradient unflipped"])
def test_names_do_not_depend_on_scale(name, power):
    fault = next(fault for fault in FAULTS if fault.name == name)
    candidate, x = fault.make(Scene.draw(1))
    scale = 2.0**power
    scaled = checks.Candidate(
        value=lambda x: scale * candidate.value(x), gradient=lambda x: scale * candidate.gradient(x)
    )
    assert names(scaled, x)[0].split(":")[0] == fault.said[0]


@pytest.mark.parametrize("shape", [(23,), (5, 4, 6)])
def test_names_in_other_dimensions(shape):
    scene = Scene.draw(5, shape, (3,) * len(shape))
    assert names(*scaled_gradient(2)(scene))[0].startswith("factor 2: R2 = 1.0000")
    value, data, _, _ = tikhonov(scene)
    candidate = checks.Candidate(value=value, gradient=data)
    assert names(candidate, scene.x)[0].startswith("regulariser missing")


def test_names_in_single_precision():
    scene = Scene.draw(7)
    scene.x, scene.y, scene.kernel = (array.astype(np.float32) for array in (scene.x, scene.y, scene.kernel))
    assert names(*scaled_gradient(np.float32(0.5))(scene))[0].startswith("factor 0.5")


def test_a_text_has_the_correction():
    candidate, x = scaled_gradient(0.25)(Scene.draw(2))
    assert names(candidate, x)[0] == "factor 0.25: R2 = 1.0000; multiply the gradient by 4"
    fault = next(fault for fault in FAULTS if fault.name == "mean in the gradient")
    candidate, x = fault.make(Scene.draw(2))
    assert f"multiply the gradient by {x.size}" in names(candidate, x)[0]


# ---- In a place that is known. ----


@dataclass
class Window:
    kind: str
    where: tuple

    def mask(self, shape):
        mask = np.zeros(shape, bool)
        mask[self.where] = True
        return mask

    def __str__(self):
        return f"{self.kind} here"


ROW = Window("row", (3,))
PIXEL = Window("pixel", (2, 5))
EDGE = Window("edges", (slice(None), 0))


def measured(candidate, x, y=None):
    """A course that has measured everything."""
    evaluator = Evaluator(candidate, x, looking=150, finding=150)
    course = _Course(evaluator, None if y is None else y.shape, x.dtype, 0)
    course.report()
    return course


@pytest.mark.parametrize("place", [ROW, PIXEL, EDGE], ids=str)
@pytest.mark.parametrize("change", ["factor 2", "constant added", "set to zero"])
def test_gradient_in_a_place(place, change):
    scene = Scene.draw(11)
    value, gradient, _ = entropy(scene)
    mask = place.mask(scene.shape)
    wrong = {
        "factor 2": lambda g: g + mask * g,
        "constant added": lambda g: g + 0.01 * mask,
        "set to zero": lambda g: g * ~mask,
    }[change]
    course = measured(checks.Candidate(value=value, gradient=lambda x: wrong(gradient(x))), scene.x)
    test = course.derivatives["value-gradient"]
    assert isinstance(test, ValueGradient)
    (found,) = explain_gradient(test, place)
    assert found.fit > 0.999
    assert change in str(found)  # of a single pixel a factor may as well be a constant
    assert str(place) in str(found) or change == "set to zero"


@pytest.mark.parametrize("place", [ROW, PIXEL, EDGE], ids=str)
def test_products_in_a_place(place):
    scene = Scene.draw(12)
    _, gradient, hvp = entropy(scene)
    mask = place.mask(scene.shape)
    candidate = checks.Candidate(gradient=gradient, hvp=lambda x, v: hvp(x, v) * (1 - 0.5 * mask))
    course = measured(candidate, scene.x)
    test = course.derivatives["gradient-hvp"]
    assert isinstance(test, GradientHvp)
    assert explain_hvp(test, place)[0].name == explain_hvp(test)[0].name == "factor 0.5"
    assert explain_symmetry(course.maps["hvp"], place)[0].name == "factor 0.5"


@pytest.mark.parametrize("place", [ROW, PIXEL, EDGE], ids=str)
def test_adjoint_in_a_place(place):
    scene = Scene.draw(13)
    mask = place.mask(scene.shape)
    candidate = checks.Candidate(forward=lambda x: 2 * x, adjoint=lambda y: 2 * y + 0.2 * mask * y)
    course = measured(candidate, scene.x, scene.x)
    (found,) = explain_adjoint(course.maps["forward"], course.maps["adjoint"], place)
    assert found.name == "factor 1.1"
    assert str(place) in found.text


def test_nothing_is_raised_when_the_calls_are_used_up():
    candidate, x = scaled_gradient(3)(Scene.draw(4))
    evaluator = Evaluator(candidate, x, looking=60, finding=0)
    course = _Course(evaluator, None, x.dtype, 0)
    course.report()
    evaluator.budget = evaluator.spent
    assert explain_gradient(course.derivatives["value-gradient"]) == []


# ---- The parts of it. ----


@pytest.mark.parametrize(
    ("ratio", "name"),
    [
        (2, "factor 2"),
        (0.5, "factor 0.5"),
        (2**0.5, "factor sqrt(2)"),
        (0.5**0.5, "factor 1/sqrt(2)"),
        (-1, "sign"),
        (-2, "factor -2"),
        (1 / 3, "factor 0.3333"),
        (1.000001, "factor 1.000001"),
        (0.31271, "factor 0.3127"),
        (60, "mean instead of sum"),
        (1 / 60, "mean instead of sum"),
    ],
)
def test_factors_are_written_simply(ratio, name):
    assert factor(ratio, 1e-12, 1.0, "the gradient", (60,)).name == name


def test_a_factor_is_simple_only_as_far_as_it_is_known():
    assert factor(2.001, 1e-6, 1.0, "the gradient").name == "factor 2.001"
    assert factor(2.001, 1e-3, 1.0, "the gradient").name == "factor 2"


def test_a_fit_is_worth_its_degrees_of_freedom():
    rng = np.random.default_rng(0)
    chance = [fitted(rng.standard_normal((12, 6)), rng.standard_normal(12)).fit for _ in range(200)]
    assert abs(np.mean(chance)) < 0.1
    terms = rng.standard_normal((12, 2))
    model = fitted(terms, terms @ [3.0, -1.0])
    np.testing.assert_allclose(model.coefficients, [3, -1])
    assert model.fit == pytest.approx(1)
    assert fitted(np.ones((2, 2)), np.ones(2)).fit == -np.inf


def test_the_simplest_is_taken_unless_another_is_much_better():
    simple, good = Explanation("factor 2", 0.995), Explanation("term missing", 0.9951)
    assert best([simple, good]) == [simple]
    assert best([simple, Explanation("shift", 1.0)])[0].name == "shift"
    assert best([]) == []
    assert str(Explanation("sign", 0.99999)) == "sign: R2 = 0.9999"
    assert str(Explanation("noise", None, "other results at each call")) == "noise: other results at each call"


def test_rearrangements_undo_what_their_names_say():
    array = np.random.default_rng(1).standard_normal((5, 5))
    wrong = {
        "one-pixel shift along axis 0": np.roll(array, 1, 0),
        "one-pixel shift along axis 1": np.roll(array, -1, 1),
        "flipped along axis 1": array[:, ::-1],
        "flipped along all axes": array[::-1, ::-1],
        "axes transposed": array.T,
    }
    for name, moved in wrong.items():
        fits = [explained(array - back(moved), array - moved) for n, back, _ in rearrangements((5, 5)) if n == name]
        assert max(fits) == 1, name
    assert list(rearrangements((1,))) == []


@pytest.mark.parametrize("shape", [(8,), (7, 6), (4, 5, 2)])
def test_bands_add_up(shape):
    a, b = np.random.default_rng(2).standard_normal((2, *shape))
    bands = Bands(shape)
    products = dict(zip(bands.runs, bands.inner(bands.transform(a), bands.transform(b)), strict=True))
    assert products[0, 0] == pytest.approx(a.mean() * b.sum())
    last = max(end for _, end in bands.runs)
    starts = sorted({start for start, _ in bands.runs})
    sums = [products[0, low] + products[high, last] for low, high in pairwise(starts)]
    assert len(sums) >= 2
    np.testing.assert_allclose(sums, np.sum(a * b), rtol=1e-12)


def test_small_parts():
    assert patch((9, 12), 16).sum() == 16
    assert patch((40,), 16).sum() == 16
    assert patch((2, 3), 16).sum() == 6
    assert borders((9, 12)) == [1, 2, 3]
    assert borders((2,)) == []
    assert narrowest([1, 2, 3, 4], lambda width: width >= 3) == 3
    assert narrowest([1, 2], lambda width: False) is None
    x = np.random.default_rng(3).standard_normal(20)
    assert in_single_precision([x.astype(np.float32).astype(float)], np.float64)
    assert not in_single_precision([x], np.float64)
    assert not in_single_precision([np.arange(20.0)], np.float64)
    assert not in_single_precision([x.astype(np.float32)], np.float32)


@pytest.mark.parametrize("shape", thinned([(), (1, 1), (1,), (2,), (3, 1, 2), (1, 3), (2, 2)], 2))
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.longdouble])
def test_small_arrays_in_any_precision(shape, dtype):
    x = np.asarray(np.random.default_rng(6).random(shape) + 1).astype(dtype)
    wrong = [
        {"gradient": lambda x: 6 * x**2},
        {"gradient": lambda x: 3 * x**2 + dtype(0.5)},
        {"hvp": lambda x, v: 12 * x * v},
        {"hvp": lambda x, v: 6 * x * v + v.sum()},
        {"hvp": lambda x, v: (6 * x + 1) * v},
    ]
    right = {"value": lambda x: np.sum(x**3), "gradient": lambda x: 3 * x**2, "hvp": lambda x, v: 6 * x * v}
    for function in wrong:
        said = names(checks.Candidate(**right | function), x)
        assert said
        assert all(said), said
    y = x.astype(dtype)
    pair = checks.Candidate(forward=lambda x: 2 * x, adjoint=lambda y: 4 * y)
    assert names(pair, y)[0].startswith("factor 2: R2 = 1.0000")
