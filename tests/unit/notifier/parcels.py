"""Parcels as a test needs them."""

from hypothesis import strategies as st

from steno_common.messages import (
    Completed,
    Destination,
    Event,
    Final,
    Numbered,
    Partial,
    Prosody,
    Session,
    Statistics,
    Status,
    Translation,
    Utterance,
    Warned,
    Word,
)
from steno_notifier.domain.outgoing import Parcel

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYqr"
OTHER_SECRET = "whsec_c3Rlbm8gc3Rlbm8gc3Rlbm8gc3Rlbm8gc3Rlbm8h"
SESSION = Session("5f0c2e1a-0000-4000-8000-000000000001", 1_700_000_000_000, "audio/wav")
NAMED = Session("5f0c2e1a-0000-4000-8000-000000000002", 1_700_000_000_000, "audio/wav",
                name="golden-eagle-427", language="de")  # fmt: skip
MADE = 1_700_000_005_250
"""22:13:25.250 UTC."""

STATISTICS = Statistics(3, 48_000, 32_000, 16_000, 1, 1, 120)


def final(text: str = "hello", start: int = 16_000, made: int = MADE, **more: object) -> Final:
    fields = {"confidence": 0.9, "sequence_number": 3, "commit": 1, "language": "en"} | more
    fields.setdefault("words", (Word(text, start, start + 8_000, 0.9),))
    return Final(text=text, start=start, end=start + 8_000, created_ms=made,
                 **fields)  # type: ignore[arg-type]  # fmt: skip


def partial(text: str = "hel", commit: int = 0, **more: object) -> Partial:
    fields = {"start": 16_000, "end": 20_000, "confidence": 0.5, "stability": 0.25} | more
    return Partial(text=text, words=(), sequence_number=2, commit=commit, created_ms=MADE,
                   **fields)  # type: ignore[arg-type]  # fmt: skip


def parcel(event: Event | Partial, url: str = "https://receiver.example/in", *,
           session: Session = SESSION, kind: str = "webhook", name: str = "hook-1",
           secret: str = SECRET, number: int = 7, finals: tuple[Final, ...] = (),
           answers: bool = False) -> Parcel:  # fmt: skip
    destination = Destination(name, kind, url, secret, answers=answers)  # type: ignore[arg-type]
    numbered = tuple(Numbered(5 + place, event) for place, event in enumerate(finals))
    return Parcel(session, "8c0f3e", destination, number, event, numbered)


def spoken(*finals: Final, index: int = 0, **more: object) -> Parcel:
    """An utterance with its finals, for a relay."""
    text = " ".join(final.text for final in finals)
    utterance = Utterance(index, text, finals[0].start, finals[-1].end, 0.9, 5, 4 + len(finals))
    options = {"kind": "relay", "name": "relay-1", "number": 5 + len(finals)} | more
    return parcel(utterance, finals=finals, **options)  # type: ignore[arg-type]


texts = st.text(max_size=200)
moments = st.integers(0, 253_402_300_799_999)
"""Milliseconds since 1970, to the last of the year 9999."""
positions = st.integers(0, 3600 * 16_000)
prosodies = st.none() | st.builds(
    Prosody, st.floats(0, 1), st.floats(0.5, 2), st.floats(0, 1)
)  # fmt: skip
finals = st.builds(final, texts, positions, moments, prosody=prosodies,
                   language=st.sampled_from([None, "en", "pt-BR"]))  # fmt: skip
partials = st.builds(partial, texts, stability=st.floats(0, 1), prosody=prosodies)
events = st.one_of(
    finals,
    st.builds(Status, texts),
    st.builds(Warned, texts, texts),
    st.builds(lambda text: Completed(text, STATISTICS, ("txt",)), texts),
    st.builds(Translation, st.just("fr"), texts, st.integers(1, 99), moments),
)
