"""What a failure of Redis means for the caller."""

from typing import Any

import pytest
from redis import exceptions as of

from steno_common.errors import StoreError, StoreUnavailableError
from steno_common.store.failures import FewReplicasError, NowhereError
from steno_common.store.link import Link, open_link

FULL = "command not allowed when used memory > 'maxmemory'."
IN_SCRIPT = "Error running script (call to f_8192): @user_script:1: @user_script: 1: -%s"
IN_PIPELINE = "Command # 1 (SET secret OOM (BUSY) of pipeline caused error: ('%s',)"

PASSING = [
    of.ConnectionError("Connection closed by server."),
    of.TimeoutError("Timeout reading from socket"),
    of.BusyLoadingError("Redis is loading the dataset in memory"),
    of.MaxConnectionsError("No connection available."),
    ConnectionResetError(104, "Connection reset by peer"),
    BrokenPipeError(32, "Broken pipe"),
    TimeoutError(),
    of.OutOfMemoryError(FULL, status_code="OOM"),
    of.OutOfMemoryError(FULL + " script: 819d, on @user_script:1.", status_code="OOM"),
    of.OutOfMemoryError(IN_PIPELINE % FULL, status_code="OOM"),
    of.ResponseError(IN_SCRIPT % f"OOM {FULL}", status_code="ERR"),
    of.ResponseError(IN_SCRIPT % "READONLY You can't write.", status_code="ERR"),
    of.ReadOnlyError("You can't write against a read only replica.", status_code="READONLY"),
    of.NoScriptError("No matching script.", status_code="NOSCRIPT"),
    of.ResponseError("MISCONF Redis is configured to save RDB snapshots"),
    of.ResponseError("BUSY Redis is busy running a script."),
    of.ResponseError("UNBLOCKED client unblocked via CLIENT UNBLOCK"),
    of.ResponseError("NOREPLICAS Not enough good replicas to write."),
    of.ResponseError(IN_PIPELINE % "MISCONF Redis is configured"),
    of.TryAgainError("Multiple keys request during rehashing", status_code="TRYAGAIN"),
    of.ClusterDownError("The cluster is down", status_code="CLUSTERDOWN"),
    of.MasterDownError("Link with MASTER is down", status_code="MASTERDOWN"),
    of.MovedError("7000 127.0.0.1:7001", status_code="MOVED"),
    of.AskError("7000 127.0.0.1:7001", status_code="ASK"),
    FewReplicasError(),
    NowhereError(),
]
LASTING = [
    (of.ResponseError("WRONGTYPE Operation against a key"), "WRONGTYPE"),
    (of.ResponseError(IN_PIPELINE % "WRONGTYPE Operation against a key"), "WRONGTYPE"),
    (of.ResponseError("Wrong number of args", status_code="ERR"), "ERR"),
    (of.ResponseError(IN_SCRIPT % "WRONGTYPE Operation", status_code="ERR"), "WRONGTYPE"),
    (of.ResponseError("secret of a user", status_code="ERR"), "ERR"),
    (of.ResponseError("NOGROUP No such key"), "NOGROUP"),
    (of.NoPermissionError("No permissions", status_code="NOPERM"), "NOPERM"),
    (of.ResponseError(), "ERR"),
]


async def failure(error: Exception, way: str) -> StoreError:
    """Give what a caller gets when redis-py raises an error."""

    async def fail(*_: object) -> None:
        raise error

    async def ask(link: Link) -> None:
        patch.setattr(await link.atlas.node(0), "_trip", fail)
        await link.ask(0, lambda pipe: pipe.ping())

    async def wait(link: Link) -> None:
        await link.wait([0], fail)

    async def pubsub(link: Link) -> None:
        async with link.pubsub(0):
            await fail()

    ways = {"ask": ask, "wait": wait, "pubsub": pubsub}
    async with open_link("redis://127.0.0.1:1/0") as link:
        with pytest.MonkeyPatch.context() as patch, pytest.raises(StoreError) as raised:
            await ways[way](link)
    return raised.value


@pytest.mark.parametrize("way", ["ask", "wait", "pubsub"])
@pytest.mark.parametrize("error", PASSING, ids=repr)
async def test_what_passes_may_be_repeated(error: Exception, way: str) -> None:
    found = await failure(error, way)
    assert isinstance(found, StoreUnavailableError)
    assert found.retryable
    assert str(found) == f"Redis does not answer: {type(error).__name__}"
    assert found.__cause__ is error


@pytest.mark.parametrize(("error", "code"), LASTING, ids=str)
async def test_what_lasts_is_not_repeated_but_names_the_code(error: Exception, code: str) -> None:
    found = await failure(error, "ask")
    assert type(found) is StoreError
    assert not found.retryable
    assert str(found) == f"Redis refused: {code}"


async def test_a_fault_of_ours_stays_what_it_is() -> None:
    def fail(pipe: Any) -> None:
        raise KeyError("ours")

    async with open_link("redis://127.0.0.1:1/0") as link:
        with pytest.raises(KeyError):
            await link.ask(0, fail)


async def test_a_redis_that_is_not_there_is_no_reason_to_wait() -> None:
    async with open_link("redis://127.0.0.1:1/0") as link:
        assert isinstance(link, Link)
        assert not await link.ping()
        with pytest.raises(StoreUnavailableError):
            await link.ask(0, lambda pipe: pipe.ping())
