"""Wrong implementations: the class, the problem that it is asked, what the judge must call it, and whom to blame."""

import numpy as np

from tests.conformance.challenge.plain import Naive, Plain


class HalfGradient(Plain):
    def gradient(self, x):
        return 0.5 * super().gradient(x)


class WrongSign(Plain):
    def gradient(self, x):
        return -super().gradient(x)


class MeanGradient(Plain):
    def gradient(self, x):
        return super().gradient(x) / x.size


class ConstantAdded(Plain):
    def value(self, x):
        return super().value(x) + 3.25


class MuForgotten(Plain):
    def gradient(self, x):
        mu, self.mu = self.mu, 1.0
        try:
            return super().gradient(x)
        finally:
            self.mu = mu


class NoRegulariser(Plain):
    def hvp(self, x, v):
        mu, self.mu = self.mu, 0.0
        try:
            return super().hvp(x, v)
        finally:
            self.mu = mu


class SquaredNorms(Plain):
    def value(self, x):
        r, d = self.residual(x), self.differences(x)
        return np.sum(r**2) / 2 + self.mu * np.sum(d**2) / 2


class GaussNewton(Plain):
    @staticmethod
    def of_norm(r, v):
        return v / np.sqrt(2 * np.sum(r**2))


class Correlation(Plain):
    """The PSF is not flipped, in the forward map and in its adjoint, which fits it."""

    def rows(self):
        self.psf = np.flip(self.psf)
        return super().rows()


class ConvolutionAsAdjoint(Plain):
    def adjoint(self, y):
        return self.forward(y)


class OtherBoundary(Plain):
    def rows(self):
        self.boundary = "wrap"
        return super().rows()


class NotFolded(Plain):
    """The flipped PSF, with the boundary of the forward map again."""

    def adjoint(self, y):
        k, o = self.psf.shape, self.problem.origin
        flipped = np.flip(self.psf)
        padded = np.pad(y, [(oo, kk - 1 - oo) for kk, oo in zip(k, o, strict=True)], mode="symmetric")
        result = np.zeros(y.shape)
        for j in np.ndindex(*k):
            window = tuple(slice(kk - 1 - jj, kk - 1 - jj + n) for kk, jj, n in zip(k, j, y.shape, strict=True))
            result += flipped[j] * padded[window]
        return result


