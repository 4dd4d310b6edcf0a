"""The logarithm of 1 + x: against mpmath, in all precisions."""

import mpmath as mp
import numpy as np
import pytest

from refdeconv._logarithm import log1p

EPSILONS = 3  # numpy promises float32's logarithm itself to four units in the last place, and keeps to two


def sizes(dtype):
    """Numbers of all sizes, of both signs where there are any, subnormal ones too."""
    limits, rng = np.finfo(dtype), np.random.default_rng(3)
    powers = np.linspace(np.log2(limits.smallest_subnormal), np.log2(limits.max) - 1, 300)
    powers = np.concatenate([powers, rng.uniform(-12, 6, 3000)])  # where neither the number nor the 1 is nothing
    numbers = (np.exp2(powers) * (1 + 0.3 * rng.random(powers.size))).astype(dtype)
    below = numbers[numbers < 1]
    near = np.array([-1 + limits.epsneg, -1 + 3 * limits.epsneg, -0.75, -0.5, 0.5, 1, 2], dtype)
    return np.concatenate([[dtype(0)], numbers, -below, near]).astype(dtype)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.longdouble])
def test_against_mpmath(dtype):
    x = sizes(dtype)
    result = log1p(x)
    assert result.dtype == dtype
    with mp.workdps(60):
        for each, computed in zip(x, result, strict=True):
            exact = mp.log1p(mp.mpf(np.format_float_scientific(each, unique=False, precision=40)))
            off = abs(mp.mpf(np.format_float_scientific(computed, unique=False, precision=40)) - exact)
            smallest = mp.mpf(np.format_float_scientific(np.finfo(dtype).smallest_subnormal, precision=40))
            assert off <= max(EPSILONS * mp.mpf(float(np.finfo(dtype).eps)) * abs(exact), smallest), each


def test_complex_keeps_the_small_part():
    x = np.array([1e-9 + 1e-20j, -0.3 + 1e-20j, 2.5 + 1e-20j, 1e-30 + 1e-30j])
    result = log1p(x)
    with mp.workdps(60):
        exact = [mp.log(1 + mp.mpc(each)) for each in x]
    assert np.allclose(result.real, [float(each.real) for each in exact], rtol=1e-15, atol=0)
    assert np.allclose(result.imag, [float(each.imag) for each in exact], rtol=1e-15, atol=0)


def test_the_argument_is_kept_and_no_axis_is_needed():
    x = np.array([0.25, 3.0])
    log1p(x)
    assert x.tolist() == [0.25, 3.0]
    assert log1p(np.float32(0.5)).dtype == np.float32
    assert float(log1p(np.float64(0.5))) == pytest.approx(np.log(1.5), rel=1e-15)
