"""The console: a static page for a person with a microphone or a file."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from aiohttp import web

FOLDER: Final = Path(__file__).parent
CONTENT_TYPES: Final = {
    ".css": "text/css",
    ".html": "text/html",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
}
HEADERS: Final = {
    "Cache-Control": "no-cache",
    "Content-Security-Policy": (
        "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
        "object-src 'none'"
    ),
    "Permissions-Policy": "microphone=(self)",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


def prefers_html(accept: str) -> bool:
    """Say whether an `Accept` header ranks HTML above JSON (RFC 9110, 12.5.1).

    What names neither, such as the `*/*` of a program, does not.
    """
    ranges = list(_ranges(accept))
    return _rank("text/html", ranges) > _rank("application/json", ranges)


def _ranges(accept: str) -> Iterator[tuple[str, float]]:
    for item in accept.lower().split(","):
        name, *parameters = (part.strip() for part in item.split(";"))
        quality = 1.0
        for parameter in parameters:
            if parameter.startswith("q="):
                try:
                    quality = float(parameter.removeprefix("q="))
                except ValueError:
                    quality = 0.0
        yield name, quality


def _rank(content_type: str, ranges: list[tuple[str, float]]) -> tuple[float, int]:
    """Give the quality of a type, then how closely it was named; the closest range decides."""
    family = content_type.partition("/")[0]
    closeness = {"*/*": 1, f"{family}/*": 2, content_type: 3}
    found = [(closeness[name], quality) for name, quality in ranges if name in closeness]
    closest, quality = max(found, default=(0, 0.0))
    return (quality, closest) if quality > 0 else (0.0, 0)


def page() -> web.FileResponse:
    """Give the page."""
    return _file(FOLDER / "index.html")


def _file(path: Path) -> web.FileResponse:
    content_type = f"{CONTENT_TYPES[path.suffix]}; charset=utf-8"
    return web.FileResponse(path, headers={**HEADERS, "Content-Type": content_type})


def add_console_routes(app: web.Application) -> None:
    """Serve what the page consists of at `/console/<file>`."""
    files = {path.name: path for path in FOLDER.iterdir() if path.suffix in CONTENT_TYPES}

    async def asset(request: web.Request) -> web.FileResponse:
        name = request.match_info["name"]
        if name not in files:
            raise web.HTTPNotFound
        return _file(files[name])

    app.router.add_get("/console/{name}", asset)
