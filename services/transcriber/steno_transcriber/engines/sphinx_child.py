"""Child process that decodes with pocketsphinx, which never lets another thread run meanwhile.

Each request on stdin is a length in bytes (four, little endian), then s16le samples; each answer
on stdout is one line of JSON: a list of [word, first frame, last frame, probability]. A first
line, an empty list, says that the model is loaded. It ends with its stdin, thus with its parent.
"""

import ctypes
import json
import os
import signal
import sys
import warnings
from typing import Any

from pocketsphinx import Decoder

_PR_SET_PDEATHSIG = 1  # linux/prctl.h

# With the default beams (1e-48, 7e-29) a window that ends 0.1 s earlier or later may lose a whole
# phrase; with these it keeps it, for about an eighth more time.
_BEAMS = {"beam": 1e-60, "wbeam": 1e-40}


def tie_to(parent: int) -> None:
    """Die with the parent even in the middle of a decode, where the system can arrange that."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        # The parent may have died before the request was made.
        if os.getppid() != parent:
            sys.exit(1)


def decode(decoder: Any, pcm: bytes) -> list[tuple[str, int, int, float]]:
    """Decode one utterance, as a fresh decoder would."""
    with warnings.catch_warnings():
        # Deprecated, but nothing else resets the noise estimate between utterances.
        warnings.simplefilter("ignore", DeprecationWarning)
        decoder.start_stream()
    decoder.start_utt()
    decoder.process_raw(pcm, False, True)
    decoder.end_utt()
    return [
        (segment.word, segment.start_frame, segment.end_frame, segment.prob)
        for segment in decoder.seg() or ()
    ]


def main() -> None:
    """Serve requests until stdin ends."""
    tie_to(int(sys.argv[1]))
    decoder = Decoder(samprate=16_000, loglevel="FATAL", **_BEAMS)
    requests, answers = sys.stdin.buffer, sys.stdout.buffer
    heard: list[tuple[str, int, int, float]] = []
    while True:
        answers.write(json.dumps(heard).encode() + b"\n")
        answers.flush()
        header = requests.read(4)
        if len(header) < 4:
            return
        size = int.from_bytes(header, "little")
        pcm = requests.read(size)
        if len(pcm) < size:
            return
        heard = decode(decoder, pcm)


if __name__ == "__main__":
    main()
