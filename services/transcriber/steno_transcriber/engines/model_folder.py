"""Where a Whisper model lies: a folder, the hub's cache, or the hub within a bound of time.

The hub's client cannot be stopped in a thread, so it runs in a process of its own.
"""

import asyncio
import os
import sys
from pathlib import Path

from steno_transcriber.engines.base import EngineUnavailable


async def find_model(model: str, limit_seconds: float) -> Path:
    """Give the local folder of a model: a folder's path, a size name or a hub id.

    Raises EngineUnavailable if it is nowhere or takes longer than the limit to fetch.
    """
    folder = Path(model)
    if await asyncio.to_thread(folder.is_dir):
        return folder
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "steno_transcriber.engines.model_folder", model),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        # An unreachable hub is noticed at once; the limit is for the transfer.
        env={"HF_HUB_ETAG_TIMEOUT": "3", "HF_HUB_DISABLE_PROGRESS_BARS": "1", **os.environ},
    )
    try:
        async with asyncio.timeout(limit_seconds):
            answer, _ = await process.communicate()
    except TimeoutError:
        raise EngineUnavailable(f"not fetched within {limit_seconds:g} s") from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    text = answer.decode(errors="replace").strip()
    if process.returncode:
        raise EngineUnavailable(text or "the model could not be fetched")
    return Path(text)


def main() -> int:
    """Print the folder of the model named on the command line, or why there is none."""
    from faster_whisper.utils import download_model  # noqa: PLC0415 - slow, for the child only

    try:
        try:
            folder = download_model(sys.argv[1], local_files_only=True)
        except OSError:
            folder = download_model(sys.argv[1])
    except (OSError, ValueError) as error:
        print(f"{type(error).__name__}: {str(error).splitlines()[0]}")  # noqa: T201
        return 1
    print(folder)  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
