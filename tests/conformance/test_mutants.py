"""Each mutant is as wrong as it says, where it says, and what it is compared with is right."""

import math
from collections import Counter

import numpy as np
import pytest

from refdeconv import checks
from refdeconv.conformance import MUTANTS, Mutant, true_error
from refdeconv.conformance.cases import error_map, norm
from tests.conformance.differences import slope_error
from tests.thinned import thinned

SEEDS = range(3)
BEHAVIOURS = {"purity", "determinism", "dtype", "shape", "finiteness"}
SIZED = [mutant for mutant in MUTANTS if math.isfinite(mutant.size)]
UNSIZED = [mutant for mutant in MUTANTS if not math.isfinite(mutant.size)]
PLACED = [mutant for mutant in SIZED if mutant.place is not None]


PHRASES = """factor 2; factor 0.5; sign; mean instead of sum; PSF not flipped; one-pixel shift along axis 0;
one-pixel shift along axis 1; boundary of the adjoint; weight outside the adjoint; Gauss-Newton used as Hessian;
data term missing; regulariser missing; term missing; constant added; single precision; diagonal term missing;
rank-one term missing; axes transposed; flipped along axis 0; set to zero; noise; not a subgradient;
does not depend on x""".replace("\n", " ").split("; ")


def by_name(mutants):
    return pytest.mark.parametrize("mutant", thinned(mutants, 3), ids=lambda mutant: mutant.name)


def rounding(trial):
    return 2e-5 if trial.x.dtype == np.float32 else 1e-12


def test_there_are_enough_of_each_kind():
    assert len(MUTANTS) >= 70
    assert len({mutant.name for mutant in MUTANTS}) == len(MUTANTS)
    functions = Counter(mutant.function for mutant in MUTANTS)
    assert min(functions[name] for name in ("value", "gradient", "hvp", "adjoint")) >= 7
    assert sum(mutant.place is not None for mutant in MUTANTS) >= len(MUTANTS) / 3
    for low in (1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1):
        assert sum(low / 2 < mutant.size <= 5 * low for mutant in MUTANTS) >= 5, low
    shapes = [mutant.trial(0).x.shape for mutant in MUTANTS]
    assert {len(shape) for shape in shapes} == {1, 2, 3}
    assert sum(mutant.trial(0).x.dtype == np.float32 for mutant in MUTANTS) >= 10


def test_faults_cover_the_vocabulary():
    said = {phrase for mutant in MUTANTS for phrase in mutant.fault.phrases}
    for phrase in PHRASES:
        assert phrase in said


def test_a_third_of_the_values_take_no_complex_point():
    refused, of = 0, 0
    for mutant in MUTANTS:
        trial = mutant.trial(0)
        if trial.candidate.value is not None and trial.candidate.gradient is not None:
            of += 1
            try:
                refused += np.isrealobj(trial.candidate.value(trial.x + 1e-3j))
            except (TypeError, np.exceptions.ComplexWarning):
                refused += 1
    assert 0.2 <= refused / of <= 0.5


@by_name(SIZED)
def test_error_is_of_the_size_declared(mutant):
    for seed in SEEDS:
        trial = mutant.trial(seed)
        error = true_error(mutant.function, trial, np.random.default_rng(100 + seed))
        assert mutant.size / 2 <= error <= 2 * mutant.size
        assert trial.x.dtype == np.float64 or error > 100 * np.finfo(np.float32).eps


@by_name(PLACED)
def test_error_is_in_its_place(mutant):
    for seed in SEEDS:
        trial = mutant.trial(seed)
        error, exact = error_map(mutant.function, trial, np.random.default_rng(seed))
        maps = [error] if error.shape == trial.x.shape else list(error)
        outside = norm([part - mutant.place.part_of(part) for part in maps])
        assert outside <= 10 * np.finfo(trial.x.dtype).eps * norm(exact)
        if mutant.place.kind != "band":  # and in all of it, or a checker would find, and name, a smaller one
            touched = np.any(np.abs(maps) > 1e-3 * np.max(np.abs(maps)), axis=0)
            mask = mutant.place.mask(trial.x.shape)
            assert (touched & mask).sum() >= 0.6 * mask.sum()


@by_name([mutant for mutant in SIZED if mutant.place is None and mutant.size > 1e-4])
def test_error_without_a_place_is_spread(mutant):
    trial = mutant.trial(0)
    error, _ = error_map(mutant.function, trial, np.random.default_rng(0))
    pixels = np.abs(error) if mutant.function in ("value", "gradient") else np.sqrt(np.sum(np.abs(error) ** 2, axis=0))
    assert np.count_nonzero(pixels > 1e-2 * pixels.max()) > 0.1 * pixels.size


@by_name(MUTANTS)
def test_what_is_right_is_right(mutant):
    trial = mutant.trial(1)
    right, x = trial.right, trial.x
    limit = rounding(trial)
    if right.adjoint is not None:
        assert checks.adjoint_error(right.forward, right.adjoint, x.shape, trial.y_like.shape, dtype=x.dtype) <= limit
    if right.gradient is not None and mutant.fault.name != "not a subgradient":
        assert slope_error(right.value, right.gradient(x), x) <= limit
        if right.hvp is not None:
            assert checks.hvp_error(right.gradient, right.hvp, x) <= limit or mutant.name.startswith("complex field")


