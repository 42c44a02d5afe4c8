"""Deliveries to a translation pipeline: a function of AWS Lambda, or HTTP."""

import asyncio
from collections import OrderedDict
from typing import TYPE_CHECKING, Final

from steno_common.messages import Final as FinalEvent
from steno_common.messages import Partial
from steno_notifier.domain.outgoing import Parcel, Verdict
from steno_notifier.domain.pipeline_form import CONTENT_TYPE, pipeline_form
from steno_notifier.senders.poster import Poster, written
from steno_notifier.senders.trying import tried
from steno_notifier.senders.web import Web

if TYPE_CHECKING:
    from steno_notifier.senders.function import Function

PARTIAL_SECONDS: Final = 2.0
"""Longest try of a partial: by then there is a newer one."""
REMEMBERED: Final = 10_000
"""Sessions whose newest final is known."""
Life = tuple[str, str]
"""A session between two losses of Redis: its id, its epoch."""
STALE: Final = Verdict("never", "stale")


class PipelineSender:
    """Sends transcripts, of each session no partial behind the final it became."""

    def __init__(self, web: Web, seconds: float, function: "Function | None" = None) -> None:
        self._poster = Poster(web, pipeline_form, CONTENT_TYPE, seconds)
        self._function = function
        self._seconds = seconds
        self._commits: OrderedDict[Life, int] = OrderedDict()
        """Of the newest final that was sent from here."""
        self._partials: dict[Life, asyncio.Timeout] = {}
        """What is on its way."""

    async def send(self, parcel: Parcel) -> Verdict:
        """Try once."""
        life = (parcel.session.session_id, parcel.epoch)
        match parcel.event:
            case Partial(commit=commit):
                if commit < self._commits.get(life, 0):
                    return STALE
                return await self._send_partial(life, parcel)
            case FinalEvent(commit=commit):
                self._close(life, commit)
        return await self._send(parcel)

    async def _send_partial(self, life: Life, parcel: Parcel) -> Verdict:
        try:
            async with asyncio.timeout(min(PARTIAL_SECONDS, self._seconds)) as limit:
                self._partials[life] = limit
                return await self._send(parcel)
        except TimeoutError:
            return STALE
        finally:
            self._partials.pop(life, None)

    def _close(self, life: Life, commit: int) -> None:
        """Let no partial of before this commit follow; one on its way is given up."""
        self._commits[life] = max(commit, self._commits.pop(life, 0))
        if len(self._commits) > REMEMBERED:
            self._commits.popitem(last=False)
        if (limit := self._partials.get(life)) and not limit.expired():
            limit.reschedule(asyncio.get_running_loop().time())

    async def _send(self, parcel: Parcel) -> Verdict:
        if parcel.destination.url or self._function is None:
            return await self._poster.send(parcel)
        return await tried(self._invoke(self._function, parcel), self._seconds)

    async def _invoke(self, function: "Function", parcel: Parcel) -> Verdict:
        return await function.invoke(written(pipeline_form, parcel))

    async def aclose(self) -> None:
        """Close all connections."""
        if self._function is not None:
            await self._function.aclose()
        await self._poster.aclose()
