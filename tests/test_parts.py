"""Evaluation in blocks and on several threads: the same as as a whole, whatever the blocks and the threads."""

import itertools
import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import refdeconv as rd
from refdeconv import _blocks
from refdeconv._scratch import scratch
from refdeconv.calculus import Parts
from tests.test_contracts import relative_error
from tests.thinned import thinned

SHAPES = [(61, 7), (9, 5, 6), (400,)]


@pytest.fixture
def small_blocks(monkeypatch):
    """Blocks of few rows, and two threads, also for images of this size."""
    monkeypatch.setattr(_blocks, "BLOCK", 20)
    monkeypatch.setattr(_blocks, "_WHOLE", 1)
    monkeypatch.setattr(_blocks, "_THREADED", 1)
    monkeypatch.setattr(_blocks, "_LIGHT", 1)
    monkeypatch.setattr(_blocks, "_LONG", 1)
    monkeypatch.setattr(_blocks, "CORES", 2)


def objectives(shape, rng):
    """Sums over pixels after a local operator, after one that is not, and norms of both."""
    counts, weight = rng.poisson(4.0, shape), rng.uniform(0.2, 2, shape)
    psf = rng.uniform(0.1, 1, (3,) * len(shape))
    blur, differences = rd.Convolution(psf / psf.sum(), shape), rd.Gradient(shape, spacing=0.7)
    return {
        "total variation": rd.SmoothedGroupNorm(0.3, weight=weight) @ differences,
        "anisotropic": rd.SmoothedGroupNorm(0.3, axis=()) @ differences,
        "Huber": rd.GroupHuber(0.3) @ differences,
        "along the last axis": rd.SmoothedGroupNorm(0.3) @ rd.Gradient(shape, axes=-1),
        "Tikhonov": rd.LeastSquares(weight=weight) @ rd.Identity(shape) + rd.LeastSquares() @ differences,
        "norm of differences": 0.3 * rd.L2Norm() @ differences,
        "norm of differences with edges joined": 0.3 * rd.L2Norm() @ rd.Gradient(shape, boundary="wrap"),
        "norm": rd.L2Norm(rng.standard_normal(shape)) @ blur,
        "Poisson": rd.Poisson(counts, 0.5, weight) @ blur,
        "Poisson with a threshold": rd.Poisson(counts, 0.5, threshold=0.9) @ blur,
        "robust": rd.PseudoHuber(rng.standard_normal(shape), 0.4, weight) @ blur + rd.LogCosh() @ differences,
        "with edges joined": rd.SmoothedGroupNorm(0.3) @ rd.Gradient(shape, boundary="wrap"),
        "with a map": rd.SmoothedGroupNorm(0.3) @ differences @ rd.Softplus(shape),
    }


@pytest.mark.parametrize("name", objectives((3, 3), np.random.default_rng(0)))
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.longdouble])
def test_in_blocks_it_is_the_same(small_blocks, monkeypatch, name, shape, dtype):
    x, v = np.random.default_rng(1).uniform(0.3, 3, (2, *shape)).astype(dtype)

    def results():
        f = objectives(shape, np.random.default_rng(0))[name]
        value, gradient = f.value_and_gradient(x)
        here = f.at(x)
        assert np.isclose(here.value(), value, rtol=50 * np.finfo(dtype).eps)
        assert relative_error(here.gradient(), gradient) <= 50 * np.finfo(dtype).eps
        z = x + 1j * v
        return value, gradient, f.hvp(x, v), f.value(z), f.gradient(z), f.hvp(z, v), f.hvp(z, v - 0.3j * x[::-1])

    in_blocks = results()
    monkeypatch.setattr(_blocks, "_WHOLE", 10**9)
    for number, (found, expected) in enumerate(zip(in_blocks, results(), strict=True)):
        if number < 5:
            assert found.dtype == expected.dtype
        else:  # a Hessian that is real everywhere may give real products also at a complex point
            assert np.result_type(found, np.complex64) == np.result_type(expected, np.complex64)
        assert relative_error(np.asarray(found), np.asarray(expected)) <= 50 * np.finfo(dtype).eps


