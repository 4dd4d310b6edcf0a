"""The command line: the only place that prints, draws, or reads files."""

import sys


def main() -> int:
    """Run the command line; a clear message where its libraries are not installed."""
    try:
        from threadpoolctl import threadpool_limits

        from refdeconv.cli.commands import refdeconv
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("refdeconv"):
            raise
        print(f'refdeconv: the command line needs {error.name}: pip install "refdeconv[cli]"', file=sys.stderr)
        return 2
    # The inner products of Newton-CG gain little from a second BLAS thread; on a busy machine, waiting for it makes
    # them many times slower.
    with threadpool_limits(1, user_api="blas"):
        refdeconv(prog_name="refdeconv")
    return 0
