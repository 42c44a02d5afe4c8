"""Entry point of the gateway."""

import sys

from steno_common.lifecycle import run
from steno_gateway.app import serve


def main() -> None:
    """Run the gateway until a signal ends it."""
    sys.exit(run("gateway", serve))


if __name__ == "__main__":
    main()
