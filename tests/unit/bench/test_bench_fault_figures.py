"""Figures of histories made by hand."""

from bench.faults.figures import deaths, faults, memory, report, spreads
from bench.faults.history import (
    Acked,
    Begun,
    Claimed,
    Fault,
    Memory,
    Notice,
    Process,
    Record,
    Run,
    Sent,
)
from bench.faults.takeovers import CHANGED, takeovers

from steno_common.logs import session_tag

TAG = session_tag("s-0")
BEGUN = Begun(0, "s-0", "whole", 0, 0.0)
TALK: list[Record] = [
    BEGUN,
    *(Sent(0, chunk, float(chunk)) for chunk in (1, 2, 3, 4)),
    Acked(0, 1, 0, 1.1),
    Acked(0, 3, 1, 3.5),
    Acked(0, 4, 2, 4.0),
]


def values(name: str, records: list[Record]) -> tuple[float, ...]:
    (found,) = (spread.values for spread in spreads(records) if spread.name.startswith(name))
    return tuple(round(value, 3) for value in found)


def dead(part: str, at: float, status: int = -9) -> Process:
    return Process(part, part.partition("-")[0], 1, 1, at, status)


def test_a_takeover_is_the_time_to_the_next_claim_of_what_the_dead_one_held() -> None:
    records = [
        *TALK,
        Claimed(TAG, "transcriber-1", 1, 1.0),
        Claimed(TAG, "transcriber-2", 1, 3.4),
        dead("transcriber-1", 2.0),
    ]
    assert [round(each.claimed - each.died, 3) for each in takeovers(records)] == [1.4]


def test_the_first_words_of_another_engine_are_those_that_the_client_is_told_of() -> None:
    told = [Notice(0, 0, number, CHANGED, at) for number, at in ((5, 1.2), (8, 4.5), (11, 7.0))]
    claims = [Claimed(TAG, f"transcriber-{n}", 1, at) for n, at in ((1, 1.0), (2, 3.4), (3, 6.0))]
    records = [*TALK, *claims, dead("transcriber-1", 2.0), *told]
    assert values("transcriber dead -> text", records) == (2.5,)
    assert values("transcriber dead -> text", records[:-2]) == ()


def test_nobody_takes_over_from_one_that_held_nothing_or_ended_in_order() -> None:
    claims = [Claimed(TAG, "transcriber-1", 1, 1.0), Claimed(TAG, "transcriber-2", 1, 3.4)]
    assert list(takeovers([*TALK, *claims, dead("transcriber-2", 2.0)])) == []
    assert list(takeovers([*TALK, *claims, dead("transcriber-1", 2.0, 0)])) == []


def test_an_outage_is_the_longest_gap_between_acknowledgements_around_a_death_of_redis() -> None:
    found = values("Redis dead", [*TALK, dead("redis", 1.5)])
    assert found == (2.4,)


def test_waits_are_from_handing_a_chunk_over_to_its_acknowledgement() -> None:
    assert values("chunk handed over", TALK) == (0.1, 1.5, 0.5, 0.0)


def test_an_interruption_lasts_from_the_loss_to_the_next_attachment() -> None:
    notices: list[Record] = [
        Notice(0, 0, None, "connected", 0.5),
        Notice(0, 0, None, "reconnecting", 2.0),
        Notice(0, 0, None, "reconnecting", 2.2),
        Notice(0, 0, 5, "recording", 2.3),
        Notice(0, 0, None, "recording", 2.6),
    ]
    assert values("socket lost", [BEGUN, *notices]) == (0.6,)


def test_faults_and_deaths_are_counted_by_class_and_role() -> None:
    records: list[Record] = [
        Fault("kill redis", "redis", 1.0, 1.0),
        Fault("kill redis", "redis", 2.0, 2.0),
        dead("redis", 1.0),
        dead("gateway-1", 1.0, 0),
    ]
    assert faults(records) == {"kill redis": 2}
    assert deaths(records) == {"redis": 1}


def test_memory_grows_by_the_slope_of_processes_that_have_settled() -> None:
    times = range(0, 1200, 10)
    grows = [Memory("gateway-1", "gateway", 1, 50 + at / 60, float(at)) for at in times]
    flat = [Memory("redis", "redis", 1, 16.0, float(at)) for at in times]
    young = [Memory("notifier-1", "notifier", 1, 30 + at, float(at)) for at in range(0, 120, 10)]
    found = memory([*grows, *flat, *young])
    assert round(found["gateway"][1] or 0.0, 3) == 60.0
    assert found["redis"] == (16.0, 0.0)
    assert found["notifier"] == (140.0, None)


def test_the_report_names_the_run_and_its_figures() -> None:
    lines = list(report([Run("bench.faults", 3, 1.5, 0.0), *TALK, dead("redis", 1.5)]))
    assert lines[0] == "bench.faults, seed 3, lease 1.5 s"
    assert "processes killed: 1 (redis 1)" in lines
