"""Which stream behaves how."""

import msgspec
import pytest
from tests.fake_transcribe.behaviours import WELL, Behaviour, Failure, How, Rule, behaviour_of, nth

LATE = Behaviour(results_delay=1.0)
DROPPED = Behaviour(failure=Failure(How.DROP, at=2.0))


def test_the_first_rule_that_covers_a_stream_counts() -> None:
    rules = [nth(2, LATE), Rule(DROPPED, first=2, last=6, every=2)]
    assert [behaviour_of(number, rules) for number in range(1, 9)] == [
        WELL,
        LATE,
        WELL,
        DROPPED,
        WELL,
        DROPPED,
        WELL,
        WELL,
    ]


def test_a_rule_for_all_streams_has_no_bounds() -> None:
    assert [behaviour_of(number, [Rule(LATE)]) for number in (1, 2, 1_000)] == [LATE] * 3


def test_a_rule_is_written_in_json() -> None:
    written = '{"behaviour": {"failure": {"how": "drop", "at": 2}}, "every": 3}'
    assert msgspec.json.decode(written, type=Rule) == Rule(DROPPED, every=3)


@pytest.mark.parametrize(
    "written",
    [
        '{"behaviour": {"failure": {"how": "explode"}}}',
        '{"behaviour": {"results_delay": -1}}',
        '{"behaviour": {"result_delay": 1}}',
        '{"behaviour": {}, "every": 0}',
        "{}",
    ],
)
def test_a_rule_that_says_nothing_known_is_refused(written: str) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(written, type=Rule)
