"""The files of a transcript: text, JSON, SubRip, WebVTT."""

from collections.abc import Iterable

import msgspec

from steno_aggregator.domain.cues import Cue, clean, cues
from steno_aggregator.domain.transcript import Transcript, document
from steno_common.units import SAMPLE_RATE

# SubRip has no way to escape: players read tags in angle brackets, some also in braces. Single
# quotation brackets and parentheses look alike.
_SRT_LOOKALIKES = str.maketrans("<>{}", "\u2039\u203a()")
_VTT_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


def render(transcript: Transcript) -> dict[str, bytes]:
    """Give the content of each file, by format; UTF-8."""
    shown = cues(final for _, final in transcript.finals)
    return {
        "txt": txt(transcript).encode(),
        "json": json(transcript),
        "srt": srt(shown).encode(),
        "vtt": vtt(shown).encode(),
    }


def txt(transcript: Transcript) -> str:
    """Give a header of metadata, then one line per utterance."""
    statistics = transcript.statistics
    header = [
        f"Timestamp: {transcript.start_time}",
        f"Duration: {clock(_milliseconds(statistics.received))}",
        f"Mean latency: {statistics.mean_latency_ms} ms",
        f"Session: {transcript.session.session_id}",
        f"Language: {transcript.language or 'unknown'}",
        "",
    ]
    said = [
        f"[{clock(_milliseconds(utterance.start))}] {clean(utterance.text)}"
        for utterance in transcript.utterances
    ]
    return "\n".join([*header, *said, ""])


def json(transcript: Transcript) -> bytes:
    """Give the whole document, indented; the same bytes for the same transcript."""
    return msgspec.json.format(msgspec.json.encode(document(transcript)), indent=2) + b"\n"


def srt(shown: Iterable[Cue]) -> str:
    """Give numbered cues; what a player could take for markup is replaced by its likeness."""
    return "\n".join(
        f"{number}\n{_span(cue, ',')}\n{_text(cue).translate(_SRT_LOOKALIKES)}\n"
        for number, cue in enumerate(shown, 1)
    )


def vtt(shown: Iterable[Cue]) -> str:
    """Give a WebVTT file that names speakers where they are known; markup in texts is escaped."""
    blocks = [
        f"{_span(cue, '.')}\n{_voice(cue)}{_text(cue).translate(_VTT_ESCAPES)}\n" for cue in shown
    ]
    return "\n".join(["WEBVTT\n", *blocks])


def clock(milliseconds: int, point: str = ".") -> str:
    """Give `HH:MM:SS.mmm`, with the given decimal point."""
    seconds, rest = divmod(milliseconds, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02d}:{minutes:02d}:{seconds:02d}{point}{rest:03d}"


def _milliseconds(samples: int) -> int:
    return samples * 1000 // SAMPLE_RATE


def _span(cue: Cue, point: str) -> str:
    return f"{clock(cue.start_ms, point)} --> {clock(cue.end_ms, point)}"


def _voice(cue: Cue) -> str:
    """Give the tag that names the speaker of a whole cue: it needs no end."""
    if cue.speaker is None:
        return ""
    return f"<v Speaker {clean(cue.speaker).translate(_VTT_ESCAPES)}>"


def _text(cue: Cue) -> str:
    return "\n".join(cue.lines)
