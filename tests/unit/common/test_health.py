"""Health, readiness, metrics over HTTP."""

from collections.abc import AsyncIterator

import pytest
from aiohttp import ClientSession, web
from bench.ports import free_port
from prometheus_client import CONTENT_TYPE_LATEST
from prometheus_client.parser import text_string_to_metric_families

from steno_common.health import PORT_OFFSETS, add_health_routes, listening, serve_health
from steno_common.lifecycle import Lifecycle

HOST = "127.0.0.1"


@pytest.fixture
def port() -> int:
    """A port that nobody listens on."""
    return free_port()


@pytest.fixture
async def client(port: int) -> AsyncIterator[ClientSession]:
    async with ClientSession(f"http://{HOST}:{port}") as session:
        yield session


async def test_a_living_process_is_healthy(port: int, client: ClientSession) -> None:
    async with serve_health(Lifecycle(), HOST, port), client.get("/healthz") as answer:
        assert (answer.status, await answer.json()) == (200, {"status": "ok"})


async def test_it_is_ready_only_while_every_check_holds(port: int, client: ClientSession) -> None:
    redis = True

    async def check() -> bool:
        return redis

    async with serve_health(Lifecycle(checks={"redis": check}), HOST, port):
        async with client.get("/readyz") as answer:
            assert (answer.status, await answer.json()) == (200, {"accepting": True, "redis": True})
        redis = False
        async with client.get("/readyz") as answer:
            assert answer.status == 503
            assert await answer.json() == {"accepting": True, "redis": False}


async def test_a_draining_process_is_healthy_but_not_ready(
    port: int, client: ClientSession
) -> None:
    life = Lifecycle()
    async with serve_health(life, HOST, port):
        life.draining.set()
        async with client.get("/healthz") as answer:
            assert answer.status == 200
        async with client.get("/readyz") as answer:
            assert (answer.status, await answer.json()) == (503, {"accepting": False})


async def test_metrics_are_in_the_form_that_prometheus_reads(
    port: int, client: ClientSession
) -> None:
    async with serve_health(Lifecycle(), HOST, port), client.get("/metrics") as answer:
        assert answer.headers["Content-Type"] == CONTENT_TYPE_LATEST
        families = {family.name for family in text_string_to_metric_families(await answer.text())}
    assert "process_cpu_seconds" in families


async def test_the_metrics_say_how_ready_the_service_is_now(
    port: int, client: ClientSession
) -> None:
    async def check() -> bool:
        return not life.draining.is_set()

    life = Lifecycle(checks={"probe": check})
    async with serve_health(life, HOST, port):
        for draining in (False, True):
            if draining:
                life.draining.set()
            async with client.get("/metrics") as answer:
                page = await answer.text()
            assert f'steno_ready{{check="probe"}} {not draining:.1f}' in page
            assert f"steno_draining {draining:.1f}" in page


async def test_an_application_keeps_its_own_routes(port: int, client: ClientSession) -> None:
    async def own(_: web.Request) -> web.Response:
        return web.Response(text="own")

    app = web.Application()
    app.router.add_get("/own", own)
    add_health_routes(app, Lifecycle())
    async with listening(app, HOST, port):
        for path, status in (("/own", 200), ("/healthz", 200), ("/nothing", 404)):
            async with client.get(path) as answer:
                assert answer.status == status


async def test_a_taken_port_is_an_error_at_once_then_free_again(port: int) -> None:
    async with serve_health(Lifecycle(), HOST, port):
        with pytest.raises(OSError, match="address already in use"):
            async with serve_health(Lifecycle(), HOST, port):
                pytest.fail("two servers on one port")
    async with serve_health(Lifecycle(), HOST, port):
        pass


def test_each_service_has_a_port_of_its_own() -> None:
    assert PORT_OFFSETS == {"gateway": 0, "transcriber": 1, "aggregator": 2, "notifier": 3}


async def test_a_process_that_only_a_new_one_can_repair_is_neither_healthy_nor_ready(
    port: int, client: ClientSession
) -> None:
    life = Lifecycle(alive={"engine": lambda: False})
    async with serve_health(life, HOST, port):
        async with client.get("/healthz") as answer:
            assert answer.status == 503
            assert await answer.json() == {"status": "stuck", "engine": False}
        async with client.get("/readyz") as answer:
            assert answer.status == 503
            assert await answer.json() == {"accepting": True, "engine": False}


async def test_what_others_do_never_makes_a_process_unhealthy(
    port: int, client: ClientSession
) -> None:
    async def away() -> bool:
        return False

    life = Lifecycle(checks={"redis": away}, alive={"engine": lambda: True})
    async with serve_health(life, HOST, port), client.get("/healthz") as answer:
        assert (answer.status, await answer.json()) == (200, {"status": "ok"})