@pytest.mark.parametrize(
    ("name", "shape", "dtypes", "scale"),
    thinned(
        [
            pytest.param(*each, id="-".join(map(str, each)))
            for each in itertools.product(
                objectives((3, 3), np.random.default_rng(0)),
                SHAPES,
                itertools.product(["float64", "float32"], repeat=2),
                [1, 0.7, np.longdouble(0.7), -1e-30, 0.0],
            )
        ],
        7,
    ),
)
def test_added_onto_an_array(small_blocks, name, shape, dtypes, scale):
    rng = np.random.default_rng(1)
    x, v = rng.uniform(0.3, 3, (2, *shape)).astype(dtypes[0])
    total = rng.standard_normal(shape).astype(dtypes[1])
    for f in (
        objectives(shape, np.random.default_rng(0))[name],
        -2.5 * objectives(shape, np.random.default_rng(0))[name],
    ):
        value, gradient = f.value_and_gradient(x)
        product = f.hessian(x).forward(v)
        again, sum_with_gradient = f._value_and_gradient_onto(x, total.copy(), scale)
        assert again == value
        sum_with_product = f.hessian(x)._forward_onto(v, total.copy(), scale)
        for found, part in ((sum_with_gradient, gradient), (sum_with_product, product)):
            assert found.dtype == np.result_type(*dtypes)
            expected = total + np.float64(scale) * part
            assert relative_error(found, expected) <= 50 * np.finfo(min(dtypes, key=lambda d: np.dtype(d).itemsize)).eps


