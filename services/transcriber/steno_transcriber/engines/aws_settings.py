"""Settings of the engine `aws`."""

from dataclasses import dataclass
from typing import Literal

Stability = Literal["high", "medium", "low", "off"]
FilterMethod = Literal["mask", "remove", "tag"]


def parts(text: str) -> list[str]:
    """Give what commas part."""
    return [part.strip() for part in text.split(",") if part.strip()]


@dataclass(frozen=True, slots=True)
class AwsSettings:
    """Where Amazon Transcribe is, what it is asked for; credentials come from AWS's own chain."""

    aws_region: str = ""
    """Empty: AWS_REGION, else AWS_DEFAULT_REGION."""
    aws_endpoint: str = ""
    """Address of the service; empty: that of the region."""
    aws_ca_file: str = ""
    """Certificates to trust, in PEM form; empty: those of the system."""
    aws_connect_seconds: float = 5.0
    """Longest time until a stream is open."""
    aws_max_streams: int = 25
    """Streams of one transcriber at once: its share of the account's quota."""
    aws_pace: float = 2.0
    """Seconds of audio sent in a second, at most."""
    aws_tries: int = 5
    """Streams that may be lost in a row without any progress."""
    aws_max_stream_seconds: float = 14_100.0
    """Audio after which a stream is ended in the next pause; the service takes 4 h."""
    aws_stability: Stability = "high"
    """How early the words of partial results stop changing."""
    aws_language_options: str = "en-US,es-US,fr-FR,de-DE,pt-BR"
    """Languages that may be spoken where none is told, and regions of those that are."""
    aws_preferred_language: str = ""
    """The likeliest of them."""
    aws_vocabulary: str = ""
    """Names of custom vocabularies; with several languages one for each; commas part them."""
    aws_vocabulary_filter: str = ""
    """Names of vocabulary filters, likewise."""
    aws_vocabulary_filter_method: FilterMethod = "mask"
    """What becomes of a word that a filter holds."""
    aws_language_model: str = ""
    """Name of a custom language model."""
    aws_speaker_labels: bool = False
    """Whether words say who spoke them."""
