"""Run the notifier."""

import sys

from steno_common.lifecycle import run
from steno_notifier.app import serve


def main() -> None:
    """Run until a signal."""
    sys.exit(run("notifier", serve))


if __name__ == "__main__":
    main()
