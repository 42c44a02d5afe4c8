"""Errors of Amazon Transcribe, of its SDK and of the network as errors of an engine."""

from typing import Final

from amazon_transcribe.eventstream import ParserError
from amazon_transcribe.exceptions import (
    BadRequestException,
    CredentialsException,
    LimitExceededException,
    SDKError,
    SerializationException,
    ServiceUnavailableException,
    UnknownServiceException,
)
from awscrt.exceptions import AwsCrtError

from steno_transcriber.engines.base import (
    EngineAway,
    EngineDenied,
    EngineError,
    EngineLimited,
    EngineRefused,
)

FAULTS: Final = (SDKError, AwsCrtError, ParserError, OSError, ValueError, RuntimeError)
"""What the SDK raises; its parser of messages lets errors of JSON pass."""

_LIMITED: Final = frozenset({"ThrottlingException", "TooManyRequestsException", "Throttling"})
_DENIED: Final = (401, 403)
_TOO_MANY: Final = 429
_SERVER_FAULTS: Final = 500


def engine_error(error: BaseException, *, opened: bool) -> EngineError:
    """Give the decision; `opened`: the stream had begun.

    A stream that had begun was understood, so a bad request then is no fault of parameters: the
    service says so of audio that stayed away, for example.
    """
    kind = _kind(error, opened=opened)
    return kind(_text(error))


def _text(error: BaseException) -> str:
    if isinstance(error, UnknownServiceException):
        return f"{error.error_code}: {error.message}"
    return str(error) or getattr(error, "message", "") or type(error).__name__


def _kind(error: BaseException, *, opened: bool) -> type[EngineError]:
    kind: type[EngineError] = EngineError
    match error:
        case LimitExceededException():
            kind = EngineLimited
        case ServiceUnavailableException():
            kind = EngineAway
        case BadRequestException() | SerializationException() if not opened:
            kind = EngineRefused
        case CredentialsException():
            kind = EngineDenied
        case UnknownServiceException():
            kind = _by_status(error)
        case AwsCrtError() if str(error.name).startswith("AWS_AUTH"):
            kind = EngineDenied
        case AwsCrtError() | OSError():
            kind = EngineAway
    return kind


def _by_status(error: UnknownServiceException) -> type[EngineError]:
    """Decide by the status of an answer whose name the SDK does not know."""
    if str(error.error_code) in _LIMITED or error.status_code == _TOO_MANY:
        return EngineLimited
    if error.status_code in _DENIED:
        return EngineDenied
    return EngineRefused if error.status_code < _SERVER_FAULTS else EngineAway
