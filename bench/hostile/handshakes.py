"""Requests on a bare connection, most of which are no HTTP."""

from random import Random
from typing import Final

from bench.hostile.script import SESSION, Script, spoiled

PATHS: Final = (
    b"/", b"/status", b"/healthz", b"/metrics", b"*", b"", b"//", b"/../../etc/passwd", b"/%00",
    b"/%ff%fe", b"http://x/", b"x:80", b"/" + b"a" * 20_000, b"/a?" + b"b" * 140_000,
    b"/api/transcripts", b"/api/transcripts/..%2f..%2fetc", b"/api/transcripts/%00.txt",
    b"/api/transcripts?limit=1e9&before=%00", b"/api/streaming/sessions/" + SESSION,
    b"/api/streaming/sessions/" + SESSION + b"/ws?last_event=" + b"9" * 5_000,
    b"/api/streaming/sessions/" + SESSION + b"/ws?last_event=-1",
    b"/api/streaming/sessions/" + SESSION + b"/events?last_event_id=%00-1",
    b"/api/streaming/sessions/{}/ws", b"/api/streaming/sessions/" + b"0" * 36 + b"/listen",
)  # fmt: skip
METHODS: Final = (b"GET", b"GET", b"GET", b"get", b"POST", b"DELETE", b"OPTIONS", b"HEAD", b"PUT",
                  b"TRACE", b"CONNECT", b"PRI", b"G\x00T", b"", b"A" * 9_000)  # fmt: skip
VERSIONS: Final = (b"HTTP/1.1", b"HTTP/1.1", b"HTTP/1.0", b"HTTP/0.9", b"HTTP/2.0", b"HTTP/9.9",
                   b"HTTP/1.1.1", b"http/1.1", b"", b"HTTP/\xff")  # fmt: skip
HEADERS: Final = (
    b"Upgrade: websocket", b"Upgrade: h2c", b"Connection: Upgrade", b"Connection: close",
    b"Connection: keep-alive, Upgrade", b"Sec-WebSocket-Version: 13", b"Sec-WebSocket-Version: 8",
    b"Sec-WebSocket-Version: x", b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    b"Sec-WebSocket-Key: short", b"Sec-WebSocket-Key: !!!!", b"Sec-WebSocket-Key:",
    b"Sec-WebSocket-Protocol: steno.v1, steno.token." + b"A" * 5_000,
    b"Sec-WebSocket-Protocol: steno.key.====", b"Sec-WebSocket-Protocol: \xff,,,",
    b"Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits=99",
    b"Sec-WebSocket-Extensions: permessage-deflate, permessage-deflate; x=\"",
    b"Host: x", b"Host: y", b"Host:", b"Host: \xff\xfe", b"Origin: null", b"Origin: http://[::1",
    b"Authorization: Bearer " + b"x" * 9_000, b"Authorization: \x80", b"X-Api-Key:",
    b"X-Forwarded-For: " + b"1.1.1.1, " * 500, b"Content-Length: 5", b"Content-Length: -1",
    b"Content-Length: +5", b"Content-Length: 5, 6", b"Content-Length: 99999999999999999999",
    b"Content-Length: 0x10", b"Transfer-Encoding: chunked",
    b"Transfer-Encoding: chunked, identity", b"Transfer-Encoding: xchunked",
    b"Transfer-Encoding:\x0bchunked", b"Content-Type: application/json",
    b"Content-Type: multipart/form-data; boundary=", b"Content-Type: multipart/form-data",
    b"Content-Encoding: gzip", b"Content-Encoding: br, deflate", b"Expect: 100-continue",
    b"Expect: 200-ok", b"Last-Event-ID: " + b"-" * 1_000, b"Accept: text/html;q=x", b"Cookie: a=b",
    b" folded", b"no colon", b": no name", b"Sp ace: x", b"Null\x00: x", b"N: \x00", b"N: a\rb",
    b"X: " + b"y" * 20_000, b"Range: bytes=9-1",
)  # fmt: skip
UPGRADE: Final = (b"Host: x", b"Upgrade: websocket", b"Connection: Upgrade",
                  b"Sec-WebSocket-Version: 13",
                  b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==")  # fmt: skip
SMUGGLED: Final = b"GET /metrics HTTP/1.1\r\nHost: smuggled\r\n\r\n"
BODIES: Final = (
    b"", b"", b"{}", b"hello", b"0\r\n\r\n", b"5\r\nhello\r\n0\r\n\r\n",
    b"5;x=\"\r\nhello\r\n0\r\n\r\n",
    b"-5\r\nhello", b"FFFFFFFFFFFFFFFFF\r\nx", b"zz\r\n", b"0\r\nX: y\r\n\r\n" + SMUGGLED,
    b"0\r\n\r\n" + SMUGGLED, SMUGGLED * 30,
)  # fmt: skip


def handshakes(rng: Random) -> Script:
    """Draw a request: from nearly right to nothing at all."""
    ways = (_noise, _http2, _upgrade, _odd, _odd, _odd)
    data = rng.choice(ways)(rng)
    if rng.random() < 0.3:
        data = spoiled(rng, data)
    if rng.random() < 0.2:
        place = rng.randrange(len(data) + 1)
        return Script((data[:place], 0.05, data[place:]))
    return Script((data,), ending=rng.choice(["wait", "wait", "close", "reset"]))


def _noise(rng: Random) -> bytes:
    return rng.randbytes(rng.choice([1, 20, 500, 20_000]))


def _http2(_: Random) -> bytes:
    return b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(30)


def _upgrade(rng: Random) -> bytes:
    """A proper opening with a header too many, too few, or doubled."""
    headers = list(UPGRADE)
    for _ in range(rng.randint(1, 3)):
        match rng.randrange(3):
            case 0:
                headers.insert(rng.randrange(len(headers) + 1), rng.choice(HEADERS))
            case 1 if headers:
                headers.pop(rng.randrange(len(headers)))
            case _:
                headers.append(rng.choice(UPGRADE))
    return _request(b"GET", b"/api/streaming/sessions/" + SESSION + b"/ws", b"HTTP/1.1", headers)


def _odd(rng: Random) -> bytes:
    count = rng.choice([0, 1, 3, 8, 8, 300])
    headers = [rng.choice(HEADERS) for _ in range(count)]
    head = _request(rng.choice(METHODS), rng.choice(PATHS), rng.choice(VERSIONS), headers)
    return head + rng.choice(BODIES)


def _request(method: bytes, path: bytes, version: bytes, headers: list[bytes]) -> bytes:
    return b"\r\n".join([b" ".join([method, path, version]), *headers, b"", b""])
