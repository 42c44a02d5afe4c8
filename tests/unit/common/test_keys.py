"""Names in Redis."""

from dataclasses import fields

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steno_common.keys import KeySpace, SessionKeys, ShardKeys

NAMES = ("meta", "audio", "log", "live", "waiting", "leases", "fences", "tries", "due",
         "sessions", "events")  # fmt: skip


@pytest.mark.parametrize(
    ("session_id", "shard"),
    [
        ("11111111-1111-4111-8111-111111111111", 0),
        ("golden-eagle-427", 11),
        ("00000000-0000-0000-0000-000000000000", 9),
    ],
)
def test_the_shard_of_a_session_never_changes(session_id: str, shard: int) -> None:
    assert KeySpace(16).session(session_id) == SessionKeys(shard, session_id)


def test_names_are_written_as_documented() -> None:
    keys = SessionKeys(7, "SID")
    assert [getattr(keys, name) for name in NAMES] == [
        "steno:{s7}:session:SID", "steno:{s7}:audio:SID", "steno:{s7}:log:SID",
        "steno:{s7}:live:SID", "steno:{s7}:waiting", "steno:{s7}:leases", "steno:{s7}:fences",
        "steno:{s7}:tries", "steno:{s7}:due", "steno:{s7}:sessions", "steno:{s7}:events",
    ]  # fmt: skip


@given(st.text(min_size=1), st.integers(1, 300))
def test_a_session_shares_its_hash_tag_with_its_shard(session_id: str, shards: int) -> None:
    space = KeySpace(shards)
    keys = space.session(session_id)
    shard = space.all_shards()[keys.shard]
    assert shard.session(session_id) == keys
    tags = {getattr(keys, name).partition("}")[0] for name in NAMES}
    assert tags == {"steno:{s" + str(keys.shard)}
    assert [field.name for field in fields(ShardKeys)] == ["shard"]
