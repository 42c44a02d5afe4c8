"""The silence window: what of a session's log is an utterance by now."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from steno_common.messages import Ended, Final, Idle, Numbered, Prosody, Utterance
from steno_common.utterances import join_text, parted


@dataclass(frozen=True, slots=True)
class NumberedFinal:
    """A final with its number in the session's log."""

    number: int
    final: Final


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a look at a session says."""

    closed: tuple[tuple[NumberedFinal, ...], ...]
    """The finals of each utterance that is complete."""
    open_from: int
    """Number of the first final of the utterance that stays open, 0 if none does."""
    ended: bool
    """All audio of the session is committed, so nothing stays open."""


def judge(log: Iterable[Numbered], *, open_from: int, silence: int, heard: int) -> Verdict:
    """Part the finals of a log from number `open_from` on, none if that is 0, into utterances.

    An utterance ends before a final that begins `silence` samples after the one before it, with an
    idle point, with the input, or once no later final begins before `heard`, `silence` samples
    after its end. The last of these tells only earlier what the others will tell, so the utterances
    are the same however often and whenever the log is looked at.
    """
    closed: list[tuple[NumberedFinal, ...]] = []
    spoken: list[NumberedFinal] = []
    ended = False

    def close() -> None:
        if spoken:
            closed.append(tuple(spoken))
            spoken.clear()

    for entry in log:
        if isinstance(entry.event, Final):
            if not 0 < open_from <= entry.number:
                continue
            if spoken and parted(spoken[-1].final, entry.event, silence):
                close()
            spoken.append(NumberedFinal(entry.number, entry.event))
        elif isinstance(entry.event, Idle | Ended):
            close()
            ended = ended or isinstance(entry.event, Ended)
    if spoken and heard - spoken[-1].final.end >= silence:
        close()
    return Verdict(tuple(closed), spoken[0].number if spoken else 0, ended)


def language_of(finals: Iterable[Final]) -> str | None:
    """Give the language that was spoken longest, None if none is known."""
    spoken: dict[str, int] = {}
    for final in finals:
        if final.language is not None:
            spoken[final.language] = spoken.get(final.language, 0) + final.end - final.start
    return max(spoken, key=lambda language: spoken[language], default=None)


def confidence_of(finals: Sequence[Final]) -> float:
    """Give the mean confidence of finals, each weighed by its number of words."""
    weights = [max(len(final.words), 1) for final in finals]
    weighed = sum(final.confidence * weight for final, weight in zip(finals, weights, strict=True))
    return round(weighed / sum(weights), 4)


def prosody_of(finals: Sequence[Final]) -> Prosody | None:
    """Give the mean prosody of those finals that have one, each weighed by its length."""
    known = [(final.prosody, max(final.end - final.start, 1)) for final in finals if final.prosody]
    if not known:
        return None
    whole = sum(length for _, length in known)

    def mean(value: Callable[[Prosody], float]) -> float:
        return round(sum(value(prosody) * length for prosody, length in known) / whole, 3)

    return Prosody(mean(lambda p: p.volume), mean(lambda p: p.rate), mean(lambda p: p.energy))


def utterance(index: int, group: Sequence[NumberedFinal]) -> Utterance:
    """Consolidate the finals of one utterance."""
    finals = [numbered.final for numbered in group]
    return Utterance(
        index=index,
        text=join_text(final.text for final in finals),
        start=finals[0].start,
        end=finals[-1].end,
        confidence=confidence_of(finals),
        first_event=group[0].number,
        last_event=group[-1].number,
        language=language_of(finals),
        prosody=prosody_of(finals),
    )
