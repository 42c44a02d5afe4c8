"""Live partials on their way to pipelines: what holds words goes, nothing else."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from steno_common.messages import Destination, Partial, Session, encode
from steno_notifier.domain.outgoing import Parcel, Verdict
from steno_notifier.live import LivePartials

PIPELINE = Destination("pipeline-1", "pipeline", "https://example.com/")
SESSION = Session("s", created_ms=0, mime_type="audio/pcm", destinations=(PIPELINE,))


def partial(text: str) -> bytes:
    return encode(Partial(text, (), 0, 16_000, 0.5, 0.5, sequence_number=1, commit=0))


@dataclass
class Desk:
    """Takes all that is sent."""

    senders: dict[str, Any] = field(default_factory=lambda: {"pipeline": None})
    settings: Any = field(default_factory=lambda: SimpleNamespace(resolve=lambda each: each))
    sent: list[str] = field(default_factory=list)

    @property
    def store(self) -> "Desk":
        return self

    async def standing(self, places: Sequence[Any]) -> dict[Any, Any]:
        return dict.fromkeys(places, SimpleNamespace(session=SESSION, epoch="e"))

    async def commits(self, session_id: str) -> int:
        return 0

    async def send(self, parcel: Parcel) -> Verdict:
        assert isinstance(parcel.event, Partial)
        self.sent.append(parcel.event.text)
        return Verdict("delivered")


async def until(reached: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not reached():  # noqa: ASYNC110 - turns of the loop, not time
            await asyncio.sleep(0)


async def test_a_partial_that_only_says_what_was_heard_goes_to_no_pipeline() -> None:
    desk = Desk()
    live = LivePartials(desk)  # type: ignore[arg-type]
    running = asyncio.create_task(live.run(), name="partials")
    try:
        for text in ("one", "", "two"):
            live.hear("s", partial(text))
            await until(lambda: not live._newest)
        await until(lambda: desk.sent == ["one", "two"])
    finally:
        running.cancel()
