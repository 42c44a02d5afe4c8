"""Exit 0 if the service of this container is ready: `healthcheck.py OFFSET`.

The service listens on STENO_PORT plus OFFSET. Nothing of Steno is imported, so that a check every
few seconds costs next to nothing.
"""

import http.client
import os
import ssl
import sys

DEFAULT_PORT = 8080
ANSWER_SECONDS = 2.0


def connected(port: int, *, tls: bool) -> http.client.HTTPConnection:
    """Give a connection to a port of this container."""
    # Not urllib: it would ask the proxy that the environment may name for downloads.
    if not tls:
        return http.client.HTTPConnection("127.0.0.1", port, timeout=ANSWER_SECONDS)
    # The certificate is for another name than this one, and nothing is told here.
    context = ssl._create_unverified_context()  # noqa: S323
    return http.client.HTTPSConnection("127.0.0.1", port, timeout=ANSWER_SECONDS, context=context)


def ready(port: int, *, tls: bool = False) -> bool:
    """Say whether /readyz on this port answers 200."""
    connection = connected(port, tls=tls)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


if __name__ == "__main__":
    base = int(os.environ.get("STENO_PORT") or DEFAULT_PORT)
    offset = int(sys.argv[1])
    only_the_gateway = offset == 0 and bool(os.environ.get("STENO_TLS_CERT"))
    sys.exit(0 if ready(base + offset, tls=only_the_gateway) else 1)
