"""Subtitle cues: finals cut at words into what fits on a screen."""

import textwrap
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final as Constant

from steno_common.messages import Final
from steno_common.units import SAMPLE_RATE

LINE_CHARACTERS: Constant = 42
LINES: Constant = 2
LONGEST_MS: Constant = 7_000

_SAMPLES_PER_MS: Constant = SAMPLE_RATE // 1000
_CONTROLS: Constant = dict.fromkeys((*range(0x20), *range(0x7F, 0xA0)), " ")


@dataclass(frozen=True, slots=True)
class Cue:
    """What stands on the screen for a while."""

    start_ms: int
    end_ms: int
    lines: tuple[str, ...]
    speaker: str | None = None
    """Who says all of it; None: it is not known."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a text that is not torn, with the space behind it."""

    text: str
    start_ms: int
    end_ms: int
    speaker: str | None = None


def clean(text: str) -> str:
    """Give a text as one line: no control characters, single spaces."""
    return " ".join(text.translate(_CONTROLS).split())


def cues(finals: Iterable[Final]) -> list[Cue]:
    """Give the cues of finals in order: none overlap, each lasts 1 ms to 7 s, of one speaker."""
    found: list[Cue] = []
    free = 0
    for final in finals:
        for group in _groups(pieces(final)):
            if not (lines := _lines(group)):
                continue  # the space behind a word that filled a cue
            start = max(group[0].start_ms, free)
            end = max(min(group[-1].end_ms, start + LONGEST_MS), start + 1)
            found.append(Cue(start, end, lines, group[0].speaker))
            free = end
    return found


def pieces(final: Final) -> list[Piece]:
    """Cut a final at its words; together the pieces are its text.

    Words come from an engine and may differ from the text, or be missing: then the text is cut at
    spaces, with times in proportion to the characters.
    """
    text = clean(final.text)
    cuts = _word_cuts(text, final)
    if not cuts:
        whole = Piece(text, final.start // _SAMPLES_PER_MS, final.end // _SAMPLES_PER_MS)
        cuts = _cut(whole, [len(word) + 1 for word in text.split(" ")]) if text else []
    return [
        part
        for piece in cuts
        for part in _cut(piece, [LINE_CHARACTERS] * (len(piece.text) // LINE_CHARACTERS + 1))
    ]


def _word_cuts(text: str, final: Final) -> list[Piece]:
    starts, at = [], 0
    words = [(clean(word.text), word) for word in final.words]
    words = [(spelled, word) for spelled, word in words if spelled]
    for spelled, _ in words:
        at = text.find(spelled, at)
        if at < 0:
            return []
        starts.append(at)
        at += len(spelled)
    # What stands before the first word belongs to it.
    bounds = [0, *starts[1:], len(text)]
    return [
        Piece(text[begin:end], word.start // _SAMPLES_PER_MS, word.end // _SAMPLES_PER_MS,
              word.speaker)
        for (_, word), begin, end in zip(words, bounds, bounds[1:], strict=False)
    ]  # fmt: skip


def _cut(piece: Piece, lengths: Sequence[int]) -> list[Piece]:
    """Cut a piece into parts of so many characters, its time in proportion."""
    parts, at, size = [], 0, len(piece.text)
    span = max(piece.end_ms - piece.start_ms, 0)
    for length in lengths:
        end = min(at + length, size)
        if end > at:
            parts.append(
                Piece(piece.text[at:end], piece.start_ms + span * at // size,
                      piece.start_ms + span * end // size, piece.speaker)
            )  # fmt: skip
        at = end
    return parts


def _groups(parts: Iterable[Piece]) -> Iterator[list[Piece]]:
    group: list[Piece] = []
    for part in parts:
        if group and (part.speaker != group[0].speaker or not _fits([*group, part])):
            yield group
            group = []
        group.append(part)
    if group:
        yield group


def _fits(group: Sequence[Piece]) -> bool:
    return group[-1].end_ms - group[0].start_ms <= LONGEST_MS and len(_lines(group)) <= LINES


def _lines(group: Sequence[Piece]) -> tuple[str, ...]:
    text = "".join(piece.text for piece in group)
    return tuple(textwrap.wrap(text, LINE_CHARACTERS, break_on_hyphens=False))
