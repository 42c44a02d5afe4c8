"""The fake as a process: `python -m tests.fake_transcribe --ca-out ca.pem`.

It prints one line of JSON with its endpoint when it is ready, one for each stream that has ended,
and stops at SIGTERM or SIGINT. Behaviours are rules in JSON, for example that every third stream
loses its connection behind two seconds of audio:

    --rule '{"behaviour": {"failure": {"how": "drop", "at": 2}}, "every": 3}'
"""

import argparse
import asyncio
import json
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
from tests.fake_transcribe.authority import Authority
from tests.fake_transcribe.behaviours import Rule
from tests.fake_transcribe.hearing import Line, Listen, local_engine, scripted
from tests.fake_transcribe.server import serve
from tests.fake_transcribe.service import Limits, Service
from tests.fake_transcribe.signing import DEFAULT, Credentials

from steno_transcriber.settings import RecognitionSettings


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.fake_transcribe")
    parser.add_argument("--port", type=int, default=0, help="0: any that is free")
    parser.add_argument(
        "--ca-out", type=Path, required=True, help="where the certificate to trust is written"
    )
    parser.add_argument("--engine", default="numbered", help="one of Steno's own, hears the audio")
    parser.add_argument("--model", default="base", help="of the engine whisper")
    parser.add_argument(
        "--script", type=_read(list[Line]), help="lines in JSON, said to every stream instead"
    )
    parser.add_argument(
        "--rule", type=_read(Rule), action="append", default=[], help="in JSON; the first one wins"
    )
    parser.add_argument("--limits", type=_read(Limits), default=Limits(), help="in JSON")
    parser.add_argument(
        "--key",
        type=_credentials,
        action="append",
        help="KEY_ID:SECRET[:TOKEN] that is let in, by default one for examples",
    )
    parser.add_argument("--untrusted", action="store_true", help="show a certificate of another CA")
    return parser.parse_args()


def _read(kind: Any) -> Callable[[str], Any]:
    """Give what reads JSON of a type."""

    def read(text: str) -> Any:
        try:
            return msgspec.json.decode(text, type=kind)
        except msgspec.MsgspecError as error:
            raise argparse.ArgumentTypeError(str(error)) from error

    return read


def _credentials(text: str) -> Credentials:
    key_id, secret, *token = text.split(":", 2)
    return Credentials(key_id, secret, *token)


@asynccontextmanager
async def _listening(options: argparse.Namespace) -> AsyncIterator[Listen]:
    if options.script:
        yield scripted(*options.script)
        return
    settings = RecognitionSettings(engine=options.engine, whisper_model=options.model)
    async with local_engine(settings) as listen:
        yield listen


def _say(what: dict[str, Any]) -> None:
    print(json.dumps(what), flush=True)


async def _main(options: argparse.Namespace) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with _listening(options) as listen:
        service = Service(
            listen=listen,
            limits=options.limits,
            credentials=options.key or [DEFAULT],
            rules=options.rule,
            ended=lambda record: _say(record.summary()),
        )
        async with serve(service, Authority(options.ca_out), options.port) as fake:
            fake.show_certificate(trusted=not options.untrusted)
            _say({"endpoint": fake.endpoint, "ca_file": fake.ca_file, "port": fake.port})
            await stop.wait()


if __name__ == "__main__":
    asyncio.run(_main(_arguments()))
