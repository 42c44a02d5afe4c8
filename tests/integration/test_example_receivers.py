"""The receivers in docs/examples, run as they are written, take what the senders send."""

import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from tests.integration.example_rig import EXAMPLES, example
from tests.integration.receiver_rig import senders
from tests.unit.notifier.parcels import NAMED, OTHER_SECRET, SECRET, final, parcel, partial, spoken
from tests.waiting import until

from steno_common.destinations import secret_keys
from steno_common.messages import Status
from steno_notifier.domain.outgoing import Parcel, Sender, Verdict
from steno_notifier.domain.signature import delivery_headers

SECRETS = f"{OTHER_SECRET} {SECRET}"
DELIVERED = Verdict("delivered")


@pytest.fixture
async def sending() -> AsyncIterator[dict[str, Sender]]:
    async with senders() as opened:
        yield dict(opened)


async def delivered(sender: Sender, sent: Parcel) -> None:
    """Deliver as the loop does: again until it is."""

    async def taken() -> bool:
        verdict = await sender.send(sent)
        assert verdict.kind in ("delivered", "again"), verdict
        return verdict == DELIVERED

    await until(taken)


async def test_the_webhook_receiver_takes_each_signed_event_once(
    sending: dict[str, Sender], tmp_path: Path
) -> None:
    with example("webhook_receiver.py", tmp_path, SECRETS) as receiver:
        url = f"http://127.0.0.1:{receiver.port}/"
        for _ in range(3):
            await delivered(sending["webhook"], parcel(final("guten Tag"), url, session=NAMED))
        await delivered(sending["webhook"], parcel(Status("paused"), url))
        other = "whsec_" + "QUJD" * 10
        forged = await sending["webhook"].send(parcel(final("forged"), url, secret=other))
        bare = await sending["webhook"].send(parcel(final("bare"), url, secret=""))
        assert forged == bare == Verdict("again", "http_401")
        assert receiver.said == ["golden-eagle-427 guten Tag"]


def test_the_webhook_receiver_takes_nothing_old(tmp_path: Path) -> None:
    with example("webhook_receiver.py", tmp_path, SECRETS) as receiver:
        headers = delivery_headers("id", 1_700_000_000, b"{}", secret_keys(SECRET))
        assert _posted(receiver.port, b"{}", headers) == 401


@pytest.mark.parametrize(("scheme", "answers"), [("ws", False), ("ws", True), ("http", False)])
async def test_the_relay_receiver_takes_each_text_once_though_it_is_killed(
    sending: dict[str, Sender], tmp_path: Path, scheme: str, answers: bool
) -> None:
    with example("relay_receiver.py", tmp_path) as receiver:
        url = f"{scheme}://127.0.0.1:{receiver.port}/"
        for index in range(3):
            sent = spoken(final(f"one {index}"), final(f"two {index}"), index=index, url=url,
                          answers=answers)  # fmt: skip
            await delivered(sending["relay"], sent)
            await delivered(sending["relay"], sent)
        receiver.kill()
        sent = spoken(final("three"), index=3, url=url, answers=answers)
        assert (await sending["relay"].send(sent)).kind == "again"
        receiver.start()
        await delivered(sending["relay"], sent)
        assert receiver.said == [
            *(f"22:13:25.250 {word} {index}" for index in range(3) for word in ("one", "two")),
            "22:13:25.250 three",
        ]


async def test_the_pipeline_speaks_finals_once_in_each_language(
    sending: dict[str, Sender], tmp_path: Path
) -> None:
    with example("translation_pipeline.py", tmp_path) as pipeline:
        url = f"http://127.0.0.1:{pipeline.port}/"

        def said(event: Any) -> Parcel:
            return parcel(event, url, kind="pipeline", session=NAMED, secret="")

        await delivered(sending["pipeline"], said(partial("good", commit=0)))
        for _ in range(2):
            await delivered(sending["pipeline"], said(final("good morning")))
        neutral = {"volume": 0.5, "rate": 1.0, "energy": 0.5}
        assert pipeline.said == [
            f"golden-eagle-427 es [en to es] good morning {neutral}",
            f"golden-eagle-427 fr [en to fr] good morning {neutral}",
        ]
        assert _posted(pipeline.port, b"nonsense", {}) == 400


def test_the_pipeline_is_a_handler_of_lambda_too() -> None:
    code = "import translation_pipeline as p, json, sys; p.handler(json.load(sys.stdin), None)"
    payload = {"sessionId": "s", "sourceLanguage": "en", "transcriptText": "hello",
               "isPartial": False, "stabilityScore": 1.0, "timestamp": 1,
               "emotionDynamics": {"volume": 0.5, "rate": 1.0, "energy": 0.5}}  # fmt: skip
    ran = subprocess.run(
        [sys.executable, "-c", code], cwd=EXAMPLES, input=json.dumps(payload), text=True,
        capture_output=True, check=True, env=os.environ | {"TARGET_LANGUAGES": "de"},
    )  # fmt: skip
    assert ran.stdout.startswith("s de [en to de] hello")


def _posted(port: int, body: bytes, headers: dict[str, str]) -> int:
    """Post once it listens; gives the status."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        request = urllib.request.Request(f"http://127.0.0.1:{port}/", body, headers)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code
        except urllib.error.URLError:
            time.sleep(0.05)
    raise AssertionError("it never listened")
