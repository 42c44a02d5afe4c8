"""Dead letters keep their meaning over releases."""

import json
from pathlib import Path
from typing import Any

import msgpack
import pytest

from steno_common.errors import MessageError
from steno_common.letters import decode_letter, encode_letter

GOLDEN = json.loads((Path(__file__).parent / "golden" / "letters.json").read_text())


@pytest.mark.parametrize("entry", GOLDEN, ids=lambda entry: entry["name"])
def test_released_letters_mean_what_they_meant(entry: dict[str, Any]) -> None:
    payload = bytes.fromhex(entry["bytes"])
    assert msgpack.unpackb(payload) == entry["means"]
    assert decode_letter(payload).id == entry["means"]["id"]


def test_the_newest_form_of_a_letter_has_golden_bytes() -> None:
    newest = bytes.fromhex(GOLDEN[-1]["bytes"])
    assert encode_letter(decode_letter(newest)) == newest


@pytest.mark.parametrize("payload", [b"", b"\xc1", msgpack.packb({"type": "letter.v2"})])
def test_other_bytes_are_poison_and_are_not_quoted(payload: bytes) -> None:
    with pytest.raises(MessageError) as raised:
        decode_letter(payload)
    assert "letter.v2" not in str(raised.value)
