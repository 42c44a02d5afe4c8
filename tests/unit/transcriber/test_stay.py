"""Where a session may go from the engine that it is with."""

from hypothesis import given
from hypothesis import strategies as st

from steno_common.policy import Choice
from steno_transcriber.domain.stay import Stay

POLICY = (Choice("whisper"), Choice("aws"), Choice("slow"))
engines = st.sampled_from(["whisper", "aws", "slow", "other", ""])
choices = st.lists(
    st.builds(Choice, engines.filter(bool), st.sampled_from([0, 50])),
    unique_by=lambda choice: choice.engine,
).map(tuple)


def test_a_session_without_a_policy_is_at_home_everywhere() -> None:
    stay = Stay("whisper", before="aws")
    assert stay.may_go_to("anything")
    assert stay.homes(0) == []
    assert stay.others(0, {"whisper", "aws"}) == []


def test_it_would_rather_be_with_engines_that_come_before_and_did_not_fail() -> None:
    rested = (Choice("whisper", 100), Choice("aws"), Choice("slow"))
    assert Stay("slow", rested).homes(99) == ["aws"]
    assert Stay("slow", rested).homes(100) == ["whisper", "aws"]
    assert Stay("whisper", rested).homes(100) == []


def test_another_engine_goes_on_only_if_it_is_there_and_did_not_fail() -> None:
    rested = (Choice("whisper", 100), Choice("aws"), Choice("slow"))
    stay = Stay("aws", rested)
    assert stay.others(50, {"whisper", "slow", "aws"}) == ["slow"]
    assert stay.others(100, {"whisper", "aws"}) == ["whisper"]
    assert stay.others(100, {"aws"}) == []
    assert not stay.may_go_to("other")


def test_why_it_came() -> None:
    reasons = {
        ("whisper", ""): None, ("aws", ""): "overflow", ("aws", "aws"): None,
        ("aws", "whisper"): "failure", ("slow", "whisper"): "failure",
        ("whisper", "aws"): "return", ("aws", "slow"): "return",
    }  # fmt: skip
    assert {each: Stay(each[0], POLICY, each[1]).reason for each in reasons} == reasons
    changed = {each for each in reasons if Stay(each[0], POLICY, each[1]).changed}
    assert changed == {each for each, reason in reasons.items() if reason not in (None, "overflow")}


@given(engines, choices, engines, st.integers(0, 100))
def test_whoever_it_is_sent_to_is_one_of_its_choices(
    engine: str, policy: tuple[Choice, ...], before: str, now_ms: int
) -> None:
    stay = Stay(engine, policy, before)
    names = [choice.engine for choice in policy]
    for other in (*stay.homes(now_ms), *stay.others(now_ms, set(names))):
        assert other != engine
        assert stay.may_go_to(other)
        assert names.index(other) in range(len(names))
    if engine in names:
        assert all(names.index(home) < names.index(engine) for home in stay.homes(now_ms))
    assert stay.reason is None or stay.changed or not before
