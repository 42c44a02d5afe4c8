"""Policies of sessions as scripts read them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steno_common.policy import NAME, Choice, pack, unpack

names = st.lists(st.from_regex(NAME, fullmatch=True).map(str.strip), max_size=8, unique=True)


def test_a_policy_is_its_grace_with_engines_that_do_not_rest() -> None:
    assert pack(["whisper", "aws"], 1_500) == "1500 whisper=0 aws=0"
    assert pack([], 1_500) == ""


def test_what_scripts_leave_is_read() -> None:
    assert unpack("") == ()
    assert unpack("1500 whisper=1700000000000 aws=0") == (
        Choice("whisper", 1_700_000_000_000), Choice("aws"),
    )  # fmt: skip


@given(names, st.integers(0, 60_000))
def test_every_policy_is_read_as_it_was_written(engines: list[str], grace_ms: int) -> None:
    assert unpack(pack(engines, grace_ms)) == tuple(map(Choice, engines))


@pytest.mark.parametrize("name", ["", "Whisper", "a b", "a=1", "a%1", "é", "a" * 33, "-a", "a\n"])
def test_what_could_be_read_as_something_else_is_no_name(name: str) -> None:
    with pytest.raises(ValueError, match="engine"):
        pack([name], 0)
