"""What a client keeps of its session: written for it, read from it with distrust."""

import re
from collections.abc import Collection, Sequence
from typing import Annotated, Final

import msgspec

from steno_common.errors import MessageError
from steno_common.messages import (
    Destination,
    Event,
    Idle,
    Session,
    Status,
    Translation,
    Utterance,
    Warned,
    Word,
    decode,
)
from steno_common.messages import Final as FinalEvent
from steno_common.public import Json
from steno_common.saved import Saved, told_by
from steno_common.units import to_samples
from steno_gateway.domain.client import MAX_TRANSLATION, SessionRequest
from steno_gateway.domain.destinations import known
from steno_gateway.domain.errors import ClientError
from steno_gateway.domain.intake import MAX_CHUNKS
from steno_gateway.domain.languages import canonical
from steno_gateway.domain.seals import Seal

MAX_RESTORE_BYTES: Final = 4 << 20
"""Of a request; an hour of quick speech takes about 1 MB."""
LONGEST_CHUNK: Final = to_samples(600)
CLOCK_SKEW_MS: Final = 86_400_000
"""How much younger than this gateway's clock a session may be."""
STATUSES: Final = frozenset({"connected", "recording", "paused", "reconnecting", "finalizing"})
MAX_WARNING: Final = 1_000

_Sealed = Annotated[str, msgspec.Meta(max_length=MAX_RESTORE_BYTES)]


class RestoreRequest(msgspec.Struct, frozen=True):
    """Body of `POST /api/streaming/sessions/{id}/restore`: parts of `server:checkpoint`s."""

    state: _Sealed
    """Of the newest one."""
    log: Annotated[tuple[_Sealed, ...], msgspec.Meta(max_length=MAX_CHUNKS)] = ()
    """Of all of them, in order."""


_requests: Final = msgspec.json.Decoder(RestoreRequest)
_saved: Final = msgspec.msgpack.Decoder(Saved)
_destinations: Final = msgspec.msgpack.Decoder(tuple[Destination, ...])
_pages: Final = msgspec.msgpack.Decoder(tuple[bytes, ...])


def checkpoint_message(seal: Seal, saved: Saved, payloads: Sequence[bytes]) -> Json:
    """Give the `server:checkpoint` with the events that end with the newest."""
    session_id, first = saved.session.session_id, saved.event - len(payloads) + 1
    log = seal.close(f"{session_id} {first}", msgspec.msgpack.encode(payloads)) if payloads else ""
    return {
        "type": "server:checkpoint",
        "done": saved.done,
        "last_event": saved.event,
        "state": sealed_state(seal, saved),
        "log": log,
    }


def sealed_state(seal: Seal, saved: Saved) -> str:
    """Give where a session stands as a client keeps it; it cannot read who else is told."""
    session = saved.session
    if session.destinations:
        told = msgspec.msgpack.encode(session.destinations)
        saved = msgspec.structs.replace(
            saved,
            session=msgspec.structs.replace(session, destinations=()),
            hidden=seal.hide(_hidden_label(session.session_id), told),
        )
    return seal.close(session.session_id, msgspec.msgpack.encode(saved))


def _hidden_label(session_id: str) -> str:
    return f"{session_id} destinations"


def _revealed(seal: Seal, session_id: str, saved: Saved) -> Saved:
    """Give what was saved with the session's destinations in their place."""
    if not saved.hidden:
        return saved
    told = _destinations.decode(seal.reveal(_hidden_label(session_id), saved.hidden))
    session = msgspec.structs.replace(saved.session, destinations=told)
    return msgspec.structs.replace(saved, session=session, hidden=b"")


def read_restore(
    session_id: str, body: bytes, seal: Seal, now_ms: int
) -> tuple[Saved, list[Event]]:
    """Read what a client has kept of a session; everything in it holds together.

    Raises ClientError `invalid_checkpoint`.
    """
    try:
        asked = _requests.decode(body)
        saved = _saved.decode(seal.open(session_id, asked.state))
        saved = _revealed(seal, session_id, saved)
        log: list[Event] = []
        for page in asked.log:
            payloads = _pages.decode(seal.open(f"{session_id} {len(log) + 1}", page))
            log += [_event(payload) for payload in payloads]
        _check_session(saved.session, session_id, now_ms)
    except (msgspec.DecodeError, MessageError, RecursionError, UnicodeError) as error:
        raise ClientError("invalid_checkpoint", "the checkpoint is damaged") from error
    _must(len(log) == saved.event, "not all events are there")
    _check_state(saved)
    _check_log(saved, log)
    return saved, log


