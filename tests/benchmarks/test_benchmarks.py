"""The benchmarks run, and say what is wrong; how fast anything is, is not tested here."""

import json

import pytest

from . import __main__ as command
from . import article_solves, comparing, evaluations, imports, tables
from .evaluations import FLOOR, Cell
from .implementations import with_refdeconv
from .processes import in_turn, working
from .solving import minimize, newton_cg
from .tasks import Task

TINY = Task("article", (9, 12), "float64", 3)
PHOTONS = Task("poisson-tv", (4, 5, 6), "float32", 3)

WRONG = """
from tests.benchmarks.implementations import Made, with_refdeconv

def version():
    return "wrong"

def make(task):
    right = with_refdeconv.make(task)
    # The norm is right; the gradient is not.
    return Made(lambda: (right.value_and_gradient()[0], -right.value_and_gradient()[1]), right.product)
"""
DYING = """
import os

def make(task):
    os._exit(3)
"""
RAISING = "raise ImportError('cannot be loaded')"


@pytest.fixture(scope="module")
def workers(tmp_path_factory):
    folder = tmp_path_factory.mktemp("modules")
    (folder / "other").mkdir()
    for name, text in {"wrong": WRONG, "dying": DYING, "raising": RAISING}.items():
        (folder / "other" / f"{name}.py").write_text(text)
    modules = {"refdeconv": "with_refdeconv", "Autograd": "with_autograd", FLOOR: "fft_pairs"}
    others = {name: f"other.{name}" for name in ("wrong", "dying", "raising")}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(folder))
        with working(modules | others) as started:
            yield started


@pytest.fixture(scope="module")
def cells(workers):
    said = []
    found = list(evaluations.measure(workers, [TINY, PHOTONS], 2, said.append))
    assert len(said) == 2
    return found


def test_right_implementations_are_timed(cells):
    timed = [(cell.task.objective, cell.quantity, cell.name) for cell in cells if cell.seconds]
    both = [(task.objective, quantity) for task in (TINY, PHOTONS) for quantity in evaluations.QUANTITIES]
    expected = {(*each, name) for each in both for name in ("refdeconv", "Autograd")}
    assert set(timed) == expected | {("article", quantity, FLOOR) for quantity in evaluations.QUANTITIES}
    assert all(len(cell.seconds) == 2 and min(cell.seconds) > 0 for cell in cells if not cell.error)


def test_a_wrong_implementation_is_reported_and_not_timed(cells):
    errors = {cell.error for cell in cells if cell.name == "wrong"}
    assert len(errors) == 2  # one for each task
    assert all("computes another gradient" in error for error in errors)


def test_a_worker_that_dies_and_one_that_cannot_start_are_reported(cells):
    errors = {cell.name: cell.error for cell in cells}
    assert errors["dying"] == "its process ended (exit code 3)"
    assert errors["raising"] == "ImportError: cannot be loaded"


def test_files_are_whole_and_hold_what_was_measured(cells, tmp_path):
    record = {"command": "it", "machine": command.machine(), "runs": 2, "seconds": 1, "absent": ["X is left out"]}
    files = command.write(tmp_path, record, cells)
    assert sorted(file.name for file in files) == ["benchmarks.json", "benchmarks.md", "benchmarks.png"]
    assert sorted(tmp_path.iterdir()) == sorted(files)
    written = json.loads((tmp_path / "benchmarks.json").read_text())
    assert [tuple(cell["seconds"]) for cell in written["evaluations"]] == [tuple(cell.seconds) for cell in cells]
    page = (tmp_path / "benchmarks.md").read_text()
    for words in (
        "Written by `it`",
        "9 x 12 float64",
        "4 x 5 x 6 float32",
        "X is left out",
        "exit code 3",
        "computes another gradient",
    ):
        assert words in page


def test_a_figure_of_what_was_timed(tmp_path):
    wide = Task("poisson-tv", (171, 171), "float64", 33, product=False)
    volume = Task("article", (8, 8, 8), "float64", 13, product=True)
    failed = Task("article", (171, 171), "float64", 5, product=True)
    drawn = [Cell(wide, "product", "refdeconv", "1", [1.0, 2.0]), Cell(volume, "product", "refdeconv", "1", [3.0])]
    command.drawing.draw([*drawn, Cell(failed, "product", "JAX", "1", [])], tmp_path / "a.png")
    assert (tmp_path / "a.png").stat().st_size > 0


def test_nothing_is_written_where_it_fails(cells, tmp_path, monkeypatch):
    def fail(*_):
        raise OSError("disk full")

    monkeypatch.setattr(command.drawing, "draw", fail)
    record = {"command": "it", "machine": {}, "runs": 2, "seconds": 1, "absent": []}
    with pytest.raises(OSError, match="disk full"):
        command.write(tmp_path, record, cells)
    assert list(tmp_path.iterdir()) == []


