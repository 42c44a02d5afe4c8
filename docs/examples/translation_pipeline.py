#!/usr/bin/env python3
"""A translation pipeline: takes each transcript as AWS Lambda calls it, or over HTTP.

On AWS: make a function with the handler `translation_pipeline.handler`, and set
STENO_TRANSLATION_PIPELINE_FUNCTION_NAME to its name. Elsewhere:

    python translation_pipeline.py [PORT]

and set STENO_TRANSLATION_PIPELINE_URL to http://HOST:PORT/. Needs Python alone.
"""

import json
import os
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

TARGETS = os.environ.get("TARGET_LANGUAGES", "es,fr").split(",")
LARGEST_BODY = 1_000_000
DONE = set()
"""What was handled: Steno may repeat a transcript after a failure. Keep yours in a database."""


def translate(text, source, target):
    """Put your translator here; `source` is `auto` if nobody knows."""
    return f"[{source} to {target}] {text}"


def speak(session, target, text, dynamics):
    """Put your voice here; it may follow the speaker's volume, rate, energy."""
    print(session, target, text, dynamics, flush=True)


def handler(event, _context=None):
    """Take one transcript."""
    identity = (event["sessionId"], event["timestamp"], event["transcriptText"])
    # A partial may still change: only what is final is spoken, and only once.
    if event["isPartial"] or identity in DONE:
        return
    DONE.add(identity)
    for target in TARGETS:
        text = translate(event["transcriptText"], event["sourceLanguage"], target)
        speak(event["sessionId"], target, text, event["emotionDynamics"])


class Pipeline(BaseHTTPRequestHandler):
    """The same over HTTP."""

    protocol_version = "HTTP/1.1"

    def do_POST(self):
        """Take one transcript."""
        length = int(self.headers.get("Content-Length", 0))
        body = self.rfile.read(length) if length <= LARGEST_BODY else b""
        try:
            handler(json.loads(body))
            status = 202
        except (ValueError, KeyError, TypeError):
            # A client error: Steno keeps the transcript as a dead letter, and does not repeat it.
            status = 400
        self.send_response(status)
        self.send_header("Content-Length", "0")
        if status == 400:
            self.send_header("Connection", "close")
        self.end_headers()

    def log_message(self, *_):
        """Say nothing of each request."""


if __name__ == "__main__":
    port = int(sys.argv[1]) if len(sys.argv) > 1 else 9002
    ThreadingHTTPServer(("127.0.0.1", port), Pipeline).serve_forever()
