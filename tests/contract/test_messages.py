"""The message contract: golden bytes, versioning, poison.

`golden/messages.json` holds every message that was ever released: its bytes in hexadecimal beside
what they mean. Entries are added, never changed: print `encode(message).hex()` for a new one.
"""

import json
import types
import typing
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import msgpack
import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from steno_common.errors import MessageError
from steno_common.messages import Final as FinalText
from steno_common.messages import Message, Numbered, Word, decode, encode
from steno_common.saved import Saved
from steno_common.store.base import read_events

GOLDEN: Final[list[dict[str, Any]]] = json.loads(
    (Path(__file__).parent / "golden" / "messages.json").read_text()
)
KINDS: Final = typing.get_args(Message)

golden = pytest.mark.parametrize("entry", GOLDEN, ids=lambda entry: entry["name"])
each_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)


def plain(message: Message) -> Any:
    """Give a message as any JSON reader would see it."""
    return json.loads(msgspec.json.encode(message))


def holds(now: Any, meant: Any) -> bool:
    """Say whether something means what it meant.

    Fields may have been added at any depth; arrays at their ends, where they say nothing.
    """
    if isinstance(meant, dict):
        return now.keys() >= meant.keys() and all(holds(now[name], meant[name]) for name in meant)
    if isinstance(meant, list):
        added = now[len(meant) :]
        return (
            len(now) >= len(meant)
            and added.count(None) == len(added)
            and all(map(holds, now, meant))
        )
    return bool(now == meant)


def values(hint: Any) -> st.SearchStrategy[Any]:
    """Give a strategy for a type as it stands in the contract."""
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin in (types.UnionType, typing.Union):
        return st.one_of(*map(values, args))
    if origin is tuple:
        return st.lists(values(args[0]), max_size=4).map(tuple)
    if origin is typing.Literal:
        return st.sampled_from(args)
    if origin is dict:
        return st.dictionaries(values(args[0]), values(args[1]), max_size=4)
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        return structs(hint)
    simple: dict[Any, st.SearchStrategy[Any]] = {
        str: st.text(), int: st.integers(-(2**63), 2**64 - 1), float: st.floats(allow_nan=False),
        bool: st.booleans(), types.NoneType: st.none(),
    }  # fmt: skip
    return simple[hint]


def structs(kind: type[msgspec.Struct]) -> st.SearchStrategy[Any]:
    """Give a strategy for all messages of one kind, some with fields left at their default."""
    fields = msgspec.structs.fields(kind)
    needed = {field.name: values(field.type) for field in fields if field.required}
    optional = {field.name: values(field.type) for field in fields if not field.required}
    return st.fixed_dictionaries(needed, optional=optional).map(lambda given: kind(**given))


messages = st.one_of(*map(structs, KINDS))


@golden
def test_released_bytes_mean_what_they_meant(entry: dict[str, Any]) -> None:
    assert holds(plain(decode(bytes.fromhex(entry["bytes"]))), entry["means"])


CHECKPOINTS = json.loads((Path(__file__).parent / "golden" / "saved.json").read_text())


@pytest.mark.parametrize("entry", CHECKPOINTS, ids=lambda entry: entry["name"])
def test_released_checkpoints_mean_what_they_meant(entry: dict[str, Any]) -> None:
    saved = json.loads(
        msgspec.json.encode(msgspec.msgpack.decode(bytes.fromhex(entry["bytes"]), type=Saved))
    )
    assert holds(saved, entry["means"])


def test_the_newest_form_of_a_checkpoint_has_golden_bytes() -> None:
    newest = bytes.fromhex(CHECKPOINTS[-1]["bytes"])
    assert msgspec.msgpack.encode(msgspec.msgpack.decode(newest, type=Saved)) == newest


@golden
def test_another_library_reads_the_same(entry: dict[str, Any]) -> None:
    assert msgpack.unpackb(bytes.fromhex(entry["bytes"])) == entry["means"]


@each_kind
def test_each_message_has_golden_bytes_of_its_newest_form(kind: type[msgspec.Struct]) -> None:
    messages = [decode(bytes.fromhex(entry["bytes"])) for entry in GOLDEN]
    newest = [encode(message).hex() for message in messages if isinstance(message, kind)]
    assert set(newest) & {entry["bytes"] for entry in GOLDEN}


