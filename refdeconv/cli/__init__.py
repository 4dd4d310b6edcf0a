"""The command line: the only place that prints, draws, or reads files."""

import sys


def main() -> int:
    """Run the command line; a clear message where its libraries are not installed."""
    try:
        from refdeconv.cli.commands import refdeconv
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("refdeconv"):
            raise
        print(f'refdeconv: the command line needs {error.name}: pip install "refdeconv[cli]"', file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("refdeconv: interrupted before the work began", file=sys.stderr)
        return 130
    refdeconv(prog_name="refdeconv")
    return 0
