"""A gateway process that speaks TLS, with keys and certificates that change while it runs."""

import asyncio
import os
import shutil
import ssl
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from bench.installation import Part, ready, service
from tests.integration.gateway_support import SESSIONS, Client, until
from tests.redis_servers import RedisServer

from steno_common.errors import SettingsError
from steno_gateway.settings import GatewaySettings
from steno_gateway.tls import tls_context

SECRET = "anns-secret-of-the-day"

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl")


def certificate(folder: Path, name: str) -> tuple[str, str]:
    """Make a certificate that verifies itself; gives its files."""
    cert, key = folder / f"{name}.pem", folder / f"{name}.key"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
         "-nodes", "-keyout", str(key), "-out", str(cert), "-days", "2", "-subj", f"/CN={name}",
         "-addext", "subjectAltName=IP:127.0.0.1"],
        check=True, capture_output=True, timeout=120,
    )  # fmt: skip
    return str(cert), str(key)


def replaced(folder: Path, cert: str, key: str) -> None:
    """Put another certificate where one was."""
    new_cert, new_key = certificate(folder, "new-name")
    Path(new_key).replace(key)
    Path(new_cert).replace(cert)


async def subject(served: Part) -> str:
    """Give the name in the certificate that a gateway shows."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    host, port = served.address.removeprefix("https://").split(":")
    _, writer = await asyncio.open_connection(host, int(port), ssl=context)
    shown: bytes = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    writer.close()
    return "new" if b"new-name" in shown else "old"


@asynccontextmanager
async def serving(redis_url: str, folder: Path, **settings: str) -> AsyncIterator[Part]:
    async with service("gateway", folder, redis_url, settings) as gateway:
        await ready([gateway])
        yield gateway


async def test_sessions_over_tls_with_keys_and_certificates_that_change(
    redis_server: RedisServer, tmp_path: Path
) -> None:
    cert, key = certificate(tmp_path, "name")
    keys = tmp_path / "keys"
    keys.write_text("")
    settings = {"STENO_TLS_CERT": cert, "STENO_TLS_KEY": key, "STENO_API_KEYS_FILE": str(keys)}
    trusted = ssl.create_default_context(cafile=cert)
    headers = {"Authorization": f"Bearer {SECRET}"}
    async with (
        serving(redis_server.url, tmp_path, **settings) as served,
        aiohttp.ClientSession(served.address, connector=aiohttp.TCPConnector(ssl=trusted)) as http,
    ):
        async with http.post(SESSIONS, headers=headers) as answer:
            assert answer.status == 401
        keys.write_text(f"ann:{SECRET}\n")

        async def let_in() -> bool:
            async with http.get("/api/transcripts", headers=headers) as answer:
                return answer.status == 200

        await until(let_in)
        async with http.post(SESSIONS, headers=headers, json={"mime_type": "audio/pcm"}) as answer:
            fields = await answer.json()
        bearer = {"Authorization": f"Bearer {fields['token']}"}
        async with http.ws_connect(fields["websocket_url"], headers=bearer) as ws:
            client = Client(ws)
            await client.hear("session_created")
            replaced(tmp_path, cert, key)

            async def renewed() -> bool:
                return await subject(served) == "new"

            await until(renewed)
            await client.say("ping")
            await client.hear("pong")


async def test_old_tls_is_not_spoken(redis_server: RedisServer, tmp_path: Path) -> None:
    cert, key = certificate(tmp_path, "name")
    context = tls_context(GatewaySettings(tls_cert=cert, tls_key=key))
    assert context is not None
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2


def test_without_a_certificate_there_is_no_tls() -> None:
    assert tls_context(GatewaySettings()) is None


def test_a_certificate_without_its_key_is_a_fault(tmp_path: Path) -> None:
    cert, key = certificate(tmp_path, "name")
    _, other = certificate(tmp_path, "other")
    for pair in ((cert, ""), ("", key), (cert, other), (cert, str(tmp_path / "none"))):
        with pytest.raises(SettingsError):
            tls_context(GatewaySettings(tls_cert=pair[0], tls_key=pair[1]))


async def test_the_command_verifies_the_server_with_the_certificates_it_is_given(
    redis_server: RedisServer, tmp_path: Path
) -> None:
    cert, key = certificate(tmp_path, "name")
    settings = {"STENO_TLS_CERT": cert, "STENO_TLS_KEY": key,
                "STENO_API_KEYS": f"ann:{SECRET}"}  # fmt: skip

    async def steno(*arguments: str) -> tuple[int | None, bytes]:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "steno_client.cli", "history", *arguments,
            env=os.environ | {"STENO_API_KEY": SECRET}, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        _, told = await process.communicate()
        return process.returncode, told

    async with serving(redis_server.url, tmp_path, **settings) as served:
        url = served.address.replace("https", "wss")
        assert await steno("--url", url, "--ca", cert) == (0, b"")
        assert (await steno("--url", url))[0] == 1
        code, told = await steno("--url", url, "--ca", cert, "--api-key", "wrong-secret-today")
        assert (code, told) == (1, b"steno: the API key is not known\n")
