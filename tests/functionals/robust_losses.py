"""The loss of one pixel in 60 digits beside what a functional of the package says, at any scale."""

import mpmath
import numpy as np

RESIDUALS = {
    np.float32: [0, 1e-45, 1e-38, 1e-30, 1e-20, 1e-9, 1e-4, 0.3, 1, 1.7, 9, 50, 1e3, 1e5, 1e10, 1e20, 1e30, 3.4e38],
    np.float64: [
        0,
        5e-324,
        1e-308,
        1e-200,
        1e-100,
        1e-20,
        1e-9,
        1e-4,
        0.3,
        1,
        1.7,
        9,
        50,
        1e3,
        1e8,
        1e100,
        1e200,
        1.7e308,
    ],
}
SCALES = {np.float32: [1e-37, 1e-20, 1e-3, 1.0, 100.0, 1e20, 1e37], np.float64: [1e-200, 1e-3, 1.0, 100.0, 1e200]}
DTYPES = list(RESIDUALS)


def check(make, exact, dtype, units=6):
    """Value, slope and second derivative within some units of rounding of exact(r, scale), wherever they are in range.

    What is out of range overflows to infinity, with numpy's warning; below the normal numbers, digits are lost.
    """
    limits = np.finfo(dtype)
    for scale in map(dtype, SCALES[dtype]):
        f = make(float(scale))
        for r in (sign * dtype(r) for r in RESIDUALS[dtype] for sign in (1, -1)):
            with mpmath.workdps(60):
                expected = exact(mpmath.mpf(float(r)), mpmath.mpf(float(scale)))
            u = np.array([r])
            calls = f.value, lambda u, f=f: f.gradient(u)[0], lambda u, f=f: f.hvp(u, np.ones_like(u))[0]
            for call, right in zip(calls, expected, strict=True):
                if abs(right) > float(limits.max):
                    with np.errstate(over="ignore"):
                        assert np.isinf(call(u))
                    continue
                found = call(u)
                assert found.dtype == dtype
                error = abs(mpmath.mpf(float(found)) - right)
                allowed = units * float(limits.eps) * abs(right) + 4 * float(limits.smallest_subnormal)
                if abs(right) < 10 * float(limits.tiny):
                    allowed = max(allowed, abs(right) / 100)  # subnormal numbers have few digits
                assert error <= allowed, (call, scale, r, found, right)