def _must(holds: bool, otherwise: str) -> None:
    if not holds:
        raise ClientError("invalid_checkpoint", f"the checkpoint is wrong: {otherwise}")


def _event(payload: bytes) -> Event:
    event = decode(payload)
    kinds = FinalEvent | Utterance | Idle | Warned | Status | Translation
    _must(isinstance(event, kinds), "a wrong event")
    return event  # type: ignore[return-value]


def _check_session(session: Session, session_id: str, now_ms: int) -> None:
    _must(session.session_id == session_id, "it is of another session")
    _must(0 <= session.created_ms <= now_ms + CLOCK_SKEW_MS, "the time of its creation")
    # The same limits as when it was asked for; raises msgspec.ValidationError.
    own = tuple(each for each in session.destinations if each.url)
    asked = msgspec.structs.replace(session, destinations=own)
    msgspec.convert(msgspec.to_builtins(asked), SessionRequest)
    _must(all(known(each) for each in session.destinations), "a destination")


def _check_state(saved: Saved) -> None:
    longest = to_samples(saved.session.duration_limit)
    done, marker = re.fullmatch("([0-9]+)-([0-9]+)", saved.consumed).groups()  # type: ignore[union-attr]
    _must(int(done) == saved.done <= MAX_CHUNKS, "the chunks that are done")
    _must(saved.done > 0 or (saved.offset == 0 and int(marker) == 0), "what is before all chunks")
    _must(saved.offset <= longest, "the length of the audio")
    _must(saved.offset <= saved.border <= min(saved.offset + LONGEST_CHUNK, longest), "the border")
    _must(saved.transcribed + saved.silence == saved.border, "the accounting")
    _must(saved.heard <= saved.border, "what was heard")
    _must(saved.commits > 0 or saved.border == 0, "the number of commits")


def _check_log(saved: Saved, log: Sequence[Event]) -> None:
    closed = index = position = 0
    finals: dict[int, FinalEvent] = {}
    for number, event in enumerate(log, 1):
        match event:
            case FinalEvent():
                _must(position <= event.start <= event.end <= saved.border, "the place of a final")
                _check_final(event, saved)
                position = event.end
                finals[number] = event
            case Utterance():
                group = [n for n in finals if closed < n <= event.last_event]
                bounds = [event.first_event, event.last_event]
                _must([group[0], group[-1]] == bounds if group else False, "an utterance's finals")
                _must(event.index == index, "an utterance's number")
                _must(0 <= event.start <= event.end <= saved.border, "an utterance's place")
                _must(0 <= event.confidence <= 1, "a confidence")
                closed, index = event.last_event, index + 1
            case Idle():
                _must(0 <= event.position <= saved.border, "the place of a silence")
            case Warned():
                _must(len(event.code) + len(event.message) <= MAX_WARNING, "a warning")
                start, end = event.start or 0, event.end or 0
                _must(0 <= start <= end <= saved.border, "the place of a warning")
            case Status():
                _must(event.status in STATUSES, "a state")
            case Translation():
                _check_translation(event, finals)
    _must(saved.latencies <= told_by(log).finals, "the count of latencies")


def _check_translation(translation: Translation, finals: Collection[int]) -> None:
    _must(translation.event == 0 or translation.event in finals, "what a translation is of")
    _must(len(translation.text) <= MAX_TRANSLATION, "the length of a translation")
    try:
        is_usual = canonical(translation.language) == translation.language
    except ValueError:
        is_usual = False
    _must(is_usual, "the language of a translation")


def _check_final(final: FinalEvent, saved: Saved) -> None:
    _must(0 < final.commit <= saved.commits, "a final's commit")
    _must(0 <= final.sequence_number <= MAX_CHUNKS, "a final's chunk")
    _must(0 <= final.processing_ms <= CLOCK_SKEW_MS, "a final's processing time")
    latest = saved.session.created_ms + 10 * CLOCK_SKEW_MS
    _must(0 <= final.created_ms <= latest, "a final's time")
    _must(0 <= final.confidence <= 1, "a confidence")
    if (prosody := final.prosody) is not None:
        values = (prosody.volume, prosody.rate, prosody.energy)
        _must(all(0 <= value <= 10 for value in values), "a prosody")
    longest = to_samples(saved.session.duration_limit)
    _must(all(_fine(word, longest) for word in final.words), "a word")


def _fine(word: Word, longest: int) -> bool:
    return 0 <= word.start <= word.end <= longest and 0 <= word.confidence <= 1
