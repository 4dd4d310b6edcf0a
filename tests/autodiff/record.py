"""Record what each autodiff framework computes, so that refdeconv can be compared with all of them everywhere.

``python -m tests.autodiff.record [--folder DIR]`` recomputes every recorded problem in each framework that is here.
Where a framework's result is not the recorded one, up to rounding (1e-13 relative in float64, 1e-5 in float32), it says
what differs, writes nothing, and exits with status 1: then find out which of the two is wrong. Where all agree, results
of another version replace the older ones, problems that are new in `PROBLEMS` are added, and files with nothing new
stay as they are.
"""

import argparse
import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from . import comparing, records
from .installed import EXTRAS
from .models import FRAMEWORKS, MODELS, Posed, Problem, posed
from .records import Record, RecordError

_SIZES = {
    2: [((5, 7), (3, 4)), ((8, 3), (4, 2)), ((4, 6), (5, 8)), ((7, 4), (3, 3))],
    3: [((3, 4, 2), (2, 3, 1)), ((2, 3, 4), (3, 2, 3)), ((4, 2, 3), (1, 4, 2)), ((3, 2, 5), (3, 3, 3))],
}
_MU_AND_EPSILON = [(0.25, 0.25), (1.5, 0.5), (0.0625, 1.0), (4.0, 0.125)]

# By name. A name stands for the same inputs for ever: to change a problem, add one.
PROBLEMS = {
    f"{model}/{index}": Problem(model, *sizes, mu, epsilon, seed=10 * number + index)
    for number, model in enumerate(MODELS)
    for index, (sizes, (mu, epsilon)) in enumerate(zip(_SIZES[MODELS[model].ndim], _MU_AND_EPSILON, strict=True))
}


def computed(framework: str, problems: Mapping[str, Posed]) -> Record:
    """What a framework computes now."""
    answers, version = {}, ""
    for name, numbers in problems.items():
        for dtype in comparing.TOLERANCES:
            answers[name, dtype], version = comparing.answers(framework, numbers, np.dtype(dtype).type)
    return Record(version, answers)


def disagreements(framework: str, new: Record, old: Record | None) -> Iterator[str]:
    """What is not a number, or not the recorded one."""
    for (name, dtype), answer in new.answers.items():
        for quantity in comparing.QUANTITIES:
            what = f"{framework} {new.version}: {quantity} of {name} in {dtype}"
            if not np.isfinite(answer[quantity]).all():
                yield f"{what} is not finite"
            elif old is not None and (name, dtype) in old.answers:
                recorded = old.answers[name, dtype][quantity]
                try:
                    error = comparing.relative_error(answer[quantity], recorded)
                except AssertionError as other_kind:
                    yield f"{what} is {other_kind}"
                    continue
                if not error <= comparing.TOLERANCES[dtype]:
                    allowed = f"at most {comparing.TOLERANCES[dtype]:g} is rounding"
                    yield f"{what} is {error:.1e} from the recorded one, of {framework} {old.version}; {allowed}"


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.autodiff.record", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--folder", type=Path, default=records.FOLDER, help="where the records are")
    folder = parser.parse_args(arguments).folder
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    try:
        return _record(folder)
    except RecordError as error:
        print(error, file=sys.stderr)
        return 1


def _record(folder: Path) -> int:
    problems = records.read_problems(folder)
    for name in PROBLEMS.keys() & problems.keys():
        if problems[name].problem != PROBLEMS[name]:
            raise RecordError(
                f"problem {name} is {PROBLEMS[name]}, but {problems[name].problem} is recorded under that name: "
                "give the new one a new name"
            )
    problems |= {name: posed(problem) for name, problem in PROBLEMS.items() if name not in problems}
    texts, differences = {records.PROBLEMS: records.problems_text(problems)}, []
    for framework in FRAMEWORKS:
        if not comparing.is_installed(framework):
            print(f'left out, not installed: {framework}: pip install -e ".[{EXTRAS[framework]}]"', file=sys.stderr)
            continue
        print(f"{framework} ...", flush=True, file=sys.stderr)
        old, new = records.read(folder, framework, problems), computed(framework, problems)
        differences += disagreements(framework, new, old)
        if old is None or old.version != new.version or set(old.answers) != set(new.answers):
            texts[f"{framework}.json"] = "" if differences else records.answers_text(framework, new, problems)
    if differences:
        print(*differences, "nothing was written", sep="\n", file=sys.stderr)
        return 1
    folder.mkdir(exist_ok=True)
    for name, text in texts.items():
        _write(folder / name, text)
    return 0


def _write(path: Path, text: str) -> None:
    if path.exists() and path.read_text(encoding="utf-8") == text:
        return
    path.write_text(text, encoding="utf-8")
    print(f"wrote {path}")


if __name__ == "__main__":
    sys.exit(main())
