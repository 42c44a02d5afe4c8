"""Errors that end the start with one line for the person who typed the command."""


class StandaloneError(Exception):
    """Base: the message says what is wrong together with the way out."""


class PortTakenError(StandaloneError):
    """Another program listens on one of the four ports."""


class NoRedisError(StandaloneError):
    """No Redis answers, or none is installed that can be started."""


class NotReadyError(StandaloneError):
    """A service does not come up; the message holds its last lines."""