def test_memory_of_a_call_is_counted_in_its_process(workers):
    workers[0].ask("make", objective="article", shape=(600, 700), dtype="float64", width=3)
    (answer,) = in_turn(workers[:1], 1, "peak", warm=True, quantity="value_and_gradient")["refdeconv"]
    assert answer["peak"] >= 0  # what was given back by the call before may be used again without a trace
    assert answer["held"] > 600 * 700 * 8  # the inputs, at least


def cell(name, seconds, quantity="product", shape=(512, 512), dtype="float32"):
    return Cell(Task("article", shape, dtype, 13), quantity, name, "1", seconds)


def test_ratios_are_those_of_pairs():
    group = {
        each.name: each
        for each in (
            cell("refdeconv", [1.0, 10.0, 2.0]),
            cell("JAX", [2.0, 30.0, 2.0]),
            cell("Autograd", [9.0, 80.0, 20.0]),
            cell(FLOOR, [0.5, 4.0, 2.0]),
            cell("broken", []),
        )
    }
    ratios = comparing.compared(group)
    assert ratios["fastest_competitor"] == "JAX"
    assert ratios["fastest_competitor_over_refdeconv"] == 2.0
    assert ratios["autograd_over_refdeconv"] == 9.0
    assert ratios["refdeconv_over_fft_pairs"] == 2.0
    assert ratios["article_over_refdeconv"] is None
    assert comparing.compared({"JAX": group["JAX"]}) == {}


def test_growth_is_one_where_the_time_is_that_of_a_transform():
    from math import log, prod

    sizes = [(512, 512), (2048, 2048)]
    times = [prod(shape) * log(prod(shape)) * 1e-8 for shape in sizes]
    small, large = (cell("refdeconv", [its], shape=shape) for its, shape in zip(times, sizes, strict=True))
    assert [row["relative"] for row in comparing.growth([small, large])] == pytest.approx([1, 1])
    assert comparing.growth([large]) == []


def test_tables():
    assert tables.times([0.001, 0.003, 0.002]) == "2.000 (1.000..3.000)"
    assert tables.times([0.0123]) == "12.3 (12.3..12.3)"
    assert tables.times([]) == tables.factor(None) == "-"
    assert tables.factor(1.234) == "1.23"
    assert tables.factor(41.23) == "41.2"
    assert tables.table(["a", "b"], [["x", "1"]]) == "| a | b |\n| --- | ---: |\n| x | 1 |\n"
    assert "| 3 | - |" in tables.plain([{"a": 1, "b": 2.0}, {"a": 3}])


def test_solves_stop_at_the_target_and_say_where_they_do_not_reach_it():
    made = with_refdeconv.make(TINY)
    start = TINY.arrays()[1]
    for solve in (newton_cg, minimize):
        told = solve(TINY, made, start, 1e-2)
        assert told["norm"] <= 1e-2
        assert "error" not in told
        assert told["products"] > 0
    assert "above" in newton_cg(TINY, made, start, 0.0)["error"]


def test_rows_of_solves():
    told = {"seconds": 0.5, "iterations": 3, "norm": 1e-5, "version": "1"}
    row = article_solves._row("refdeconv", [told, {**told, "seconds": 0.7}], 1e-4)
    assert row["seconds"] == [0.5, 0.7]
    failed = article_solves._row("other", [told, {**told, "error": "ended"}], 1e-4)
    assert failed["seconds"] == []
    text = tables.article([row, failed])
    assert "| refdeconv | 600.0 (500.0..700.0) | 3 | - | - | 1.0e-05 | 1.00 |" in text
    assert "ended" in text


def test_what_is_absent_is_named_with_how_to_get_it(monkeypatch):
    monkeypatch.setattr(command, "_is_there", lambda package: package not in ("jax", "ducc0"))
    assert command.absent() == [
        'JAX is left out: jax is not installed (pip install -e ".[autodiff]")',
        'the faster FFT is left out: ducc0 is not installed (pip install -e ".[fast]")',
    ]


def test_arguments(capsys):
    with pytest.raises(SystemExit):
        command.main(["--runs", "0"])
    assert "--runs must be at least 1, got 0" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        command.main(["--tasks", "no such"])
    assert "--tasks must describe a task, as in 'float64, PSF 13', got 'no such'" in capsys.readouterr().err


@pytest.mark.parametrize("part", [["--quick"], ["--only", "imports"], ["--tasks", "64 x 64 x 64"]])
def test_a_part_is_not_written_over_the_record_of_all(part, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(command, "PARTS", ("imports",))
    monkeypatch.setattr(command.imports, "measure", lambda runs, say: {"of": runs})
    monkeypatch.setattr(command, "page", lambda record, cells: record["command"])
    command.main(part)
    page = tmp_path / "build" / "benchmarks" / "benchmarks.md"
    assert page.read_text() == f"python -m tests.benchmarks {' '.join(part)}".replace("64 x 64 x 64", "'64 x 64 x 64'")
    assert command._options([]).out == command.RECORDED


@pytest.mark.slow
def test_imports_are_timed():
    found = imports.measure(1, lambda words: None)
    assert found["ratio"] > 0
    assert found["modules"] > 100
