"""Sessions by the names that users give them."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

import msgspec
from aiohttp import web

from steno_common import tracing
from steno_common.messages import Session
from steno_common.store.link import patiently
from steno_common.store.names import NameStore
from steno_common.store.sessions import Snapshot
from steno_gateway.access import CALLER
from steno_gateway.api import create_session, described
from steno_gateway.domain.access import SESSIONS
from steno_gateway.domain.client import SessionRequest
from steno_gateway.domain.errors import ClientError
from steno_gateway.domain.states import OVER
from steno_gateway.services import SERVICES, Services

PATIENCE_SECONDS: Final = 10.0
"""How long Redis may take to say for whom a name stands."""


@dataclass(frozen=True, slots=True)
class Named:
    """A session that a name stands for."""

    session_id: str
    after: int
    """Number of the last event that a socket of its client took: it needs that no more."""


@dataclass(frozen=True, slots=True)
class Naming:
    """One owner's names."""

    services: Services
    owner: str
    """Name of an API key, empty where there are none."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Of the request; they may name a trace."""

    @property
    def _names(self) -> NameStore:
        return NameStore(self.services.store.link, self.services.limits)

    async def find(self, name: str) -> Snapshot | None:
        """Give the session that a name stands for, whatever its state; None if there is none."""
        session_id = await self._names.find(self.owner, name)
        return None if session_id is None else await self.services.store.snapshot(session_id)

    async def open(
        self, name: str, asked: SessionRequest, *, admit: Callable[[], None], over: str = ""
    ) -> Named:
        """Give the live session of a name, a new one if there is none.

        `admit` raises ClientError if none may begin; `over`: id of a session that has been ended.
        A session is there before its name, so that whoever finds the name finds the session.
        """
        while True:
            held = await patiently(lambda: self._names.find(self.owner, name), PATIENCE_SECONDS)
            if held is not None and held != over:
                found = await self._live(held)
                if found is not None:
                    return Named(held, found.handed)
            admit()
            session = await self._create(name, asked)
            bound = await self._bind(name, session.session_id, held or "")
            if bound == session.session_id:
                return Named(bound, 0)
            await self.services.store.remove(session.session_id)  # another one was faster

    async def keep(self, name: str, session_id: str) -> None:
        """Keep a name as long as its session is served, until cancelled."""
        while True:
            await asyncio.sleep(self.services.limits.idle_seconds / 4)
            await patiently(lambda: self._names.bind(self.owner, name, session_id, session_id))

    async def _bind(self, name: str, session_id: str, instead_of: str) -> str:
        return await patiently(
            lambda: self._names.bind(self.owner, name, session_id, instead_of), PATIENCE_SECONDS
        )

    async def _create(self, name: str, asked: SessionRequest) -> Session:
        named = msgspec.structs.replace(asked, metadata={**asked.metadata, "name": name})
        with tracing.opening("create session", self.headers):
            return await create_session(self.services, named, name)

    async def _live(self, session_id: str) -> Snapshot | None:
        snapshot = await patiently(
            lambda: self.services.store.snapshot(session_id), PATIENCE_SECONDS
        )
        return None if snapshot is None or snapshot.status in OVER else snapshot


async def find_sessions(request: web.Request) -> web.Response:
    """`GET /api/streaming/sessions?name=`: the session that the caller's name stands for."""
    services, caller = request.app[SERVICES], request[CALLER]
    name = request.query.get("name", "")
    if not name:
        raise ClientError("invalid_request", "name: whose session is looked for")
    found = await Naming(services, caller.key or "").find(name)
    sessions = [] if found is None else [await described(services, found)]
    return web.json_response({"sessions": sessions})


def add_naming_routes(app: web.Application) -> None:
    """Serve the register of names from an application."""
    app.router.add_get(SESSIONS, find_sessions)
