"""The one error of the client."""


class SessionError(Exception):
    """Something that ended a session or a request for good.

    `code` is one of docs/protocol.md, or one of the client's own:

    connection_lost     nothing answers, however often one tries (retryable)
    audio_forgotten     the server wants audio from before what it once called done
    unauthorized        the server does not let this client in
    forbidden           the server lets this client in, but not do that
    invalid_answer      what came back is not what the protocol says

    `retryable`: the same can succeed later. `retry_after`: seconds, where the server told them.
    """

    def __init__(
        self, code: str, message: str, *, retryable: bool = False, retry_after: float | None = None
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.retryable = retryable
        self.retry_after = retry_after

    def __repr__(self) -> str:
        return f"SessionError({self.code!r}, {self.message!r}, retryable={self.retryable})"
