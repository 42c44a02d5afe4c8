"""What must hold of transcripts: what was said, once, in order, as without any fault."""

from collections.abc import Iterable, Iterator, Sequence

from bench.faults.account import Account
from bench.faults.history import Heard, Said


def words(account: Account) -> Iterator[str]:
    """Every acknowledged word became text once, in order."""
    if account.saved is None:
        stored = account.acked[-1].stored if account.acked else 0
        yield f"no transcript, {stored} chunks were acknowledged"
        return
    saved = {
        "finals": _text(account.saved.finals),
        "utterances": _text(account.saved.utterances),
        "text": account.saved.text,
    }
    for form, text in saved.items():
        if text != account.text:
            yield f"said {account.text!r}, saved as {form} {text!r}"


def alone(account: Account) -> Iterator[str]:
    """Its words are those that the engine alone makes of its audio."""
    if account.saved is None:
        return
    if account.expected is None:
        yield "the engine alone was not asked"
        return
    saved, expected = _text(account.saved.finals), _text(account.expected.finals)
    if saved != expected:
        yield f"saved {saved!r}, from the engine alone {expected!r}"


def _text(told: Iterable[Said | Heard]) -> str:
    return " ".join(each.text for each in told)


def clean(account: Account) -> Iterator[str]:
    """Finals and utterances are those of a run without faults."""
    if account.saved is None or account.expected is None:
        return
    yield from differ("final", account.saved.finals, account.expected.finals, "a clean run")
    yield from differ(
        "utterance", account.saved.utterances, account.expected.utterances, "a clean run"
    )


def differ(
    what: str, found: Sequence[Said | Heard], wanted: Sequence[Said | Heard], source: str
) -> Iterator[str]:
    """Name the first difference."""
    for place, (one, other) in enumerate(zip(found, wanted, strict=False)):
        if one != other:
            yield f"{what} {place} is {one}, in {source} {other}"
            return
    if len(found) != len(wanted):
        yield f"{len(found)} of {what}, {len(wanted)} in {source}"
