"""The command `steno listen`."""

import argparse
import sys
from collections.abc import AsyncIterator
from contextlib import aclosing

from steno_client.cli.arguments import access
from steno_client.cli.display import Display, display
from steno_client.cli.exits import COMPLETED, FAILED
from steno_client.cli.output import write_out
from steno_client.connecting import listen
from steno_client.domain.events import Completed, Event, Final, Translation


async def listen_to(arguments: argparse.Namespace) -> int:
    """Follow a session until its end."""
    view = display(sys.stderr, quiet=arguments.quiet)
    try:
        heard = listen(
            arguments.url,
            arguments.session,
            languages=arguments.languages,
            original=not arguments.translations_only,
            access=access(arguments),
        )
        async with aclosing(heard) as events:
            return await print_finals(events, arguments.session[:8], view)
    finally:
        view.clear()


async def print_finals(events: AsyncIterator[Event], name: str, view: Display) -> int:
    """Finals, translations to stdout line by line, the rest to the view; 0 if it completed."""
    outcome = FAILED
    async for event in events:
        if isinstance(event, Final | Translation):
            view.clear()
            if not write_out(f"{_line(event)}\n"):
                return FAILED
        elif isinstance(event, Completed):
            outcome = COMPLETED
        else:
            view.show(name, event, None)
    return outcome


def _line(event: Final | Translation) -> str:
    return event.text if isinstance(event, Final) else f"[{event.language}] {event.text}"
