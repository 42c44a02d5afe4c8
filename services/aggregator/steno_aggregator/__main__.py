"""Run the aggregator."""

import sys

from steno_aggregator.app import serve
from steno_common.lifecycle import run


def main() -> None:
    """Run until a signal."""
    sys.exit(run("aggregator", serve))


if __name__ == "__main__":
    main()
