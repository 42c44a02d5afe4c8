"""A notifier as a process of its own, whose senders post plain JSON."""

import sys
from unittest.mock import patch

import aiohttp
from tests.integration.delivery_rig import PlainSender

from steno_common.destinations import DestinationSettings
from steno_common.lifecycle import run
from steno_notifier import app
from steno_notifier.domain.outgoing import Sender


def plain(settings: DestinationSettings) -> dict[str, Sender]:
    """Give the senders."""
    sender = PlainSender(aiohttp.ClientSession(), settings.delivery_seconds)
    return {"webhook": sender}


if __name__ == "__main__":
    with patch.object(app, "open_senders", plain):
        sys.exit(run("notifier", app.serve))
