"""What a server answered, read by a codec that is not its own."""

import re
from typing import Final

from wsproto.frame_protocol import CloseReason, FrameProtocol, Opcode, ParseFailed

_STATUS: Final = re.compile(rb"HTTP/1\.[01] (\d{3}) ")
FAULTS: Final = ("internal", "HTTP 500", "closed 1011", "broken frames")
"""Endings that no client, however it behaves, may bring about."""


def how_it_ended(heard: bytes, *, opened: bool) -> str:
    """Say in a few words how a connection ended; `opened`: frames are expected from the start."""
    if opened:
        return _of_frames(heard)
    answers = list(_STATUS.finditer(heard))
    if not answers:
        return "no answer" if not heard else "an answer that is no HTTP"
    if any(answer[1] == b"500" for answer in answers):
        return "HTTP 500"
    last = answers[-1]
    if last[1] == b"101":
        return _of_frames(heard[last.end() :].partition(b"\r\n\r\n")[2])
    return f"HTTP {last[1].decode()}"


def _of_frames(heard: bytes) -> str:
    if b'"code":"internal"' in heard:
        return "internal"
    codec = FrameProtocol(client=True, extensions=[])
    codec.receive_bytes(heard)
    try:
        for frame in codec.received_frames():
            if frame.opcode is Opcode.CLOSE:
                code = frame.payload[0]
                return f"closed {int(code) if isinstance(code, CloseReason) else code}"
    except ParseFailed:
        return "broken frames"
    return "ended without a close" if heard else "no answer"
