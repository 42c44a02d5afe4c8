"""What the command shows."""

import io

from hypothesis import given
from hypothesis import strategies as st

from steno_client.cli.display import (
    Lines,
    Terminal,
    clip_end,
    clip_start,
    clock_time,
    display,
    position,
    width,
)
from steno_client.domain.events import Partial, Status, Warned
from steno_client.mailbox import Mailbox


def partial(text: str, end: float = 5.0) -> Partial:
    return Partial(text, 0.0, end, 1.0, 1.0)


def test_a_terminal_line_is_written_again_and_again_within_its_width() -> None:
    stream = io.StringIO()
    view = Terminal(stream, columns=lambda: 31)
    view.show("a.wav", partial("the quick brown fox"), 70.0)
    view.clear()
    assert stream.getvalue() == "\r\x1b[Ka.wav  0:05 / 1:10  …brown fox\r\x1b[K"


def test_a_lasting_line_stands_above_the_changing_one() -> None:
    stream = io.StringIO()
    view = Terminal(stream, columns=lambda: 40)
    view.show("a", partial("b"), None)
    view.say("steno: no")
    assert stream.getvalue() == "\r\x1b[Ka  0:05  b\r\x1b[Ksteno: no\n"


def test_without_a_terminal_there_are_few_plain_lines() -> None:
    stream = io.StringIO()
    times = iter([0.0, 1.0, 5.0, 5.0, 6.0])
    view = Lines(stream, clock=lambda: next(times))
    view.show("a", partial("b"), 70.0)
    view.show("a", partial("b", end=61.0), 70.0)
    view.show("a", partial("b"), 70.0)
    view.show("a", Status("recording", 1), 70.0)
    view.show("a", Status("reconnecting"), 70.0)
    view.show("a", Warned("latency", "slow"), 70.0)
    assert stream.getvalue() == "a: 1:01 / 1:10\na: connecting again\na: latency: slow\n"


def test_quiet_says_only_what_went_wrong() -> None:
    stream = io.StringIO()
    view = display(stream, quiet=True)
    view.show("a", Warned("latency", "slow"), None)
    view.clear()
    view.say("steno: no")
    assert stream.getvalue() == "steno: no\n"


def test_text_that_is_missing_is_told_in_every_view_in_a_line_that_stays() -> None:
    lost = Warned("segment_skipped", "no text for 1.000 s to 2.000 s", 7, 1.0, 2.0)
    line = "a: segment_skipped: no text for 1.000 s to 2.000 s\n"
    stream = io.StringIO()
    for view in (display(stream, quiet=True), Lines(stream)):
        view.show("a", lost, None)
    assert stream.getvalue() == line * 2
    terminal = io.StringIO()
    view = Terminal(terminal, columns=lambda: 40)
    view.show("a", partial("b"), None)
    view.show("a", lost, None)
    assert terminal.getvalue() == f"\r\x1b[Ka  0:05  b\r\x1b[K{line}"


def test_times() -> None:
    assert clock_time(59.9) == "0:59"
    assert position(3600.0, None) == "60:00"
    assert position(1.0, 2.0) == "0:01 / 0:02"


def test_what_a_terminal_would_obey_is_left_out() -> None:
    assert clip_end("a\x1b[2Jb\n", 10) == "a [2Jb "


@given(st.text(), st.integers(0, 30))
def test_clipped_text_fits(text: str, columns: int) -> None:
    assert width(clip_end(text, columns)) <= columns
    assert width(clip_start(text, columns)) <= columns


def test_wide_characters_take_two_columns() -> None:
    assert clip_end("日本語", 5) == "…本語"
    assert clip_start("日本語", 5) == "日本"


async def test_only_the_newest_partial_waits_to_be_read() -> None:
    mailbox = Mailbox()
    mailbox.put(Status("recording", 1))
    mailbox.put(partial("a"))
    mailbox.put(partial("a b"))
    mailbox.close()
    assert [event async for event in mailbox.read()] == [Status("recording", 1), partial("a b")]
