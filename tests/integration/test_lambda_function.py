"""R3: the pipeline as an AWS Lambda function, called without waiting for what it does."""

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator

import pytest
from aiohttp import web
from bench.ports import free_port
from tests.integration.lambda_rig import FUNCTION, REGION, Aws, aws
from tests.integration.receiver_rig import Answer, answering, receiving, senders
from tests.unit.notifier.parcels import final, parcel, partial

from steno_common.destinations import DestinationSettings
from steno_common.errors import SettingsError
from steno_common.messages import Final, Partial
from steno_notifier.domain.outgoing import Parcel, Verdict
from steno_notifier.domain.pipeline_form import pipeline_form
from steno_notifier.senders import open_senders


def said(event: Final | Partial) -> Parcel:
    return parcel(event, "", kind="pipeline", name="pipeline", secret="")


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Aws]:
    with aws(tmp_path_factory.mktemp("aws")) as found:
        found.create()
        yield found


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.delenv("AWS_DEFAULT_REGION", raising=False)


def settings(url: str, **more: object) -> dict[str, object]:
    return {"translation_pipeline_function_name": FUNCTION, "aws_region": REGION,
            "lambda_endpoint_url": url} | more  # fmt: skip


async def test_a_transcript_is_an_event_call_of_the_function(cloud: Aws) -> None:
    cloud.record()
    async with senders(**settings(cloud.url)) as opened:
        assert await opened["pipeline"].send(said(partial())) == Verdict("delivered")
        assert await opened["pipeline"].send(said(final())) == Verdict("delivered")

    calls = cloud.invoked()
    assert [payload for _, _, payload in calls] == [
        pipeline_form(said(partial())), pipeline_form(said(final())),
    ]  # fmt: skip
    for path, headers, _ in calls:
        assert path == f"/2015-03-31/functions/{FUNCTION}/invocations"
        assert headers["X-Amz-Invocation-Type"] == "Event"
        assert f"/{REGION}/lambda/aws4_request" in headers["Authorization"]


async def test_calls_share_connections() -> None:
    async def take(request: web.Request) -> web.StreamResponse:
        return web.Response(status=202, text="x" * 100_000)

    async with receiving(take) as service, senders(**settings(service.url(""))) as opened:
        for _ in range(5):
            assert await opened["pipeline"].send(said(final())) == Verdict("delivered")
    assert service.connections == 1


def failing(status: int, code: str) -> Answer:
    """Answer as the API of Lambda does when a call fails."""

    async def answer(request: web.Request) -> web.StreamResponse:
        return web.json_response(
            {"Type": "User", "message": "text of theirs"}, status=status,
            headers={"x-amzn-ErrorType": f"{code}:http://internal.amazon.com/coral/"},
        )  # fmt: skip

    return answer


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (429, "TooManyRequestsException", "again"),
        (503, "ServiceUnavailableException", "again"),
        (500, "ServiceException", "again"),
        (404, "ResourceNotFoundException", "never"),
        (400, "InvalidRequestContentException", "never"),
        (403, "AccessDeniedException", "never"),
    ],
)
async def test_trouble_is_for_the_plan_and_a_refusal_is_final(
    status: int, code: str, kind: str
) -> None:
    async with (
        receiving(failing(status, code)) as service,
        senders(**settings(service.url(""))) as opened,
    ):
        verdict = await opened["pipeline"].send(said(final()))
    assert verdict == Verdict(kind, f"aws_{code}")  # type: ignore[arg-type]
    # The SDK itself tries once: the plan says when again.
    assert len(service.got) == 1


async def test_a_call_that_hangs_is_left_after_the_limit() -> None:
    async def hang(request: web.Request) -> web.StreamResponse:
        await asyncio.sleep(600)
        raise AssertionError

    async with (
        receiving(answering(202)) as service,
        senders(**settings(service.url(""), delivery_seconds=5.0)) as opened,
    ):
        while await opened["pipeline"].send(said(final())) != Verdict("delivered"):
            pass  # the first call loads the SDK, which may take longer
        service.answer, before = hang, len(service.got)
        verdict = await opened["pipeline"].send(said(final()))
        assert verdict.kind == "again"
        assert len(service.got) == before + 1


async def test_an_aws_that_is_away_is_tried_again() -> None:
    async with senders(**settings(f"http://127.0.0.1:{free_port()}")) as opened:
        verdict = await opened["pipeline"].send(said(final()))
    assert verdict == Verdict("again", "aws_unreachable")


async def test_without_credentials_nothing_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    for name in ("AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE"):
        monkeypatch.setenv(name, "/nonexistent")
    async with receiving() as service, senders(**settings(service.url(""))) as opened:
        verdict = await opened["pipeline"].send(said(final()))
    assert verdict == Verdict("never", "aws_NoCredentialsError")
    assert not service.got


def test_the_sdk_is_loaded_only_where_a_function_is_named() -> None:
    code = """
import asyncio, sys
from steno_common.destinations import DestinationSettings
from steno_notifier.senders import open_senders
async def main():
    opened = open_senders(DestinationSettings(translation_pipeline_url="http://p.example/"))
    for sender in opened.values():
        await sender.aclose()
asyncio.run(main())
print(sorted(name for name in sys.modules if "boto" in name))
"""
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(ran.stdout.replace("'", '"')) == []


async def test_a_missing_sdk_is_a_fault_of_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "aiobotocore.session", None)
    monkeypatch.delitem(sys.modules, "steno_notifier.senders.function", raising=False)
    with pytest.raises(SettingsError, match="steno-notifier\\[lambda\\]"):
        open_senders(DestinationSettings(translation_pipeline_function_name="f"))
