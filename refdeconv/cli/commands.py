"""The commands and their options; what they do is in the modules of the same names."""

from fractions import Fraction
from pathlib import Path
from typing import Any, NoReturn

import click

import refdeconv as rd
from refdeconv._arrays import choice
from refdeconv.cli import (
    article_command,
    challenge_command,
    check_command,
    check_subject,
    conformance_command,
    deconvolve_command,
    evidence_command,
    files,
    optima_command,
)
from refdeconv.operators.convolution import BOUNDARIES
from refdeconv.problems import FIDELITIES, POSITIVITY, REGULARIZERS
from refdeconv.solve.minimizing import KNOWN

INTERRUPTED = 130  # what a shell reports after Ctrl-C
NOT_CONVERGED = 3


class PositiveNumber(click.ParamType[float]):
    """A number above zero, also as a fraction such as 1/3."""

    name = "number"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """The number as float."""
        try:
            number = float(Fraction(value)) if isinstance(value, str) else float(value)
        except (ValueError, ZeroDivisionError, OverflowError):
            self.fail(f"{value!r} is not a number", param, ctx)
        if not number > 0:
            self.fail(f"{value!r} must be > 0", param, ctx)
        return number


class NearMiss(click.Choice[str]):
    """A choice that answers a near miss with the name that was probably meant."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The name as listed."""
        names = {name.lower(): name for name in self.choices}
        try:
            return choice(names.get(str(value).lower(), value), param.name if param else "", list(self.choices))
        except ValueError as error:
            self.fail(str(error), param, ctx)


class SuggestingGroup(click.Group):
    """A group that suggests the nearest command where a name is unknown."""

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        """The command, or a usage error with a suggestion."""
        if args and not args[0].startswith("-") and args[0] not in self.commands:
            try:
                choice(args[0], "command", list(self.commands))
            except ValueError as error:
                raise click.UsageError(str(error), ctx) from None
        return super().resolve_command(ctx, args)


@click.group(cls=SuggestingGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(rd.__version__, prog_name="refdeconv")
def refdeconv() -> None:
    """Image deconvolution with every derivative derived by hand.

    \b
    To see it work:       refdeconv article
    For your own image:   refdeconv deconvolve photo.png --psf gaussian:13x13:1,3 --out sharp.tif
    Is my gradient right? refdeconv check objective.py:candidate
    And in MATLAB, C, R?  refdeconv challenge DIR --problem article, then refdeconv judge DIR
    """


@refdeconv.command(short_help="Deblur the astronaut: the article, start to figure.")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=Path("article"),
    show_default=True,
    metavar="DIR",
    help="Folder for article.png and article.json; made if it does not exist.",
)
@click.option(
    "--seed",
    type=click.IntRange(0, 2**32 - 1),
    default=0,
    show_default=True,
    metavar="N",
    help="Start from numpy.random.RandomState(N).randn(n)/10.",
)
@click.option(
    "--mu",
    type=PositiveNumber(),
    default=0.2,
    show_default=True,
    metavar="MU",
    help="Weight of the smoothness term, > 0: larger is smoother.",
)
@click.option(
    "--scale",
    type=PositiveNumber(),
    default="1/3",
    show_default=True,
    metavar="S",
    help="Size of the image as a part of the original's 512 x 512 pixels.",
)
def article(out: Path, seed: int, mu: float, scale: float) -> None:
    """Deblur the astronaut: the article, solved with hand-derived gradients.

    Blurs scikit-image's astronaut with a known PSF, finds it again with Newton-CG, and writes a figure and a
    record of the run. Exit status: 0 converged, 3 not converged, 130 interrupted (files are written in each case),
    2 bad usage.

    \b
    Example:
      refdeconv article --out article
    """
    result = _or_usage_error(article_command.run, out, seed, mu, scale)
    _exit(result)


