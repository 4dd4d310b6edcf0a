"""Interval arithmetic for the proofs: mpmath's, at 60 digits, in a context of its own."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

DIGITS = 60


def context(digits: int = DIGITS) -> Any:
    """An interval context of mpmath; ImportError says what to install."""
    try:
        from mpmath.ctx_iv import MPIntervalContext
    except ImportError as error:
        raise ImportError('certified optima are proven in interval arithmetic: pip install "mpmath>=1.3"') from error
    made = MPIntervalContext()
    made.dps = digits
    return made


def exact(iv: Any, number: Fraction | int) -> Any:
    """The narrowest interval around a fraction."""
    number = Fraction(number)
    if number.denominator == 1:
        return iv.mpf(number.numerator)
    return iv.mpf(number.numerator) / iv.mpf(number.denominator)


def norm(iv: Any, numbers: Any) -> Any:
    """An interval of the Euclidean norm, whose upper end is what bounds are made of."""
    total = iv.mpf(0)
    for number in numbers:
        size = abs(number)
        total += size * size
    return iv.sqrt(total)


def upper(interval: Any) -> Fraction:
    """The upper end, exactly."""
    return _fraction(interval._mpi_[1])


def lower(interval: Any) -> Fraction:
    """The lower end, exactly."""
    return _fraction(interval._mpi_[0])


def _fraction(raw: Any) -> Fraction:
    sign, mantissa, exponent, _ = raw
    if not mantissa and exponent:
        raise ArithmeticError("a bound is not finite")
    return (-1 if sign else 1) * Fraction(int(mantissa)) * Fraction(2) ** int(exponent)


def rounded_up(number: Fraction, digits: int = 3) -> str:
    """The least decimal of so many digits that is not below a number >= 0."""
    return _decimal(number, digits, up=True)


def rounded_down(number: Fraction, digits: int = 3) -> str:
    """The greatest decimal of so many digits that is not above a number >= 0."""
    return _decimal(number, digits, up=False)


def _decimal(number: Fraction, digits: int, *, up: bool) -> str:
    if number <= 0:
        return "0"
    exponent = len(str(number.numerator)) - len(str(number.denominator))
    while Fraction(10) ** exponent > number:
        exponent -= 1
    while Fraction(10) ** (exponent + 1) <= number:
        exponent += 1
    scaled = number / Fraction(10) ** (exponent - digits + 1)
    whole = -(-scaled.numerator // scaled.denominator) if up else scaled.numerator // scaled.denominator
    if whole == 10**digits:
        whole, exponent = whole // 10, exponent + 1
    text = str(whole)
    return f"{text[0]}.{text[1:]}e{exponent}"


def nearest(number: Fraction, digits: int) -> str:
    """A decimal with so many digits, within a unit of the last one."""
    return ("-" if number < 0 else "") + _decimal(abs(number), digits, up=False)
