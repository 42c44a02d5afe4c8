"""The states of a session: which action leads where."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Literal

from steno_gateway.domain.errors import ClientError

Action = Literal["start", "pause", "resume", "stop", "finalize"]

_ACTIONS: Final[Mapping[Action, tuple[frozenset[str], str | None]]] = MappingProxyType(
    {
        "start": (frozenset({"connected"}), "recording"),
        "pause": (frozenset({"recording"}), "paused"),
        "resume": (frozenset({"paused"}), "recording"),
        "stop": (frozenset({"connected", "recording", "paused"}), "finalizing"),
        "finalize": (frozenset({"recording", "paused"}), None),
    }
)

INTERRUPTIBLE: Final = ("connected", "recording", "paused")
"""States from which a lost connection leads to `reconnecting`."""

OVER: Final = frozenset({"finalizing", "completed", "error"})
"""States in which no audio is taken any more."""


def allowed(action: Action) -> frozenset[str]:
    """Give the states in which an action is legal."""
    return _ACTIONS[action][0]


def after(action: Action, state: str) -> str:
    """Give the state an action leads to; the same one if its result holds already.

    Raises ClientError `illegal_transition`.
    """
    states, target = _ACTIONS[action]
    if state in states:
        return target or state
    if state == target or (action == "stop" and state in OVER):
        return state
    raise ClientError("illegal_transition", f"{action} is not possible while {state}")
