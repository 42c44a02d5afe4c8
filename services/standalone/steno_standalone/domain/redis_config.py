"""Configuration text of the private Redis."""

from dataclasses import dataclass

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of the private Redis in bytes."""

    memory: int
    rewrite_log_at: int


def limits(total_memory: int, room: int) -> Limits:
    """Share a machine's memory and the room of the log's file system, both in bytes.

    A rewrite keeps the old log beside the new one, so the log may need about three times what
    is stored before the old one goes.
    """
    memory = min(total_memory // 8, room // 4)
    memory = max(64 * MIB, min(memory, 1024 * MIB))
    return Limits(memory=memory, rewrite_log_at=max(64 * MIB, min(room // 8, 256 * MIB)))


def config_text(folder: str, password: str, bounds: Limits) -> str:
    """Write the configuration of a Redis that listens on nothing but `folder`/redis.sock.

    What is acknowledged has been handed to the kernel, so it survives the death of the process
    (not of the machine); nothing is ever evicted.
    """
    return "\n".join(
        [
            "port 0",
            f'unixsocket "{socket_path(folder)}"',
            "unixsocketperm 700",
            f'requirepass "{password}"',
            f'dir "{folder}"',
            "daemonize no",
            "loglevel warning",
            'save ""',
            "appendonly yes",
            "appendfsync no",
            f"auto-aof-rewrite-min-size {bounds.rewrite_log_at}",
            f"maxmemory {bounds.memory}",
            "maxmemory-policy noeviction",
            "",
        ]
    )


def socket_path(folder: str) -> str:
    """Where the server of `folder` listens."""
    return f"{folder}/redis.sock"


def socket_url(folder: str, password: str) -> str:
    """Address of the server of `folder`, in the form redis-py reads."""
    return f"unix://:{password}@{socket_path(folder)}?db=0"
