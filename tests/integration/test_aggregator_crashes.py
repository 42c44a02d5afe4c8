"""An aggregator may die at any call to Redis: the next one leaves the same log, the same files."""

import asyncio
from pathlib import Path

import pytest
from tests.integration.aggregator_rig import QUICK, Played, Stage, aggregating, open_stage
from tests.redis_servers import RedisServer
from tests.waiting import until

from steno_aggregator.worker import Aggregator
from steno_common.archive import Archive
from steno_common.messages import Event
from steno_common.store.link import Link
from steno_common.store.scripts import Call
from steno_common.store.windows import WindowStore


class CrashError(BaseException):
    """The process is gone."""


class DyingLink(Link):
    """A link whose process dies before or after its nth call: then the answer never arrives."""

    def arm(self, last: int, *, after: bool) -> None:
        self.calls, self.last, self.after = 0, last, after

    async def run_all(self, calls: list[Call]) -> object:  # type: ignore[override]
        return await self._live(super().run_all(calls))

    async def each(self, shards: object, fill: object) -> object:  # type: ignore[override]
        return await self._live(super().each(shards, fill))  # type: ignore[arg-type]

    async def _live(self, call: object) -> object:
        self.calls += 1
        if self.calls >= self.last and not self.after:
            call.close()  # type: ignore[attr-defined]
            raise CrashError
        answer = await call  # type: ignore[misc]
        if self.calls >= self.last:
            raise CrashError
        return answer


async def crash(stage: Stage, archive: Archive, last: int, *, after: bool) -> None:
    """Run an aggregator that dies at its nth call to Redis."""
    link = DyingLink(stage.link.atlas)
    link.arm(last, after=after)
    aggregator = Aggregator(WindowStore(link, stage.limits), archive, QUICK)
    with pytest.raises(BaseExceptionGroup) as caught:
        async with asyncio.timeout(60):
            await aggregator.run(asyncio.Event())
    assert caught.value.split(CrashError)[1] is None


async def play(stage: Stage) -> Played:
    played = await stage.play()
    await played.say("one", pause=3)
    await played.say("two", pause=0.5)
    await played.say("three")
    await played.idle()
    await played.say("four")
    await played.stop()
    return played


async def outcome(
    stage: Stage, archive: Archive, played: Played
) -> tuple[list[Event], dict[str, list[str]]]:
    """The log, and the files without what differs between sessions."""
    log = [entry.event for entry in await stage.events(played.session_id)]
    files = {}
    for form in ("txt", "srt", "vtt", "json"):
        content = (archive.read(played.session_id, form) or b"").decode()
        lines = content.replace(played.session_id, "SESSION").splitlines()
        files[form] = [line for line in lines if "latency" not in line]
    return [event for event in log if not hasattr(event, "statistics")], files


@pytest.mark.parametrize("after", [False, True], ids=["before the call", "before the answer"])
async def test_a_crash_at_any_call_changes_nothing(
    redis_server: RedisServer, tmp_path: Path, after: bool
) -> None:
    archive = Archive(str(tmp_path))
    async with open_stage(redis_server.url) as stage:
        played = await play(stage)
        async with aggregating(stage, archive):
            await until(lambda: stage.finished(played.session_id))
        undisturbed = await outcome(stage, archive, played)
        assert len(undisturbed[0]) == 12

        for last in range(1, 25):
            played = await play(stage)
            await crash(stage, archive, last, after=after)
            async with aggregating(stage, archive):
                await until(lambda sid=played.session_id: stage.finished(sid))
            assert await outcome(stage, archive, played) == undisturbed, last
            assert await stage.windows.due() == []


async def test_lives_of_growing_length_get_there(redis_server: RedisServer, tmp_path: Path) -> None:
    archive = Archive(str(tmp_path))
    async with open_stage(redis_server.url) as stage:
        played = await play(stage)

        async def due_or_finished() -> bool:
            return bool(await stage.windows.due()) or await stage.finished(played.session_id)

        lives = 0
        while not await stage.finished(played.session_id):
            lives += 1
            await until(due_or_finished)
            await crash(stage, archive, 4 * lives, after=True)
            assert lives < 20
        texts = [
            event.text
            for event in (await outcome(stage, archive, played))[0]
            if type(event).__name__ == "Utterance"
        ]

    assert texts == ["one", "two three", "four"]


async def test_an_aggregator_ends_wherever_it_is_cancelled(
    redis_server: RedisServer, tmp_path: Path
) -> None:
    archive = Archive(str(tmp_path))
    async with open_stage(redis_server.url) as stage:
        played = await play(stage)
        async with aggregating(stage, archive):
            await until(lambda: stage.finished(played.session_id))
        undisturbed = await outcome(stage, archive, played)

        for steps in range(0, 100, 2):
            played = await play(stage)
            aggregator = Aggregator(stage.windows, archive, QUICK)
            task = asyncio.create_task(aggregator.run(asyncio.Event()), name="aggregator")
            for _ in range(steps):
                await asyncio.sleep(0)
            task.cancel()
            assert await asyncio.wait({task}, timeout=60) == ({task}, set()), steps
            async with aggregating(stage, archive):
                await until(lambda sid=played.session_id: stage.finished(sid))
            assert await outcome(stage, archive, played) == undisturbed, steps
