"""Deliveries by HTTP."""

from collections.abc import Callable
from dataclasses import dataclass

from steno_common import tracing
from steno_common.destinations import secret_keys
from steno_notifier.domain.outgoing import Parcel, Verdict
from steno_notifier.domain.signature import delivery_headers
from steno_notifier.senders.trying import RefusedError, tried
from steno_notifier.senders.web import Web

Form = Callable[[Parcel], bytes | None]
"""Gives what is sent of a parcel, None if nothing is."""


def written(form: Form, parcel: Parcel) -> bytes:
    """Give what is sent of a parcel; raises RefusedError if nothing is."""
    body = form(parcel)
    if body is None:
        raise RefusedError("no_form")
    return body


@dataclass(frozen=True, slots=True)
class Poster:
    """Posts one form of parcels, named by an id, signed if there is a secret."""

    web: Web
    form: Form
    content_type: str
    seconds: float
    """Longest try."""

    async def send(self, parcel: Parcel) -> Verdict:
        """Try once."""
        return await tried(self._post(parcel), self.seconds)

    async def _post(self, parcel: Parcel) -> Verdict:
        body = written(self.form, parcel)
        try:
            keys = secret_keys(parcel.destination.secret)
        except ValueError:
            raise RefusedError("bad_secret") from None
        named = delivery_headers(parcel.id, int(self.web.now()), body, keys)
        headers = {
            "Content-Type": self.content_type,
            "Steno-Session": parcel.session.session_id,
            "Steno-Event": str(parcel.number),
            **named,
            **tracing.headers(),
        }
        return await self.web.post(parcel.destination, body, headers)

    async def aclose(self) -> None:
        """Close the connections of all senders by HTTP."""
        await self.web.aclose()
