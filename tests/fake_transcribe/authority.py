"""Throw-away certificates: one that clients are told to trust, one that they are not."""

import ssl
from pathlib import Path

import trustme

NAMES = ("localhost", "127.0.0.1")


class Authority:
    """Issues the server's certificate; `ca_file` is what a client must trust."""

    def __init__(self, ca_file: Path) -> None:
        authority = trustme.CA()
        authority.cert_pem.write_to_path(str(ca_file))
        self.ca_file = ca_file
        self._trusted = authority.issue_cert(*NAMES)
        self._untrusted = trustme.CA().issue_cert(*NAMES)

    def context(self) -> ssl.SSLContext:
        """Make a server's context that speaks HTTP/2 only."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.set_alpn_protocols(["h2"])
        self.show(context, trusted=True)
        return context

    def show(self, context: ssl.SSLContext, *, trusted: bool) -> None:
        """Let a context show one certificate or the other from the next connection on."""
        (self._trusted if trusted else self._untrusted).configure_cert(context)
