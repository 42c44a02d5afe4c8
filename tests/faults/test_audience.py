"""A hundred listeners hear the same session to its end, and the mute ones hold up nobody."""

from bench.installation import MANY_CLIENTS, private_installation
from bench.listeners.__main__ import measure


async def test_all_who_listen_hear_everything_in_order() -> None:
    async with private_installation(MANY_CLIENTS) as steno:
        measured = await measure(steno, listeners=100, mute=5, seconds=10.5)
    kinds = [kind for _, kind in measured.spoken.told]
    assert kinds == ["final", "final", "final", "utterance", "completed"]
    assert not measured.incomplete
    assert len(measured.audience) == 100
    late = [each for each in measured.audience if each["mute"]][:2]
    assert [[kind for _, kind, *_ in each["heard"]] for each in late] == [kinds, kinds]
    assert measured.faults == []
