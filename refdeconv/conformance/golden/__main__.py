"""``python -m refdeconv.conformance.golden``: compute the golden vectors and write them."""

import sys

if __name__ == "__main__":
    try:
        from refdeconv.conformance.golden.making import main
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("refdeconv"):
            raise
        sys.exit(f'to compute golden vectors, {error.name} is needed: pip install "refdeconv[test]"')
    sys.exit(main())
