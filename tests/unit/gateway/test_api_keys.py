"""API keys are read strictly, kept as digests, and found whoever else has one."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steno_gateway.domain.keys import InvalidKeyError, Key, matching, read_keys

SECRET = "correct-horse-battery"
SHA256 = hashlib.sha256(SECRET.encode()).hexdigest()

names = st.text("abcXYZ019_.-", min_size=1, max_size=20)
secrets = st.text(
    st.characters(min_codepoint=33, max_codepoint=126, exclude_characters=","),
    min_size=16, max_size=60,
).filter(lambda text: not text.startswith("sha256:"))  # fmt: skip


def test_a_secret_and_its_digest_are_the_same_key() -> None:
    plain, hashed = read_keys([f"ann:{SECRET}", f"ann:sha256:{SHA256}"])
    assert plain == hashed == Key("ann", bytes.fromhex(SHA256))


def test_a_file_may_have_comments_and_empty_lines() -> None:
    lines = ["# keys of the office", "", f"  ann:{SECRET}  ", "   "]
    assert [key.name for key in read_keys(lines)] == ["ann"]


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (SECRET, "not name:secret"),
        (f":{SECRET}", "not name:secret"),
        (f"a b:{SECRET}", "not name:secret"),
        ("ann:fifteen-letters", "at least 16"),
        ("ann:" + "ä" * 20, "at least 16"),
        ("ann:with a space in it", "at least 16"),
        ("ann:sha256:abc", "64 hexadecimal digits"),
        (f"ann:sha256:{SHA256}0", "64 hexadecimal digits"),
    ],
)
def test_a_key_that_is_none_is_refused_without_repeating_it(line: str, why: str) -> None:
    line = line.replace("fifteen-letters", "fifteen-letter!")
    with pytest.raises(InvalidKeyError) as caught:
        read_keys(["", line])
    assert str(caught.value).startswith("key 2")
    assert why in str(caught.value)
    assert line.rpartition(":")[2] not in str(caught.value)


@given(st.dictionaries(secrets, names, min_size=1, max_size=6), st.data())
def test_every_secret_finds_its_own_name_and_no_other_finds_any(
    written: dict[str, str], data: st.DataObject
) -> None:
    keys = read_keys(f"{name}:{secret}" for secret, name in written.items())
    secret = data.draw(st.sampled_from(sorted(written)))
    found = matching(keys, secret)
    assert found is not None
    assert found.name == written[secret]
    stranger = data.draw(secrets.filter(lambda text: text not in written))
    assert matching(keys, stranger) is None


def test_two_secrets_of_one_name_are_both_good() -> None:
    keys = read_keys([f"ann:{SECRET}", "ann:the-secret-after-it"])
    assert [matching(keys, s) is not None for s in (SECRET, "the-secret-after-it")] == [True, True]


def test_a_key_that_is_shown_hides_its_digest() -> None:
    assert repr(Key("ann", b"\x01")) == "Key(name='ann')"
