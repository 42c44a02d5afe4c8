"""R3: each transcript goes to the translation pipeline; trouble is tried again, refusals never."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from aiohttp import web
from tests.integration.receiver_rig import answering, receiving, senders
from tests.unit.notifier.parcels import final, parcel, partial

from steno_common.messages import Final, Partial
from steno_notifier.domain.outgoing import Parcel, Sender, Verdict
from steno_notifier.domain.pipeline_form import pipeline_form

DELIVERED = Verdict("delivered")
STALE = Verdict("never", "stale")


def said(event: Final | Partial, url: str) -> Parcel:
    return parcel(event, url, kind="pipeline", name="pipeline", secret="")


@pytest.fixture
async def pipeline() -> AsyncIterator[Sender]:
    async with senders() as opened:
        yield opened["pipeline"]


async def test_a_transcript_arrives_with_an_id_to_drop_repetitions_by(pipeline: Sender) -> None:
    async with receiving(answering(202)) as receiver:
        sent = said(final(), receiver.url())
        assert await pipeline.send(sent) == DELIVERED
    (got,) = receiver.got
    assert got.body == pipeline_form(sent)
    assert got.headers["webhook-id"] == sent.id
    assert got.headers["Content-Type"] == "application/json"


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
async def test_trouble_is_tried_again(pipeline: Sender, status: int) -> None:
    async with receiving(answering(status)) as receiver:
        verdict = await pipeline.send(said(final(), receiver.url()))
    assert verdict == Verdict("again", f"http_{status}")


@pytest.mark.parametrize("status", [302, 307, 400, 401, 403, 404, 422])
async def test_a_client_error_or_a_redirect_is_never_tried_again(
    pipeline: Sender, status: int
) -> None:
    async with receiving(answering(status)) as receiver:
        verdict = await pipeline.send(said(final(), receiver.url()))
    assert verdict == Verdict("never", f"http_{status}")


async def test_a_partial_of_before_a_final_never_follows_it(pipeline: Sender) -> None:
    async with receiving() as receiver:
        url = receiver.url()
        assert await pipeline.send(said(partial("he", commit=0), url)) == DELIVERED
        assert await pipeline.send(said(final("hello", commit=1), url)) == DELIVERED
        assert await pipeline.send(said(partial("hello", commit=0), url)) == STALE
        assert await pipeline.send(said(partial("wor", commit=1), url)) == DELIVERED
    told = [json.loads(got.body) for got in receiver.got]
    assert [(each["transcriptText"], each["isPartial"]) for each in told] == [
        ("he", True), ("hello", False), ("wor", True),
    ]  # fmt: skip


async def test_a_partial_on_its_way_is_given_up_for_the_final(
    pipeline: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("steno_notifier.senders.pipeline.PARTIAL_SECONDS", 600)
    arrived = asyncio.Event()

    async def slow_for_partials(request: web.Request) -> web.StreamResponse:
        if json.loads(await request.read())["isPartial"]:
            arrived.set()
            await asyncio.sleep(600)
        return web.Response()

    async with receiving(slow_for_partials) as receiver, asyncio.timeout(30):
        url = receiver.url()
        late = asyncio.create_task(pipeline.send(said(partial(commit=0), url)))
        await arrived.wait()
        assert await pipeline.send(said(final(commit=1), url)) == DELIVERED
        assert await late == STALE


async def test_other_sessions_and_lives_have_partials_of_their_own(pipeline: Sender) -> None:
    async with receiving() as receiver:
        url = receiver.url()
        assert await pipeline.send(said(final(commit=5), url)) == DELIVERED
        again = replace(said(partial(commit=0), url), epoch="another")
        assert await pipeline.send(again) == DELIVERED
