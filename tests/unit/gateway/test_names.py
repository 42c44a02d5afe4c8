"""What may be a session's name, and what is its id."""

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steno_gateway.domain.names import is_name, read_id

ID = "5f0c2e1a-0000-4000-8000-00000000abcd"


@pytest.mark.parametrize("name", ["golden-eagle-427", "Bär:7", "a@b~c.d", "x" * 128, "7", "_"])
def test_a_name_is_letters_digits_and_a_few_signs(name: str) -> None:
    assert is_name(name)
    assert read_id(name) is None


@pytest.mark.parametrize("text", ["", "with space", "x" * 129, "line\n", "a/b", "a?b", "a%20b"])
def test_other_texts_are_no_names(text: str) -> None:
    assert not is_name(text)


@pytest.mark.parametrize(
    "text", [ID, ID.upper(), ID.replace("-", ""), f"{{{ID}}}", f"urn:uuid:{ID}"]
)
def test_an_id_has_one_spelling(text: str) -> None:
    assert read_id(text) == ID


@given(st.text(max_size=40) | st.uuids().map(str) | st.from_regex(r"\A[0-9a-f_+-]{32}\Z"))
def test_what_is_read_as_an_id_is_one(text: str) -> None:
    session_id = read_id(text)
    assert session_id is None or str(uuid.UUID(session_id)) == session_id


def test_clients_may_call_their_sessions_by_uuids() -> None:
    assert is_name(ID)
