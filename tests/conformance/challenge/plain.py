"""An implementation that answers challenges, written plainly, with nothing of the package's mathematics."""

from dataclasses import dataclass, field

import numpy as np

_PAD = {"constant": "constant", "wrap": "wrap", "reflect": "symmetric", "mirror": "reflect", "nearest": "edge"}


@dataclass
class Plain:
    """Least squares or the article's norms, by sums over the PSF; the adjoint is the transposed matrix."""

    problem: object
    dtype: type = np.float64
    memory: dict = field(default_factory=dict)

    def __post_init__(self):
        problem = self.problem
        self.shape, self.boundary = problem.shape, problem.boundary
        self.psf = problem.arrays["psf"].astype(self.dtype)
        self.data = problem.arrays.get("data", np.zeros(problem.data_shape)).astype(self.dtype)
        self.weight = np.asarray(problem.arrays.get("weight", 1.0), self.dtype)
        self.mu = self.dtype(problem.parameters.get("mu", 0))
        self.matrix = self.rows()

    def rows(self):
        """The blur as a matrix, from its images of unit arrays."""
        size = int(np.prod(self.shape))
        units = np.eye(size, dtype=self.dtype).reshape(size, *self.shape)
        return np.stack([self.blurred(unit).ravel() for unit in units], axis=1)

    def blurred(self, x):
        k, o = self.psf.shape, self.problem.origin
        if self.boundary == "valid":
            padded, shape = x, self.problem.data_shape
        else:
            around = [(kk - 1 - oo, oo) for kk, oo in zip(k, o, strict=True)]
            padded, shape = np.pad(x, around, mode=_PAD[self.boundary]), x.shape
        result = np.zeros(shape, self.dtype)
        for j in np.ndindex(*k):
            window = tuple(slice(kk - 1 - jj, kk - 1 - jj + n) for kk, jj, n in zip(k, j, shape, strict=True))
            result += self.psf[j] * padded[window]
        return result

    # What a challenge asks for; a wrong implementation overrides one of these, or of the pieces below.

    def forward(self, x):
        return (self.matrix @ x.ravel()).reshape(self.problem.data_shape)

    def adjoint(self, y):
        return (self.matrix.T @ y.ravel()).reshape(self.shape)

    def value(self, x):
        r, d = self.residual(x), self.differences(x)
        if self.problem.base == "article":
            return np.sqrt(np.sum(r**2) / 2) + self.mu * np.sqrt(np.sum(d**2) / 2)
        return np.sum(self.weight * r**2) / 2 + self.mu * np.sum(d**2) / 2

    def gradient(self, x):
        r, d = self.residual(x), self.differences(x)
        fit, rest = self.adjoint(self.weight * r), self.back(d)
        if self.problem.base == "article":
            fit, rest = fit / np.sqrt(2 * np.sum(r**2)), rest / np.sqrt(2 * np.sum(d**2))
        return fit + self.mu * rest

    def hvp(self, x, v):
        r, d, rv, dv = self.residual(x), self.differences(x), self.forward(v), self.differences(v)
        if self.problem.base == "article":
            rv, dv = self.of_norm(r, rv), self.of_norm(d, dv)
        return self.adjoint(self.weight * rv) + self.mu * self.back(dv)

    @staticmethod
    def of_norm(r, v):
        norm = np.sqrt(np.sum(r**2))
        return (v - r * (np.sum(r * v) / norm**2)) / norm * np.sqrt(r.dtype.type(0.5))

    def residual(self, x):
        return self.forward(x) - self.data

    def differences(self, x):
        return np.stack([np.diff(x, axis=a, append=np.take(x, [-1], a)) for a in range(x.ndim)])

    def back(self, d):
        result = np.zeros(self.shape, d.dtype)
        for axis, component in enumerate(d):
            flow = np.delete(component, -1, axis)
            low, high = ([slice(None)] * len(self.shape) for _ in range(2))
            low[axis], high[axis] = slice(None, -1), slice(1, None)
            result[tuple(high)] += flow
            result[tuple(low)] -= flow
        return result


class Naive(Plain):
    """Total variation with least squares, pseudo-Huber or counts: as a textbook has it, with sums that cancel."""

    def __post_init__(self):
        super().__post_init__()
        for name, number in self.problem.parameters.items():
            setattr(self, name, self.dtype(number))

    def value(self, x):
        d, n = self.differences(x), x.size
        smooth = np.sum(np.sqrt(np.sum(d**2, axis=0) + self.epsilon**2)) - n * self.epsilon
        return self.misfit(self.forward(x)) + self.mu * smooth

    def misfit(self, u):
        if self.problem.base == "poisson-total-variation":
            u, data = u + self.background, self.data
            positive = data[data > 0]
            return np.sum(u) - np.sum(data * np.log(u)) + np.sum(positive * np.log(positive)) - np.sum(data)
        r = u - self.data
        if self.problem.base == "least-squares-total-variation":
            return np.sum(self.weight * r**2) / 2
        roots = np.sqrt(1 + (r / self.delta) ** 2)
        return self.delta**2 * (np.sum(self.weight * roots) - np.sum(self.weight))

    def slope_and_bend(self, u):
        if self.problem.base == "poisson-total-variation":
            u = u + self.background
            return 1 - self.data / u, self.data / u**2
        r = u - self.data
        if self.problem.base == "least-squares-total-variation":
            return self.weight * r, self.weight
        h = np.sqrt(1 + (r / self.delta) ** 2)
        return self.weight * r / h, self.weight / h - self.weight * (r / self.delta) ** 2 / h**3

    def gradient(self, x):
        d = self.differences(x)
        h = np.sqrt(np.sum(d**2, axis=0) + self.epsilon**2)
        return self.adjoint(self.slope_and_bend(self.forward(x))[0]) + self.mu * self.back(d / h)

    def hvp(self, x, v):
        d, dv = self.differences(x), self.differences(v)
        h = np.sqrt(np.sum(d**2, axis=0) + self.epsilon**2)
        curved = dv / h - d * (np.sum(d * dv, axis=0) / h**3)
        return self.adjoint(self.slope_and_bend(self.forward(x))[1] * self.forward(v)) + self.mu * self.back(curved)


def answers(made, implementation):
    """An answer for each call, asked for in order."""
    found = {}
    for call in made.calls:
        arrays = [made.probes[name].array.astype(implementation.dtype) for name in (call.point, call.direction) if name]
        found[call] = np.asarray(getattr(implementation, call.function)(*arrays), np.float64)
    return found
