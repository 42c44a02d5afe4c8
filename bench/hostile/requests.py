"""Requests of the HTTP interface that are nearly right."""

import gzip
from random import Random
from typing import Any, Final
from urllib.parse import quote_from_bytes

from bench.hostile.containers import KINDS, recording
from bench.hostile.messages import ODD, mutated
from bench.hostile.script import SESSION, Script, some, spoiled

SESSIONS: Final = b"/api/streaming/sessions"
WISHES: Final[dict[str, Any]] = {
    "mime_type": "audio/pcm", "sample_rate": 16_000, "channels": 1, "language": "en",
    "duration_limit": 60, "user_id": "u", "metadata": {"a": "b"}, "task": "transcribe",
    "prompt": "p", "hotwords": ["w"], "engines": [], "checkpoints": True,
}  # fmt: skip
TYPES: Final = ("audio/webm;codecs=opus", "audio/pcm;rate=0", "audio/pcm;rate=-1;channels=99999",
                "audio/pcm;encoding=f64le", "audio/pcm;rate=1e9", ";;;", "audio/", "text/html",
                "audio/pcm;rate=" + "9" * 400, "application/octet-stream")  # fmt: skip


DESTINATION: Final[dict[str, Any]] = {
    "kind": "relay", "url": "https://127.0.0.1:9/in", "events": ["utterance"],
    "secret": "whsec_" + "A" * 32,
}  # fmt: skip
URLS: Final = ("http://127.0.0.1/", "https://[::1", "https://[v1.x]/", "https://a:99999/",
               "https:///", "//a", "wss://a/?\n", "https://é/", "https://u:p@a/", "https://a/#f",
               "file:///etc/passwd", "https://a:x/", "https://%ff/")  # fmt: skip
TRANSLATION: Final[dict[str, Any]] = {"language": "es", "text": "hola", "event": 0, "epoch": ""}
LETTER_IDS: Final = (b"0-1699500000000-0", b"0-0-0", b"999999-1-1", b"-1-1-1", b"1", b"a-b-c",
                     b"%00", b"0-" + b"9" * 40 + b"-0", b"0-18446744073709551616-0", b"..%2f",
                     b"0-" + b"9" * 400 + b"-0")  # fmt: skip
NAMES: Final = (b"golden-eagle-427", b"B%C3%A4r:7", b"%ff", b"%00", b"a%2Fb", b"x" * 128,
                b"x" * 129, b"0" * 32, b"%7B" + b"0" * 32 + b"%7D", b"1_" * 16, b"-")  # fmt: skip


def requests(rng: Random) -> Script:
    """Draw a request."""
    return rng.choice((_session, _session, _token, _translation, _letters, _upload, _form, _get,
                       _get, _packed))(rng)  # fmt: skip


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
    if rng.random() < 0.3:
        odd = {rng.choice(tuple(DESTINATION)): rng.choice((*ODD, *URLS, ["final"], ["partial"]))}
        wishes["destinations"] = [DESTINATION | odd] * rng.choice((1, 1, 2, 5))
    body = mutated(rng, wishes)
    return Script((_post(SESSIONS, body) + _post(SESSIONS, body[: len(body) // 2]),))


def _token(rng: Random) -> Script:
    path = SESSIONS + b"/" + SESSION + b"/tokens"
    return Script((_post(path, mutated(rng, {"right": "listen"})),))


def _translation(rng: Random) -> Script:
    path = SESSIONS + b"/" + rng.choice((SESSION, SESSION, b"golden-eagle-427")) + b"/translations"
    bodies = [mutated(rng, TRANSLATION) for _ in some(rng, 1, 4)]
    return Script((b"".join(_post(path, body) for body in bodies), 0.3))


def _letters(rng: Random) -> Script:
    """Letters that are not there, on pages that are none."""
    letter = rng.choice(LETTER_IDS)
    whole, one = b"", b"/" + letter
    method, path = rng.choice(((b"GET", whole), (b"DELETE", whole), (b"POST", b"/replay"),
                               (b"POST", one + b"/replay"), (b"DELETE", one),
                               (b"PUT", one)))  # fmt: skip
    odd = rng.choice((letter, quote_from_bytes(rng.randbytes(rng.randrange(20))).encode()))
    name = rng.choice((b"limit", b"after", b"session_id", b"destination", b"before"))
    head = b"%b /api/letters%b?%b=%b HTTP/1.1\r\nHost: x\r\n\r\n"
    return Script((head % (method, path, name, odd), 0.3))


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
    called = rng.choice((SESSION, SESSION, SESSION, *NAMES))
    session = SESSIONS + b"/" + called
    path = rng.choice((session, session + b"/events", session + b"/metrics", SESSIONS,
                       b"/api/transcripts", b"/api/transcripts/" + called + b".srt"))  # fmt: skip
    method = rng.choice((b"GET", b"GET", b"DELETE", b"OPTIONS"))
    odd = quote_from_bytes(rng.randbytes(rng.randrange(20))).encode()
    name = rng.choice((b"last_event_id", b"limit", b"before", b"token", b"name", b"language",
                       b"original", b"snapshot"))  # fmt: skip
    head = b"%b %b?%b=%b HTTP/1.1\r\nHost: x\r\nLast-Event-ID: %b\r\n\r\n"
    return Script((head % (method, path, name, odd, odd), 0.3))
