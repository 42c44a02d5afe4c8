"""Exit 0 if the service of this container is ready: `healthcheck.py OFFSET`.

The service listens on STENO_PORT plus OFFSET. Nothing of Steno is imported, so that a check every
few seconds costs next to nothing.
"""

import http.client
import os
import sys

DEFAULT_PORT = 8080
ANSWER_SECONDS = 2.0


def ready(port: int) -> bool:
    """Say whether /readyz on this port answers 200."""
    # Not urllib: it would ask the proxy that the environment may name for downloads.
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=ANSWER_SECONDS)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


if __name__ == "__main__":
    base = int(os.environ.get("STENO_PORT") or DEFAULT_PORT)
    sys.exit(0 if ready(base + int(sys.argv[1])) else 1)
