"""Files that may change while the gateway runs."""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

LOOK_SECONDS: Final = 2.0

Stamp = tuple[int, int, int] | None


def _stamps(paths: Sequence[str]) -> list[Stamp]:
    return [_stamp(Path(path)) for path in paths]


def _stamp(path: Path) -> Stamp:
    try:
        found = path.stat()
    except OSError:
        return None  # it may be under replacement
    return found.st_ino, found.st_mtime_ns, found.st_size


async def watch(paths: Sequence[str], changed: Callable[[], None]) -> None:
    """Call `changed` whenever one of the files is another than before, for ever."""
    seen = await asyncio.to_thread(_stamps, paths)
    while True:
        await asyncio.sleep(LOOK_SECONDS)
        now = await asyncio.to_thread(_stamps, paths)
        if now != seen and None not in now:
            seen = now
            changed()
