"""The dialogue with one client: states, order, and actions that wait for refused chunks."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steno_gateway.domain.client import AudioChunk
from steno_gateway.domain.dialogue import Dialogue
from steno_gateway.domain.errors import ClientError
from steno_gateway.domain.intake import Bucket, Intake
from steno_gateway.domain.items import Accepted, Item, Mark, Move


def dialogue(limit: int = 1_000, state: str = "connected") -> Dialogue:
    intake = Intake(1, limit, 1 << 20, Bucket(1e6, 1e6))
    return Dialogue(state, intake, "audio/pcm")


def chunk(sequence: int, mime_type: str | None = None) -> AudioChunk:
    return AudioChunk(sequence, b"ab", mime_type=mime_type)


def said(items: list[Item]) -> list[object]:
    return [
        item.sequence if isinstance(item, Accepted) else getattr(item, "kind", None) or item.to  # type: ignore[union-attr]
        for item in items
    ]


def test_the_first_chunk_starts_the_recording() -> None:
    client = dialogue()
    assert list(client.audio(chunk(1), 0)) == [
        Move("recording", ("connected",)),
        Accepted(1, b"ab", 0),
    ]
    assert client.state == "recording"


def test_pause_makes_the_open_segment_final_first() -> None:
    client = dialogue(state="recording")
    assert said(list(client.act("pause"))) == ["finalize", "paused"]
    assert list(client.act("pause")) == []


def test_a_chunk_while_paused_is_refused_with_the_number_to_resend_from() -> None:
    client = dialogue(state="paused")
    with pytest.raises(ClientError) as refused:
        list(client.audio(chunk(1), 0))
    assert refused.value.code == "illegal_transition"
    assert refused.value.details == {"resend_from": 1}


def test_a_chunk_of_another_type_is_refused() -> None:
    with pytest.raises(ClientError) as refused:
        list(dialogue().audio(chunk(1, "audio/webm"), 0))
    assert refused.value.code == "format_mismatch"


def test_audio_without_a_number_comes_next() -> None:
    client = dialogue()
    assert said([*client.next_audio(b"ab", 0), *client.next_audio(b"cd", 0)]) == ["recording", 1, 2]


def test_nothing_waits_for_refused_audio_that_has_no_number() -> None:
    client = dialogue(limit=1, state="recording")
    assert said(list(client.next_audio(b"ab", 0))) == [1]
    with pytest.raises(ClientError) as refused:
        list(client.next_audio(b"cd", 0))
    assert refused.value.code == "backlog_full"
    assert said(list(client.act("stop"))) == ["end"]
    with pytest.raises(ClientError) as refused:
        list(client.next_audio(b"ef", 0))
    assert refused.value.code == "session_finished"


def test_stop_behind_a_refused_chunk_waits_for_it() -> None:
    client = dialogue(limit=2, state="recording")
    for sequence in (1, 2):
        assert said(list(client.audio(chunk(sequence), 0))) == [sequence]
    for sequence in (3, 4):
        with pytest.raises(ClientError):
            list(client.audio(chunk(sequence), 0))
        client.intake._refused = 0  # each refusal is told, as if acks came between
    assert list(client.act("stop")) == []
    client.intake.limit = 10
    assert said(list(client.audio(chunk(3), 0))) == [3]
    assert said(list(client.audio(chunk(4), 0))) == [4, "end"]
    assert client.over


def test_a_number_out_of_all_reach_holds_no_action_back() -> None:
    client = dialogue(state="recording")
    with pytest.raises(ClientError):
        list(client.audio(chunk(4_000_000_000), 0))
    assert said(list(client.act("stop"))) == ["end"]


def test_an_illegal_action_is_refused_at_once_even_behind_a_refused_chunk() -> None:
    client = dialogue(limit=0)
    with pytest.raises(ClientError):
        list(client.audio(chunk(1), 0))
    with pytest.raises(ClientError) as refused:
        list(client.act("resume"))
    assert refused.value.code == "illegal_transition"


def test_waiting_actions_are_bounded() -> None:
    client = dialogue(limit=0, state="recording")
    with pytest.raises(ClientError):
        list(client.audio(chunk(1), 0))
    for _ in range(100):
        assert list(client.act("finalize")) == []
    with pytest.raises(ClientError) as refused:
        list(client.act("finalize"))
    assert refused.value.code == "rate_limited"


def test_silence_is_no_news_once_the_input_has_ended() -> None:
    client = dialogue(state="recording")
    assert list(client.silent()) == [Mark("idle")]
    list(client.act("stop"))
    assert list(client.silent()) == []


@given(
    st.lists(
        st.one_of(
            st.integers(1, 12),
            st.sampled_from(["start", "pause", "resume", "stop", "finalize"]),
            st.just("room"),
        ),
        max_size=60,
    )
)
def test_whatever_is_said_chunks_come_once_in_order_and_nothing_follows_the_end(
    messages: list[int | str],
) -> None:
    client = dialogue(limit=3)
    items: list[Item] = []
    for message in messages:
        if message == "room":
            client.intake.limit += 3
            continue
        taken = (
            client.audio(chunk(message), 0) if isinstance(message, int) else client.act(message)  # type: ignore[arg-type]
        )
        try:
            items.extend(taken)
        except ClientError:
            continue
    sequences = [item.sequence for item in items if isinstance(item, Accepted)]
    assert sequences == list(range(1, len(sequences) + 1))
    ends = [place for place, item in enumerate(items) if item == Mark("end")]
    assert ends in ([], [len(items) - 1])
