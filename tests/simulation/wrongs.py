"""Wrong behaviours that simulations must find.

To add one: what goes wrong in words, then what is replaced by what.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import Any, Final
from unittest.mock import patch

from tests.contract.machine.model import Model

import steno_aggregator.worker
import steno_gateway.connection
import steno_gateway.memory
import steno_transcriber.session
from steno_aggregator import closing
from steno_aggregator.worker import Aggregator
from steno_audio import decoder_for
from steno_client.domain.conversation import Conversation, Reaction
from steno_client.domain.outbox import Outbox
from steno_client.domain.told import Told
from steno_common.errors import StoreUnavailableError
from steno_common.messages import Completed, Statistics
from steno_common.store.work import Committed
from steno_gateway.feed import Feed, Subscription
from steno_gateway.ingest import Ingest
from steno_transcriber.domain.stay import Stay
from steno_transcriber.session import Session

Wrong = Callable[[], Any]
"""Gives the context in which it is wrong."""


def instead(owner: Any, name: str, make: Callable[[Any], Any]) -> Wrong:
    """Replace an attribute by what `make` makes of the right one."""
    right = getattr(owner, name)
    return lambda: patch.object(owner, name, make(right))


def together(*wrongs: Wrong) -> Wrong:
    """Give what is wrong in several places."""

    @contextmanager
    def all_of_them() -> Iterator[None]:
        with ExitStack() as stack:
            for wrong in wrongs:
                stack.enter_context(wrong())
            yield

    return all_of_them


def _forgets_what_is_stored(right: Any) -> Any:
    def acked(self: Outbox, ack: Any) -> Any:
        self.covered(ack.sequence_number)
        return right(self, replace(ack, done=ack.sequence_number))

    return acked


def _acknowledges_at_once(right: Any) -> Any:
    async def append(self: Ingest, chunks: Any) -> None:
        if chunks:
            self.stored = chunks[-1].sequence
            self.progress.set()
        await right(self, chunks)

    return append


def _drops_what_is_not_taken(_: Any) -> Any:
    async def append(self: Ingest, chunks: Any) -> None:
        if chunks:
            answers = await self.store.append(self.session_id, self.conn, chunks)
            self._take(answers, chunks)

    return append


def _forgets_the_decoder(_: Any) -> Any:
    return lambda audio_format, _carry, **options: decoder_for(audio_format, **options)


def _never_looks(_: Any) -> Any:
    async def sweep(self: Any) -> None:
        await asyncio.Event().wait()

    return sweep


def _takes_the_newest(_: Any) -> Any:
    return lambda _asked, newest, _state: newest


def _tells_twice(right: Any) -> Any:
    def told(self: Conversation, event: Any) -> Reaction:
        self.last_event, self.told = 0, Told()
        return right(self, event)  # type: ignore[no-any-return]

    return told


def _says_stop_once(right: Any) -> Any:
    def attached(self: Outbox, created: Any) -> None:
        sent = self._controls_sent
        right(self, created)
        self._controls_sent = min(sent, len(self._controls))

    return attached


def _doubts_that_controls_came(right: Any) -> Any:
    def refused(self: Outbox, resend_from: int, **options: Any) -> None:
        right(self, resend_from, **options)
        self.repeat_controls()

    return refused


def _never_goes_on(_: Any) -> Any:
    return lambda event, *, on: None if on else event.clear()


def _commits_twice(right: Any) -> Any:
    def commit(self: Model, claim: Any, commit: Any) -> Any:
        state = self.state(claim.session_id)
        was = state.commits
        state.commits = min(was, commit.number - 1)
        done = right(self, claim, commit)
        state.commits = max(state.commits, was)
        return done

    return commit


def _sees_no_gap(right: Any) -> Any:
    def commit(self: Model, claim: Any, commit: Any) -> Any:
        following = self.state(claim.session_id).commits + 1
        return right(self, claim, replace(commit, number=min(commit.number, following)))

    return commit


def _without(**changes: Any) -> Callable[[Any], Any]:
    def make(right: Any) -> Any:
        def post_init(self: Session) -> None:
            self.checkpoint = replace_struct(self.checkpoint, **changes)
            right(self)

        return post_init

    return make


def replace_struct(struct: Any, **changes: Any) -> Any:
    """Give a message with other values."""
    return type(struct)(**{name: changes.get(name, getattr(struct, name))
                           for name in struct.__struct_fields__})  # fmt: skip


def _ends_with_the_input(right: Any) -> Any:
    async def close_windows(store: Any, session_id: str) -> Any:
        looked = await right(store, session_id)
        window = await store.window(session_id)
        ended = window is not None and window.ended and not window.finished
        return closing.Looked(looked.closed, ended=looked.ended or ended)

    return close_windows


def _says_saved_at_once(right: Any) -> Any:
    async def save(self: Aggregator, session_id: str) -> None:
        nothing = Statistics(0, 0, 0, 0, 0, 0, 0)
        await self._store.complete(session_id, Completed("", nothing, ()))

    return save


def _closes_early(right: Any) -> Any:
    def judge(log: Any, *, open_from: int, silence: int, heard: int) -> Any:
        return right(log, open_from=open_from, silence=silence // 4, heard=heard)

    return judge


def _feeds_again(right: Any) -> Any:
    async def feed(self: Session, position: int, pcm: bytes) -> None:
        await right(self, max(position, self.checkpoint.border), pcm)

    return feed


def _goes_on_where_it_was(right: Any) -> Any:
    async def told(self: Subscription) -> Any:
        async for each in right(self):
            self.cursor += 1
            yield each

    return told


def _gives_up_at_once(_: Any) -> Any:
    async def patiently(operation: Any, seconds: float | None = None) -> Any:
        try:
            return await operation()
        except StoreUnavailableError:
            return Committed.OK

    return patiently


WRONGS: Final[dict[str, Wrong]] = {
    "the client forgets what is stored": instead(Outbox, "acked", _forgets_what_is_stored),
    "the client tells events twice": instead(Conversation, "_told", _tells_twice),
    "the client does not repeat its stop": instead(Outbox, "attached", _says_stop_once),
    "the client repeats what came before a refused chunk": instead(
        Outbox, "refused", _doubts_that_controls_came
    ),
    "the client gives up when its late try overtakes it": instead(
        Conversation, "overtook_itself", lambda _: lambda self: False
    ),
    "the gateway acknowledges at once": instead(Ingest, "_append", _acknowledges_at_once),
    "the gateway drops what a full backlog refuses": instead(
        Ingest, "_append", _drops_what_is_not_taken
    ),
    "the gateway stores nothing more once the store was full": instead(
        steno_gateway.memory, "_turn", _never_goes_on
    ),
    "the gateway forgets the decoder": instead(
        steno_gateway.connection, "decoder_for", _forgets_the_decoder
    ),
    "the gateway trusts doorbells": instead(Feed, "_sweep", _never_looks),
    "the gateway resumes at the newest event": instead(
        steno_gateway.connection.ending, "resume_point", _takes_the_newest
    ),
    "the gateway skips events": instead(Subscription, "told", _goes_on_where_it_was),
    "a commit counts twice": instead(Model, "commit", _commits_twice),
    "the worker forgets the context": instead(Session, "__post_init__", _without(context="")),
    "the worker takes audio again": instead(Session, "_feed", _feeds_again),
    "the worker does not insist on its commit, and the store sees no gap": together(
        instead(steno_transcriber.session, "patiently", _gives_up_at_once),
        instead(Model, "commit", _sees_no_gap),
    ),
    "each claim is told as a change of engine": instead(
        Stay, "changed", lambda _: property(lambda self: bool(self.before))
    ),
    "the aggregator ends with the input": instead(
        steno_aggregator.worker, "close_windows", _ends_with_the_input
    ),
    "the aggregator completes before it saves": instead(Aggregator, "_save", _says_saved_at_once),
    "the aggregator closes early": instead(closing, "judge", _closes_early),
}
