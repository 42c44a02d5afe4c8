"""Entry point: the service, or one of its commands."""

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
    """Run `steno-transcriber` (the service), or with `recognise FILE...` or `fetch`."""
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
    if arguments == ["fetch"]:
        from steno_transcriber.fetch import main as fetch  # noqa: PLC0415

        return fetch()
    print("usage: steno-transcriber [recognise FILE... | fetch]", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
