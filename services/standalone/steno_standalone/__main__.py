"""Run Steno on this machine."""

import asyncio
import os
import resource
import signal
import sys
from contextlib import suppress

from steno_standalone.errors import StandaloneError
from steno_standalone.installation import Installation
from steno_standalone.settings import Settings


def main() -> None:
    """Run until a signal; exit 0 after an orderly stop, 1 when the start fails."""
    # Audio is only ever in memory; a core dump would write it to disk. Children inherit this.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    status = 1
    try:
        status = asyncio.run(_run(Settings.read(os.environ)))
    except* StandaloneError as group:
        for error in _leaves(group):
            print(f"steno: {error}", file=sys.stderr)
    sys.exit(status)


async def _run(settings: Settings) -> int:
    installation = Installation(settings, _say)
    run = asyncio.create_task(installation.run(), name="installation")
    status = 0

    def on_signal(number: int) -> None:
        nonlocal status
        if run.cancelling():
            status = 128 + number
            installation.kill()
        else:
            run.cancel()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, on_signal, number)
    with suppress(asyncio.CancelledError):
        await run
    return status


def _leaves(group: BaseExceptionGroup[StandaloneError]) -> list[StandaloneError]:
    found: list[StandaloneError] = []
    for error in group.exceptions:
        found += _leaves(error) if isinstance(error, BaseExceptionGroup) else [error]
    return found


def _say(line: str) -> None:
    # The terminal may be gone; that must not stop the stopping.
    with suppress(OSError):
        print(line, flush=True)


if __name__ == "__main__":
    main()
