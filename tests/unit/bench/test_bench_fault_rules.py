"""The oracle finds every kind of broken promise in histories made by hand."""

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from bench.faults.book import read, writing
from bench.faults.history import (
    Acked,
    Begun,
    Calm,
    Completed,
    Counts,
    Expected,
    Failed,
    Fault,
    Final,
    Heard,
    Left,
    Notice,
    Process,
    Record,
    Run,
    Said,
    Saved,
    Sent,
    Spoke,
    Taken,
    Utterance,
)
from bench.faults.rules import Violation, check

ONE = Said("1 2", 0.1, 0.6, (("1", 0.1, 0.3), ("2", 0.4, 0.6)))
TWO = Said("3", 2.0, 2.2, (("3", 2.0, 2.2),))
HEARD = Heard("1 2 3", 0.1, 2.2)
COUNTS = Counts(received=48_000, transcribed=20_000, silence=28_000, finals=2, utterances=1)


def told(reader: int) -> list[Record]:
    return [
        Notice(0, reader, 1, "connected", 1.0),
        Final(0, reader, 3, ONE, 2.0),
        Notice(0, reader, None, "reconnecting", 2.1),
        Final(0, reader, 4, TWO, 3.0),
        Utterance(0, reader, 6, HEARD, 4.0),
        Completed(0, reader, 8, "1 2 3", COUNTS, 5.0),
    ]


def clean() -> list[Record]:
    return [
        Run("by hand", 1, 3.0, 0.0),
        Begun(0, "s-0", "whole", 1, 0.0),
        Spoke(0, "1 2", 1, 24_000, 0.1),
        Spoke(0, "3", 1, 24_000, 1.0),
        Sent(0, 1, 1.0),
        Acked(0, 1, 0, 1.1),
        Sent(0, 2, 2.0),
        Acked(0, 2, 2, 2.1),
        *told(0),
        *told(1),
        Calm(2.5),
        Left(("steno:{s3}:events", "steno:{s0}:workers"), 60.0),
        Saved(0, "1 2 3", (ONE, TWO), (HEARD,), COUNTS),
        Expected(0, (ONE, TWO), (HEARD,)),
    ]


def broken(
    kind: type[Record], change: Callable[[Record], Record | None], reader: int | None = None
) -> list[Violation]:
    """Judge the clean history with the first record of a kind changed, or left out."""
    records, done = [], False
    for record in clean():
        hit = isinstance(record, kind) and reader in (None, getattr(record, "reader", None))
        if hit and not done:
            done = True
            changed = change(record)
            records += [] if changed is None else [changed]
        else:
            records.append(record)
    assert done
    return check(records)


ENDED = "s" * 36
TAKEN = [
    f"{ENDED}-final-1600",
    f"{ENDED}-final-32000",
    f"{ENDED}-utterance-0",
    f"{ENDED}-completed",
]


def delivering(*ids: str) -> list[Violation]:
    """Judge the clean history of a run that delivers, with these deliveries."""
    records = [
        msgspec.structs.replace(record, deliveries=True) if isinstance(record, Run)
        else msgspec.structs.replace(record, session_id=ENDED) if isinstance(record, Begun)
        else record for record in clean()
    ]  # fmt: skip
    return check([*records, *(Taken(each, 1.0) for each in ids)])


def test_deliveries_may_come_twice_but_not_later_than_what_follows_them() -> None:
    assert delivering(*TAKEN) == []
    assert delivering(TAKEN[0], *TAKEN) == []
    assert delivering(f"{ENDED}-epoch-1", *TAKEN, TAKEN[1]) == []


@pytest.mark.parametrize(
    "ids",
    [TAKEN[1:], [TAKEN[1], TAKEN[0], *TAKEN[2:]], [*TAKEN[:2], TAKEN[3]], TAKEN[:3], [],
     [TAKEN[3], *TAKEN[:3]], [f"{ENDED}-final-7", *TAKEN]],
    ids=["lost", "disordered", "utterance lost", "end lost", "nothing", "end early", "another"],
)  # fmt: skip
def test_deliveries_that_are_not_as_saved_are_found(ids: list[str]) -> None:
    assert rules(delivering(*ids)) == {"delivered"}


