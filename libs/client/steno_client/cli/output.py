"""The transcript on stdout."""

import os
import sys


def write_out(text: str) -> bool:
    """Write at once; False if nobody reads any more, and nothing need be written then."""
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return False
    return True
