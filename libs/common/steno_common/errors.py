"""Errors that carry the decision.

StenoError                  code, message, retryable: what a caller or a client is told
├── StoreError              something between a service and Redis
│   └── StoreUnavailableError    retryable: no answer; the same call may be repeated
├── SettingsError           the environment holds values that cannot be used
└── MessageError            poison: bytes that are no message of ours
"""

from collections.abc import Sequence


class StenoError(Exception):
    """Base of the errors of all services.

    `code` is stable and documented in docs/protocol.md, `message` is for people, `retryable` says
    whether the same call can succeed later.
    """

    code = "internal"
    retryable = False

    def __init__(self, message: str, *, code: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        if code is not None:
            self.code = code


class StoreError(StenoError):
    """Redis answered with something that the scripts never return."""

    code = "store_failed"


class StoreUnavailableError(StoreError):
    """Redis gave no answer in time; every write is idempotent, so it may be repeated."""

    code = "store_unavailable"
    retryable = True


class SettingsError(StenoError):
    """All faults of the settings together, one per line."""

    code = "invalid_settings"

    def __init__(self, faults: Sequence[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = tuple(faults)


class MessageError(StenoError):
    """Bytes that no version of the message contract explains."""

    code = "poison_message"
