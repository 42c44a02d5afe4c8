"""Entry point: the service, or the direct command."""

import os
import sys
from typing import Final

SILENT: Final = {
    "ORT_DISABLE_TELEMETRY": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "DO_NOT_TRACK": "1",
}
"""Libraries that would report their use to their makers read these when they are imported."""


def main() -> int:
    """Run `steno-transcriber` (the service) or `steno-transcriber recognise FILE...`."""
    arguments = sys.argv[1:]
    os.environ.update(SILENT)
    # Each way loads only what it needs.
    if not arguments:
        from steno_common.lifecycle import run  # noqa: PLC0415
        from steno_transcriber.app import serve  # noqa: PLC0415

        return run("transcriber", serve)
    if arguments[0] == "recognise":
        from steno_transcriber.recognise import main as recognise  # noqa: PLC0415

        return recognise(arguments[1:])
    print("usage: steno-transcriber [recognise FILE...]", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
