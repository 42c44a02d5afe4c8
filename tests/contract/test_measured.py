"""What transcribers tell through Redis: golden bytes, additions, damage.

`golden/measured.json` holds every released form: its bytes in hexadecimal beside what they mean.
Entries are added, never changed.
"""

import json
from pathlib import Path
from typing import Any, Final

import msgpack
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from steno_common.measured import Measured, Report, decode_measured

GOLDEN: Final[list[dict[str, Any]]] = json.loads(
    (Path(__file__).parent / "golden" / "measured.json").read_text()
)
KINDS: Final[dict[str, type[msgspec.Struct]]] = {"Measured": Measured, "Report": Report}

golden = pytest.mark.parametrize("entry", GOLDEN, ids=lambda entry: entry["name"])


@golden
def test_released_bytes_mean_what_they_meant(entry: dict[str, Any]) -> None:
    kind = KINDS[entry["kind"]]
    read = msgspec.msgpack.decode(bytes.fromhex(entry["bytes"]), type=kind)
    assert entry["means"].items() <= json.loads(msgspec.json.encode(read)).items()
    assert msgpack.unpackb(bytes.fromhex(entry["bytes"])) == entry["means"]


@pytest.mark.parametrize("kind", KINDS)
def test_the_newest_form_has_golden_bytes(kind: str) -> None:
    newest = [bytes.fromhex(entry["bytes"]) for entry in GOLDEN if entry["kind"] == kind][-1]
    read = msgspec.msgpack.decode(newest, type=KINDS[kind])
    assert msgspec.msgpack.encode(read) == newest


@golden
def test_fields_of_a_later_version_are_passed_over(entry: dict[str, Any]) -> None:
    later = msgpack.packb(entry["means"] | {"later": [1, {"x": None}]})
    kind = KINDS[entry["kind"]]
    now = msgspec.msgpack.decode(bytes.fromhex(entry["bytes"]), type=kind)
    assert msgspec.msgpack.decode(later, type=kind) == now


@given(st.binary(max_size=80))
def test_what_is_damaged_says_nothing(payload: bytes) -> None:
    assert isinstance(decode_measured(payload), Measured)
