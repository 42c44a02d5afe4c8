"""The voices: few near accents with many variants, some of them held out."""

import random

from speech import Voice

ACCENTS = ("gmw/en-US", "gmw/en", "gmw/en-GB-x-rp")
HELD_OUT = ("m3 f4 Andrea Michael david steph2 john Andy robert paul linda pablo").split()
TRAINED = (
    "Alex Alicia Annie Denis Diogo Gene Gene2 Henrique Hugo Jacky Lee Marco Mario Mike Mr "
    "Nguyen adam anika antonio aunty belinda benjamin boris ed edward edward2 f1 f2 f3 f5 "
    "grandma grandpa gustave iven iven2 iven3 iven4 kaukovalta m1 m2 m4 m5 m6 m7 m8 marcelo "
    "max michel miguel norbert pedro quincy rob sandro shelby steph steph3 travis victor zac"
).split()


def draw(rng: random.Random, *, held_out: bool = False) -> Voice:
    """Return a random voice of the trained or of the held-out part."""
    variant = rng.choice(HELD_OUT if held_out else TRAINED)
    return Voice(
        name=f"{rng.choice(ACCENTS)}+{variant}",
        speed=rng.randint(125, 195),
        pitch=rng.randint(20, 80),
        formants=rng.uniform(0.92, 1.10) if rng.random() < 0.5 else 1.0,
    )
