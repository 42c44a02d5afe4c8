#!/usr/bin/env python3
"""A receiver of Steno's webhooks that believes only what is signed, each event once.

    WEBHOOK_SECRET=whsec_… python webhook_receiver.py [PORT]

Needs Python alone. Prints each final text; put your own work into `handle`.
"""

import base64
import hashlib
import hmac
import json
import os
import sys
import time
from collections import OrderedDict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock

TOLERANCE_SECONDS = 300
REMEMBERED = 100_000
LARGEST_BODY = 1_000_000
KEYS = [
    base64.b64decode(secret.removeprefix("whsec_"))
    for secret in os.environ["WEBHOOK_SECRET"].split()
]


def is_signed(headers, body):
    """Say whether a body comes from who has the secret, and lately."""
    delivery, moment = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not moment.isdecimal() or abs(time.time() - int(moment)) > TOLERANCE_SECONDS:
        return False
    signed = b"%s.%s.%s" % (delivery.encode(), moment.encode(), body)
    expected = [
        "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
        for key in KEYS
    ]
    given = headers.get("webhook-signature", "").split()
    return any(hmac.compare_digest(one, other) for one in given for other in expected)


class Seen:
    """Ids of deliveries: Steno may repeat one after a failure. Keep yours in a database."""

    def __init__(self):
        self._ids = OrderedDict()
        self._lock = Lock()

    def add(self, delivery):
        """Say whether an id is new."""
        with self._lock:
            if delivery in self._ids:
                return False
            self._ids[delivery] = None
            if len(self._ids) > REMEMBERED:
                self._ids.popitem(last=False)
            return True


SEEN = Seen()


def handle(event):
    """Do something with an event."""
    if event["type"] == "dev.steno.session.final.v1":
        print(event["subject"], event["data"]["text_content"], flush=True)


class Receiver(BaseHTTPRequestHandler):
    """Answers 401 to what is not signed, 204 to the rest: also to what it has already."""

    protocol_version = "HTTP/1.1"

    def do_POST(self):
        """Take one delivery."""
        length = int(self.headers.get("Content-Length", 0))
        body = self.rfile.read(length) if length <= LARGEST_BODY else b""
        if not is_signed(self.headers, body):
            self.answer(401)
            return
        if SEEN.add(self.headers["webhook-id"]):
            handle(json.loads(body))
        self.answer(204)

    def answer(self, status):
        """Answer without a body."""
        self.send_response(status)
        if status != 204:
            self.send_header("Content-Length", "0")
            self.send_header("Connection", "close")
        self.end_headers()

    def log_message(self, *_):
        """Say nothing of each request."""


if __name__ == "__main__":
    port = int(sys.argv[1]) if len(sys.argv) > 1 else 9000
    ThreadingHTTPServer(("127.0.0.1", port), Receiver).serve_forever()
