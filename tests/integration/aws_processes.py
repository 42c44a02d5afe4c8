"""Transcribers as processes, whose `aws` is a fake in this process."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from bench.ports import free_port
from tests.fake_transcribe.server import FakeTranscribe
from tests.integration.aws_rig import environment
from tests.redis_servers import RedisServer

from steno_common.store.limits import Limits

LIMITS: Final = Limits(shards=4, lease_seconds=2.0)
"""Of the processes too."""


@asynccontextmanager
async def transcriber(
    redis: RedisServer, fake: FakeTranscribe, **settings: str
) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run a transcriber until the end, however it ends; its engine is `aws` unless set."""
    variables = {
        **os.environ,
        **environment(fake.endpoint, fake.ca_file),
        "STENO_ENGINE": "aws",
        "STENO_AWS_PACE": "8",
        "STENO_REDIS_URL": redis.url,
        "STENO_SHARDS": "4",
        "STENO_LEASE_SECONDS": "2.0",
        "STENO_PORT": str(free_port() - 1),
        **settings,
    }
    command = (sys.executable, "-m", "steno_transcriber")
    process = await asyncio.create_subprocess_exec(*command, env=variables)
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
