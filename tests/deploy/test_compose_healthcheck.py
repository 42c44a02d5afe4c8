"""The health check of the images, run as they run it."""

import asyncio
import shutil
import ssl
import sys
from pathlib import Path

import pytest
from aiohttp import web
from bench.ports import free_port

from steno_common.health import add_health_routes, listening, serve_health
from steno_common.lifecycle import Lifecycle

SCRIPT = Path(__file__).parents[2] / "deploy/healthcheck.py"


async def checked(port: int, offset: int, **environment: str) -> int | None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-IS", str(SCRIPT), str(offset)),
        env={"STENO_PORT": str(port), **environment},
    )
    return await asyncio.wait_for(process.wait(), 60)


@pytest.fixture
def port() -> int:
    return free_port()


async def test_a_ready_service_is_healthy_and_a_draining_one_is_not(port: int) -> None:
    life = Lifecycle()
    async with serve_health(life, "127.0.0.1", port):
        assert await checked(port - 1, 1) == 0
        life.draining.set()
        assert await checked(port - 1, 1) == 1


async def test_a_service_whose_redis_is_away_is_not_healthy(port: int) -> None:
    async def away() -> bool:
        return False

    async with serve_health(Lifecycle(checks={"redis": away}), "127.0.0.1", port):
        assert await checked(port, 0) == 1


async def test_where_nothing_listens_nothing_is_healthy(port: int) -> None:
    assert await checked(port, 0) == 1


async def test_a_proxy_for_downloads_is_not_asked(port: int) -> None:
    async with serve_health(Lifecycle(), "127.0.0.1", port):
        assert await checked(port, 0, http_proxy="http://127.0.0.1:9") == 0


@pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl")
async def test_a_gateway_that_speaks_tls_is_asked_in_tls_and_the_others_are_not(
    port: int, tmp_path: Path
) -> None:
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
               "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", str(key), "-out", str(cert),
               "-days", "2", "-subj", "/CN=steno.example"]  # fmt: skip
    process = await asyncio.create_subprocess_exec(*command, stderr=asyncio.subprocess.DEVNULL)
    assert await process.wait() == 0
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    app = web.Application()
    add_health_routes(app, Lifecycle())
    async with listening(app, "127.0.0.1", port, tls=context):
        assert await checked(port, 0, STENO_TLS_CERT=str(cert)) == 0
        assert await checked(port, 0) == 1
    async with serve_health(Lifecycle(), "127.0.0.1", port):
        assert await checked(port - 1, 1, STENO_TLS_CERT=str(cert)) == 0
