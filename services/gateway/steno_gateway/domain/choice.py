"""What one reader of a session chooses to be told."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from steno_common.messages import Event, Partial, Translation, Utterance
from steno_common.messages import Final as FinalEvent
from steno_gateway.domain.errors import ClientError
from steno_gateway.domain.languages import canonical, within

MOST_LANGUAGES: Final = 16
_FLAGS: Final[Mapping[str, bool]] = {"true": True, "1": True, "false": False, "0": False}


@dataclass(frozen=True, slots=True)
class Choice:
    """Of a session's texts, those that a reader wants; how it goes it is always told."""

    languages: tuple[str, ...] = ()
    """Of translations; `es` takes in `es-MX`. None: no translations at all."""
    original: bool = True
    """The words as they were spoken."""

    def wants(self, item: Event | Partial) -> bool:
        """Say whether the reader is to be told of something."""
        match item:
            case Translation():
                return any(within(wanted, item.language) for wanted in self.languages)
            case Partial() | FinalEvent() | Utterance():
                return self.original
        return True


EVERYTHING_SAID: Final = Choice()
"""All but translations."""


def chosen_languages(values: Iterable[str]) -> tuple[str, ...]:
    """Read what `language` says, repeated or as lists with commas; raises ClientError."""
    tags = [tag.strip() for value in values for tag in value.split(",")]
    try:
        languages = tuple(dict.fromkeys(canonical(tag) for tag in tags if tag))
    except ValueError as error:
        raise ClientError("invalid_message", "a language is a tag such as es or pt-BR") from error
    if len(languages) > MOST_LANGUAGES:
        raise ClientError("invalid_message", f"at most {MOST_LANGUAGES} languages")
    return languages


def flag(value: str | None, *, default: bool) -> bool:
    """Read `true` or `false`; raises ClientError `invalid_message`."""
    if value is None:
        return default
    if value.lower() not in _FLAGS:
        raise ClientError("invalid_message", "a switch is true or false")
    return _FLAGS[value.lower()]
