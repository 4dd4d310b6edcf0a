"""Settings that all tests share."""

import os

# Before numpy is loaded: on a busy machine, BLAS threads that wait for a core make the solves many times slower.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import hypothesis

# Examples are drawn anew in each run, and a failing one is printed in full; no deadline, since the machine may be busy.
hypothesis.settings.register_profile("default", deadline=None, max_examples=60, print_blob=True)
hypothesis.settings.register_profile("exhaustive", deadline=None, max_examples=600, print_blob=True)
# For mutation testing: the same examples for each mutant, and none made smaller once the mutant is found out.
hypothesis.settings.register_profile(
    "mutation",
    deadline=None,
    max_examples=30,
    derandomize=True,
    database=None,
    phases=[hypothesis.Phase.explicit, hypothesis.Phase.generate],
)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))


def pytest_addoption(parser):
    parser.addoption("--model", help="only the contract tests of a public model, such as L2Norm or problems.blind")


def pytest_collection_modifyitems(config, items):
    """Each test of a case of cases.py says in a JUnit report which public model it is about; `--model` picks some."""
    wanted = config.getoption("--model", None)  # not there for a run that begins below this folder
    if wanted is None and not any("make" in item.fixturenames for item in items if hasattr(item, "fixturenames")):
        return
    from tests import cases

    every = {**cases.LINEAR_OPERATORS, **cases.MAPS, **cases.FUNCTIONALS}
    names = {make: name for name, make in every.items()}
    models = {}
    kept = []
    for item in items:
        make = getattr(item, "callspec", None) and item.callspec.params.get("make")
        if callable(make) and make in names:
            models[make] = models.get(make) or cases.model_of(names[make], make)
            item.user_properties.append(("model", models[make]))
        if wanted is None or (callable(make) and models.get(make) == wanted):
            kept.append(item)
    if len(kept) < len(items):
        config.hook.pytest_deselected(items=[item for item in items if item not in set(kept)])
        items[:] = kept
