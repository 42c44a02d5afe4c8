"""A pipeline that notes when each transcript came, as a process of its own."""

import json
import sys
import time
from collections import Counter
from typing import Any

from aiohttp import web


class Noting:
    """Takes transcripts; refuses every so many of a session, if it is told to."""

    def __init__(self, failing: int) -> None:
        self._failing = failing
        self._requests: Counter[str] = Counter()
        self._taken: list[tuple[str, float, bool, str]] = []
        """Id, ms from the making of the text until here, whether it is final, session."""

    async def take(self, request: web.Request) -> web.Response:
        """Take or refuse one."""
        now = time.time() * 1000
        told: dict[str, Any] = json.loads(await request.read())
        session_id = told["sessionId"]
        self._requests[session_id] += 1
        if self._failing and self._requests[session_id] % self._failing == 0:
            return web.Response(status=503)
        self._taken.append((request.headers["webhook-id"], now - told["timestamp"],
                            not told["isPartial"], session_id))  # fmt: skip
        return web.Response(status=202)

    async def tell(self, _: web.Request) -> web.Response:
        """Give all that was noted."""
        return web.json_response({"requests": self._requests.total(), "taken": self._taken})


def main() -> None:
    """Serve until killed: PORT FAILING."""
    noting, app = Noting(int(sys.argv[2])), web.Application()
    app.router.add_post("/", noting.take)
    app.router.add_get("/", noting.tell)
    web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]), print=None, access_log=None)


if __name__ == "__main__":
    main()
