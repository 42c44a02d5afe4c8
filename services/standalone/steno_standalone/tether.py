"""Launcher that ties a program's life to the life of the process that started it.

Run as a file, `tether.py PARENT PROGRAM ARGUMENT…`: it asks the kernel for SIGKILL at the death of
its parent, then becomes the program. It imports nothing of Steno, so it takes a few milliseconds.
"""

import ctypes
import os
import signal
import sys

# From linux/prctl.h. Other systems have no such request: there the program is only stopped by a
# supervisor that ends in order.
_PR_SET_PDEATHSIG = 1


def main() -> None:
    """Become the program."""
    parent, program = int(sys.argv[1]), sys.argv[2:]
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        # The parent may have died before the request was made.
        if os.getppid() != parent:
            sys.exit(1)
    os.execvp(program[0], program)  # noqa: S606 - the command line is the supervisor's


if __name__ == "__main__":
    main()
