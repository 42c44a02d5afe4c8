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
from steno_client.domain.events import Completed, Event, Final


async def listen_to(arguments: argparse.Namespace) -> int:
    """Follow a session until its end."""
    view = display(sys.stderr, quiet=arguments.quiet)
    try:
        heard = listen(arguments.url, arguments.session, access=access(arguments))
        async with aclosing(heard) as events:
            return await print_finals(events, arguments.session[:8], view)
    finally:
        view.clear()


async def print_finals(events: AsyncIterator[Event], name: str, view: Display) -> int:
    """Finals to stdout line by line, the rest to the view; 0 if the session completed."""
    async for event in events:
        if isinstance(event, Final):
            view.clear()
            if not write_out(f"{event.text}\n"):
                return FAILED
        elif isinstance(event, Completed):
            return COMPLETED
        else:
            view.show(name, event, None)
    return FAILED
