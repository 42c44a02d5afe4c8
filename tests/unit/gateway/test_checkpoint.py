"""What a client keeps of its session, and what is believed of it."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from steno_common.messages import (
    Destination,
    Ended,
    Event,
    Final,
    Idle,
    Prosody,
    Session,
    Status,
    Translation,
    Utterance,
    Warned,
    Word,
    encode,
)
from steno_common.saved import Saved, Told, told_by
from steno_gateway.domain.checkpoint import checkpoint_message, read_restore, sealed_state
from steno_gateway.domain.errors import ClientError
from steno_gateway.domain.seals import Seal

SID = "11111111-1111-4111-8111-111111111111"
NOW = 1_700_000_100_000
SESSION = Session(SID, NOW - 100_000, "audio/pcm")
SEAL = Seal((b"another", b"secret"))
SECRET = "whsec_" + "c2VjcmV0" * 4


def final(start: int, end: int, **changes: Any) -> Final:
    given = {"confidence": 0.5, "sequence_number": 3, "commit": 1, "created_ms": NOW - 1_000}
    words = (Word("word", start, end, 0.25),)
    fields: dict[str, Any] = {"text": "word", "words": words, "start": start, "end": end}
    return Final(**(fields | given | changes))


LOG: list[Event] = [Status("connected"), final(0, 100), Idle(100),
                    Utterance(0, "word", 0, 100, 0.5, 2, 2), final(200, 300),
                    Warned("c", "m", 100, 200),
                    final(300, 400, prosody=Prosody(0.5, 1.0, 0.5))]  # fmt: skip
SAVED = Saved(
    SESSION, conn=7, connections=2, event=7, commits=3, consumed="3-1", done=3, offset=390,
    border=400, context="words", heard=400, transcribed=300, silence=100, latency_ms=10,
    latencies=1, carried=b"carry",
)  # fmt: skip


def restored(saved: Saved = SAVED, log: list[Event] = LOG, seal: Seal = SEAL, cut: int = 3
             ) -> tuple[Saved, list[Event]]:  # fmt: skip
    """Give what is read of a checkpoint whose log came in two pieces."""
    payloads = [encode(event) for event in log]
    early = msgspec.structs.replace(saved, event=min(cut, len(log)))
    pages = [checkpoint_message(seal, early, payloads[:cut]),
             checkpoint_message(seal, saved, payloads[cut:])]  # fmt: skip
    body = {"state": pages[-1]["state"], "log": [page["log"] for page in pages if page["log"]]}
    return read_restore(SID, msgspec.json.encode(body), SEAL, NOW)


@given(cut=st.integers(0, 7))
def test_what_a_client_keeps_is_read_as_it_was(cut: int) -> None:
    assert restored(cut=cut) == (SAVED, LOG)


def test_who_spoke_is_kept_with_the_words() -> None:
    spoken = final(200, 300, words=(Word("word", 200, 300, 0.25, "0@0.013"),))
    log = [*LOG[:4], spoken, *LOG[5:]]
    assert restored(log=log) == (SAVED, log)


def test_translations_are_kept_with_the_rest() -> None:
    log = [*LOG[:5], Translation("pt-BR", "palavra", 2, 9), *LOG[6:]]
    assert restored(log=log) == (SAVED, log)
    assert told_by(log).translations == {6: Translation("pt-BR", "palavra", 2, 9)}


OWN = Destination("hook-1", "webhook", "https://hooks.example.com/?k=canary", SECRET, ("final",))
RELAY = Destination("relay-2", "relay", "wss://relay.example.com/", answers=True)
TOLD = (Destination("webhook", "webhook"), OWN, RELAY)


def told(*destinations: Destination) -> Saved:
    session = msgspec.structs.replace(SESSION, destinations=destinations)
    return msgspec.structs.replace(SAVED, session=session)


@pytest.mark.parametrize("secrets", [(b"secret",), (b"another",), (b"secret", b"another")])
def test_a_client_keeps_what_is_told_whom_without_being_able_to_read_it(
    secrets: tuple[bytes, ...],
) -> None:
    seal = Seal(secrets)
    saved = told(*TOLD)
    state = sealed_state(seal, saved)
    opened = seal.open(SID, state)
    for hidden in (b"canary", b"whsec_", b"hook-1", b"webhook"):
        assert hidden not in opened
    assert restored(saved, seal=seal) == (saved, LOG)


def test_the_same_is_hidden_otherwise_for_another_session() -> None:
    assert SEAL.hide("a", b"some data") != SEAL.hide("b", b"some data")
    assert SEAL.reveal("a", SEAL.hide("a", b"some data" * 9)) == b"some data" * 9
    with pytest.raises(ClientError):
        SEAL.reveal("b", SEAL.hide("a", b"some data"))


@pytest.mark.parametrize("wrong", [
    Destination("hook-1,x", "webhook", "https://hooks.example.com/"),
    Destination("hook-5", "webhook", "https://hooks.example.com/"),
    Destination("relay-1", "webhook", "https://hooks.example.com/"),
    Destination("hook-1", "webhook", "file:///etc/passwd"),
    Destination("webhook", "webhook", "", SECRET),
    Destination("hook-1", "webhook"),
    Destination("hook-1", "webhook", "https://hooks.example.com/", answers=True),
    Destination("relay-1", "relay", "https://relay.example.com/", answers=True),
    Destination("relay", "relay", answers=True),
])  # fmt: skip
def test_a_destination_that_no_gateway_gives_is_refused(wrong: Destination) -> None:
    with pytest.raises(ClientError, match="a destination"):
        restored(told(wrong))


def test_the_log_says_what_is_open() -> None:
    assert told_by(LOG) == Told(open_from=5, last_end=400, utterances=1, finals=3)
    assert told_by(LOG[:4]) == Told(open_from=0, last_end=100, utterances=1, finals=1)
    assert told_by([]) == Told(0, 0, 0, 0)


@pytest.mark.parametrize("changes", [
    {"event": 8}, {"event": 6}, {"done": 4}, {"done": 2}, {"consumed": "4-0"}, {"offset": 401},
    {"border": 389}, {"border": 399}, {"transcribed": 301}, {"silence": 99}, {"heard": 401},
    {"commits": 0}, {"latencies": 4}, {"offset": 10**9, "border": 10**9, "silence": 10**9 - 300},
    {"done": 180_001, "consumed": "180001-0"}, {"done": 0, "consumed": "0-1"},
    {"done": 0, "consumed": "0-0"},
    {"session": msgspec.structs.replace(SESSION, session_id="another")},
    {"session": msgspec.structs.replace(SESSION, created_ms=NOW + 10**9)},
    {"session": msgspec.structs.replace(SESSION, created_ms=-1)},
    {"session": msgspec.structs.replace(SESSION, duration_limit=10**6)},
    {"session": msgspec.structs.replace(SESSION, prompt="x" * 1_001)},
    {"session": msgspec.structs.replace(SESSION, language="no language")},
    {"session": msgspec.structs.replace(SESSION, metadata={str(n): "" for n in range(17)})},
    {"session": msgspec.structs.replace(SESSION, hotwords=("\x00",))},
    {"context": "x" * 4_097}, {"carried": bytes(4_097)}, {"conn": -1}, {"conn": 1 << 60},
    {"consumed": "3"}, {"consumed": "3-1\n"},
])  # fmt: skip
def test_a_state_that_does_not_hold_together_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ClientError) as refused:
        restored(msgspec.structs.replace(SAVED, **changes))
    assert refused.value.code == "invalid_checkpoint"


@pytest.mark.parametrize("wrong", [
    final(200, 401), final(99, 300), final(300, 200), final(200, 300, confidence=1.5),
    final(200, 300, confidence=float("nan")), final(200, 300, created_ms=-1),
    final(200, 300, created_ms=10**17), final(200, 300, commit=4), final(200, 300, commit=0),
    final(200, 300, sequence_number=-1), final(200, 300, processing_ms=-5),
    final(200, 300, words=(Word("a", -1, 2, 0.5),)),
    final(200, 300, words=(Word("a", 0, 2**62, 0.5),)),
    final(200, 300, words=(Word("a", 0, 2, float("inf")),)),
    final(200, 300, prosody=Prosody(float("nan"), 1.0, 1.0)),
    Idle(401), Idle(-1), Warned("c", "m" * 1_000), Warned("c", "", -1, 5), Warned("c", "", 0, 401),
    Warned("c", "", 5, 4), Status("completed"), Status("\x00"), Ended(400),
    Utterance(0, "", 0, 100, 0.5, 2, 2), Utterance(1, "", 0, 100, 0.5, 2, 2),
    Utterance(1, "", 0, 100, 0.5, 7, 7), Utterance(1, "", 0, 401, 0.5, 5, 5),
    Translation("es", "", 1), Translation("es", "", 7), Translation("es", "", -2),
    Translation("spanish", "", 2), Translation("ES", "", 2), Translation("es", "x" * 5_001, 2),
])  # fmt: skip
def test_an_event_that_does_not_fit_is_refused(wrong: Event) -> None:
    log = [*LOG]
    log[4] = wrong
    with pytest.raises(ClientError) as refused:
        restored(log=log)
    assert refused.value.code == "invalid_checkpoint"


@given(place=st.integers(min_value=0), wrong=st.sampled_from("AZaz09-_"))
def test_a_changed_letter_is_noticed(place: int, wrong: str) -> None:
    state = sealed_state(SEAL, SAVED)
    place %= len(state)
    changed = state[:place] + wrong + state[place + 1 :]
    if changed != state:
        with pytest.raises(ClientError):
            SEAL.open(SID, changed)


def test_a_page_opens_at_its_place_and_for_its_session_alone() -> None:
    text = SEAL.close("label", b"data")
    assert SEAL.open("label", text) == b"data"
    assert Seal((b"secret",)).open("label", text) == b"data"
    for label, seal in (("other", SEAL), ("label", Seal((b"another",)))):
        with pytest.raises(ClientError):
            seal.open(label, text)


def test_without_secrets_nothing_is_signed_but_all_is_checked() -> None:
    body = {"state": sealed_state(Seal(), SAVED), "log": []}
    with pytest.raises(ClientError, match="not all events"):
        read_restore(SID, msgspec.json.encode(body), Seal(), NOW)


@given(body=st.binary(max_size=200), inner=st.binary(max_size=200))
def test_arbitrary_bytes_raise_the_one_error(body: bytes, inner: bytes) -> None:
    sealed = msgspec.json.encode({"state": Seal().close(SID, inner), "log": []})
    for request in (body, sealed):
        with pytest.raises(ClientError):
            read_restore(SID, request, Seal(), NOW)
