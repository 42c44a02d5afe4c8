"""The live view on stderr."""

import shutil
import time
import unicodedata
from collections.abc import Callable
from typing import Final, Protocol, TextIO

from steno_client.domain.events import Event, Partial, Status, Warned
from steno_client.domain.events import Final as FinalEvent

_LINE_SECONDS: Final = 5.0
_UNHEARD_OF: Final = frozenset({"reconnecting", "block_mode"})
_LOST: Final = "segment_skipped"
"""The warning that is told in every view, in a line that stays: text is missing."""


class Display(Protocol):
    """Shows how sessions go."""

    def show(self, name: str, event: Event, seconds: float | None, /) -> None:
        """Show an event of a file that is `seconds` long, if it says so."""

    def say(self, text: str) -> None:
        """Show a line that stays."""

    def clear(self) -> None:
        """Make room for other output."""


class Quiet:
    """Says only what went wrong."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def show(self, name: str, event: Event, _seconds: float | None) -> None:
        """A line for text that is missing."""
        if _is_lost(event):
            self.say(f"{name}: {_note(event)}")

    def say(self, text: str) -> None:
        """One line."""
        print(text, file=self._stream, flush=True)

    def clear(self) -> None:
        """Nothing is in the way."""


class Lines(Quiet):
    """Sparse plain lines, for a stream that is no terminal."""

    def __init__(self, stream: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(stream)
        self._clock = clock
        self._next = clock() + _LINE_SECONDS

    def show(self, name: str, event: Event, seconds: float | None) -> None:
        """A line for what is unusual, and every few seconds one for the position."""
        note = _note(event)
        if note is not None:
            self.say(f"{name}: {note}")
        elif isinstance(event, Partial | FinalEvent) and self._clock() >= self._next:
            self._next = self._clock() + _LINE_SECONDS
            self.say(f"{name}: {position(event.end, seconds)}")


class Terminal(Quiet):
    """One line that is written again and again."""

    def __init__(self, stream: TextIO, columns: Callable[[], int] | None = None) -> None:
        super().__init__(stream)
        self._columns = columns or (lambda: shutil.get_terminal_size().columns)
        self._dirty = False

    def show(self, name: str, event: Event, seconds: float | None) -> None:
        """Position with the newest words."""
        note = _note(event)
        if _is_lost(event):
            super().show(name, event, seconds)
        elif note is not None:
            self._write(f"{name}  {note}", "")
        elif isinstance(event, Partial | FinalEvent):
            self._write(f"{name}  {position(event.end, seconds)}  ", event.text)

    def say(self, text: str) -> None:
        """A line above the one that changes."""
        self.clear()
        super().say(text)

    def clear(self) -> None:
        """Empty the line."""
        if self._dirty:
            self._stream.write("\r\x1b[K")
            self._stream.flush()
            self._dirty = False

    def _write(self, head: str, text: str) -> None:
        room = self._columns() - 1  # a full line would scroll
        head = clip_start(head, room)
        self._stream.write(f"\r\x1b[K{head}{clip_end(text, room - width(head))}")
        self._stream.flush()
        self._dirty = True


def display(stream: TextIO, *, quiet: bool) -> Display:
    """The view that fits a stream."""
    if quiet:
        return Quiet(stream)
    return Terminal(stream) if stream.isatty() else Lines(stream)


def position(at: float, seconds: float | None) -> str:
    """Such as `0:05 / 1:10`."""
    return clock_time(at) if seconds is None else f"{clock_time(at)} / {clock_time(seconds)}"


def clock_time(seconds: float) -> str:
    """Minutes with seconds."""
    return f"{int(seconds) // 60}:{int(seconds) % 60:02}"


def width(text: str) -> int:
    """Columns that a text takes."""
    return sum(_columns_of(character) for character in text)


def clip_end(text: str, columns: int) -> str:
    """The last words of a text in so many columns; what a terminal would obey is left out."""
    text = _plain(text)
    if width(text) <= columns:
        return text
    kept, left = "", columns - 1
    for character in reversed(text):
        left -= _columns_of(character)
        if left < 0:
            break
        kept = character + kept
    return f"…{kept}" if columns > 0 else ""


def clip_start(text: str, columns: int) -> str:
    """The beginning of a text in so many columns."""
    text = _plain(text)
    while width(text) > max(columns, 0):
        text = text[:-1]
    return text


def _note(event: Event) -> str | None:
    match event:
        case Status(status=status) if status in _UNHEARD_OF:
            return "sending the whole recording" if status == "block_mode" else "connecting again"
        case Warned():
            return f"{event.code}: {event.message}"
        case _:
            return None


def _is_lost(event: Event) -> bool:
    return isinstance(event, Warned) and event.code == _LOST


def _plain(text: str) -> str:
    return "".join(character if character.isprintable() else " " for character in text)


def _columns_of(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