@refdeconv.command(short_help="Deconvolve your own image.")
@click.argument("image", type=click.Path(path_type=Path))
@click.option(
    "--psf",
    required=True,
    metavar="SPEC",
    help="The point spread function: KIND:SHAPE:NUMBERS, in pixels, such as gaussian:13x13:1,3 (all kinds are listed "
    "above), or a file (PNG, JPEG, TIFF, NPY; integers are divided by their sum).",
)
@click.option(
    "--out",
    required=True,
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Result: .tif, .tiff or .npy hold the values as they are, .png is for looking at.",
)
@click.option(
    "--mu",
    type=PositiveNumber(),
    default=0.2,
    show_default=True,
    metavar="MU",
    help="Weight of the regulariser, > 0: larger is smoother. With other models than the default it depends on the "
    "image's range.",
)
@click.option(
    "--fidelity",
    type=NearMiss(list(FIDELITIES)),
    default="l2-norm",
    show_default=True,
    metavar="NAME",
    help=f"How the blurred result is compared with the image: {', '.join(FIDELITIES)}.",
)
@click.option(
    "--regularizer",
    type=NearMiss(list(REGULARIZERS)),
    default="gradient-norm",
    show_default=True,
    metavar="NAME",
    help=f"What makes an image likely: {', '.join(REGULARIZERS)}.",
)
@click.option(
    "--fidelity-option",
    "fidelity_options",
    multiple=True,
    metavar="NAME=VALUE",
    help="A parameter of the fidelity: background=4, read_noise=2.5, weight=mask.npy; may be repeated.",
)
@click.option(
    "--regularizer-option",
    "regularizer_options",
    multiple=True,
    metavar="NAME=VALUE",
    help="A parameter of the regulariser: epsilon=0.01, spacing=2,1,1; may be repeated.",
)
@click.option(
    "--boundary",
    type=NearMiss(BOUNDARIES),
    default="constant",
    show_default=True,
    help="Beyond the edges: zeros (an image that is bright there darkens), the image again, its mirror image with the "
    "edge between two pixels (reflect) or on the last (mirror), the nearest pixel, or nothing assumed (valid).",
)
@click.option(
    "--positivity",
    type=NearMiss(list(POSITIVITY)),
    default=None,
    help="Keep the image positive: solve for z, the image being z**2, exp(z) or log(1 + exp(z)).",
)
@click.option("--bounds", default=None, metavar="LOW,HIGH", help="Keep the image between two numbers.")
@click.option(
    "--coupled",
    is_flag=True,
    help="Solve all colour channels together, with edges in the same places (total variations only).",
)
@click.option(
    "--channel-axis",
    type=int,
    default=None,
    metavar="AXIS",
    help="Axis of the colour channels. Default: that of a colour PNG, JPEG or TIFF, none for NPY.",
)
@click.option("--method", type=NearMiss(list(KNOWN)), default="Newton-CG", show_default=True, help="The optimiser.")
@click.option(
    "--xtol",
    type=PositiveNumber(),
    default=None,
    metavar="T",
    help="Newton-CG ends when the mean change of a pixel is T times the image's range. [default: 1e-5]",
)
@click.option("--maxiter", type=click.IntRange(1), default=None, metavar="N", help="Most iterations of the optimiser.")
@click.option(
    "--max-seconds",
    type=PositiveNumber(),
    default=None,
    metavar="S",
    help="Stop after S seconds with the best image so far.",
)
def deconvolve(image: Path, psf: str, out: Path, **options: Any) -> None:
    """Deconvolve your own IMAGE with a known PSF.

    Reads PNG, JPEG, TIFF (also 16-bit and float) and NPY, 1-D to 3-D. Writes the result, and beside it FILE.json, the
    record of the run. Ctrl-C writes the best image so far. Exit status: 0 converged, 3 not converged, 130 interrupted
    (the image is written in each case), 2 bad usage or a file that cannot be read or written.

    \b
    Point spread functions for --psf, lengths in pixels:
      gaussian:SHAPE:SIGMA          standard deviation, one number or one for each axis
      moffat:SHAPE:FWHM,BETA        full width at half maximum, power
      airy:SHAPE:FIRST_ZERO         radius of the first dark ring, or:
      airy:SHAPE:WAVELENGTH,NUMERICAL_APERTURE,PIXEL_SIZE   wavelength and pixel in one unit
      defocus:SHAPE:RADIUS          uniform disk
      motion:SHAPE:LENGTH,ANGLE     straight line, counter-clockwise in degrees, 0 if left out
      box:SHAPE:SIZE                uniform box, one number or one for each axis
      delta:SHAPE                   no blur

    \b
    Examples:
      refdeconv deconvolve photo.png --psf gaussian:13x13:1,3 --out sharp.tif
      refdeconv deconvolve counts.tif --psf gaussian:9x9:1.5 --out sharp.tif --fidelity poisson \\
          --regularizer total-variation --mu 0.02 --positivity square --boundary reflect
      refdeconv deconvolve photo.png --psf motion:15x15:9,30 --out sharp.tif
      refdeconv deconvolve beads.tif --psf airy:31x31:0.52,1.4,0.065 --out sharp.tif
      refdeconv deconvolve stack.tif --psf psf.npy --mu 0.05 --boundary wrap --out sharp.npy
    """
    result = _or_usage_error(deconvolve_command.run, image, psf, out, **options)
    _exit(result)


