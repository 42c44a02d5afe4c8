"""A hundred listeners hear the same session to its end, and the mute ones hold up nobody."""

from pathlib import Path

from bench.installation import installation, redis_server
from bench.listeners.__main__ import SETTINGS, measure


async def test_all_who_listen_hear_everything_in_order(tmp_path: Path) -> None:
    async with (
        redis_server(tmp_path) as redis_url,
        installation(tmp_path, redis_url, SETTINGS) as steno,
    ):
        measured = await measure(steno, listeners=100, mute=5, seconds=10.5)
    kinds = [kind for _, kind in measured.spoken.told]
    assert kinds == ["final", "final", "final", "utterance", "completed"]
    assert not measured.incomplete
    assert len(measured.audience) == 100
    late = [each for each in measured.audience if each["mute"]][:2]
    assert [[kind for _, kind, *_ in each["heard"]] for each in late] == [kinds, kinds]
    assert measured.faults == []
