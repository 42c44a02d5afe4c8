"""A Redis Cluster on this machine."""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from bench.failover.servers import (
    BUS,
    DOWN_MS,
    HOST,
    Port,
    Server,
    answering,
    kill_all,
    make_servers,
    until,
)

SLOTS: Final = 16_384


@dataclass(frozen=True, slots=True)
class Nodes:
    """A Cluster."""

    servers: Sequence[Server]

    @property
    def url(self) -> str:
        """As in STENO_REDIS_URL."""
        return "redis+cluster://" + ",".join(f"{HOST}:{each.port}" for each in self.servers)

    def settled(self, replicas: int) -> None:
        """Wait until every node that runs takes all slots for served, and all replicas follow."""

        def holds() -> bool:
            running = [server for server in self.servers if server.running]
            fine = all(
                server.ask("CLUSTER INFO")["cluster_state"] == "ok"
                and len(server.ask("CLUSTER NODES")) >= len(running)
                for server in running
            )
            links = [server.ask("INFO", "replication") for server in running]
            following = [each for each in links if each["role"] == "slave"]
            return (
                fine
                and len(following) >= replicas
                and all(each["master_link_status"] == "up" for each in following)
            )

        until(holds, "the Cluster serves all slots")

    def holder(self, slot: int) -> Server:
        """Give the master of a slot, as the first node that runs says."""
        ranges = next(each for each in self.servers if each.running).ask("CLUSTER SLOTS")
        port = next(master[1] for first, last, master, *_ in ranges if first <= slot <= last)
        return next(server for server in self.servers if server.announced == port)

    def move(self, slot: int, target: Server) -> None:
        """Give a slot, with what is in it, to another master."""
        source = self.holder(slot)
        source_id, target_id = _id(source), _id(target)
        target.ask("CLUSTER SETSLOT", slot, "IMPORTING", source_id)
        source.ask("CLUSTER SETSLOT", slot, "MIGRATING", target_id)
        while keys := source.ask("CLUSTER GETKEYSINSLOT", slot, 100):
            source.ask("MIGRATE", HOST, target.port, "", 0, 5000, "KEYS", *keys)
        for server in (target, source):
            server.ask("CLUSTER SETSLOT", slot, "NODE", target_id)


@contextmanager
def cluster(
    binary: str, ports: Sequence[Port], masters: int = 3, replicas_of: Sequence[int] = (),
    **more: object,
) -> Iterator[Nodes]:  # fmt: skip
    """Run a Cluster; behind the masters come replicas, each of the master with that number.

    `more` are options of the servers.
    """
    with tempfile.TemporaryDirectory(prefix="steno-failover-") as name, ExitStack() as stack:
        servers = make_servers(binary, name, ports[: masters + len(replicas_of)])
        stack.callback(kill_all, servers)
        for number, server in enumerate(servers):
            server.start(*server.options(
                cluster_enabled="yes", cluster_config_file=f"nodes-{number}.conf",
                cluster_node_timeout=DOWN_MS, cluster_announce_ip=HOST,
                cluster_announce_port=server.announced,
                cluster_announce_bus_port=server.port + BUS,
                cluster_require_full_coverage="no",
                # Replicas stay with their master, however few others have.
                cluster_migration_barrier=9, **more,
            ))  # fmt: skip
        answering(servers)
        _join(servers, masters)
        _follow(servers, masters, replicas_of)
        found = Nodes(servers)
        found.settled(len(replicas_of))
        yield found


def _join(servers: Sequence[Server], masters: int) -> None:
    for number, server in enumerate(servers):
        server.ask("CLUSTER SET-CONFIG-EPOCH", number + 1)
        if number < masters:
            slots = range(number * SLOTS // masters, (number + 1) * SLOTS // masters)
            server.ask("CLUSTER ADDSLOTS", *slots)
    for server in servers[1:]:
        servers[0].ask("CLUSTER MEET", HOST, server.port, server.port + BUS)

    def met() -> bool:
        return all(_known(server) == len(servers) for server in servers)

    until(met, "the nodes know each other")


def _known(server: Server) -> int:
    nodes = server.ask("CLUSTER NODES").values()
    return sum("handshake" not in node["flags"] for node in nodes)


def _follow(servers: Sequence[Server], masters: int, replicas_of: Sequence[int]) -> None:
    for replica, number in zip(servers[masters:], replicas_of, strict=True):
        command = "CLUSTER REPLICATE", _id(servers[number])
        until(partial(replica.ask, *command), "a replica knows its master")


def _id(server: Server) -> str:
    answer: Any = server.ask("CLUSTER MYID")
    return answer.decode() if isinstance(answer, bytes) else str(answer)