def rules(found: list[Violation]) -> set[str]:
    return {violation.rule for violation in found}


def test_a_clean_history_breaks_nothing() -> None:
    assert check(clean()) == []


def said(*words: str) -> tuple[Said, ...]:
    return (Said(" ".join(words), 0.1, 0.6, ()), TWO)


@pytest.mark.parametrize(
    "finals",
    [said("1"), said("1", "1", "2"), said("2", "1"), said("1", "?"), (ONE,), (ONE, ONE, TWO)],
    ids=["lost", "doubled", "disordered", "broken", "final lost", "final doubled"],
)
def test_words_that_are_not_as_said_are_found(finals: tuple[Said, ...]) -> None:
    found = broken(Saved, lambda saved: msgspec.structs.replace(saved, finals=finals))
    assert {"words", "clean run", "views"} <= rules(found)


@pytest.mark.parametrize(
    "change",
    [{"text": "1 2"}, {"text": "1 2 3 3"}, {"utterances": ()}, {"utterances": (HEARD, HEARD)}],
    ids=["text lost", "text doubled", "utterance lost", "utterance doubled"],
)
def test_words_are_looked_for_in_every_form_in_which_they_are_saved(
    change: dict[str, object],
) -> None:
    found = broken(Saved, lambda saved: msgspec.structs.replace(saved, **change))
    assert "words" in rules(found)


def test_between_engines_segments_may_end_elsewhere_but_words_are_those_of_one_alone() -> None:
    there = Said("1", 0.1, 0.3, ()), Said("2 3", 0.4, 2.2, ())
    several = [
        msgspec.structs.replace(record, repeatable=False) if isinstance(record, Run)
        else msgspec.structs.replace(record, finals=there) if isinstance(record, Expected)
        else record for record in clean()
    ]  # fmt: skip
    assert check(several) == []
    assert rules(check([Run("one engine", 1, 3.0, 0.0), *several[1:]])) == {"clean run"}
    other = Expected(0, (Said("1 2", 0.1, 0.6, ()), Said("4", 2.0, 2.2, ())), (HEARD,))
    assert rules(check([*several[:-1], other])) == {"alone"}


def test_acknowledged_audio_without_a_transcript_is_found() -> None:
    found = broken(Saved, lambda _: None)
    assert found == [Violation("words", 0, "no transcript, 2 chunks were acknowledged")]


def test_where_redis_lost_everything_what_was_stored_may_be_taken_back_but_no_word() -> None:
    lost = Fault("flush", "redis", 2.2, 2.2)
    assert check([*clean(), lost, Acked(0, 1, 2, 4.9)]) == []
    silent = [record for record in clean() if not isinstance(record, Saved)]
    assert rules(check([*silent, lost])) == {"words"}


def test_an_acknowledgement_that_is_taken_back_is_found() -> None:
    found = check([*clean(), Acked(0, 1, 2, 4.9)])
    assert found == [
        Violation("acknowledged", 0, "told 2 stored, 2 done, then 1 stored, 2 done")
    ]  # fmt: skip


@pytest.mark.parametrize(
    "counts",
    [
        msgspec.structs.replace(COUNTS, transcribed=19_999),
        msgspec.structs.replace(COUNTS, received=47_000, transcribed=19_000),
        msgspec.structs.replace(COUNTS, finals=3),
        msgspec.structs.replace(COUNTS, utterances=2),
    ],
    ids=["a sample missing", "less than was sent", "finals", "utterances"],
)
def test_an_accounting_that_does_not_balance_is_found(counts: Counts) -> None:
    found = broken(Saved, lambda saved: msgspec.structs.replace(saved, counts=counts))
    assert "accounting" in rules(found)


