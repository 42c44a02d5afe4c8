"""What a client asks of a stream, checked as the service does."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal
from uuid import UUID, uuid4

from tests.fake_transcribe.errors import bad_request

PREFIX: Final = "x-amzn-transcribe-"

_CODES: Final = """
en-US en-GB es-US fr-CA fr-FR en-AU it-IT de-DE pt-BR ja-JP ko-KR zh-CN th-TH es-ES ar-SA pt-PT
ca-ES ar-AE hi-IN zh-HK nl-NL no-NO sv-SE pl-PL fi-FI zh-TW en-IN en-IE en-NZ en-AB en-ZA en-WL
de-CH af-ZA eu-ES hr-HR cs-CZ da-DK fa-IR gl-ES el-GR he-IL id-ID lv-LV ms-MY ro-RO ru-RU sr-RS
sk-SK so-SO tl-PH uk-UA vi-VN zu-ZA am-ET be-BY bg-BG bn-IN bs-BA ckb-IQ ckb-IR cy-WL es-MX et-
ET fa-AF gu-IN ht-HT hu-HU hy-AM is-IS jv-ID ka-GE kab-DZ kk-KZ km-KH kn-IN lg-IN lt-LT mk-MK
ml-IN mr-IN my-MM ne-NP or-IN pa-IN ps-AF si-LK sl-SI sq-AL su-ID sw-BI sw-KE sw-RW sw-TZ sw-UG
ta-IN te-IN tr-TR uz-UZ
"""
LANGUAGES: Final = frozenset(_CODES.split())
"""What can be streamed."""

ENCODINGS: Final = ("pcm", "ogg-opus", "flac", "g711-alaw", "g711-ulaw", "g729")
Stability = Literal["high", "medium", "low"]
_CHOICES: Final = {
    "media-encoding": ENCODINGS,
    "partial-results-stability": ("high", "medium", "low"),
    "vocabulary-filter-method": ("remove", "mask", "tag"),
    "content-identification-type": ("PII",),
    "content-redaction-type": ("PII",),
    "transcript-format": ("spoken", "written"),
}
_FORBIDDEN_TOGETHER: Final = (
    ("show-speaker-label", "enable-channel-identification"),
    ("content-identification-type", "content-redaction-type"),
    ("vocabulary-name", "vocabulary-names"),
    ("vocabulary-filter-name", "vocabulary-filter-names"),
)


@dataclass(frozen=True, slots=True)
class Parameters:
    """A stream that can be opened."""

    session_id: str
    encoding: str
    rate: int
    language: str | None
    """None where it is to be identified."""
    options: tuple[str, ...] = ()
    preferred: str | None = None
    many_languages: bool = False
    channels: int = 1
    """More than one: each is a transcript of its own."""
    speakers: bool = False
    stability: Stability | None = None
    """None: partial results are not stabilised."""
    given: Mapping[str, str] | None = None
    """All that the client gave, by name without prefix."""

    @property
    def answer(self) -> list[tuple[str, str]]:
        """Headers that say back what was asked, booleans in lower case."""
        said = {**(self.given or {}), "session-id": self.session_id}
        return [
            (PREFIX + name, value.lower() if value in ("True", "False") else value)
            for name, value in said.items()
        ]


def spoken(code: str) -> str:
    """Give the language of a code, without its dialect."""
    return code.split("-", maxsplit=1)[0]


def parse(headers: Sequence[tuple[str, str]]) -> Parameters:
    """Read the parameters among the headers. Raises ServiceError where the service would."""
    given = {
        name.removeprefix(PREFIX): value.strip()
        for name, value in headers
        if name.startswith(PREFIX) and value.strip()
    }
    for name, choices in _CHOICES.items():
        if given.get(name, choices[0]) not in choices:
            raise bad_request(f"{name} must be one of {', '.join(choices)}.")
    for pair in _FORBIDDEN_TOGETHER:
        if all(_asked(given, name) for name in pair):
            raise bad_request(f"{pair[0]} cannot be used together with {pair[1]}.")
    if "pii-entity-types" in given and not any(name.startswith("content-") for name in given):
        raise bad_request("pii-entity-types needs content identification or redaction.")
    language, options = _languages(given)
    return Parameters(
        session_id=_session(given),
        encoding=_encoding(given),
        rate=_number(given, "sample-rate", 8_000, 48_000),
        language=language,
        options=options,
        preferred=given.get("preferred-language"),
        many_languages=_asked(given, "identify-multiple-languages"),
        channels=_channels(given),
        speakers=_asked(given, "show-speaker-label"),
        stability=_stability(given),
        given=given,
    )


def _asked(given: Mapping[str, str], name: str) -> bool:
    """Say whether a switch is on, or a text is there; both spellings of a boolean are used."""
    return given.get(name, "false").lower() != "false"


def _encoding(given: Mapping[str, str]) -> str:
    if "media-encoding" not in given:
        raise bad_request("media-encoding is missing.")
    return given["media-encoding"]


def _session(given: Mapping[str, str]) -> str:
    session = given.get("session-id")
    if session is None:
        return str(uuid4())
    try:
        canonical = str(UUID(session))
    except ValueError:
        canonical = ""
    if session.lower() != canonical:
        raise bad_request("session-id must be a UUID of 36 characters.")
    return session


def _number(given: Mapping[str, str], name: str, least: int, most: int) -> int:
    written = given.get(name, "")
    if not re.fullmatch(r"\d{1,6}", written) or not least <= int(written) <= most:
        raise bad_request(f"{name} must be a number from {least} to {most}.")
    return int(written)


def _channels(given: Mapping[str, str]) -> int:
    wanted = _asked(given, "enable-channel-identification")
    if wanted != ("number-of-channels" in given):
        raise bad_request("enable-channel-identification and number-of-channels need each other.")
    return _number(given, "number-of-channels", 2, 2) if wanted else 1


def _stability(given: Mapping[str, str]) -> Stability | None:
    if not _asked(given, "enable-partial-results-stabilization"):
        return None
    match given.get("partial-results-stability"):
        case "low":
            return "low"
        case "medium":
            return "medium"
        case _:
            return "high"


def _languages(given: Mapping[str, str]) -> tuple[str | None, tuple[str, ...]]:
    """Give the language that is told, or those among which it is identified."""
    ways = ("language-code", "identify-language", "identify-multiple-languages")
    if sum(_asked(given, way) for way in ways) != 1:
        raise bad_request(f"Exactly one of {', '.join(ways)} is needed.")
    language = given.get("language-code")
    options = tuple(filter(None, re.split(r"\s*,\s*", given.get("language-options", ""))))
    for code in filter(None, (language, *options)):
        if code not in LANGUAGES:
            raise bad_request(f"The language {code} is not supported.")
    if language is not None:
        if given.keys() & {"language-options", "vocabulary-names", "vocabulary-filter-names"}:
            raise bad_request("Where the language is told, none of several can be chosen.")
        return language, ()
    if given.keys() & {"vocabulary-name", "vocabulary-filter-name", "language-model-name"}:
        raise bad_request("Where the language is identified, vocabularies are given by language.")
    if len(options) < 2:
        raise bad_request("language-options must name at least two languages.")
    if len(set(map(spoken, options))) < len(options):
        raise bad_request("language-options may hold one dialect of each language.")
    if given.get("preferred-language", options[0]) not in options:
        raise bad_request("preferred-language must be one of language-options.")
    return None, options
