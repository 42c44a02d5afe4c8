"""Whole lines out of pieces of output."""

from hypothesis import given
from hypothesis import strategies as st

from steno_standalone.domain.tail import KEPT_LINES, LONGEST_LINE, Tail


@given(st.lists(st.binary(max_size=40)))
def test_nothing_is_lost_and_only_whole_lines_come_out(pieces: list[bytes]) -> None:
    tail = Tail()
    handed_on = [tail.feed(piece) for piece in pieces]
    assert all(lines == b"" or lines.endswith(b"\n") for lines in handed_on)
    written = b"".join(pieces)
    closed = b"".join(handed_on) + tail.close()
    assert closed in {written, written + b"\n"}
    assert len(tail.lines) <= KEPT_LINES


def test_the_last_lines_are_kept_without_empty_ones() -> None:
    tail = Tail()
    tail.feed(b"first\n\nsec")
    tail.feed(b"ond\nopen")
    assert tail.lines == ["first", "second"]
    assert tail.close() == b"open\n"
    assert tail.lines == ["first", "second", "open"]


def test_a_line_without_end_is_cut() -> None:
    tail = Tail()
    assert tail.feed(b"x" * LONGEST_LINE) == b""
    assert tail.feed(b"x") == b"x" * (LONGEST_LINE + 1) + b"\n"


def test_bytes_that_are_no_text_are_shown_as_replaced() -> None:
    tail = Tail()
    tail.feed(b"\xff\n")
    assert tail.lines == ["\N{REPLACEMENT CHARACTER}"]
