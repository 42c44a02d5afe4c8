"""The command `steno history`."""

import argparse
from typing import Final

from steno_client.cli.arguments import access
from steno_client.cli.display import clip_start, clock_time
from steno_client.cli.exits import COMPLETED, FAILED
from steno_client.cli.output import write_out
from steno_client.domain.policy import Policy
from steno_client.history import delete_transcript, get_transcript, list_transcripts

_TEXT_COLUMNS: Final = 60
_POLICY: Final = Policy(delays=(0.5, 1.0, 1.5, 2.0))


async def history(arguments: argparse.Namespace) -> int:
    """List what is saved, or print or delete one transcript."""
    url, way_in = arguments.url, access(arguments)
    if arguments.transcript is None:
        saved = await list_transcripts(url, limit=arguments.limit, policy=_POLICY, access=way_in)
        text = "".join(
            f"{line.id}  {line.time:25}  {clock_time(line.seconds):>6}  "
            f"{clip_start(line.text, _TEXT_COLUMNS)}\n"
            for line in saved
        )
    elif arguments.delete:
        await delete_transcript(url, arguments.transcript, policy=_POLICY, access=way_in)
        return COMPLETED
    else:
        kind = "txt" if arguments.format == "text" else arguments.format
        text = await get_transcript(url, arguments.transcript, kind, policy=_POLICY, access=way_in)
    return COMPLETED if write_out(text) else FAILED
