"""R3: translations may lag. What a log says so far, and where the session ends for whom."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steno_common.messages import (
    Completed,
    Event,
    Final,
    Numbered,
    Statistics,
    Status,
    Translation,
    Utterance,
)
from steno_gateway.domain.choice import EVERYTHING_SAID, Choice
from steno_gateway.domain.ending import completes, has_all, nothing_left, resume_point
from steno_gateway.domain.server import snapshot_message, translation_message
from steno_gateway.domain.story import LAST, Segment, Story

COMPLETED = Completed("one two", Statistics(0, 0, 0, 0, 0, 0, 0), ())
ES, ES_FR = Choice(("es",)), Choice(("es", "fr"))


def final(text: str, start: int = 0) -> Final:
    return Final(text, (), start, start + 8_000, 1.0, 1, 1)


LOG: list[Event] = [
    Status("recording"),
    final("one"),
    Translation("es", "uno", 2, 1_000),
    final("two", 16_000),
    Utterance(0, "one two", 0, 24_000, 1.0, 2, 4),
    final(" ", 32_000),
    Translation("fr", "un", 2),
    COMPLETED,
    Translation("es-MX", "dos", 4),
    Translation("fr", "deux", 4),
]


def story(through: int = len(LOG), log: list[Event] = LOG) -> Story:
    told = Story()
    told.take(0, [Numbered(number, event) for number, event in enumerate(log[:through], 1)])
    return told


@pytest.mark.parametrize(
    ("choice", "over_at"), [(ES, 9), (Choice(("fr",)), 10), (ES_FR, 10), (Choice(("de",)), None)]
)
def test_who_chose_languages_has_all_once_each_final_has_them(
    choice: Choice, over_at: int | None
) -> None:
    over = [through for through in range(len(LOG) + 1) if has_all(choice, through, story(through))]
    assert over[:1] == ([] if over_at is None else [over_at])


def test_one_that_lags_behind_the_story_has_not_all() -> None:
    assert has_all(ES, 9, story(9))
    assert not has_all(ES, 8, story(9))


def test_without_a_final_nothing_is_outstanding() -> None:
    assert has_all(ES, 2, story(log=[Status("recording"), COMPLETED]))


def test_a_text_of_no_final_stands_for_none() -> None:
    log = [*LOG[:2], COMPLETED, Translation("es", "uno", 0)]
    assert not has_all(ES, 4, story(log=log))


def test_only_the_last_event_of_the_session_itself_completes_it() -> None:
    numbered = [Numbered(number, event) for number, event in enumerate(LOG, 1)]
    assert [each.number for each in numbered if completes(each)] == [8]


@pytest.mark.parametrize(
    ("asked", "newest", "finished", "expected"),
    [(0, 0, 0, 0), (3, 7, 0, 3), (7, 7, 0, 7), (99, 7, 0, 7),
     (7, 7, 7, 6), (99, 7, 7, 6), (2, 7, 7, 2), (99, 9, 7, 6), (8, 9, 7, 6)],
)  # fmt: skip
def test_a_reader_goes_on_behind_what_it_knows_and_hears_the_end_again(
    asked: int, newest: int, finished: int, expected: int
) -> None:
    assert resume_point(asked, newest, finished) == expected


@pytest.mark.parametrize(
    ("choice", "after", "left"),
    [(EVERYTHING_SAID, 7, False), (EVERYTHING_SAID, 8, True), (ES, 8, False), (ES, 9, True),
     (Choice(("de",)), 8, True), (ES_FR, 9, False), (ES_FR, 10, True)],
)  # fmt: skip
def test_who_heard_the_end_need_not_come_back_unless_something_for_it_came_since(
    choice: Choice, after: int, left: bool
) -> None:
    following = [Numbered(n, event) for n, event in enumerate(LOG, 1) if n > after]
    assert nothing_left(choice, after, 8, following) is left
    assert not nothing_left(choice, after, 0, [])


def test_a_snapshot_holds_all_before_the_end() -> None:
    assert snapshot_message("s", "e", story(), Choice(("es", "fr"))) == {
        "type": "server:snapshot", "session_id": "s", "epoch": "e", "event": 7, "text": "one two",
        "utterances": [{
            "event": 5, "index": 0, "text_content": "one two", "start_time": 0.0, "end_time": 1.5,
            "confidence": 1.0, "language": None, "first_event": 2, "last_event": 4,
        }],
        "translations": {
            "es": {"text": "uno", "last": [{
                "event": 3, "language": "es", "text_content": "uno", "of": 2, "start_time": 0.0,
                "end_time": 0.5, "created_at": "1970-01-01T00:00:01.000Z",
            }]},
            "fr": {"text": "un", "last": [{
                "event": 7, "language": "fr", "text_content": "un", "of": 2, "start_time": 0.0,
                "end_time": 0.5, "created_at": "1970-01-01T00:00:00.000Z",
            }]},
        },
    }  # fmt: skip


def test_a_snapshot_has_translations_where_they_belong_and_the_last_one_by_one() -> None:
    finals: list[Event] = [final(str(n)) for n in range(1, LAST + 3)]
    log: list[Event] = [*finals, *(Translation("es", f"t{n}", n) for n in range(LAST + 2, 0, -1))]
    message = snapshot_message("s", "e", story(len(log), log), Choice(("es",), original=False))
    assert "text" not in message
    spanish = message["translations"]["es"]
    assert spanish["text"] == " ".join(f"t{n}" for n in range(1, LAST + 3))
    assert [each["of"] for each in spanish["last"]] == list(range(3, LAST + 3))


def test_a_translation_says_when_what_it_translates_was_said() -> None:
    fields: dict[str, Any] = {"type": "server:translation", "session_id": "s", "event": 9,
                              "language": "es", "text_content": "hola",
                              "created_at": "1970-01-01T00:00:00.005Z"}  # fmt: skip
    of_one = translation_message(
        "s", 9, Translation("es", "hola", 2, 5), Segment("", 8_000, 16_000)
    )
    assert of_one == fields | {"of": 2, "start_time": 0.5, "end_time": 1.0}
    of_none = translation_message("s", 9, Translation("es", "hola", 0, 5), None)
    assert of_none == fields | {"of": 0, "start_time": None, "end_time": None}


@given(st.lists(st.tuples(st.integers(0, 10), st.integers(0, 10)), max_size=12))
def test_pages_that_overlap_or_miss_something_never_make_another_story(
    pages: list[tuple[int, int]],
) -> None:
    told = Story()
    for after, count in pages:
        numbered = [Numbered(n, event) for n, event in enumerate(LOG, 1)]
        told.take(after, numbered[after : after + count])
    assert told == story(told.through)
