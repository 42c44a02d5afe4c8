"""Results in the service's own form."""

import re
from collections.abc import Iterator
from typing import Any, Final
from uuid import uuid4

from tests.fake_transcribe.hearing import Heard
from tests.fake_transcribe.parameters import Parameters, Stability, spoken

from steno_common.messages import Word
from steno_common.units import to_seconds

_HELD_BACK: Final[dict[Stability, int]] = {"high": 0, "medium": 1, "low": 3}
"""Words that are agreed on but not called stable yet."""

_MARKS: Final = re.compile(r"(?P<word>.+?)(?P<marks>[.,;:!?。、？！…]*)")  # noqa: RUF001


class Form:
    """Gives the results of one channel: a segment keeps its id, a stable word its text."""

    def __init__(self, parameters: Parameters, channel: int) -> None:
        self._parameters = parameters
        self._channel = channel
        self._segments = 0
        self._id = str(uuid4())
        self._kept: tuple[Word, ...] = ()

    def result(self, heard: Heard) -> dict[str, Any]:
        """Give the next result; behind a final one a new segment begins."""
        words = self._kept + heard.words[len(self._kept) :]
        stability = self._parameters.stability
        if stability is not None:
            stable = len(words) if heard.final else heard.agreed - _HELD_BACK[stability]
            self._kept = words[: max(stable, len(self._kept))]
        stable_words = len(self._kept)
        items = [
            item
            for place, word in enumerate(words)
            for item in self._items(word, place < stable_words, final=heard.final)
        ]
        alternative = {"Transcript": _transcript(items), "Items": items}
        result = {
            "ResultId": self._id,
            "StartTime": to_seconds(heard.start),
            "EndTime": to_seconds(heard.end),
            "IsPartial": not heard.final,
            "Alternatives": [alternative],
            **self._where(),
            **self._language(heard),
        }
        if heard.final:
            self._next_segment()
        return result

    def _next_segment(self) -> None:
        self._id = str(uuid4())
        self._kept = ()
        self._segments += 1

    def _where(self) -> dict[str, Any]:
        return {"ChannelId": f"ch_{self._channel}"} if self._parameters.channels > 1 else {}

    def _language(self, heard: Heard) -> dict[str, Any]:
        """Say the language where it was to be identified: the option nearest to what was heard."""
        options = self._parameters.options
        if not options:
            return {}
        preferred = self._parameters.preferred or options[0]
        code = next((each for each in options if spoken(each) == heard.language), preferred)
        score = round(heard.probability, 4)
        return {
            "LanguageCode": code,
            "LanguageIdentification": [{"LanguageCode": code, "Score": score}],
        }

    def _items(self, word: Word, stable: bool, *, final: bool) -> Iterator[dict[str, Any]]:
        """Give a word, then each mark behind it at the time where the word ends.

        What may still change has no confidence.
        """
        parts = _MARKS.fullmatch(word.text)
        assert parts is not None
        end = to_seconds(word.end)
        extra = {"Stable": stable} if self._parameters.stability is not None else {}
        sure = {"Confidence": round(word.confidence, 4)} if final or stable else {}
        if parts["word"]:
            yield {
                "Content": parts["word"],
                "Type": "pronunciation",
                "StartTime": to_seconds(word.start),
                "EndTime": end,
                "VocabularyFilterMatch": False,
                **sure,
                **self._speaker(),
                **extra,
            }
        for mark in parts["marks"]:
            yield {
                "Content": mark,
                "Type": "punctuation",
                "StartTime": end,
                "EndTime": end,
                "VocabularyFilterMatch": False,
                **extra,
            }

    def _speaker(self) -> dict[str, Any]:
        """Name the speaker, where asked: two of them take turns."""
        return {"Speaker": str(self._segments % 2)} if self._parameters.speakers else {}


def event(*results: dict[str, Any]) -> dict[str, Any]:
    """Give the body of a transcript event."""
    return {"Transcript": {"Results": list(results)}}


def _transcript(items: list[dict[str, Any]]) -> str:
    text = ""
    for item in items:
        space = " " if text and item["Type"] == "pronunciation" else ""
        text += space + item["Content"]
    return text
