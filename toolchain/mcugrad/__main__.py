"""``python -m mcugrad``."""

import sys

from mcugrad.cli import main

sys.exit(main())
