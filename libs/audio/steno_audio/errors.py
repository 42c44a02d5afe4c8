"""The one error that audio input can cause."""

from typing import ClassVar, Literal

AudioErrorCode = Literal["unsupported_format", "invalid_audio_format", "undecodable_audio"]


class AudioError(Exception):
    """Audio that cannot be taken, for a reason that its sender can be told.

    Codes:
        unsupported_format: the declared media type is none that Steno decodes.
        invalid_audio_format: the media type is known, its rate, channels or encoding is not valid.
        undecodable_audio: the bytes are not what was declared, are broken, or cannot be streamed.
    """

    retryable: ClassVar[bool] = False

    def __init__(self, code: AudioErrorCode, message: str) -> None:
        super().__init__(message)
        self.code: AudioErrorCode = code
        self.message = message

    def __repr__(self) -> str:
        return f"AudioError({self.code!r}, {self.message!r})"