@by_name([mutant for mutant in SIZED if mutant.function == "value"])
def test_the_wrong_value_has_the_slope_that_is_said(mutant):
    trial = mutant.trial(1)
    assert slope_error(trial.candidate.value, trial.slope(trial.x), trial.x) <= 1e-8


@by_name([mutant for mutant in SIZED if not BEHAVIOURS & set(mutant.fault.properties)])
def test_only_the_function_named_is_wrong(mutant):
    trial = mutant.trial(2)
    limit = rounding(trial)
    for name in trial.candidate.given:
        if name == mutant.function:
            continue
        if name == "value" and mutant.fault.name != "not a subgradient":
            # A value that is made a float has digits for no more than this.
            assert slope_error(trial.candidate.value, trial.right.gradient(trial.x), trial.x) <= max(limit, 1e-9)
        elif getattr(trial.right, name) is not None and name != "value":
            assert true_error(name, trial, np.random.default_rng(0)) <= limit


@by_name([mutant for mutant in MUTANTS if mutant.fault.name == "not a subgradient"])
def test_the_subgradient_inequality_fails(mutant):
    trial = mutant.trial(0)
    x, rng = trial.x, np.random.default_rng(0)
    value, wrong, right = trial.candidate.value, trial.candidate.gradient(x), trial.right.gradient(x)
    points = [x + size * rng.standard_normal(x.shape) for size in np.geomspace(1e-6, 1, 50)]
    points += [x + size * (wrong - right) for size in np.geomspace(1e-6, 1, 50)]
    gaps = [(value(z) - value(x) - np.sum(wrong * (z - x))) / np.linalg.norm(z - x) for z in points]
    assert min(gaps) < -1e-3
    assert min(value(z) - value(x) - np.sum(right * (z - x)) for z in points) >= -1e-9


@by_name(UNSIZED)
def test_behaviour_is_wrong(mutant):
    trial = mutant.trial(0)
    function, right = getattr(trial.candidate, mutant.function), getattr(trial.right, mutant.function)
    draw = np.random.default_rng(0).standard_normal
    taken = {"hvp": trial.x, "adjoint": trial.y_like}.get(mutant.function, trial.x)
    first, second = (draw(taken.shape).astype(taken.dtype) if mutant.function in ("hvp", "adjoint") else k * taken
                     for k in (1, 2))  # fmt: skip

    def call(f, v):
        return f(trial.x, v) if mutant.function == "hvp" else f(v)

    before = first.copy()
    result = call(function, first)
    match mutant.fault.properties:
        case ("purity",) if mutant.fault.name == "input changed":
            assert not np.array_equal(first, before)
            assert np.array_equal(result, call(right, before))
        case ("purity",):
            kept = result.copy()
            call(function, second)
            assert not np.array_equal(result, kept)
        case ("dtype",):
            assert result.dtype != trial.x.dtype
        case ("shape",):
            assert result.shape != trial.x.shape
        case ("finiteness",):
            assert np.array_equal(np.isnan(result), mutant.place.mask(result.shape))
        case _:
            raise AssertionError(f"nothing is known of {mutant.fault}")


@by_name([mutant for mutant in MUTANTS if mutant.fault.properties == ("determinism",)])
def test_noise_is_other_at_each_call(mutant):
    trial = mutant.trial(0)
    function = getattr(trial.candidate, mutant.function)
    arguments = (trial.x, trial.x) if mutant.function == "hvp" else (trial.x,)
    assert not np.array_equal(function(*arguments), function(*arguments))


@by_name([m for m in MUTANTS if "hvp-symmetry" in m.fault.properties or "hvp-linearity" in m.fault.properties])
def test_products_are_of_no_hessian(mutant):
    if mutant.function == "hvp":
        trial = mutant.trial(0)
        hvp, draw = trial.candidate.hvp, np.random.default_rng(0).standard_normal
        v, w = draw(trial.x.shape), draw(trial.x.shape)
        asymmetry = abs(np.sum(hvp(trial.x, v) * w) - np.sum(v * hvp(trial.x, w)))
        additivity = norm(hvp(trial.x, v + w) - hvp(trial.x, v) - hvp(trial.x, w))
        assert max(asymmetry, additivity) > 1e-9 * norm(hvp(trial.x, v)) * norm(w)


def test_seeds_are_different_problems():
    for mutant in MUTANTS[::7]:
        first, second = mutant.trial(0), mutant.trial(1)
        assert np.array_equal(first.x, mutant.trial(0).x)
        assert not np.array_equal(first.x, second.x) or not first.x.any()


def test_a_size_that_cannot_be_is_refused():
    mutant = MUTANTS[0]
    with pytest.raises(RuntimeError, match="none of 100 problems has an error of about 1000"):
        Mutant(mutant.name, mutant.make, mutant.fault, mutant.function, 1000.0).trial(0)
