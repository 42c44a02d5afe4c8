"""Rate, errors and duration of requests."""

import time
from typing import Final

from aiohttp import web

from steno_gateway import metrics
from steno_gateway.guard import Handler

UNCOUNTED: Final = {"/healthz", "/readyz", "/metrics"}
"""What machines ask all the time."""


@web.middleware
async def count_requests(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Count a request under its route, whose number is bounded; its address may hold anything."""
    resource = request.match_info.route.resource
    route = "unknown" if resource is None else resource.canonical
    if route in UNCOUNTED:
        return await handler(request)
    began = time.perf_counter()
    status = 499  # nobody waits for the answer any more, unless there is one
    try:
        response = await handler(request)
        status = response.status
    except web.HTTPException as redirect:
        status = redirect.status
        raise
    finally:
        metrics.REQUESTS.labels(_method(request), route, f"{status // 100}xx").inc()
    if isinstance(response, web.Response):
        metrics.REQUEST.labels(route).observe(time.perf_counter() - began)
    return response


def _method(request: web.Request) -> str:
    """Give the method if it is one that has a route; a client may invent others."""
    return request.method if request.method in {"GET", "POST", "DELETE", "OPTIONS"} else "other"
