"""Dead letters on their way again, because somebody asked for it."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

import msgspec

from steno_common import tracing
from steno_common.errors import StoreError
from steno_common.letters import Letter
from steno_common.logs import about
from steno_common.messages import Numbered
from steno_common.store.deliveries import LEASE_SECONDS
from steno_common.store.letters import LetterId, LetterStore
from steno_common.store.link import patiently
from steno_common.store.sites import Site
from steno_notifier import metrics
from steno_notifier.delivery import Desk
from steno_notifier.domain.outgoing import Parcel, Verdict

log = logging.getLogger(__name__)

LOOK_SECONDS: Final = 0.5
COUNT: Final = 16
"""Letters of a shard at a time."""

Group = list[tuple[LetterId, Letter]]
"""Letters of one destination of one session, in order."""


@dataclass(frozen=True, slots=True)
class Resender:
    """Sends letters again at one Redis: each once, those of one destination in order."""

    desk: Desk
    store: LetterStore
    site: Site

    async def run(self) -> None:
        """Work until the process drains; what is on its way is finished."""
        draining = self.desk.draining
        while not draining.is_set():
            taken = await patiently(partial(self.store.take, self.site, COUNT))
            if taken:
                await self._resend(taken)
            else:
                try:
                    async with asyncio.timeout(LOOK_SECONDS):
                        await draining.wait()
                except TimeoutError:
                    continue

    async def _resend(self, taken: Sequence[LetterId]) -> None:
        groups: dict[tuple[str, str], Group] = {}
        for letter_id in taken:
            letter = await patiently(partial(self.store.read, letter_id))
            if letter is None:
                await patiently(partial(self.store.dispose, [letter_id]))
                continue
            of = letter.session.session_id, letter.destination.name
            groups.setdefault(of, []).append((letter_id, letter))
        for group in groups.values():
            # One that failed again is among the newest letters, before which its event was.
            group.sort(key=lambda entry: (entry[1].created_ms, entry[1].number))
        async with asyncio.TaskGroup() as tasks:
            holding = tasks.create_task(self._hold(taken), name="hold letters")
            sending = [
                tasks.create_task(self._send_group(group), name="resend")
                for group in groups.values()
            ]
            if sending:
                await asyncio.wait(sending)
            holding.cancel()

    async def _send_group(self, group: Group) -> None:
        for place, (letter_id, letter) in enumerate(group):
            with tracing.within(letter.session.trace):
                sent = await self._send(letter_id, letter)
            if not sent:
                # Those behind it are as they were: their destination is told once that it failed.
                rest = [letter_id for letter_id, _ in group[place + 1 :]]
                await patiently(partial(self.store.leave, rest))
                return

    async def _send(self, letter_id: LetterId, letter: Letter) -> bool:
        destination = self.desk.settings.resolve(letter.destination)
        finals = tuple(Numbered(number, event) for number, event in letter.finals)
        parcel = Parcel(letter.session, letter.epoch, destination, letter.number, letter.event,
                        finals, letter.tries)  # fmt: skip
        async with self.desk.lanes.to(destination).turn():
            verdict = await self.desk.send(parcel)
        metrics.RESENT.labels(destination.kind, verdict.kind).inc()
        if verdict.kind == "delivered":
            await patiently(partial(self.store.dispose, [letter_id]))
            return True
        failed = _failed(letter, verdict)
        await patiently(partial(self.store.renew, letter_id, failed, most=self.desk.letters))
        log.warning("not delivered", extra=about(
            letter.session.session_id, code=destination.kind, reason=verdict.reason,
            attempt=failed.tries,
        ))  # fmt: skip
        return False

    async def _hold(self, taken: Sequence[LetterId]) -> None:
        while True:
            await asyncio.sleep(LEASE_SECONDS / 3)
            try:
                await self.store.hold(taken)
            except StoreError:
                log.warning("letters could not be held")


def _failed(letter: Letter, verdict: Verdict) -> Letter:
    return msgspec.structs.replace(letter, tries=letter.tries + 1, reason=verdict.reason)
