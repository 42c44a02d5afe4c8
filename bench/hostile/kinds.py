"""Every kind of hostile connection, by its name."""

from random import Random
from typing import Final

from bench.hostile.containers import chunks, containers
from bench.hostile.dialects import live, named, watch
from bench.hostile.frames import frames
from bench.hostile.handshakes import handshakes
from bench.hostile.manners import ends, mute, orders, slow
from bench.hostile.messages import messages
from bench.hostile.requests import requests
from bench.hostile.script import Draw, Script

WEIGHTS: Final[dict[Draw, int]] = {
    handshakes: 12, requests: 16, frames: 14, messages: 12, chunks: 6, containers: 8, orders: 4,
    ends: 4, slow: 2, mute: 1, named: 12, live: 7, watch: 2,
}  # fmt: skip
"""How many of a hundred connections are of each kind."""


def drawn(seed: int) -> tuple[str, Script]:
    """Give the kind and the script of a seed."""
    rng = Random(seed)
    (draw,) = rng.choices(tuple(WEIGHTS), tuple(WEIGHTS.values()))
    return draw.__name__, draw(rng)
