"""refdeconv, as its README says to use it."""

import refdeconv as rd
from refdeconv import _fft
from tests.benchmarks.tasks import BACKGROUND, EPSILON, MU, Task

from . import Made


def version() -> str:
    return f"refdeconv {rd.__version__} ({_fft.BACKEND})"


def objective(task: Task) -> rd.Functional:
    data = task.arrays()[0]
    blur, differences = rd.Convolution(task.psf(), task.shape), rd.Gradient(task.shape)
    if task.objective == "article":
        return 0.5**0.5 * rd.L2Norm(data) @ blur + MU * 0.5**0.5 * rd.L2Norm() @ differences
    return rd.Poisson(data, background=BACKGROUND) @ blur + MU * rd.SmoothedGroupNorm(EPSILON) @ differences


def make(task: Task) -> Made:
    f = objective(task)
    _, x, v = task.arrays()
    hessian = f.hessian(x)
    return Made(
        lambda: f.value_and_gradient(x),
        lambda: hessian.forward(v),
        f.value_and_gradient,
        lambda point: f.hessian(point).forward,
    )
