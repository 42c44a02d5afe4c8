"""Aggregators on a real Redis: utterances, transcripts, the end of sessions."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest
from tests.integration.aggregator_rig import Played, Stage, aggregating, open_stage
from tests.redis_servers import RedisServer
from tests.waiting import until

from steno_aggregator.abandoned import bury
from steno_aggregator.closing import close_windows
from steno_common.archive import Archive
from steno_common.messages import (
    Completed,
    Destination,
    Final,
    Session,
    Statistics,
    Status,
    Utterance,
)
from steno_common.units import SAMPLE_RATE


@pytest.fixture
async def stage(redis_server: RedisServer) -> AsyncIterator[Stage]:
    async with open_stage(redis_server.url) as opened:
        yield opened


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    return Archive(str(tmp_path / "output"))


async def utterances(stage: Stage, played: Played) -> list[tuple[int, str, float, float]]:
    return [
        (entry.event.index, entry.event.text, entry.event.start / SAMPLE_RATE,
         entry.event.end / SAMPLE_RATE)
        for entry in await stage.events(played.session_id)
        if isinstance(entry.event, Utterance)
    ]  # fmt: skip


async def three_utterances(stage: Stage) -> Played:
    played = await stage.play()
    await played.say("one", seconds=1, pause=0.5)
    await played.say("two", seconds=1, pause=3)
    await played.say("three", seconds=1)
    await played.wait(3)
    await played.wait(1)
    await played.say("four", seconds=2)
    await played.stop()
    return played


THREE = [(0, "one two", 0, 2.5), (1, "three", 5.5, 6.5), (2, "four", 10.5, 12.5)]


async def test_two_silences_in_the_audio_give_three_utterances(
    stage: Stage, archive: Archive
) -> None:
    async with aggregating(stage, archive):
        played = await three_utterances(stage)
        await until(lambda: stage.finished(played.session_id))

    assert await utterances(stage, played) == THREE


async def test_utterances_are_the_same_when_nobody_looked_until_the_end(
    stage: Stage, archive: Archive
) -> None:
    played = await three_utterances(stage)
    async with aggregating(stage, archive):
        await until(lambda: stage.finished(played.session_id))

    assert await utterances(stage, played) == THREE


async def test_an_utterance_closes_while_the_session_goes_on(
    stage: Stage, archive: Archive
) -> None:
    async with aggregating(stage, archive):
        played = await stage.play()
        await played.say("one", pause=3)

        async def closed() -> bool:
            return await utterances(stage, played) == [(0, "one", 0, 1)]

        await until(closed)

        await played.say("two")
        await played.idle()

        async def both_closed() -> bool:
            return await utterances(stage, played) == [(0, "one", 0, 1), (1, "two", 4, 5)]

        await until(both_closed)


async def test_a_session_ends_with_its_transcript_saved(stage: Stage, archive: Archive) -> None:
    async with aggregating(stage, archive):
        played = await three_utterances(stage)
        await until(lambda: stage.finished(played.session_id))

    *_, status, last = await stage.events(played.session_id)
    assert status.event == Status("completed")
    assert isinstance(last.event, Completed)
    assert last.event.text == "one two three four"
    assert last.event.formats == ("txt", "json", "srt", "vtt")
    samples = round(12.5 * SAMPLE_RATE)
    latency = last.event.statistics.mean_latency_ms
    assert last.event.statistics == Statistics(
        chunks=6, received=samples, transcribed=5 * SAMPLE_RATE,
        silence=samples - 5 * SAMPLE_RATE, finals=4, utterances=3, mean_latency_ms=latency,
    )  # fmt: skip
    document = msgspec.json.decode(archive.read(played.session_id, "json") or b"")
    assert document["text"] == "one two three four"
    assert [entry["session_id"] for entry in archive.entries()] == [played.session_id]
    for form in ("txt", "srt", "vtt"):
        assert b"four" in (archive.read(played.session_id, form) or b"")
    assert await stage.windows.due() == []
    assert await stage.windows.abandoned() == []


async def test_a_session_without_a_word_completes(stage: Stage, archive: Archive) -> None:
    async with aggregating(stage, archive):
        played = await stage.play()
        await played.wait(1)
        await played.stop()
        await until(lambda: stage.finished(played.session_id))

    assert archive.read(played.session_id, "srt") == b""


async def test_a_session_in_error_keeps_its_status_and_gets_its_transcript(
    stage: Stage, archive: Archive
) -> None:
    async with aggregating(stage, archive):
        played = await stage.play()
        await played.say("half")
        await played.stop("error")
        await until(lambda: stage.finished(played.session_id))

    assert await stage.status(played.session_id) == "error"
    assert b"half" in (archive.read(played.session_id, "txt") or b"")


async def test_aggregators_share_sessions_without_doing_anything_twice(
    stage: Stage, archive: Archive
) -> None:
    async with aggregating(stage, archive, number=3):
        async with asyncio.TaskGroup() as tasks:
            playing = [tasks.create_task(three_utterances(stage)) for _ in range(12)]
        sessions = [task.result() for task in playing]
        for played in sessions:
            await until(lambda session_id=played.session_id: stage.finished(session_id))

    for played in sessions:
        assert await utterances(stage, played) == THREE
        log = await stage.events(played.session_id)
        assert sum(isinstance(entry.event, Completed) for entry in log) == 1


async def test_a_final_committed_during_a_look_is_in_an_utterance(stage: Stage) -> None:
    played = await stage.play()
    await played.say("one", pause=3)
    window = await stage.windows.window(played.session_id)
    assert window is not None
    await played.say("two", pause=3)

    one = Utterance(0, "one", 0, 16_000, 0.9, window.open_from, window.open_from)
    assert await stage.windows.close(played.session_id, window, [one], 0) is False

    await close_windows(stage.windows, played.session_id)
    assert await utterances(stage, played) == [(0, "one", 0, 1), (1, "two", 4, 5)]


async def test_a_closed_session_is_due_until_a_look_finds_nothing_to_do(stage: Stage) -> None:
    played = await stage.play()
    await played.say("one", pause=3)
    assert [due.session_id for due in await stage.windows.due()] == [played.session_id]

    looked = await close_windows(stage.windows, played.session_id)

    assert (looked.closed, looked.ended) == (1, False)
    assert await stage.windows.due() == []


async def test_a_long_log_is_read_page_by_page(stage: Stage, archive: Archive) -> None:
    played = await stage.play()
    for number in range(600):
        await played.say(f"{number}", seconds=0.01)
    await played.stop()
    async with aggregating(stage, archive):
        await until(lambda: stage.finished(played.session_id))

    ((_, text, start, end),) = await utterances(stage, played)
    assert (text, start, end) == (" ".join(str(n) for n in range(600)), 0, 6)


class FullArchive(Archive):
    """An archive on a disk without room for some sessions."""

    def __init__(self, output: str) -> None:
        super().__init__(output)
        self.refused: set[str] = set()
        self.tried = 0

    def save(self, session_id: str, created_ms: int, files: object) -> str:
        if session_id in self.refused:
            self.tried += 1
            raise OSError(28, "No space left on device")
        return super().save(session_id, created_ms, files)  # type: ignore[arg-type]


async def test_a_session_that_cannot_be_saved_is_tried_again_while_others_go_on(
    stage: Stage, tmp_path: Path
) -> None:
    archive = FullArchive(str(tmp_path))
    stuck, other = await stage.play(), await stage.play()
    archive.refused = {stuck.session_id}
    async with aggregating(stage, archive):
        for played in (stuck, other):
            await played.say("word")
            await played.stop()
        await until(lambda: stage.finished(other.session_id))

        async def tried_twice() -> bool:
            return archive.tried >= 2

        await until(tried_twice)
        assert not await stage.finished(stuck.session_id)
        archive.refused.clear()
        await until(lambda: stage.finished(stuck.session_id))

    assert b"word" in (archive.read(stuck.session_id, "txt") or b"")


async def test_deferrals_double_up_to_the_longest(stage: Stage) -> None:
    played = await stage.play()
    await played.say("one")
    await played.stop()

    pauses = [await stage.windows.defer(played.session_id, 100, 500) for _ in range(5)]

    assert pauses == [100, 200, 400, 500, 500]
    assert await stage.windows.due() == []


async def test_a_session_that_expired_is_forgotten(stage: Stage, archive: Archive) -> None:
    played = await stage.play()
    await played.say("one", pause=3)
    keys = stage.windows.keys(played.session_id)
    await stage.link.ask(keys.shard, lambda pipe: pipe.delete(keys.meta))
    async with aggregating(stage, archive):

        async def forgotten() -> bool:
            return not await stage.windows.due()

        await until(forgotten)


async def test_work_goes_on_after_redis_was_killed(
    redis_server: RedisServer, stage: Stage, archive: Archive
) -> None:
    played = await stage.play()
    await played.say("one")
    async with aggregating(stage, archive):
        # Not in a thread: the server dies with the thread that started it.
        redis_server.restart()
        await until(stage.link.ping)
        await played.stop()
        await until(lambda: stage.finished(played.session_id))

    assert await utterances(stage, played) == [(0, "one", 0, 1)]


async def test_a_drain_saves_what_has_ended(stage: Stage, archive: Archive) -> None:
    played = await stage.play()
    await played.say("one")
    await played.stop()
    async with aggregating(stage, archive):

        async def deferred() -> bool:
            return not await stage.windows.due()

        await until(deferred)

    assert await stage.finished(played.session_id)


async def test_a_session_that_never_connected_is_removed(
    redis_server: RedisServer, archive: Archive
) -> None:
    async with open_stage(redis_server.url, connect_seconds=0.01) as stage:
        await stage.sessions.create(Session("never", 1, "audio/pcm"), "epoch")
        async with aggregating(stage, archive):

            async def gone() -> bool:
                return await stage.status("never") is None

            await until(gone)


async def test_a_session_without_its_client_ends_with_what_it_has(
    redis_server: RedisServer, archive: Archive
) -> None:
    async with open_stage(redis_server.url, abandon_seconds=0.2) as stage:
        played = await stage.play()
        await played.say("one")
        async with aggregating(stage, archive):

            async def ended() -> bool:
                return await stage.status(played.session_id) == "finalizing"

            await until(ended)
            # The transcriber is late: a session that has ended waits for it.
            await asyncio.sleep(0.5)
            played.marks = 1
            await played.transcribe_end()
            await until(lambda: stage.finished(played.session_id))

    finals = [e for e in await _log(redis_server, played) if isinstance(e, Final)]
    assert [final.text for final in finals] == ["one"]
    assert b"one" in (archive.read(played.session_id, "txt") or b"")


async def test_whoever_was_told_of_a_session_without_audio_is_told_of_its_end(
    redis_server: RedisServer, archive: Archive
) -> None:
    async with open_stage(redis_server.url, abandon_seconds=0.2) as stage:
        played = await stage.play(Destination("hook-1", "webhook", "https://example.com/"))
        untold = await stage.play()
        async with aggregating(stage, archive):

            async def ended() -> bool:
                return await stage.status(played.session_id) == "finalizing"

            async def gone() -> bool:
                return await stage.status(untold.session_id) is None

            await until(ended)
            await until(gone)
            played.marks = 1
            await played.transcribe_end()
            await until(lambda: stage.finished(played.session_id))


async def _log(redis_server: RedisServer, played: Played) -> list[object]:
    async with open_stage(redis_server.url) as stage:
        return [entry.event for entry in await stage.events(played.session_id)]


async def test_a_client_that_comes_back_keeps_its_session(redis_server: RedisServer) -> None:
    async with open_stage(redis_server.url, abandon_seconds=0.001) as stage:
        silent, talking = await stage.play(), await stage.play()
        await talking.say("one")

        async def both_abandoned() -> bool:
            return len(await stage.windows.abandoned()) == 2

        await until(both_abandoned)
    async with open_stage(redis_server.url) as stage:
        for played in (silent, talking):
            await stage.sessions.attach(played.session_id)
            assert await bury(stage.windows, played.session_id) == "waiting"
            assert await stage.status(played.session_id) == "connected"
