"""Arguments of the steno command."""

import argparse
import json
import os
from importlib.metadata import version
from pathlib import Path

from steno_audio import SAMPLE_RATE
from steno_client.access import Access
from steno_client.options import Destination, Options
from steno_client.server import base_url

DEFAULT_URL = "http://127.0.0.1:8080"
FORMATS = ("text", "json", "srt", "vtt")


def parser() -> argparse.ArgumentParser:
    """Describe the command line."""
    top = argparse.ArgumentParser(prog="steno", description="Speech to text with a Steno server.")
    top.add_argument("--version", action="version", version=f"steno {version('steno-client')}")
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _add_transcribe(commands)
    _add_mic(commands)
    listen = _command(commands, "listen", "Follow a session: finals on stdout, partials on stderr.")
    listen.add_argument("session", metavar="SESSION")
    listen.add_argument(
        "--language",
        dest="languages",
        action="append",
        default=[],
        metavar="L",
        help="print translations to it too, such as es; may be given many times",
    )
    listen.add_argument(
        "--translations-only", action="store_true", help="do not print what was spoken"
    )
    _add_history(commands)
    return top


def _command(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str, text: str
) -> argparse.ArgumentParser:
    command = commands.add_parser(name, help=text, description=text)
    command.add_argument(
        "--url",
        type=_url,
        default=os.environ.get("STENO_URL") or DEFAULT_URL,
        help=f"address of the server (default: STENO_URL, else {DEFAULT_URL})",
    )
    command.add_argument(
        "--api-key",
        metavar="KEY",
        default=os.environ.get("STENO_API_KEY") or None,
        help="what lets you in (default: STENO_API_KEY, which other users cannot see in a list of "
        "processes)",
    )
    command.add_argument(
        "--ca", metavar="FILE", help="certificates to verify the server with, not the system's"
    )
    command.add_argument("--quiet", action="store_true", help="no progress, only what went wrong")
    return command


def _add_transcribe(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    command = _command(
        commands, "transcribe", "Print the transcripts of audio files, in their order."
    )
    command.add_argument(
        "files", nargs="+", type=Path, metavar="FILE", help="whatever FFmpeg reads"
    )
    command.add_argument(
        "--pace",
        choices=("realtime", "fast"),
        default="fast",
        help="as it would be spoken, or as fast as the server takes it (default)",
    )
    command.add_argument("--format", choices=FORMATS, default="text", help="default: text")
    _add_session(command)
    command.add_argument(
        "--output", type=Path, metavar="DIR", help="write a file for each FILE, not to stdout"
    )
    command.add_argument(
        "--jobs", type=_positive, default=1, metavar="N", help="files at the same time (default: 1)"
    )


def _add_mic(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    command = _command(commands, "mic", "Transcribe the microphone until Ctrl-C.")
    _add_session(command)
    command.add_argument("--device", help="name or number of the microphone")


def _add_history(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    command = _command(commands, "history", "List saved transcripts, print or delete one.")
    command.add_argument("transcript", nargs="?", metavar="ID", help="the one to print")
    command.add_argument("--format", choices=FORMATS, default="text", help="default: text")
    command.add_argument("--delete", action="store_true", help="delete it")
    command.add_argument("--limit", type=_positive, default=50, help="lines of the list")


def _add_session(command: argparse.ArgumentParser) -> None:
    _add_understanding(command)
    command.add_argument(
        "--engines",
        type=_names,
        metavar="E,…",
        help="engines that may recognise it, the first choice first; default: the server's",
    )
    command.add_argument("--user-id", metavar="ID", help="is saved with the transcript")
    command.add_argument(
        "--metadata",
        type=_field,
        action="append",
        metavar="NAME=TEXT",
        help="is saved with the transcript; may be given many times",
    )
    command.add_argument(
        "--destinations",
        type=_destinations,
        metavar="FILE",
        help="JSON list of where results are delivered too, such as "
        '[{"kind": "webhook", "url": "https://…"}]',
    )


def _add_understanding(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--language",
        metavar="L",
        help="such as en, or multi for many; default: found on the first speech",
    )
    command.add_argument(
        "--task", choices=("transcribe", "translate"), help="translate: English text of any speech"
    )
    command.add_argument(
        "--prompt", metavar="TEXT", help="as if said before: names, terms, style of what comes"
    )
    command.add_argument(
        "--hotword",
        dest="hotwords",
        action="append",
        metavar="WORD",
        help="a word or name that is likely to be said; may be given many times",
    )


def session_options(arguments: argparse.Namespace) -> Options:
    """Give what a session of decoded audio is created with, as the command line says it."""
    return Options(
        mime_type="audio/pcm",
        sample_rate=SAMPLE_RATE,
        language=arguments.language,
        task=arguments.task,
        prompt=arguments.prompt,
        hotwords=arguments.hotwords,
        engines=arguments.engines,
        user_id=arguments.user_id,
        metadata=dict(arguments.metadata) if arguments.metadata else None,
        destinations=arguments.destinations,
    )


def access(arguments: argparse.Namespace) -> Access:
    """Give what lets the command in, as the command line says it."""
    return Access(api_key=arguments.api_key, ca=arguments.ca)


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError
    return number


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _field(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not (name and equals):
        raise argparse.ArgumentTypeError(f"{text!r} is not like room=7")
    return name, value


def _destinations(path: str) -> list[Destination]:
    """Read a file, so that no secret stands in a list of processes; the server checks the rest."""
    try:
        found = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise argparse.ArgumentTypeError(f"{path}: {error}") from error
    if not (isinstance(found, list) and all(isinstance(each, dict) for each in found)):
        raise argparse.ArgumentTypeError(f"{path}: no list of JSON objects")
    return found


def _url(text: str) -> str:
    try:
        return base_url(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