def test_times_that_differ_from_a_clean_run_are_found() -> None:
    late = msgspec.structs.replace(ONE, end=0.601)
    found = broken(Expected, lambda expected: msgspec.structs.replace(expected, finals=(late, TWO)))
    assert rules(found) == {"clean run"}


def test_an_utterance_that_was_split_is_found() -> None:
    parts = (Heard("1 2", 0.1, 0.6), Heard("3", 2.0, 2.2))
    found = broken(
        Expected, lambda expected: msgspec.structs.replace(expected, utterances=parts)
    )  # fmt: skip
    assert rules(found) == {"clean run"}


def test_a_session_of_which_the_engine_alone_was_not_asked_is_found() -> None:
    assert rules(broken(Expected, lambda _: None)) == {"alone"}


@pytest.mark.parametrize("reader", [0, 1])
@pytest.mark.parametrize("kind", [Final, Utterance, Completed])
def test_what_a_reader_was_never_told_is_found(kind: type[Record], reader: int) -> None:
    found = broken(kind, lambda _: None, reader)
    assert "views" in rules(found)
    assert all(f"reader {reader}" in violation.what for violation in found)


def test_a_final_that_another_reader_saw_differently_is_found() -> None:
    changed = msgspec.structs.replace(ONE, text="1 9")
    found = broken(Final, lambda final: msgspec.structs.replace(final, said=changed), 1)
    assert {"views", "numbers"} <= rules(found)


def test_an_event_that_comes_twice_is_found() -> None:
    found = check([*clean()[:9], Final(0, 0, 3, ONE, 3.5), *clean()[9:]])
    assert {"views", "numbers"} <= rules(found)


def test_a_completion_with_another_text_is_found() -> None:
    found = broken(Completed, lambda each: msgspec.structs.replace(each, text="1 2"), 0)
    assert "views" in rules(found)


def test_a_client_that_gave_up_is_found() -> None:
    found = check([*clean(), Failed(0, 0, "SessionError()", 4.0)])
    assert rules(found) == {"gave up"}


def test_a_session_that_fell_silent_after_the_last_fault_is_found() -> None:
    found = check(clean(), silent_seconds=0.9)
    assert rules(found) == {"silent"}
    assert str(found[0]) == "silent session 0: nothing for 1.0 s, 0.5 s after the last fault"


def test_a_key_of_a_session_that_is_left_in_redis_is_found() -> None:
    found = broken(Left, lambda left: msgspec.structs.replace(left, keys=("steno:{s3}:fences",)))
    assert found == [Violation("left behind", None, "steno:{s3}:fences")]


def test_a_service_that_ended_by_a_fault_of_its_own_is_found() -> None:
    died = Process("gateway-1", "gateway", 2, 4711, 3.0, 70)
    assert rules(check([*clean(), died])) == {"fault"}


def test_a_history_that_breaks_off_is_found() -> None:
    assert "unfinished" in rules(broken(Left, lambda _: None))


def test_who_leaves_need_not_be_told_the_end_but_nothing_wrong() -> None:
    records: list[Record] = []
    for record in clean():
        if isinstance(record, Begun):
            records.append(msgspec.structs.replace(record, manner="leaving"))
        elif getattr(record, "reader", None) != 0 or record.at < 2.5:  # type: ignore[union-attr]
            records.append(record)
    assert check(records) == []
    wrong = [
        msgspec.structs.replace(r, said=TWO) if isinstance(r, Final) and r.reader == 0 else r
        for r in records
    ]
    assert {"views", "numbers"} <= rules(check(wrong))


def test_a_session_that_nobody_came_to_has_nothing_to_show() -> None:
    absent = Begun(1, "s-1", "absent", 0, 0.0)
    assert check([*clean(), absent]) == []


def test_a_history_is_read_as_it_was_written(tmp_path: Path) -> None:
    with writing(tmp_path / "history", "by hand", 1, 3.0) as book:
        for record in clean()[1:]:
            book.put(record)
    assert read(tmp_path / "history")[1:] == clean()[1:]