def test_each_tag_says_its_name_with_a_version() -> None:
    tags = {kind.__struct_config__.tag: kind.__name__.lower() for kind in KINDS}
    assert tags == {f"{name}.v1": name for name in tags.values()}


@given(messages)
def test_what_is_encoded_is_decoded_again(message: Message) -> None:
    assert decode(encode(message)) == message


@given(messages)
def test_another_library_reads_every_message(message: Message) -> None:
    assert msgspec.convert(msgpack.unpackb(encode(message)), Message) == message


@given(messages, st.dictionaries(st.text(min_size=9), st.none() | st.integers(0, 9)))
def test_fields_of_a_later_version_are_passed_over(message: Message, later: dict[str, Any]) -> None:
    held = msgpack.unpackb(encode(message))
    assert decode(msgpack.packb(later | held | {"later": [1, {"x": None}]})) == message


@golden
def test_a_field_with_a_default_may_be_missing(entry: dict[str, Any]) -> None:
    message = decode(bytes.fromhex(entry["bytes"]))
    for field in msgspec.structs.fields(message):
        held = {name: value for name, value in entry["means"].items() if name != field.name}
        if field.required:
            with pytest.raises(MessageError):
                decode(msgpack.packb(held))
        else:
            default = field.default_factory() if callable(field.default_factory) else field.default
            assert getattr(decode(msgpack.packb(held)), field.name) == default


def test_a_word_may_grow_at_its_end() -> None:
    entry = next(entry for entry in GOLDEN if entry["name"] == "final.v1")
    words = [["so", 1, 2, 0.5, "0", "added later"]]
    message = decode(msgpack.packb(entry["means"] | {"words": words}))
    assert isinstance(message, FinalText)
    assert message.words == (Word("so", 1, 2, 0.5, "0"),)


@given(st.binary(max_size=200))
@example(b"")
@example(b"\x91" * 100_000)
@example(b"\x81\xa4type" * 100_000)
@example(b"\xdd\xff\xff\xff\xff")
@example(b"\xc6\xff\xff\xff\xff")
@example(b"\x82\xa4type\xa9status.v1\xa6status\xa1\xff")
@example(b"\x82\xa4type\xa9status.v2\xa6status\xa1x")
@example(b"\x82\xa4type\xa9status.v1\xa6status\x01")
@example(b"\x82\xa4type\xa7idle.v1\xa8position\xcb\x7f\xf8\0\0\0\0\0\0")
def test_other_bytes_are_poison(payload: bytes) -> None:
    with pytest.raises(MessageError) as raised:
        decode(payload)
    assert not raised.value.retryable


@given(messages, st.data())
def test_damaged_bytes_are_a_message_or_poison(message: Message, data: st.DataObject) -> None:
    payload = bytearray(encode(message))
    place = data.draw(st.integers(0, len(payload) - 1))
    payload[place : place + data.draw(st.integers(0, 4))] = data.draw(st.binary(max_size=4))
    with suppress(MessageError):
        assert isinstance(decode(bytes(payload)), KINDS)


def test_poison_quotes_nothing_of_itself() -> None:
    with pytest.raises(MessageError) as raised:
        decode(msgpack.packb({"type": "status.v1", "status": ["canary"]}))
    assert "canary" not in str(raised.value)


def test_a_log_with_a_message_of_a_later_version_keeps_the_numbers_of_the_others() -> None:
    status = bytes.fromhex(next(e["bytes"] for e in GOLDEN if e["name"] == "status.v1"))
    later = msgpack.packb({"type": "status.v2", "state": 1})
    session = bytes.fromhex(GOLDEN[0]["bytes"])
    entries = [(b"1-0", {b"p": status}), (b"2-0", {b"p": later}), (b"3-0", {}),
               (b"4-0", {b"p": session}), (b"5-0", {b"p": status})]  # fmt: skip
    event = decode(status)
    assert read_events(entries) == [Numbered(1, event), Numbered(5, event)]  # type: ignore[arg-type]
