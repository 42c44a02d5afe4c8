"""What Amazon Transcribe is asked for, in the words of its API."""

from typing import Any, Final

from steno_common.messages import MANY_LANGUAGES
from steno_common.units import SAMPLE_RATE
from steno_transcriber.domain.hypothesis import Options
from steno_transcriber.engines.aws_settings import AwsSettings, parts
from steno_transcriber.engines.base import EngineRefused

USUAL: Final = {
    "af": "ZA", "ar": "SA", "ca": "ES", "cs": "CZ", "da": "DK", "de": "DE", "el": "GR", "en": "US",
    "es": "US", "eu": "ES", "fa": "IR", "fi": "FI", "fr": "FR", "gl": "ES", "he": "IL", "hi": "IN",
    "hr": "HR", "id": "ID", "it": "IT", "ja": "JP", "ko": "KR", "lv": "LV", "ms": "MY", "nl": "NL",
    "no": "NO", "pl": "PL", "pt": "BR", "ro": "RO", "ru": "RU", "sk": "SK", "so": "SO", "sr": "RS",
    "sv": "SE", "th": "TH", "tl": "PH", "uk": "UA", "vi": "VN", "zh": "CN", "zu": "ZA",
}  # fmt: skip
"""The service wants a region with each language: the usual one of those that it knows."""
OTHERS: Final = {
    "ar": "AE", "de": "CH", "en": "AB AU GB IE IN NZ WL ZA", "es": "ES", "fr": "CA", "pt": "PT",
    "zh": "HK TW",
}  # fmt: skip
"""Further regions that it tells apart."""
FEWEST_OPTIONS: Final = 2
"""Languages among which the service tells one apart, at least."""


def request(settings: AwsSettings, options: Options) -> dict[str, Any]:
    """Give the arguments of the stream, in the terms of `amazon-transcribe`.

    Raises EngineRefused if the settings lack what the session needs.
    """
    stable = settings.aws_stability != "off"
    many = options.language is None or options.language == MANY_LANGUAGES
    return {
        **(_languages(settings, options) if many else {"language_code": _code(settings, options)}),
        "media_sample_rate_hz": SAMPLE_RATE,
        "media_encoding": "pcm",
        "enable_partial_results_stabilization": True if stable else None,
        "partial_results_stability": settings.aws_stability if stable else None,
        "show_speaker_label": True if settings.aws_speaker_labels else None,
        "language_model_name": (settings.aws_language_model or None) if not many else None,
        **_named("vocabulary_name", settings.aws_vocabulary, many=many),
        **_named("vocab_filter_name", settings.aws_vocabulary_filter, many=many),
        "vocab_filter_method": (
            settings.aws_vocabulary_filter_method if settings.aws_vocabulary_filter else None
        ),
    }


def _code(settings: AwsSettings, options: Options) -> str:
    """Give the language with a region: the session's own, that of the settings, the usual one.

    A region that the service does not tell apart is as good as none.
    """
    language = options.language or ""
    subtags = (options.locale or "").split("-")
    regions = OTHERS.get(language, "").split()
    spoken = next((each.upper() for each in subtags[1:] if each.upper() in regions), None)
    if spoken is not None:
        return f"{language}-{spoken}"
    usual = f"{language}-{USUAL[language]}" if language in USUAL else language
    if USUAL.get(language, "") in [each.upper() for each in subtags[1:]]:
        return usual
    named = parts(settings.aws_language_options)
    return next((each for each in named if each.partition("-")[0] == language), usual)


def _languages(settings: AwsSettings, options: Options) -> dict[str, Any]:
    told = parts(settings.aws_language_options)
    if len(told) < FEWEST_OPTIONS:
        raise EngineRefused(
            "a session without a language needs two languages in STENO_AWS_LANGUAGE_OPTIONS"
        )
    every = options.language == MANY_LANGUAGES
    return {
        # Told apart once for the stream, or as they change.
        "identify_multiple_languages" if every else "identify_language": True,
        "language_code": None,
        "language_options": told,
        "preferred_language": settings.aws_preferred_language or None,
    }


def _named(name: str, text: str, *, many: bool) -> dict[str, Any]:
    """Give one name alone, several where languages are told apart."""
    values = parts(text)
    if not values:
        return {}
    return {f"{name}s": list(values)} if many else {name: values[0]}