class LeftHalf(rd.LinearOperator):
    """As a user writes it, of whom nobody asks to convert: of what it is given, a view, or a list."""

    def __init__(self, shape, give):
        self.input_shape, self.output_shape = shape, (shape[0], shape[1] // 2)
        self.give = give

    def forward(self, x):
        return self.give(np.asarray(x)[:, : self.output_shape[1]])

    def adjoint(self, y):
        return np.concatenate([y, np.zeros_like(y)], axis=1)


@pytest.mark.parametrize("functional", [rd.PseudoHuber(delta=0.4), rd.SmoothedGroupNorm(0.3), rd.L2Norm()])
@pytest.mark.parametrize("dtype", [np.int64, np.uint8, bool, np.float16, ">f8", "<f4"])
@pytest.mark.parametrize("give", [np.asarray, np.ndarray.tolist])
def test_operators_that_convert_nothing(small_blocks, functional, dtype, give):
    x = np.random.default_rng(6).integers(0, 9, (40, 12)).astype(dtype)
    f = functional @ LeftHalf(x.shape, give)
    value, gradient = f.value_and_gradient(x)
    assert gradient.dtype == f.gradient(x).dtype
    assert gradient.dtype.isnative
    precision = 30 * float(np.finfo(gradient.dtype).eps)
    assert value == pytest.approx(float(f.value(x)), rel=precision)
    assert relative_error(gradient, f.gradient(x.astype(float))) <= precision


def test_threads_change_no_digit(small_blocks, monkeypatch):
    shape = (61, 7)
    x, v = np.random.default_rng(1).uniform(0.3, 3, (2, *shape))
    for name, f in objectives(shape, np.random.default_rng(0)).items():
        results = []
        for cores in (1, 2, 3):
            monkeypatch.setattr(_blocks, "CORES", cores)
            results.append((*f.value_and_gradient(x), f.hvp(x, v)))
        for other in results[1:]:
            assert all(np.array_equal(a, b) for a, b in zip(results[0], other, strict=True)), name


@pytest.mark.parametrize(
    ("shape", "passes", "threads"),
    [((512, 512), 1, 1), ((512, 512), 2, 1), ((512, 512), 3, 2), ((1024, 1024), 1, 2), ((90, 91, 92), 1, 2)],
)
def test_a_short_pass_is_not_shared_out(monkeypatch, shape, passes, threads):
    monkeypatch.setattr(_blocks, "CORES", 2)
    monkeypatch.setattr(_blocks, "_POOL", _blocks._Pool())
    used = set()

    def work(x, place):
        used.add(threading.get_ident())
        time.sleep(0.01)  # longer than the other thread takes to begin
        place[...] = x

    x, place = np.random.default_rng(0).random(shape), np.zeros(shape)
    _blocks.pixelwise(work, x, place, passes=passes)
    assert np.array_equal(place, x)
    assert len(used) == threads


def test_several_threads_may_evaluate_one_objective(small_blocks):
    shape = (61, 7)
    points = np.random.default_rng(1).uniform(0.3, 3, (24, *shape))
    for f in objectives(shape, np.random.default_rng(0)).values():
        expected = [(*f.value_and_gradient(x), f.hvp(x, x)) for x in points]
        with ThreadPoolExecutor(4) as pool:
            found = list(pool.map(lambda x, f=f: (*f.value_and_gradient(x), f.hvp(x, x)), points))
        for one, other in zip(found, expected, strict=True):
            assert all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


def test_what_fails_in_a_block_is_raised_when_all_have_ended(small_blocks):
    done = []

    def work(rows):
        done.append(rows.start)
        if rows.start in (2, 7):
            raise ValueError(f"row {rows.start}")

    with pytest.raises(ValueError, match="row 2"):
        _blocks.each(work, [slice(row, row + 1) for row in range(8)], 8)
    others = {4, 5, 6, 7} & set(done)  # of the other thread: all, or none if it had not begun
    assert len(others) in (0, 4)


def test_outside_the_domain(small_blocks):
    f = rd.Poisson(np.ones((40, 6))) @ rd.Convolution([[0.0, 1.0, 0.0]], (40, 6))
    x = np.ones((40, 6))
    x[30, 2] = -1
    assert f.value(x) == np.inf
    with pytest.raises(ValueError, match="domain"):
        f.gradient(x)
    with pytest.raises(ValueError, match="domain"):
        f.value_and_gradient(x)


@pytest.mark.parametrize("size", [0.0, 1e-200, 1e200])
def test_norms_out_of_range_are_computed_as_a_whole(small_blocks, size):
    D = rd.Gradient((61, 7))
    x = size * np.random.default_rng(0).standard_normal((61, 7))
    value, gradient = (rd.L2Norm() @ D).value_and_gradient(x)
    assert np.isclose(value, rd.L2Norm().value(D.forward(x)), rtol=1e-14)
    assert np.allclose(gradient, D.adjoint(rd.L2Norm().gradient(D.forward(x))), rtol=0, atol=1e-14)


def test_blocks_cover_an_image_once():
    for shape in ((1,), (1000003,), (3, 400000), (2048, 2048), (64, 64, 64), (1, 1, 10**6)):
        rows = _blocks.blocks(shape)
        assert [block.start for block in rows] == [0] + [block.stop for block in rows[:-1]]
        assert rows[-1].stop == shape[0]


def test_two_threads_have_as_much_to_do():
    for rows in (400, 512, 600, 1000, 4096):
        sizes = [block.stop - block.start for block in _blocks.blocks((rows, rows))]
        assert len(sizes) % 2 == 0
        assert max(sizes) * rows <= _blocks.BLOCK + rows
        assert sum(sizes[: len(sizes) // 2]) <= 0.52 * rows


def test_a_block_is_not_cut_again():
    for shape in ((512, 512), (4096, 4096), (64, 64, 64), (1030, 600)):
        for block in _blocks.blocks(shape):
            assert len(_blocks.blocks((block.stop - block.start + 1, *shape[1:]))) == 1


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.longdouble])
def test_inner_products_of_several_threads(small_blocks, dtype):
    a, b = np.random.default_rng(0).uniform(0.5, 2, (2, 9, 2500)).astype(dtype)  # two whole blocks in a row, and a rest
    exact = np.sum(a.astype(np.longdouble) * b)
    assert _blocks.inner(a, b).dtype == dtype
    assert abs(_blocks.inner(a, b) - exact) <= 4 * np.finfo(dtype).eps * exact


def test_an_image_of_the_usual_size_is_cut():
    f = rd.L2Norm() @ rd.Gradient((512, 512))
    g = rd.SmoothedGroupNorm() @ rd.Gradient((512, 512))
    assert isinstance(g._parts, Parts)
    assert f._parts is not None
    assert (rd.SmoothedGroupNorm() @ rd.Gradient((40, 50)))._parts is None


@pytest.mark.parametrize("wish", ["0", "two", "-1"])
def test_number_of_threads_is_checked(wish):
    code = "import refdeconv"
    run = subprocess.run(
        [sys.executable, "-c", code], env={"REFDECONV_THREADS": wish, "PATH": ""}, capture_output=True, text=True
    )
    assert "REFDECONV_THREADS must be a number >= 1" in run.stderr


AT_THE_END = """
import atexit, threading
import numpy as np
import refdeconv as rd

x = np.random.default_rng(0).random((600, 500))
objective = rd.problems.article(x, rd.psf.gaussian((5, 5), 1.0)).objective

def report():
    print(objective.value(x + 1), objective.gradient(x + 1).sum())

def later():
    threading.main_thread().join()
    report()

report()
atexit.register(report)
threading.Thread(target=later).start()
"""


def test_images_are_evaluated_when_the_program_ends():
    """In a thread that outlives the main one, and at exit, when Python lets nobody start threads."""
    environment = dict(os.environ, REFDECONV_THREADS="2")
    command = [sys.executable, "-c", AT_THE_END]
    run = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=100)
    assert not run.stderr
    before, *afterwards = run.stdout.splitlines()
    assert afterwards == [before, before]


