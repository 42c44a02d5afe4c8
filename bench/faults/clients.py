"""Sessions of real clients, with listeners; what they are told goes into the history."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

import aiohttp
from bench.faults import history
from bench.faults.book import Book
from bench.faults.history import (
    Begun,
    Counts,
    Failed,
    Manner,
    Notice,
    Said,
    Sent,
    Spoke,
)
from bench.faults.speech import Speech
from bench.faults.waiting import until

import steno_client
from steno_client import Event, Policy, SessionError
from steno_common.units import SAMPLE_BYTES, SAMPLE_RATE

PATIENT: Final = Policy(
    delays=(0.2, 0.5, *(1.0,) * 120),
    creation_seconds=120.0,
    connect_seconds=10.0,
    ping_seconds=1.0,
    dead_seconds=4.0,
    stall_seconds=10.0,
    retry_seconds=0.2,
    patience_seconds=300.0,
)
"""Of clients that outlast everything that a run does to them."""

WATCH_SECONDS: Final = 0.02
"""How often acknowledgements are looked at."""


@dataclass(frozen=True, slots=True)
class Visit:
    """One session to come."""

    session: int
    says: Iterable[Speech]
    """One after the other, without a pause between them."""
    manner: Manner = "whole"
    listeners: int = 0
    pace: float = 1.0
    """Times real time."""
    policy: Policy = PATIENT


@dataclass(slots=True)
class Clients:
    """All clients of a run."""

    url: str
    book: Book
    said: dict[int, list[Speech]] = field(default_factory=lambda: defaultdict(list))
    """What was said so far, by session."""
    ids: dict[int, str] = field(default_factory=dict)
    """Of the sessions that exist."""
    _watched: dict[int, tuple[steno_client.Session, int, int]] = field(default_factory=dict)

    async def watch(self) -> None:
        """Note what is acknowledged, until cancelled."""
        while True:
            for session, (held, *told) in self._watched.items():
                stored, done = held.stored, held.done
                if [stored, done] != told:
                    self._watched[session] = held, stored, done
                    self.book.put(history.Acked(session, stored, done, self.book.now))
            await asyncio.sleep(WATCH_SECONDS)

    async def visit(self, visit: Visit) -> None:
        """Hold one session from its beginning to its end."""
        try:
            async with asyncio.TaskGroup() as readers:
                if visit.manner == "absent":
                    await self._create(visit)
                else:
                    await self._hold(visit, readers)
        except* SessionError as group:
            self._failed(visit.session, 0, group)
        finally:
            self._watched.pop(visit.session, None)

    async def _create(self, visit: Visit) -> None:
        """Create a session that nobody will connect to; where that fails, there is none."""
        address = f"{self.url}/api/streaming/sessions"
        timeout = aiohttp.ClientTimeout(total=10)
        with suppress(aiohttp.ClientError, TimeoutError, KeyError):
            async with (
                aiohttp.ClientSession(timeout=timeout) as http,
                http.post(address, json={"mime_type": "audio/pcm"}) as answer,
            ):
                self._begin(visit, (await answer.json())["session_id"])

    def _begin(self, visit: Visit, session_id: str) -> None:
        self.ids[visit.session] = session_id
        self.book.put(
            Begun(visit.session, session_id, visit.manner, visit.listeners, self.book.now)
        )

    async def _hold(self, visit: Visit, readers: asyncio.TaskGroup) -> None:
        number = visit.session
        async with steno_client.connect(self.url, policy=visit.policy) as session:
            self._begin(visit, session.id)
            self._watched[number] = session, 0, 0
            reading = readers.create_task(self._read(number, 0, session.events()), name="client")
            for reader in range(1, visit.listeners + 1):
                events = steno_client.listen(self.url, session.id, policy=visit.policy)
                readers.create_task(self._read(number, reader, events), name="listener")
            await self._speak(visit, session)
            if visit.manner == "whole":
                await session.finish()
            else:
                chunks = sum(len(speech.chunks) for speech in self.said[number])
                await until(lambda: session.stored == chunks)
                # It leaves without a word, like a client whose machine is switched off.
                reading.cancel()

    async def _speak(self, visit: Visit, session: steno_client.Session) -> None:
        clock = asyncio.get_running_loop().time
        due = clock()
        for number, chunk in enumerate(self._chunks(visit), 1):
            due += len(chunk) / SAMPLE_BYTES / SAMPLE_RATE / visit.pace
            await asyncio.sleep(due - clock())
            await session.send(chunk)
            self.book.put(Sent(visit.session, number, self.book.now))

    def _chunks(self, visit: Visit) -> Iterator[bytes]:
        for speech in visit.says:
            self.said[visit.session].append(speech)
            self.book.put(Spoke(visit.session, speech.text, len(speech.chunks), speech.samples,
                                self.book.now))  # fmt: skip
            yield from speech.chunks

    async def _read(self, session: int, reader: int, events: AsyncIterator[Event]) -> None:
        try:
            async for event in events:
                self._note(session, reader, event)
        except SessionError as error:
            self._failed(session, reader, error)

    def _failed(self, session: int, reader: int, error: BaseException) -> None:
        self.book.put(Failed(session, reader, repr(error), self.book.now))

    def _note(self, session: int, reader: int, event: Event) -> None:
        now = self.book.now
        match event:
            case steno_client.Final():
                said = Said(event.text, event.start, event.end,
                            tuple((w.text, w.start, w.end) for w in event.words))  # fmt: skip
                self.book.put(history.Final(session, reader, event.event, said, now))
            case steno_client.Utterance():
                heard = history.Heard(event.text, event.start, event.end)
                self.book.put(history.Utterance(session, reader, event.event, heard, now))
            case steno_client.Completed():
                counted = event.statistics
                counts = Counts(counted.received_samples, counted.transcribed_samples,
                                counted.silence_samples, counted.finals,
                                counted.utterances)  # fmt: skip
                self.book.put(
                    history.Completed(session, reader, event.event, event.text, counts, now)
                )  # fmt: skip
            case steno_client.Status():
                self.book.put(Notice(session, reader, event.event, event.status, now))
            case steno_client.Warned():
                self.book.put(Notice(session, reader, event.event, f"warned {event.code}", now))
