"""Choice of what the steno command does."""

import argparse
import asyncio
import sys
from collections.abc import Sequence

from steno_client.cli.arguments import access, parser
from steno_client.cli.exits import FAILED, INTERRUPTED, USAGE
from steno_client.cli.history import history
from steno_client.cli.listening import listen_to
from steno_client.cli.microphone import mic
from steno_client.cli.transcribe import transcribe
from steno_client.errors import SessionError


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command, return its exit code."""
    arguments = parser().parse_args(argv)
    fault = _fault(arguments)
    if fault is not None:
        print(f"steno: {fault}", file=sys.stderr)
        return USAGE
    try:
        return asyncio.run(_run(arguments))
    except KeyboardInterrupt:
        return INTERRUPTED
    except SessionError as error:
        print(f"steno: {error.message}", file=sys.stderr)
        return FAILED


async def _run(arguments: argparse.Namespace) -> int:
    match arguments.command:
        case "transcribe":
            return await transcribe(arguments)
        case "mic":
            return await mic(arguments)
        case "listen":
            return await listen_to(arguments)
        case _:
            return await history(arguments)


def _fault(arguments: argparse.Namespace) -> str | None:
    """What the parser cannot see."""
    try:
        access(arguments).tls()
    except OSError as error:
        return f"{arguments.ca}: no certificates: {error.strerror or error}"
    if arguments.command == "history" and arguments.delete and arguments.transcript is None:
        return "--delete needs the ID of a transcript"
    if arguments.command == "transcribe" and arguments.output is not None:
        if not arguments.output.is_dir():
            return f"{arguments.output}: no such directory"
        stems = [file.stem for file in arguments.files]
        if len(set(stems)) < len(stems):
            return "--output needs files of different names"
    return None
