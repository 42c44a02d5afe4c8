"""Settings of the gateway."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class GatewaySettings:
    """What STENO_… may change of a gateway."""

    host: str = "127.0.0.1"
    port: int = 8080
    output: str = "output"
    """Folder or fsspec URL of saved transcripts."""
    max_sessions: int = 500
    """Connections with audio that one gateway holds at a time."""
    max_connections_per_ip: int = 200
    max_handshakes_per_second_per_ip: float = 50.0
    max_reconnections: int = 1_000
    max_chunks_per_second: float = 500.0
    """Of one session, with a burst of four times as many."""
    max_queued_bytes: int = 4 << 20
    """Audio of one session that waits here for Redis."""
    socket_idle_seconds: float = 60.0
    """A socket without any message for this long is closed."""
    send_seconds: float = 10.0
    """A client that reads nothing for this long is closed."""
    goaway_seconds: float = 2.0
    """On shutdown, sockets are told to leave over this time."""
    max_upload_bytes: int = 512 << 20
