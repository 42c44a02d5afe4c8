"""Requests of the HTTP interface that are nearly right."""

import gzip
from random import Random
from typing import Any, Final
from urllib.parse import quote_from_bytes

from bench.hostile.containers import KINDS, recording
from bench.hostile.messages import ODD, mutated
from bench.hostile.script import SESSION, Script, spoiled

SESSIONS: Final = b"/api/streaming/sessions"
WISHES: Final[dict[str, Any]] = {
    "mime_type": "audio/pcm", "sample_rate": 16_000, "channels": 1, "language": "en",
    "duration_limit": 60, "user_id": "u", "metadata": {"a": "b"}, "task": "transcribe",
    "prompt": "p", "hotwords": ["w"],
}  # fmt: skip
TYPES: Final = ("audio/webm;codecs=opus", "audio/pcm;rate=0", "audio/pcm;rate=-1;channels=99999",
                "audio/pcm;encoding=f64le", "audio/pcm;rate=1e9", ";;;", "audio/", "text/html",
                "audio/pcm;rate=" + "9" * 400, "application/octet-stream")  # fmt: skip


def requests(rng: Random) -> Script:
    """Draw a request."""
    return rng.choice((_session, _session, _token, _upload, _form, _get, _packed))(rng)


def _post(path: bytes, body: bytes, content_type: str = "application/json") -> bytes:
    head = b"POST %b HTTP/1.1\r\nHost: x\r\nContent-Type: %b\r\nContent-Length: %d\r\n"
    return head % (path, content_type.encode(), len(body)) + b"\r\n" + body


def _packed(rng: Random) -> Script:
    """A body that is not packed as it says."""
    kind = rng.choice((b"gzip", b"deflate", b"br", b"zstd", b"identity", b"gzip, gzip"))
    body = spoiled(rng, gzip.compress(b"{}" + bytes(500), mtime=0))
    request = _post(rng.choice((SESSIONS, b"/api/transcriptions")), body)
    return Script((request.replace(b"Host: x", b"Host: x\r\nContent-Encoding: " + kind), 0.3))


def _session(rng: Random) -> Script:
    wishes = dict(rng.sample(list(WISHES.items()), rng.randint(1, len(WISHES))))
    if rng.random() < 0.3:
        wishes["mime_type"] = rng.choice(TYPES)
    body = mutated(rng, wishes)
    return Script((_post(SESSIONS, body) + _post(SESSIONS, body[: len(body) // 2]),))


def _token(rng: Random) -> Script:
    path = SESSIONS + b"/" + SESSION + b"/tokens"
    return Script((_post(path, mutated(rng, {"right": "listen"})),))


def _upload(rng: Random) -> Script:
    kind = rng.choice(tuple(KINDS))
    body = spoiled(rng, recording(kind))
    query = b"?" + b"&".join(
        name + b"=" + quote_from_bytes(str(rng.choice(ODD))[:500].encode(errors="replace")).encode()
        for name in (b"language", b"task", b"prompt", b"hotwords", b"mime_type")
        if rng.random() < 0.1
    )
    return Script((_post(b"/api/transcriptions" + query, body, kind), 1.5))


def _form(rng: Random) -> Script:
    body = (b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
            + recording(rng.choice(tuple(KINDS))) + b"\r\n--b--\r\n")  # fmt: skip
    body = body[:200] + spoiled(rng, body[200:]) if rng.random() < 0.5 else spoiled(rng, body)
    return Script((_post(b"/api/transcriptions", body, "multipart/form-data; boundary=b"), 1.5))


def _get(rng: Random) -> Script:
    path = rng.choice((SESSIONS + b"/" + SESSION, SESSIONS + b"/" + SESSION + b"/events",
                       b"/api/transcripts", b"/api/transcripts/" + SESSION + b".srt"))  # fmt: skip
    method = rng.choice((b"GET", b"GET", b"DELETE", b"OPTIONS"))
    odd = quote_from_bytes(rng.randbytes(rng.randrange(20))).encode()
    name = rng.choice((b"last_event_id", b"limit", b"before", b"token"))
    head = b"%b %b?%b=%b HTTP/1.1\r\nHost: x\r\nLast-Event-ID: %b\r\n\r\n"
    return Script((head % (method, path, name, odd, odd), 0.3))