def test_without_other_threads(small_blocks, monkeypatch):
    """All work is done by the thread that asks for it, where the system has no more, or the program ends."""

    def refuse(*_):
        raise RuntimeError("can't start new thread")

    def fail(rows):
        raise ArithmeticError(rows.start)

    rows = _blocks.blocks((40, 50))
    for function in (_blocks._thread.start_new_thread, _blocks.sys.is_finalizing):
        with monkeypatch.context() as patch:
            patch.setattr(_blocks, "_POOL", _blocks._Pool())
            if function is _blocks.sys.is_finalizing:
                patch.setattr(_blocks.sys, "is_finalizing", lambda: True)
            else:
                patch.setattr(_blocks._thread, "start_new_thread", refuse)
            found = _blocks.each(lambda block: (block.start, threading.get_ident()), rows, 2000)
            assert found == [(block.start, threading.get_ident()) for block in rows]
            with pytest.raises(ArithmeticError):
                _blocks.each(fail, rows, 2000)


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no timer here that interrupts")
@pytest.mark.parametrize("slow", ["first", "last"])
def test_an_interrupt_leaves_nobody_at_work(small_blocks, slow):
    """Wherever it comes, all other threads have ended before it is seen: what they write to may be used again."""
    rows = _blocks.blocks((40, 50))
    late = rows[0] if slow == "first" else rows[-1]
    working, ended = [], []

    def work(block):
        working.append(block)
        time.sleep(0.2 if block == late else 0.1 if block in (rows[0], rows[-1]) else 0)
        ended.append(block)

    def interrupt(*_):
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.05 if slow == "first" else 0.15)
        with pytest.raises(KeyboardInterrupt):
            _blocks.each(work, rows, 2000)
    finally:
        signal.signal(signal.SIGALRM, before)
    others = [block for block in working if block.start >= rows[len(rows) // 2].start]
    assert others
    assert all(block in ended for block in others)
    assert _blocks.each(lambda block: block.start, rows, 2000) == [block.start for block in rows]


def test_scratch_memory_is_not_used_again_after_an_exception():
    shape = (123, 457)
    with scratch(shape, float) as first:
        pass
    with scratch(shape, float) as again:
        assert np.shares_memory(first, again)
    with pytest.raises(KeyboardInterrupt), scratch(shape, float) as left:
        raise KeyboardInterrupt
    assert np.shares_memory(first, left)
    with scratch(shape, float) as new:
        assert not np.shares_memory(left, new)


INTERRUPTED = """
import faulthandler, random, signal, sys, time
import numpy as np
import refdeconv as rd

faulthandler.dump_traceback_later(60, exit=True)
rng = np.random.default_rng(0)
shape, small = (400, 400), (380, 380)
counts, narrow = rng.poisson(5, shape), np.exp(-np.linspace(-1, 1, 5) ** 2)
f = rd.Poisson(counts, 1.0) @ rd.Convolution(np.outer(narrow, narrow), shape)
f += 0.1 * rd.regularizers.total_variation(shape) + rd.L2Norm(counts) @ rd.Convolution(rng.uniform(0, 1, (5, 5)), shape)
g = rd.LeastSquares(counts[:380, :380]) @ rd.Convolution(rng.uniform(0, 1, (5, 5)), small)
x, other = rng.uniform(1, 9, (2, *shape))
y = x[:380, :380].copy()
expected = f.value_and_gradient(x), g.value_and_gradient(y)
began = time.perf_counter()
f.value_and_gradient(x)
usual = time.perf_counter() - began

def interrupt(*_):
    raise KeyboardInterrupt

signal.signal(signal.SIGALRM, interrupt)
interrupts = 0
while interrupts < 400:
    try:
        signal.setitimer(signal.ITIMER_REAL, max(random.random() * usual, 1e-5))
        f.value_and_gradient(other)
        signal.setitimer(signal.ITIMER_REAL, 0)
    except KeyboardInterrupt:
        interrupts += 1
    for now, before in zip((f.value_and_gradient(x), g.value_and_gradient(y)), expected):
        if now[0] != before[0] or not np.array_equal(now[1], before[1]):
            sys.exit(f"wrong after {interrupts} interrupts")
print("right")
"""


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no timer here that interrupts")
@pytest.mark.parametrize("threads", ["2", "4"])
def test_evaluations_after_many_interrupts_are_right(threads):
    environment = dict(os.environ, REFDECONV_THREADS=threads)
    command = [sys.executable, "-c", INTERRUPTED]
    run = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=100)
    assert (run.stdout, run.stderr) == ("right\n", "")
