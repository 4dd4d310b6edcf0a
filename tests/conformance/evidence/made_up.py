"""Columns with known cells, so that the page can be looked at without a run of minutes."""

from refdeconv.conformance.evidence import Cell


class MadeUp:
    """A column of given cells, by the models' names; a function of the model's name makes any cell."""

    says = "What was made up."
    command = "show NAME"

    def __init__(self, name, cells):
        self.name, self.cells = name, cells

    def run(self, models, say):
        say("making up")
        return {m.name: self.cells[m.name] for m in models if m.name in self.cells}


class Broken(MadeUp):
    """A column that ends with an error."""

    def run(self, models, say):
        raise RuntimeError("no such luck")


def passed(worst=None, count=None, **rest):
    return Cell("passed", "show it", worst, count, **rest)


COLUMNS = [
    MadeUp("derivation", {"L2Norm": passed(count=3), "Convolution": passed(count=4), "psf.airy": passed(count=2)}),
    MadeUp("complex step", {"L2Norm": passed(1.234e-16, 8), "Convolution": passed(0.0, 3)}),
    MadeUp("PyTorch", {"L2Norm": passed(3e-15, 100, recorded="PyTorch 2.13.0", details={"float64": 3e-15})}),
    MadeUp(
        "contract tests", {"L2Norm": passed(count=294), "Convolution": Cell("not run", "show it", remark="needs x")}
    ),
]
FAILING = [*COLUMNS, MadeUp("mpmath", {"L2Norm": Cell("failed", "show it", float("inf"), remark="hvp | of <it>")})]
