"""Live partials on their way to pipelines: what holds words goes, nothing else."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from msgspec.structs import replace

from steno_common.messages import Destination, Partial, Session, encode
from steno_notifier.domain.outgoing import Parcel, Verdict
from steno_notifier.live import AT_A_TIME, LENGTH, LivePartials

PIPELINE = Destination("pipeline-1", "pipeline", "https://example.com/")
SESSION = Session("s", created_ms=0, mime_type="audio/pcm", destinations=(PIPELINE,))


def partial(text: str) -> bytes:
    return encode(Partial(text, (), 0, 16_000, 0.5, 0.5, sequence_number=1, commit=0))


@dataclass
class Desk:
    """Takes all that is sent, but what goes to a host that hangs."""

    senders: dict[str, Any] = field(default_factory=lambda: {"pipeline": None})
    settings: Any = field(default_factory=lambda: SimpleNamespace(resolve=lambda each: each))
    sent: list[str] = field(default_factory=list)
    sessions: dict[str, Session] = field(default_factory=dict)
    hung: asyncio.Event = field(default_factory=asyncio.Event)
    tried: int = 0
    """Of those that hang."""

    @property
    def store(self) -> "Desk":
        return self

    async def standing(self, places: Sequence[Any]) -> dict[Any, Any]:
        return {
            place: SimpleNamespace(session=self.sessions.get(place.session_id, SESSION), epoch="e")
            for place in places
        }

    async def commits(self, session_id: str) -> int:
        return 0

    async def send(self, parcel: Parcel) -> Verdict:
        assert isinstance(parcel.event, Partial)
        if "hangs" in parcel.destination.url:
            self.tried += 1
            await self.hung.wait()
        self.sent.append(parcel.event.text)
        return Verdict("delivered")


async def until(reached: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not reached():  # noqa: ASYNC110 - turns of the loop, not time
            await asyncio.sleep(0)


async def test_a_partial_that_only_says_what_was_heard_goes_to_no_pipeline() -> None:
    desk = Desk()
    async with sending(desk) as live:
        for text in ("one", "", "two"):
            live.hear("s", partial(text))
            await until(lambda: not live._newest)
        await until(lambda: desk.sent == ["one", "two"])


@asynccontextmanager
async def sending(desk: Desk) -> AsyncIterator[LivePartials]:
    live = LivePartials(desk)  # type: ignore[arg-type]
    running = asyncio.create_task(live.run(), name="partials")
    try:
        yield live
    finally:
        running.cancel()


def session(name: str, *hosts: str) -> Session:
    to = tuple(
        Destination(f"pipeline-{n}", "pipeline", f"https://{host}/") for n, host in enumerate(hosts)
    )
    return replace(SESSION, session_id=name, destinations=to)


async def test_pipelines_that_hang_delay_the_partials_of_no_other() -> None:
    hanging = [f"s{number}" for number in range(600)]
    desk = Desk(sessions={name: session(name, "hangs.example") for name in hanging})
    desk.sessions["s"] = session("s", "works.example")
    async with sending(desk) as live:
        for name in hanging:
            live.hear(name, partial(name))
        await until(lambda: desk.tried == AT_A_TIME and not live._newest and not live._looking)
        assert len(live._next) == LENGTH
        live.hear("s", partial("one"))
        await until(lambda: desk.sent == ["one"])
        desk.hung.set()
        await until(lambda: not live._next)
        assert desk.sent[0] == "one"
        assert len(set(desk.sent)) == len(desk.sent) == LENGTH + 1


async def test_a_pipeline_that_hangs_delays_no_other_of_its_session() -> None:
    desk = Desk(sessions={"s": session("s", "hangs.example", "works.example")})
    async with sending(desk) as live:
        for text in ("one", "two", "three"):
            live.hear("s", partial(text))
            await until(lambda text=text: text in desk.sent)  # type: ignore[misc]
        assert desk.sent == ["one", "two", "three"]
        desk.hung.set()
        await until(lambda: not live._next)
    # What hung is through, then comes the newest.
    assert desk.sent == ["one", "two", "three", "one", "three"]
