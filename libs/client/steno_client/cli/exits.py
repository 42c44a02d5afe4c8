"""Exit codes of the steno command."""

from typing import Final

COMPLETED: Final = 0
FAILED: Final = 1
USAGE: Final = 2
"""Wrong arguments, or a file that cannot be read."""
INTERRUPTED: Final = 130
