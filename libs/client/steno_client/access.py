"""What lets a client in."""

import ssl
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Access:
    """An API key or a session's token, with whom to trust on the way."""

    api_key: str | None = field(default=None, repr=False)
    """Opens sessions, reads transcripts; a session's own tokens are got and renewed with it."""
    token: str | None = field(default=None, repr=False)
    """Of the one session to listen to, for a client without a key."""
    ca: str | None = None
    """File with the certificates that a server's is to be signed by; None: the system's."""

    @property
    def bearer(self) -> str | None:
        """What a request shows."""
        return self.api_key or self.token

    def tls(self) -> ssl.SSLContext | bool:
        """How servers are verified; raises OSError for a file that holds no certificates."""
        return True if self.ca is None else ssl.create_default_context(cafile=self.ca)
