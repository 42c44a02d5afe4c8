"""What the service refuses a request or ends a stream with."""

from collections.abc import Mapping
from typing import Final

STATUS: Final[Mapping[str, int]] = {
    "BadRequestException": 400,
    "UnrecognizedClientException": 403,
    "InvalidSignatureException": 403,
    "UnknownOperationException": 404,
    "ConflictException": 409,
    "LimitExceededException": 429,
    "InternalFailureException": 500,
    "ServiceUnavailableException": 503,
}
"""HTTP status of each error before a stream; in a stream only its name is sent."""

NO_NEW_AUDIO: Final = (
    "Your request timed out because no new audio was received for 15 seconds."
)  # fmt: skip
TOO_LONG: Final = "The audio of this stream is longer than a stream may be."
TOO_MANY: Final = "As many streams are open as this account may have."
TOO_BIG: Final = "The audio of one event is larger than 32 KB."
UNDECODABLE: Final = "The audio cannot be decoded."
STARTED_AGAIN: Final = (
    "A new stream was started with the same session ID. The current stream has been terminated."
)  # fmt: skip


class ServiceError(Exception):
    """An error of the service by its name in the API."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(f"{name}: {message}")
        self.name = name
        self.message = message

    @property
    def status(self) -> int:
        """Its HTTP status."""
        return STATUS.get(self.name, 500)


def bad_request(message: str) -> ServiceError:
    """Give the error for what a client asks wrongly."""
    return ServiceError("BadRequestException", message)
