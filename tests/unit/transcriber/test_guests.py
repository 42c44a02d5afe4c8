"""Guests of a worker go back each once, and silent ones hold up no others."""

from typing import Any
from unittest.mock import patch

from steno_common.policy import Choice
from steno_transcriber import balancing
from steno_transcriber.balancing import Balancing
from steno_transcriber.clock import RedisClock
from steno_transcriber.domain.balance import Balance, Peer
from steno_transcriber.domain.homing import Homing
from steno_transcriber.domain.stay import Stay

POLICY = (Choice("first"), Choice("second"))
HOST = Peer("host", 100, 100, strained=False, demand=0.0, engine="first")


def test_a_session_is_sent_once_and_those_behind_it_have_their_turn() -> None:
    stays = {f"s{n}": Stay("second", POLICY, since=float(n)) for n in range(12)}
    sent: list[list[str]] = []
    nothing: Any = None
    worker = Balancing(nothing, Balance("me", 100), Homing("me", 0.0), "second", RedisClock(),
                       nothing, lambda: stays, nothing,
                       lambda going: sent.append(list(going)), nothing, nothing)  # fmt: skip
    for at in range(20, 40):
        with patch.object(balancing.time, "monotonic", lambda at=at: float(at)):
            worker._send_home(worker._guests(), [HOST])
        if at == 30:  # one has gone, and is here again
            stays["s3"] = Stay("second", POLICY, since=30.0)
    told = [session for going in sent for session in going]
    assert told == [*(f"s{n}" for n in range(12)), "s3"]