@refdeconv.command(short_help="Check your own gradient, Hessian product or adjoint.")
@click.argument("target", metavar="FILE.py[:NAME]")
@click.option(
    "--point",
    type=click.Path(path_type=Path),
    default=None,
    metavar="FILE.npy",
    help="The point to check at (NPY, or an image). Default: the x that NAME returns, else a variable x in the file.",
)
@click.option(
    "--shape",
    default=None,
    metavar="SHAPE",
    help="Check at a Gaussian image of this shape, such as 13x16, or `number` for a single number.",
)
@click.option(
    "--dtype",
    type=NearMiss(list(check_subject.DTYPES)),
    default=None,
    help="The precision to check in. Default: that of the point, float64 for one that is drawn.",
)
@click.option(
    "--seed",
    type=click.IntRange(0),
    default=0,
    show_default=True,
    metavar="N",
    help="Of the directions, and of the point where one is drawn: the same seed, the same report.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON, and nothing else, on standard output.")
@click.option(
    "--junit",
    type=click.Path(path_type=Path),
    default=None,
    metavar="FILE",
    help="Write the report as JUnit XML: WRONG is a failure, INCONCLUSIVE an error.",
)
@click.option(
    "--plot",
    type=click.Path(path_type=Path),
    default=None,
    metavar="FILE",
    help="Draw errors, convergence and maps of the error: .png, .pdf or .svg.",
)
@click.option(
    "--require-power",
    type=PositiveNumber(),
    default=None,
    metavar="ERROR",
    help="A PASS that would have missed relative errors of this size, such as 1e-6, becomes INCONCLUSIVE.",
)
@click.option(
    "--time-limit",
    type=PositiveNumber(),
    default=None,
    metavar="SECONDS",
    help="Report what was found after so many seconds. [default: five minutes]",
)
def check(target: str, **options: Any) -> None:
    """Check your own gradient, Hessian product or adjoint.

    FILE.py is yours; NAME in it is a checks.Candidate, which names your functions (any of value, gradient, hvp,
    forward, adjoint), or a function without arguments that returns one, or one and the point: (candidate, x) or
    (candidate, x, y_like). Without NAME: `candidate`, or the only Candidate in the file. Where there is no point, a few
    usual shapes are tried. The file is run, as `import` runs it; what it prints goes to standard error.

    \b
    Exit status: 0 PASS, 1 WRONG, 3 INCONCLUSIVE,
                 2 bad usage, or code that cannot be loaded, 130 interrupted.

    \b
    A complete objective.py:
      import numpy as np
      from refdeconv import checks
    \b
      data = np.random.default_rng(0).random((13, 16))
    \b
      def value(x):
          return 0.5 * np.sum((x - data) ** 2)
    \b
      def gradient(x):
          return x - data
    \b
      candidate = checks.Candidate(value=value, gradient=gradient)
    \b
      def at_twice():  # with a point of its own
          return candidate, 2 * data

    \b
    Examples:
      refdeconv check objective.py
      refdeconv check objective.py:candidate --shape 13x16 --dtype float32
      refdeconv check objective.py:at_twice --require-power 1e-6 --plot report.png
      refdeconv check objective.py:candidate --json --junit report.xml
    """
    raise SystemExit(_or_usage_error(check_command.run, target, **options))


for command in (
    conformance_command.conformance,
    challenge_command.challenge,
    challenge_command.judge,
    evidence_command.evidence,
):
    refdeconv.add_command(command)
for command in (optima_command.verify_optima, optima_command.make_optima):
    conformance_command.conformance.add_command(command)


def _or_usage_error(job: Any, *arguments: Any, **options: Any) -> Any:
    """What the job returns; what is wrong with its input is said in one line, not in a traceback."""
    try:
        return job(*arguments, **options)
    except files.InputError as error:
        raise click.UsageError(str(error)) from error


def _exit(result: Any) -> NoReturn:
    raise SystemExit(INTERRUPTED if result.interrupted else 0 if result.success else NOT_CONVERGED)
