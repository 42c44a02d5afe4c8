"""Deliveries to a relay's receiver, over WebSocket or HTTP as its URL says."""

from urllib.parse import urlsplit

from steno_notifier.domain.outgoing import Parcel, Verdict
from steno_notifier.domain.relay_form import CONTENT_TYPE, relay_form
from steno_notifier.senders.line import Message
from steno_notifier.senders.poster import Poster, written
from steno_notifier.senders.trying import tried
from steno_notifier.senders.web import Web
from steno_notifier.senders.wires import Wires


class RelaySender:
    """Sends the texts between two silences."""

    def __init__(self, web: Web, seconds: float) -> None:
        self._wires = Wires(web)
        self._poster = Poster(web, relay_form, CONTENT_TYPE, seconds)
        self._seconds = seconds

    async def send(self, parcel: Parcel) -> Verdict:
        """Try once."""
        if urlsplit(parcel.destination.url).scheme in ("ws", "wss"):
            return await tried(self._by_wire(parcel), self._seconds)
        return await self._poster.send(parcel)

    async def _by_wire(self, parcel: Parcel) -> Verdict:
        text, answers = written(relay_form, parcel).decode(), parcel.destination.answers
        message = Message(text, answer=parcel.id if answers else "")
        await self._wires.deliver(parcel.destination, message)
        return Verdict("delivered")

    async def aclose(self) -> None:
        """Close all connections."""
        await self._wires.aclose()
        await self._poster.aclose()
