"""The command `steno mic`."""

import argparse
import asyncio
import importlib
import signal
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any, Final

from steno_audio import SAMPLE_RATE
from steno_client.cli.arguments import access, session_options
from steno_client.cli.display import display
from steno_client.cli.exits import USAGE
from steno_client.cli.listening import print_finals
from steno_client.cli.transcribe import FIRST_CONTACT_SECONDS
from steno_client.connecting import connect
from steno_client.domain.policy import Policy
from steno_client.errors import SessionError
from steno_client.session import Session

_BLOCK_SAMPLES: Final = SAMPLE_RATE // 10
_MAX_BLOCKS: Final = 600
"""A minute that the server may be away before recorded audio is dropped."""


async def mic(arguments: argparse.Namespace) -> int:
    """Transcribe the microphone until Ctrl-C; a second Ctrl-C ends it at once."""
    view = display(sys.stderr, quiet=arguments.quiet)
    try:
        sounddevice = importlib.import_module("sounddevice")
    except ImportError:
        view.say("steno: no microphone: try pip install 'steno-client[microphone]'")
        return USAGE
    except OSError as error:  # sounddevice is there, the system's PortAudio is not
        view.say(f"steno: no microphone: {error}")
        return USAGE
    try:
        with _recorded(sounddevice, arguments.device) as blocks:
            return await _transcribe(arguments, blocks)
    except (sounddevice.PortAudioError, ValueError) as error:
        view.say(f"steno: no microphone: {error}")
        return USAGE


async def _transcribe(arguments: argparse.Namespace, blocks: "asyncio.Queue[bytes]") -> int:
    view = display(sys.stderr, quiet=arguments.quiet)
    async with connect(
        arguments.url,
        policy=Policy(creation_seconds=FIRST_CONTACT_SECONDS),
        access=access(arguments),
        **session_options(arguments),
    ) as session:
        view.say("Listening; Ctrl-C ends the recording.")
        feeder = asyncio.create_task(_feed(session, blocks), name="steno-feeder")
        try:
            return await print_finals(session.events(), "microphone", view)
        finally:
            feeder.cancel()
            await asyncio.wait([feeder])
            view.clear()


async def _feed(session: Session, blocks: "asyncio.Queue[bytes]") -> None:
    try:
        async for block in _until_interrupted(blocks):
            await session.send(block)
        await session.finish()
    except SessionError:
        return  # whoever reads the events gets it too


async def _until_interrupted(blocks: "asyncio.Queue[bytes]") -> AsyncIterator[bytes]:
    """Blocks up to the first Ctrl-C; the empty one says that it came."""
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGINT, _put, blocks, b"")
    try:
        while block := await blocks.get():
            yield block
    finally:
        loop.remove_signal_handler(signal.SIGINT)


@contextmanager
def _recorded(sounddevice: Any, device: str | None) -> "Iterator[asyncio.Queue[bytes]]":
    """Record into a queue for as long as the context lasts."""
    loop = asyncio.get_running_loop()
    blocks: asyncio.Queue[bytes] = asyncio.Queue(_MAX_BLOCKS)

    def recorded(audio: Any, *_: object) -> None:
        loop.call_soon_threadsafe(_put, blocks, bytes(audio))

    chosen = int(device) if device is not None and device.isdecimal() else device
    with sounddevice.RawInputStream(
        samplerate=SAMPLE_RATE,
        blocksize=_BLOCK_SAMPLES,
        device=chosen,
        channels=1,
        dtype="int16",
        callback=recorded,
    ):
        yield blocks


def _put(blocks: "asyncio.Queue[bytes]", block: bytes) -> None:
    """The newest stays, the oldest goes."""
    if blocks.full():
        blocks.get_nowait()
    blocks.put_nowait(block)
