"""Settings of the gateway."""

import re
from dataclasses import dataclass, field

from steno_common.errors import SettingsError
from steno_common.naming import ALSO_BARE
from steno_common.policy import NAME


@dataclass(frozen=True, slots=True)
class GatewaySettings:
    """What STENO_… may change of a gateway."""

    host: str = "127.0.0.1"
    port: int = 8080
    output: str = "output"
    """Folder or fsspec URL of saved transcripts."""
    api_keys: str = field(default="", repr=False)
    """`name:secret` or `name:sha256:<hex>`, comma-separated; without any, all may do everything."""
    api_keys_file: str = ""
    """A file with such keys, one a line, which may change at any time."""
    token_secret: str = field(default="", repr=False)
    """Signs session tokens; empty: their key's digest does."""
    token_seconds: float = 600.0
    """How long a session token lasts."""
    allowed_origins: str = ""
    """Pages from elsewhere that browsers may let in: `https://host`, comma-separated, or `*`."""
    trusted_proxies: str = ""
    """Addresses or networks whose `X-Forwarded-For` is believed, comma-separated."""
    tls_cert: str = ""
    """File with the certificate chain; with it the gateway speaks TLS."""
    tls_key: str = ""
    """File with the private key of the certificate."""
    max_sessions: int = 500
    """Connections with audio that one gateway holds at a time."""
    max_connections_per_ip: int = 200
    max_uploads_per_ip: int = 50
    max_handshakes_per_second_per_ip: float = 50.0
    max_sessions_per_key: int = 500
    max_uploads_per_key: int = 100
    max_handshakes_per_second_per_key: float = 200.0
    max_reconnections: int = 1_000
    max_chunks_per_second: float = 500.0
    """Of one session, with a burst of four times as many."""
    max_audio_chunks_per_second: float = field(default=10.0, metadata=ALSO_BARE)
    """Of one session of `/sendAudio`, with a second's worth at once."""
    audio_buffer_max_seconds: float = field(default=5.0, metadata=ALSO_BARE)
    """Audio of one session of `/sendAudio` that waits here for Redis."""
    max_messages_per_second: float = 100.0
    """Of one socket, without the audio that is taken; with a burst of four times as many."""
    max_queued_bytes: int = 4 << 20
    """Audio of one session that waits here for Redis."""
    max_queued_bytes_total: int = 256 << 20
    """The same of all sessions of one gateway."""
    redis_refuse_ratio: float = 0.7
    """Share of Redis's memory in use, from which on no session begins; 0: any."""
    redis_hold_ratio: float = 0.9
    """Share of Redis's memory in use, from which on no audio is stored; 0: any."""
    low_memory_bytes: int = 1 << 30
    """With less memory left here no session begins, with a quarter of it sessions end; 0: never.

    In a container a quarter of its limit counts, where that is less.
    """
    max_translations_per_second: float = 100.0
    """Of one session, with a burst of four times as many."""
    translation_seconds: float = 10.0
    """So long after the end of a session its listeners of a language wait for translations."""
    socket_idle_seconds: float = 60.0
    """A socket without any message for this long is closed."""
    send_seconds: float = 10.0
    """A client that reads nothing for this long is closed."""
    goaway_seconds: float = 2.0
    """On shutdown, sockets are told to leave over this time."""
    max_upload_bytes: int = 512 << 20
    emotion_cache_ttl_seconds: float = field(default=60.0, metadata=ALSO_BARE)
    """How long the newest emotion dynamics of a session are told."""
    engines: tuple[str, ...] = ()
    """Engines that recognise sessions, the first choice first; none: whichever there is."""
    engines_on_request: tuple[str, ...] = ()
    """Further engines, for sessions that name them."""

    def __post_init__(self) -> None:
        faults = [
            f"STENO_{name}: {engine!r} is no name of an engine"
            for name, engines in (
                ("ENGINES", self.engines),
                ("ENGINES_ON_REQUEST", self.engines_on_request),
            )
            for engine in engines
            if not re.match(NAME, engine)
        ]
        named = self.engines + self.engines_on_request
        if len(set(named)) < len(named):
            faults.append("STENO_ENGINES: an engine is named twice")
        if faults:
            raise SettingsError(faults)
