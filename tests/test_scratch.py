"""Memory: it is not given back to the system between one evaluation and the next."""

import os
import platform
import subprocess
import sys

import pytest

PAGES = """
import resource
import numpy as np
import refdeconv as rd

def pages():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt

rng = np.random.default_rng(0)
x, v, data = rng.random((3, 171, 171))
blur = rd.Convolution(rng.random((5, 5)) + 0.1, x.shape)
objective = rd.L2Norm(data) @ blur + 0.2 * rd.L2Norm() @ rd.Gradient(x.shape)
hessian = objective.hessian(x)
for _ in range(30):
    objective.value_and_gradient(x), hessian.forward(v)
before = pages()
for _ in range(100):
    objective.value_and_gradient(x), hessian.forward(v)
print(pages() - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="of other allocators nothing is known")
def test_evaluations_take_no_new_pages_from_the_system():
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("MALLOC_", "GLIBC_"))}
    printed = subprocess.run([sys.executable, "-c", PAGES], env=environment, check=True, capture_output=True, text=True)
    assert int(printed.stdout) < 1000  # of an image of 57 pages, and some of them, a hundred times
