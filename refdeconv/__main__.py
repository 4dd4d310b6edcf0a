"""``python -m refdeconv``."""

import sys

from refdeconv.cli import main

sys.exit(main())
