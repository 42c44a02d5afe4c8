"""The command `steno transcribe`."""

import argparse
import asyncio
import sys
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from steno_audio import AudioError
from steno_client.cli.arguments import access, session_options
from steno_client.cli.audio_file import Timing, decoded, duration, paced
from steno_client.cli.display import Display, display
from steno_client.cli.exits import COMPLETED, FAILED, USAGE
from steno_client.cli.output import write_out
from steno_client.connecting import connect
from steno_client.domain.events import Completed
from steno_client.domain.policy import Policy
from steno_client.errors import SessionError
from steno_client.session import Session

FIRST_CONTACT_SECONDS: Final = 5.0
"""A server that was never there is not waited for longer than this."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one file."""

    code: int
    transcript: str | None = None
    complaint: str | None = None


class Transcription:
    """All files of one command."""

    def __init__(self, arguments: argparse.Namespace, view: Display) -> None:
        self._arguments = arguments
        self._view = view
        self._jobs = asyncio.Semaphore(arguments.jobs)
        self._policy = Policy(creation_seconds=FIRST_CONTACT_SECONDS)

    async def run(self) -> int:
        """Transcribe all, write the transcripts in order; return the worst code."""
        code = COMPLETED
        async with asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(self._transcribe(path), name=f"steno-file-{number}")
                for number, path in enumerate(self._arguments.files)
            ]
            for path, task in zip(self._arguments.files, tasks, strict=True):
                code = max(code, self._write(path, await task))
        return code

    async def _transcribe(self, path: Path) -> Outcome:
        async with self._jobs:
            try:
                seconds = await duration(path)
                return await self._converse(path, seconds)
            except AudioError as error:
                return Outcome(USAGE, complaint=_file_complaint(path, error))
            except SessionError as error:
                return Outcome(FAILED, complaint=f"{path}: {error.message}")

    async def _converse(self, path: Path, seconds: float | None) -> Outcome:
        arguments = self._arguments
        async with connect(
            arguments.url,
            policy=self._policy,
            access=access(arguments),
            replay=partial(decoded, path),
            **session_options(arguments),
        ) as session:
            self._policy = Policy()  # the server was there: it will come back
            viewer = asyncio.create_task(self._show(session, path, seconds), name="steno-viewer")
            try:
                failure = await self._feed(session, path)
                completed = await session.finish()
                transcript = await _rendered(session, completed, arguments.format)
                await viewer  # what was told last is shown too
            finally:
                viewer.cancel()
                await asyncio.wait([viewer])
        if failure is None:
            return Outcome(COMPLETED, transcript)
        return Outcome(FAILED, transcript, f"{path}: {failure.message}")

    async def _feed(self, session: Session, path: Path) -> SessionError | None:
        """Send a file; return why the server took only its beginning, if so."""
        timing = Timing(asyncio.get_running_loop().time)
        try:
            async with aclosing(paced(path, self._arguments.pace, timing)) as blocks:
                async for block in blocks:
                    await session.send(block)
        except SessionError as error:
            if error.code != "duration_limit":
                raise
            return error
        return None

    async def _show(self, session: Session, path: Path, seconds: float | None) -> None:
        try:
            async for event in session.events():
                self._view.show(path.name, event, seconds)
        except SessionError:
            return  # whoever feeds the session gets it too

    def _write(self, path: Path, outcome: Outcome) -> int:
        self._view.clear()
        if outcome.complaint is not None:
            self._view.say(f"steno: {outcome.complaint}")
        if outcome.transcript is None:
            return outcome.code
        if self._arguments.output is None:
            return outcome.code if write_out(outcome.transcript) else FAILED
        suffix = "txt" if self._arguments.format == "text" else self._arguments.format
        target: Path = self._arguments.output / f"{path.stem}.{suffix}"
        try:
            target.write_text(outcome.transcript, encoding="utf-8")
        except OSError as error:
            self._view.say(f"steno: {target}: {error.strerror}")
            return USAGE
        return outcome.code


async def _rendered(session: Session, completed: Completed, kind: str) -> str:
    if kind == "text":
        texts = [utterance.text for utterance in completed.utterances] or [completed.text]
        return "".join(f"{text}\n" for text in texts if text)
    text = await session.download(kind)
    return text if text.endswith("\n") else f"{text}\n"


def _file_complaint(path: Path, error: AudioError) -> str:
    return error.message if str(path) in error.message else f"{path}: {error.message}"


async def transcribe(arguments: argparse.Namespace) -> int:
    """Transcribe files; 0 if all sessions completed."""
    view = display(sys.stderr, quiet=arguments.quiet)
    try:
        return await Transcription(arguments, view).run()
    finally:
        view.clear()
