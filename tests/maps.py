"""Small nonlinear maps with known derivatives, to test the calculus with."""

import numpy as np

from refdeconv._arrays import operand
from refdeconv.calculus import Operator
from refdeconv.hessians import SelfAdjoint


class Power(Operator):
    """z -> z**p, pixel by pixel."""

    def __init__(self, shape, exponent):
        self.input_shape = shape
        self.output_shape = shape
        self.exponent = exponent

    def forward(self, z):
        return operand(z, self.input_shape) ** self.exponent

    def jacobian(self, z):
        slope = self.exponent * operand(z, self.input_shape) ** (self.exponent - 1)
        return SelfAdjoint(self.input_shape, lambda v: slope * v)

    def curvature(self, z, w):
        p = self.exponent
        bend = p * (p - 1) * operand(z, self.input_shape) ** (p - 2) * operand(w, self.output_shape)
        return SelfAdjoint(self.input_shape, lambda v: bend * v)


class Sine(Operator):
    """z -> sin(z), pixel by pixel."""

    def __init__(self, shape):
        self.input_shape = shape
        self.output_shape = shape

    def forward(self, z):
        return np.sin(operand(z, self.input_shape))

    def jacobian(self, z):
        slope = np.cos(operand(z, self.input_shape))
        return SelfAdjoint(self.input_shape, lambda v: slope * v)

    def curvature(self, z, w):
        bend = -np.sin(operand(z, self.input_shape)) * operand(w, self.output_shape)
        return SelfAdjoint(self.input_shape, lambda v: bend * v)