class OriginOff(Plain):
    """The middle of an even PSF is taken at k // 2."""

    def blurred(self, x):
        k = self.psf.shape
        around = [(kk - 1 - kk // 2, kk // 2) for kk in k]
        padded, result = np.pad(x, around), np.zeros(x.shape)
        for j in np.ndindex(*k):
            window = tuple(slice(kk - 1 - jj, kk - 1 - jj + n) for kk, jj, n in zip(k, j, x.shape, strict=True))
            result += self.psf[j] * padded[window]
        return result


class WeightMissing(Plain):
    def gradient(self, x):
        weight, self.weight = self.weight, 1.0
        try:
            return super().gradient(x)
        finally:
            self.weight = weight


class WeightOutside(Plain):
    def gradient(self, x):
        return self.weight * self.adjoint(self.residual(x)) + self.mu * self.back(self.differences(x))


class FortranAnswers(Plain):
    def gradient(self, x):
        return super().gradient(x).ravel(order="F").reshape(x.shape)


class FortranPsf(Plain):
    def rows(self):
        self.psf = self.psf.ravel().reshape(self.psf.shape, order="F")
        return super().rows()


class OnePixelUp(Plain):
    def adjoint(self, y):
        return np.roll(super().adjoint(y), 1, 0)


class CornerLost(Plain):
    def gradient(self, x):
        g = super().gradient(x)
        g[0, 0] = 0
        return g


class EdgeDoubled(Plain):
    def hvp(self, x, v):
        h = super().hvp(x, v)
        h[-1] *= 2
        return h


class SinglePsf(Plain):
    def rows(self):
        self.psf = self.psf.astype(np.float32).astype(np.float64)
        return super().rows()


class SingleInside(Plain):
    """Sums in single precision, results in double."""

    def forward(self, x):
        return (self.matrix.astype(np.float32) @ x.ravel().astype(np.float32)).astype(np.float64).reshape(x.shape)


class SingleDot(Plain):
    """One inner product of the Hessian is in single precision."""

    @staticmethod
    def of_norm(r, v):
        norm = np.sqrt(np.sum(r**2))
        along = np.float64(np.sum((r * v).astype(np.float32), dtype=np.float32))
        return (v - r * (along / norm**2)) / norm * np.sqrt(0.5)


class StaleResidual(Plain):
    """The gradient takes the residual of the last value."""

    def value(self, x):
        self.memory["r"] = self.residual(x)
        return super().value(x)

    def gradient(self, x):
        r, d = self.memory.get("r", self.residual(x)), self.differences(x)
        return self.adjoint(r) / np.sqrt(2 * np.sum(r**2)) + self.mu * self.back(d) / np.sqrt(2 * np.sum(d**2))


class StaleHessian(Plain):
    """The Hessian is that at the point of the last gradient."""

    def gradient(self, x):
        self.memory["x"] = x.copy()
        return super().gradient(x)

    def hvp(self, x, v):
        return super().hvp(self.memory.get("x", x), v)


class KeyedBySum(Plain):
    """A cache of gradients, by the sum of the point."""

    def gradient(self, x):
        key = round(float(x.sum()), 9)
        if key not in self.memory:
            self.memory[key] = super().gradient(x)
        return self.memory[key]


class KeyedByFirst(Plain):
    """A cache of values, by the first entry of the point."""

    def value(self, x):
        key = float(x.ravel()[0])
        if key not in self.memory:
            self.memory[key] = super().value(x)
        return self.memory[key]


class KeyedRoughly(Plain):
    """The Hessian product's residual is kept as long as the point is nearly the same."""

    def hvp(self, x, v):
        if "x" not in self.memory or not np.allclose(self.memory["x"], x):
            self.memory["x"] = x
        return super().hvp(self.memory["x"], v)


class OldDirection(Plain):
    """Each product is along the direction of the one before."""

    def hvp(self, x, v):
        before = self.memory.get("v", v)
        self.memory["v"] = v
        return super().hvp(x, before)


class BufferNotCleared(Plain):
    def adjoint(self, y):
        self.memory["sum"] = self.memory.get("sum", 0) + super().adjoint(y)
        return self.memory["sum"].copy()


class DriftsAway(Plain):
    """Each value is a little larger than the one before."""

    def value(self, x):
        self.memory["count"] = self.memory.get("count", 0) + 1
        return super().value(x) * (1 + 1e-3 * self.memory["count"])


class SmallNumberInNorm(Plain):
    """A norm that is never zero, in its derivatives too."""

    def value(self, x):
        r, d = self.residual(x), self.differences(x)
        return np.sqrt(np.sum(r**2) / 2 + 1e-8) + self.mu * np.sqrt(np.sum(d**2) / 2)

    def gradient(self, x):
        r, d = self.residual(x), self.differences(x)
        fit, rest = self.adjoint(r), self.back(d)
        return fit / (2 * np.sqrt(np.sum(r**2) / 2 + 1e-8)) + self.mu * rest / np.sqrt(2 * np.sum(d**2))


class OddNumberInNorm(Plain):
    def value(self, x):
        r, d = self.residual(x), self.differences(x)
        return np.sqrt(np.sum(r**2) / 2 + 3.7e-9) + self.mu * np.sqrt(np.sum(d**2) / 2)


class DifferencesOfValues(Plain):
    step = 1e-7

    def gradient(self, x):
        found, here = np.zeros(x.shape), self.value(x)
        for index in np.ndindex(*x.shape):
            near = x.copy()
            near[index] += self.step
            found[index] = (self.value(near) - here) / self.step
        return found


class DifferencesOfGradients(Plain):
    def hvp(self, x, v):
        return (self.gradient(x + 1e-7 * v) - self.gradient(x)) / 1e-7


class CentralDifferences(Plain):
    def hvp(self, x, v):
        return (self.gradient(x + 1e-5 * v) - self.gradient(x - 1e-5 * v)) / 2e-5


class ScaledDifferences(Plain):
    """With a step that nobody would guess."""

    def hvp(self, x, v):
        step = 3.3e-7 / np.abs(v).max() ** 0.9
        return (self.gradient(x + step * v) - self.gradient(x)) / step


class FewDigits(Plain):
    def gradient(self, x):
        g = super().gradient(x)
        return np.array([float(f"{entry:.6g}") for entry in g.ravel()]).reshape(g.shape)


class FewDecimals(Plain):
    def forward(self, x):
        return np.round(super().forward(x), 8)


class KeyedByNorm(Plain):
    """Only the last gradient is kept."""

    def gradient(self, x):
        if self.memory.get("key") != np.sum(x * x):
            self.memory.update(key=np.sum(x * x), gradient=super().gradient(x))
        return self.memory["gradient"]


class KeyedInSingle(Plain):
    def value(self, x):
        key = x.astype(np.float32).tobytes()
        if self.memory.get("key") != key:
            self.memory.update(key=key, value=super().value(x))
        return self.memory["value"]


class DirectionKeyedByNorm(Plain):
    def hvp(self, x, v):
        key = x.tobytes(), float(np.linalg.norm(v))
        if self.memory.get("key") != key:
            self.memory.update(key=key, hvp=super().hvp(x, v))
        return self.memory["hvp"]


class AdjointKeyedByNorm(Plain):
    def adjoint(self, y):
        key = float(np.linalg.norm(y))
        if self.memory.get("key") != key:
            self.memory.update(key=key, answer=super().adjoint(y))
        return self.memory["answer"]


class Normalised(Plain):
    def rows(self):
        self.psf = self.psf / self.psf.sum()
        return super().rows()


class AdjointForgotten(Plain):
    def gradient(self, x):
        r, d = self.residual(x), self.differences(x)
        return r / np.sqrt(2 * np.sum(r**2)) + self.mu * self.back(d) / np.sqrt(2 * np.sum(d**2))


class UnitDirection(Plain):
    def hvp(self, x, v):
        return super().hvp(x, v / np.linalg.norm(v))


class NotLinear(Plain):
    def hvp(self, x, v):
        return super().hvp(x, v) / (1 + np.abs(v).max())


class Clipped(Plain):
    def gradient(self, x):
        return super().gradient(np.maximum(x, 0))


class AbsoluteValue(Plain):
    def value(self, x):
        return super().value(np.abs(x))


class OneEntryLate(Plain):
    def gradient(self, x):
        return np.roll(super().gradient(x).ravel(), 1).reshape(x.shape)


class OneEntryLost(Plain):
    """The first is left out, and the last is written twice."""

    def adjoint(self, y):
        row = super().adjoint(y).ravel()
        return np.append(row[1:], row[-1]).reshape(self.shape)


class Noisy(Plain):
    def gradient(self, x):
        rng = self.memory.setdefault("rng", np.random.default_rng(3))
        return super().gradient(x) * (1 + 1e-9 * rng.standard_normal(x.shape))


class EpsilonNotSquared(Naive):
    """In the root alone; epsilon itself is subtracted."""

    def value(self, x):
        smooth = np.sum(np.sqrt(np.sum(self.differences(x) ** 2, axis=0) + self.epsilon)) - x.size * self.epsilon
        return self.misfit(self.forward(x)) + self.mu * smooth


class CountsClipped(Naive):
    def gradient(self, x):
        return super().gradient(np.maximum(x, 0))


class CountsAbsolute(Naive):
    def value(self, x):
        return super().value(np.abs(x))


class CornerOfAdjoint(Plain):
    """The adjoint lacks a corner, and all that is computed with it."""

    def adjoint(self, y):
        found = super().adjoint(y)
        found[-1, -1] = 0
        return found


WRONG = [
    (HalfGradient, "article", "gradient", "factor 0.5"),
    (WrongSign, "article", "gradient", "sign"),
    (MeanGradient, "least-squares-tikhonov", "gradient", "mean instead of sum"),
    (ConstantAdded, "article", "value", "constant added"),
    (MuForgotten, "article", "gradient", "mu is missing"),
    (NoRegulariser, "least-squares-tikhonov", "hvp", "regulariser missing"),
    (SquaredNorms, "article", "value", "squared norms"),
    (GaussNewton, "article", "hvp", "Gauss-Newton used as Hessian"),
    (Correlation, "convolution", "forward", "PSF not flipped"),
    (ConvolutionAsAdjoint, "article", "adjoint", "PSF not flipped"),
    (OtherBoundary, "article", "forward", "boundary 'wrap'"),
    (NotFolded, "convolution-reflect", "adjoint", "boundary of the adjoint"),
    (OriginOff, "article", "forward", "PSF origin one pixel off"),
    (WeightMissing, "least-squares-tikhonov", "gradient", "weight missing"),
    (WeightOutside, "least-squares-tikhonov", "gradient", "weight outside the adjoint"),
    (FortranAnswers, "article", "gradient", "Fortran order"),
    (FortranPsf, "convolution", "forward", "Fortran order: R2 = 1.0000; psf"),
    (OnePixelUp, "convolution-wrap", "adjoint", "one-pixel shift along axis 0"),
    (CornerLost, "article", "gradient", "set to zero"),
    (EdgeDoubled, "article", "hvp", "factor 2"),
    (SinglePsf, "article", "forward", "single precision: R2 = "),
    (SingleInside, "article", "forward", "single precision"),
    (SingleDot, "article", "hvp", "single precision"),
    (StaleResidual, "article", "gradient", "stale"),
    (StaleHessian, "article", "hvp", "stale"),
    (KeyedBySum, "article", "gradient", "stale"),
    (KeyedByFirst, "article", "value", "stale"),
    (KeyedRoughly, "article", "hvp", "stale"),
    (OldDirection, "article", "hvp", "stale"),
    (BufferNotCleared, "convolution", "adjoint", "accumulates"),
    (DriftsAway, "article", "value", "depends on the order of calls"),
    (OddNumberInNorm, "article", "value", "a number added under the root"),
    (DifferencesOfValues, "article", "gradient", "finite differences: with a step of about 1e-07"),
    (DifferencesOfGradients, "article", "hvp", "finite differences: with a step of about 1e-07"),
    (CentralDifferences, "article", "hvp", "finite differences: with a step of about 1e-05"),
    (ScaledDifferences, "article", "hvp", "finite differences"),
    (FewDigits, "article", "gradient", "too few digits: written with 6 digits; write 17"),
    (FewDecimals, "convolution", "forward", "too few digits: written with 8 digits after the point"),
    (KeyedByNorm, "article", "gradient", "stale"),
    (KeyedInSingle, "article", "value", "stale"),
    (DirectionKeyedByNorm, "article", "hvp", "stale"),
    (AdjointKeyedByNorm, "convolution", "adjoint", "stale"),
    (AdjointForgotten, "article", "gradient", "adjoint missing"),
    (UnitDirection, "article", "hvp", "direction normalised"),
    (NotLinear, "least-squares-tikhonov", "hvp", "not linear in the direction"),
    (Clipped, "article", "gradient", "negative pixels clipped"),
    (AbsoluteValue, "article", "value", "absolute value of the image"),
    (OneEntryLate, "article", "gradient", "rotated by one entry"),
    (OneEntryLost, "convolution", "adjoint", "off by one entry"),
    (Noisy, "article", "gradient", "random: the same input has another answer"),
    (EpsilonNotSquared, "least-squares-total-variation", "value", "epsilon not squared"),
    (CountsClipped, "poisson-total-variation", "gradient", "negative pixels clipped"),
    (CountsAbsolute, "poisson-total-variation", "value", "absolute value of the image"),
    (CornerOfAdjoint, "article", "adjoint", "set to zero"),
]
