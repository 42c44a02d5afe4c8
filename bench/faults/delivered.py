"""What must hold of deliveries: finals, utterances, the end arrive once by id, in order."""

from collections.abc import Iterator, Sequence

from bench.faults.account import Account

from steno_common.units import to_samples


def delivered(account: Account) -> Iterator[str]:
    """Name what was not delivered as it is saved; ids that came before are dropped."""
    if account.saved is None:
        return
    session_id = account.begun.session_id
    taken = list(dict.fromkeys(account.taken))
    finals = [f"{session_id}-final-{to_samples(said.start)}" for said in account.saved.finals]
    count = len(account.saved.utterances)
    utterances = [f"{session_id}-utterance-{index}" for index in range(count)]
    yield from _differ("finals", taken, f"{session_id}-final-", finals)
    yield from _differ("utterances", taken, f"{session_id}-utterance-", utterances)
    if not taken or taken[-1] != f"{session_id}-completed":
        yield f"the last of {len(taken)} deliveries is not the end"


def _differ(what: str, taken: Sequence[str], prefix: str, wanted: Sequence[str]) -> Iterator[str]:
    found = [each for each in taken if each.startswith(prefix)]
    if found != wanted:
        lost = [each for each in wanted if each not in found]
        yield f"{len(found)} {what} delivered, or out of order, of {len(wanted)}; lost {lost[:5]}"
