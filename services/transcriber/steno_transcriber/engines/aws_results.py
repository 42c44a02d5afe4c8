"""Results of Amazon Transcribe in the terms of recognition."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from steno_transcriber.domain.results import HeardWord, Result


def results(event: Any) -> Iterator[Result]:
    """Give what a transcript event holds, the best alternative of each of its results.

    The event has the attributes of the SDKs' models; what is missing is None there.
    """
    for each in event.transcript.results or ():
        alternatives = each.alternatives or ()
        start = each.start_time or 0.0
        yield Result(
            segment=each.result_id or "",
            start=start,
            end=max(start, each.end_time or 0.0),
            words=words(alternatives[0].items or ()) if alternatives else (),
            final=not each.is_partial,
            language=_short(each.language_code),
        )


def words(items: Sequence[Any]) -> tuple[HeardWord, ...]:
    """Glue punctuation to the word before it."""
    found: list[HeardWord] = []
    for item in items:
        if not item.content:
            continue
        if _kind(item) == "punctuation":
            if found:
                found[-1] = replace(found[-1], text=found[-1].text + item.content)
            continue
        start = item.start_time or 0.0
        end = max(start, item.end_time or 0.0)
        confidence = round(min(1.0, max(0.0, item.confidence or 0.0)), 3)
        found.append(
            HeardWord(item.content, start, end, confidence, bool(item.stable), item.speaker or None)
        )
    return tuple(found)


def _kind(item: Any) -> str:
    """Give `pronunciation` or `punctuation`; the SDKs differ in the attribute's name."""
    return str(getattr(item, "item_type", None) or getattr(item, "type", None) or "")


def _short(code: str | None) -> str | None:
    return code.partition("-")[0].lower() if code else None
