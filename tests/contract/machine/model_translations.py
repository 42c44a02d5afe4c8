"""What the scripts promise of translations, in plain Python."""

from collections.abc import Mapping

from tests.contract.machine.model_gateway import Book

from steno_common.messages import Final, Translation, encode
from steno_common.store.sessions import Outcome
from steno_common.store.translations import Stored

MOST_BYTES = 600
"""Of one session's translations: some eight short ones."""


def translated(translations: Mapping[int, Translation]) -> dict[str, int]:
    """Say where each final has its translation, and each language its last one of none."""
    return {f"tr:{each.event}:{each.language}": n for n, each in sorted(translations.items())}


class TranslationBook(Book):
    """What whoever translates is promised."""

    def translate(self, sid: str, translation: Translation, epoch: str = "") -> Stored:
        state, events = self.state(sid), self.state(sid).events
        if not state.exists:
            return Stored(Outcome.MISSING, 0)
        if epoch not in {"", state.epoch}:
            return Stored(Outcome.UNKNOWN, 0)
        field = f"tr:{translation.event}:{translation.language}"
        there = state.translated.get(field, 0)
        if there and (translation.event or said(events[there - 1]) == translation.text):
            return Stored(Outcome.NOTHING, there)
        of = events[translation.event - 1] if 0 < translation.event <= len(events) else None
        if translation.event and not isinstance(of, Final):
            return Stored(Outcome.UNKNOWN, 0)
        if state.translated_bytes + len(encode(translation)) > MOST_BYTES:
            return Stored(Outcome.FULL, 0)
        events.append(translation)
        state.translated_bytes += len(encode(translation))
        state.translated[field] = len(events)
        self.ring(sid)
        return Stored(Outcome.DONE, len(events))


def said(event: object) -> str:
    """Give the text of a translation."""
    assert isinstance(event, Translation)
    return event.text
