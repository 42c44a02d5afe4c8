"""Fixtures for all tests: a real Redis."""

import os
import signal
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings
from tests.redis_servers import Candidate, RedisServer, RedisServers, candidates
from tests.redis_topologies import FORMS, Form

# How fast a busy machine draws examples says nothing about what is tested. They are the same ones
# each time, so that whoever runs all tests hears of nothing that is not his own doing; to look for
# new ones: pytest --hypothesis-profile=explore.
settings.register_profile(
    "steno", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("explore", settings.get_profile("steno"), derandomize=False)
settings.load_profile("steno")


@pytest.fixture(scope="session")
def redis_servers() -> Iterator[RedisServers]:
    """Servers that live as long as the test run."""
    servers = RedisServers()
    yield servers
    servers.close()


@pytest.fixture
def redis_server(redis_servers: RedisServers) -> RedisServer:
    """One empty Redis, the one that the standalone installation would start."""
    if not candidates():
        pytest.skip("no Redis found: install redis-server")
    return redis_servers.clean(candidates()[0])


@pytest.fixture
def each_redis(request: pytest.FixtureRequest, redis_servers: RedisServers) -> RedisServer:
    """An empty Redis; the test runs once on every server found."""
    candidate: Candidate = request.param
    return redis_servers.clean(candidate)


@pytest.fixture
def each_form(request: pytest.FixtureRequest, redis_servers: RedisServers) -> RedisServer:
    """An empty installation; the test runs on every server found and on every form of several."""
    form: Candidate | Form = request.param
    return redis_servers.clean(form)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Repeat a test that takes `each_redis` for every server found, `each_form` for all forms."""
    if "each_redis" in metafunc.fixturenames:
        metafunc.parametrize(
            "each_redis", candidates(), indirect=True, ids=lambda candidate: candidate.name
        )
    if "each_form" in metafunc.fixturenames:
        metafunc.parametrize(
            "each_form", [*candidates(), *FORMS], indirect=True, ids=lambda form: form.name
        )


OTHERS = ("AWS_", "OTEL_", "STENO_")
"""Settings that may be there for something else; those of tests begin with STENO_TEST_."""


def pytest_configure() -> None:
    """Let whoever runs this change nothing by the settings of a shell.

    One that runs it in the background has interruptions ignored, which children inherit.
    """
    for name in list(os.environ):
        ours = name.startswith("STENO_TEST_")
        if (name.startswith(OTHERS) and not ours) or name.upper().endswith("_PROXY"):
            del os.environ[name]
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
