"""The checker on deliberately wrong and on hard-to-accept code: what the issue of trust asks of it."""

import pytest

from refdeconv.checks.checking import FINDING, LOOKING, check
from refdeconv.conformance import MUST_ACCEPT, MUTANTS
from refdeconv.conformance.trials import run

NAMED, LOCATED = 0.90, 0.95  # of the kills


def assert_trustworthy(mutants, correct):
    for outcome in mutants:
        caught = outcome.verdict == "WRONG" or outcome.error < outcome.power
        assert caught, f"{outcome.case}, seed {outcome.seed}: error {outcome.error}, power {outcome.power}"
    for outcome in correct:
        assert outcome.verdict in ("PASS", "INCONCLUSIVE"), f"{outcome.case}, seed {outcome.seed}: {outcome.said}"
    kills = [outcome for outcome in mutants if outcome.verdict == "WRONG"]
    placed = [outcome for outcome in kills if outcome.located is not None]
    assert len(kills) >= 0.95 * len(mutants)
    assert sum(outcome.named for outcome in kills) >= NAMED * len(kills)
    assert sum(outcome.located for outcome in placed) >= LOCATED * len(placed)


@pytest.mark.slow  # half a minute
def test_one_problem_of_every_case():
    assert_trustworthy(run(MUTANTS, len(MUTANTS)), run(MUST_ACCEPT, len(MUST_ACCEPT)))


@pytest.mark.slow
def test_a_thousand_problems_of_each_kind():
    assert_trustworthy(run(MUTANTS, 1000, seed=100), run(MUST_ACCEPT, 1000, seed=100))


@pytest.mark.parametrize("case", [*MUTANTS[::7], *MUST_ACCEPT[::7]], ids=lambda case: case.name)
def test_it_stays_within_its_evaluations(case):
    trial = case.trial(2)
    report = check(trial.candidate, trial.x, y_like=trial.y_like, seed=2)
    assert report.evaluations <= LOOKING + FINDING
    if report:
        assert report.evaluations <= LOOKING
