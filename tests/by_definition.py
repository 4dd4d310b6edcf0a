"""Derivatives by the definitions of the golden vectors in mpmath, for any instance: nothing of the package is used.

A definition gets the parameters of an instance and the numbers of u. Its derivatives are differences with steps of
1e-40 in arithmetic of 130 digits, right to more than 70: quicker than those of the golden vectors, and without bounds.
"""

import inspect

import mpmath
import numpy as np

from refdeconv.conformance.golden.definitions import DEFINITIONS, arrays

DIGITS = 130
STEP = mpmath.mpf(10) ** -40


def parameters_of(f):
    """The arguments of the constructor, as the instance has them, in exact numbers."""
    given = ((name, getattr(f, name, None)) for name in inspect.signature(type(f)).parameters)
    return {name: exactly(value) for name, value in given if value is not None}


def exactly(value):
    """The same in mpmath's numbers; whole numbers, names, masks and axes are kept."""
    if isinstance(value, np.ndarray | float | np.floating):
        numbers = arrays.exact(value)
        return numbers if numbers.ndim else numbers[()]
    return value


def derivatives(f, u, v):
    """Value, gradient, and Hessian times v of a functional at u, by its definition."""
    return derivatives_of(type(f).__name__, parameters_of(f), u, v)


def derivatives_of(model, parameters, u, v):
    """The same of a model by its public name below refdeconv, from its keyword arguments."""
    given = {name: exactly(value) for name, value in parameters.items()}
    return differentiate(lambda u: DEFINITIONS[model](given, u), u, v)


def differentiate(define, u, v):
    """Value, gradient, and Hessian times v of a function of mpmath arrays, as float arrays rounded from mpmath.

    All from the same four values at each pixel, a step to either side along it and along v.
    """
    with mpmath.workdps(DIGITS):
        u, v = arrays.exact(u), arrays.exact(v)
        gradient, product = np.empty(u.shape), np.empty(u.shape)
        ahead, behind = u + STEP * v, u - STEP * v
        for index in np.ndindex(*u.shape):
            unit = arrays.zeros(u.shape)
            unit[index] = STEP
            here, there = define(ahead + unit), define(behind - unit)
            across = define(ahead - unit), define(behind + unit)
            gradient[index] = (here - across[0] + across[1] - there) / (4 * STEP)
            product[index] = (here + there - across[0] - across[1]) / (4 * STEP**2)
        return float(define(u)), gradient, product
