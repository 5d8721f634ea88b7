"""Checks every case with the kernels of one library; a process of its own, as sanitizers abort.

Usage: python -m tests.kernels.worker LIBRARY
"""

from __future__ import annotations

import sys
from pathlib import Path

from tests.kernels.call import Kernels, has_kernel
from tests.ops.cases import all_types


def main() -> None:
    """Names each case before it runs, so that the last line tells which one aborted."""
    kernels = Kernels(Path(sys.argv[1]), guard=0)
    for case in all_types():
        if has_kernel(case):
            print(case, flush=True)
            kernels.check(case)
    print("done")


if __name__ == "__main__":
    main()
