"""Saved transcripts: the files of each session in a folder, or any store that fsspec opens.

The name of a file says when its session began, then its id, so that the same session always has the
same files, and names sort by time. All calls block: a service makes them in a thread. They raise
OSError where the store fails.
"""

import os
import re
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any, Final, TypedDict

import fsspec
import msgspec
from fsspec.implementations.local import LocalFileSystem

from steno_common.errors import SettingsError

FORMATS: Final = ("txt", "json", "srt", "vtt")

# A transcript is listed by its JSON, so whatever is listed is all there, or can be deleted again.
_JSON_LAST: Final = ("txt", "srt", "vtt", "json")

PREVIEW_CHARACTERS: Final = 200
LEFTOVER_SECONDS: Final = 3600.0

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ID: Final = re.compile(r"(?:(?P<stamp>[0-9]{8}T[0-9]{9}Z)_)?(?P<session>[A-Za-z0-9_-]{1,64})")
_JSON: Final = re.compile(rf"transcripcion_(?P<id>{_ID.pattern})\.json")
_LEFTOVER: Final = ".transcripcion_*.part"


class Entry(TypedDict):
    """A transcript as a list shows it."""

    id: str
    """Names the transcript, as the session's id does; it stays in its place in the list."""
    session_id: str
    start_time: str
    duration_seconds: float
    language: str | None
    text: str
    """The beginning."""


class _Document(msgspec.Struct):
    session_id: str
    start_time: str
    duration_seconds: float
    language: str | None
    text: str


def transcript_id(session_id: str, created_ms: int) -> str:
    """Name a transcript; raises ValueError for a session id that may not be part of a name."""
    moment = _EPOCH + timedelta(milliseconds=created_ms)
    name = f"{moment:%Y%m%dT%H%M%S}{created_ms % 1000:03d}Z_{session_id}"
    match = _ID.fullmatch(name)
    if match is None or match["session"] != session_id:
        raise ValueError("not an id of a session")
    return name


class Archive:
    """Transcripts under one folder or fsspec URL; safe for several processes at once."""

    def __init__(self, output: str) -> None:
        """Raise SettingsError if no filesystem serves `output`."""
        try:
            filesystem, root = fsspec.core.url_to_fs(output)
        except (ImportError, ValueError) as error:
            raise SettingsError([f"STENO_OUTPUT: {error}"]) from error
        self._filesystem: Any = filesystem
        self._root = str(root).rstrip("/")

    def prepare(self) -> None:
        """Make the folder; remove what writers that were killed left behind."""
        self._filesystem.makedirs(self._root, exist_ok=True)
        if isinstance(self._filesystem, LocalFileSystem):
            oldest = time.time() - LEFTOVER_SECONDS
            for leftover in Path(self._root).glob(_LEFTOVER):
                with suppress(FileNotFoundError):
                    if leftover.stat().st_mtime < oldest:
                        leftover.unlink()

    def save(self, session_id: str, created_ms: int, files: Mapping[str, bytes]) -> str:
        """Save the files of a session, by format; gives the id of the transcript.

        Each file is there whole or not at all. Saving again gives the same files.
        """
        name = transcript_id(session_id, created_ms)
        self._filesystem.makedirs(self._root, exist_ok=True)
        for form in _JSON_LAST:
            self._put(self._path(name, form), files[form])
        return name

    def entries(self, limit: int = 50, before: str | None = None) -> list[Entry]:
        """List transcripts, newest first, up to `limit` older than the one named `before`.

        Reads only the documents it gives; one that cannot be read is left out.
        """
        names = self._names()
        if before is not None:
            last = self._resolve(before, names)
            names = [] if last is None else [name for name in names if name < last]
        return list(islice(self._read_entries(names), limit))

    def read(self, name: str, form: str) -> bytes | None:
        """Read a transcript by its id or its session's; None if there is none."""
        found = self._resolve(name)
        if found is None or form not in FORMATS:
            return None
        try:
            content: bytes = self._filesystem.cat_file(self._path(found, form))
        except FileNotFoundError:
            return None
        return content

    def delete(self, name: str) -> bool:
        """Remove a transcript by its id or its session's; False if there is none."""
        found = self._resolve(name)
        removed = False
        for form in _JSON_LAST if found else ():
            with suppress(FileNotFoundError):
                self._filesystem.rm_file(self._path(str(found), form))
                removed = True
        return removed

    def _path(self, name: str, form: str) -> str:
        return f"{self._root}/transcripcion_{name}.{form}"

    def _names(self) -> list[str]:
        self._filesystem.invalidate_cache(self._root)
        try:
            paths = self._filesystem.ls(self._root, detail=False)
        except FileNotFoundError:
            return []
        found = (_JSON.fullmatch(str(path).rpartition("/")[2]) for path in paths)
        return sorted((match["id"] for match in found if match and match["stamp"]), reverse=True)

    def _resolve(self, name: str, names: list[str] | None = None) -> str | None:
        match = _ID.fullmatch(name)
        if match is None or match["stamp"]:
            return match and name
        names = self._names() if names is None else names
        return next((found for found in names if found.partition("_")[2] == name), None)

    def _read_entries(self, names: list[str]) -> Iterator[Entry]:
        for name in names:
            with suppress(FileNotFoundError, msgspec.DecodeError):
                content = self._filesystem.cat_file(self._path(name, "json"))
                found = msgspec.json.decode(content, type=_Document)
                yield Entry(
                    id=name,
                    session_id=found.session_id,
                    start_time=found.start_time,
                    duration_seconds=found.duration_seconds,
                    language=found.language,
                    text=found.text[:PREVIEW_CHARACTERS],
                )

    def _put(self, path: str, content: bytes) -> None:
        if not isinstance(self._filesystem, LocalFileSystem):
            self._filesystem.pipe_file(path, content)
            return
        target = Path(path)
        part = target.with_name(f".{target.name}.{uuid.uuid4().hex}.part")
        try:
            with part.open("xb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            part.replace(target)
        finally:
            part.unlink(missing_ok=True)
