"""Installations of several Redis for tests, each started once: independent ones, a Cluster.

A test takes `each_form` to run on every server found and on each of these. The sets that survive
the loss of a machine are made by those tests that break them: see `bench.failover`.
"""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import pytest
import redis
from bench.failover.cluster import Nodes, cluster
from bench.failover.servers import Server, plain_ports
from redis.crc import key_slot
from tests.redis_servers import Candidate, RedisServer, candidates, open_binary

from steno_common.keys import ShardKeys
from steno_standalone.domain.binaries import Binary


def binaries() -> list[Binary]:
    """Every server program of this machine, the default first."""
    return [each.binary for each in candidates() if each.binary is not None]


class SeveralServers(RedisServer):
    """Independent servers, used as one installation."""

    def __init__(self, parts: Sequence[RedisServer]) -> None:
        super().__init__("several", ",".join(part.url for part in parts))
        self.parts = parts

    def client(self) -> redis.Redis:
        return self.parts[0].client()

    def kill(self) -> None:
        for part in self.parts:
            part.kill()

    def start(self) -> None:
        for part in self.parts:
            part.start()

    def clean(self) -> None:
        for part in self.parts:
            part.clean()

    def pids(self) -> list[int]:
        return [pid for part in self.parts for pid in part.pids()]


class ClusterServer(RedisServer):
    """The nodes of a Cluster."""

    def __init__(self, nodes: Nodes) -> None:
        super().__init__("cluster", nodes.url)
        self.nodes = nodes

    def client(self) -> redis.Redis:
        return redis.Redis("127.0.0.1", self.nodes.servers[0].port)

    def kill(self) -> None:
        for server in self.nodes.servers:
            server.kill()

    def start(self) -> None:
        stopped = [server for server in self.nodes.servers if not server.running]
        for server in stopped:
            server.start()
        if stopped:
            self.nodes.settled(replicas=0)

    def clean(self) -> None:
        self.start()
        for server in self.nodes.servers:
            server.ask("FLUSHALL")
            server.ask("SCRIPT FLUSH")

    def pids(self) -> list[int]:
        return [_pid(server) for server in self.nodes.servers]


def _pid(server: Server) -> int:
    return int(server.ask("INFO", "server")["process_id"])


@dataclass(frozen=True)
class Form:
    """One form of an installation."""

    name: str

    @contextmanager
    def open(self) -> Iterator[RedisServer]:
        """Run its servers."""
        found = binaries()
        if not found:
            pytest.skip("no server program found: install redis-server")
        if self.name == "cluster":
            with cluster(found[0].path, plain_ports(3), appendonly="yes") as nodes:
                # The shards 0 and 1, with which most tests work, do not live together.
                nodes.move(key_slot(ShardKeys(1).waiting.encode()), nodes.servers[0])
                yield ClusterServer(nodes)
            return
        with ExitStack() as stack:
            opened = (open_binary(f"part {number}", found[0]) for number in range(2))
            yield SeveralServers([stack.enter_context(each) for each in opened])


FORMS: tuple[Candidate | Form, ...] = (Form("several"), Form("cluster"))
