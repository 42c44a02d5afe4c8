"""A master with replicas that Sentinels watch."""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.failover.servers import (
    DOWN_MS,
    HOST,
    Port,
    Server,
    answering,
    kill_all,
    make_servers,
    plain_ports,
    until,
)

SERVICE: Final = "steno"


@dataclass(frozen=True, slots=True)
class Watched:
    """A master with replicas and the Sentinels that watch them."""

    servers: Sequence[Server]
    sentinels: Sequence[Server]

    @property
    def url(self) -> str:
        """As in STENO_REDIS_URL."""
        hosts = ",".join(f"{HOST}:{sentinel.port}" for sentinel in self.sentinels)
        return f"redis+sentinel://{hosts}/{SERVICE}"

    def master(self) -> Server:
        """Give the server that the first Sentinel names; without any, the first."""
        if not self.sentinels:
            return self.servers[0]
        _, port = self.sentinels[0].ask("SENTINEL GET-MASTER-ADDR-BY-NAME", SERVICE)
        return next(server for server in self.servers if server.announced == int(port))

    def settled(self) -> None:
        """Wait until every server has its place and every Sentinel knows."""
        master, replicas = self.master(), len(self.servers) - 1
        until(lambda: _linked(master, self.servers), "the replicas follow")

        def known() -> bool:
            seen = [sentinel.ask("SENTINEL MASTERS")[SERVICE] for sentinel in self.sentinels]
            return all(
                state["num-other-sentinels"] == len(self.sentinels) - 1
                and state["num-slaves"] == replicas
                for state in seen
            )

        until(known, "the Sentinels know each other and all servers")


def _linked(master: Server, servers: Sequence[Server]) -> bool:
    return all(
        server.ask("INFO", "replication")["master_link_status"] == "up"
        for server in servers
        if server is not master
    )


@contextmanager
def watched(binary: str, ports: Sequence[Port], sentinels: int = 3) -> Iterator[Watched]:
    """Run a master, replicas and Sentinels, if any; the first port is the master's."""
    with tempfile.TemporaryDirectory(prefix="steno-failover-") as name, ExitStack() as stack:
        servers = make_servers(binary, name, ports)
        guards = make_servers(binary, name, plain_ports(sentinels))
        stack.callback(kill_all, [*servers, *guards])
        master = servers[0]
        for server in servers:
            options = server.options(replica_announce_ip=HOST,
                                     replica_announce_port=server.announced)  # fmt: skip
            if server is not master:
                options += ["--replicaof", HOST, str(master.announced)]
            server.start(*options)
        answering(servers)
        # A Sentinel that first meets a replica without its master takes it for unfit for long.
        until(lambda: _linked(master, servers), "the replicas follow")
        for guard in guards:
            config = Path(guard.folder, "sentinel.conf")
            config.write_text(_sentinel_config(guard.port, master.announced, sentinels))
            guard.start(str(config), "--sentinel")
        answering(guards)
        found = Watched(servers, guards)
        found.settled()
        yield found


def _sentinel_config(port: int, master: int, sentinels: int) -> str:
    return f"""port {port}
bind {HOST}
sentinel monitor {SERVICE} {HOST} {master} {sentinels // 2 + 1}
sentinel down-after-milliseconds {SERVICE} {DOWN_MS}
sentinel failover-timeout {SERVICE} 2000
sentinel parallel-syncs {SERVICE} 2
"""
