"""What is said reaches a webhook, a relay, a pipeline, whatever is killed on the way."""

import itertools
import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.e2e.machine import SAMPLES, printed, running, steno
from tests.integration.example_rig import Example, example
from tests.integration.lambda_rig import FUNCTION, REGION, Aws, aws

from steno_common.public import Json

THREE = SAMPLES / "three-utterances.flac"
SECRET = "whsec_c3Rlbm8gc3Rlbm8gc3Rlbm8gc3Rlbm8gc3Rlbm8h"


def until(holds: Callable[[], bool], seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it did not come"
        time.sleep(0.1)


def settings(webhook: Example, relay: Example, cloud: Aws) -> dict[str, str]:
    return {
        "STENO_WEBHOOK_URL": f"http://127.0.0.1:{webhook.port}/",
        "STENO_WEBHOOK_SECRET": SECRET,
        "STENO_WEBHOOK_RETRIES": ",".join(["0.3"] * 60),
        "STENO_RELAY_URL": f"ws://127.0.0.1:{relay.port}/",
        "STENO_RELAY_RETRIES": "0.3",
        "STENO_TRANSLATION_PIPELINE_FUNCTION_NAME": FUNCTION,
        "STENO_AWS_REGION": REGION,
        "STENO_LAMBDA_ENDPOINT_URL": cloud.url,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
    }


def finals_of(cloud: Aws) -> list[Json]:
    """Give what the pipeline got of finals, in order, without what came twice."""
    told = [json.loads(payload) for _, _, payload in cloud.invoked()]
    finals = {each["timestamp"]: each for each in told if not each["isPartial"]}
    return sorted(finals.values(), key=lambda each: int(each["timestamp"]))


@pytest.mark.timeout(600)
def test_three_receivers_get_every_final_once_though_the_notifier_and_they_are_killed(
    tmp_path: Path,
) -> None:
    with (
        aws(tmp_path) as cloud,
        example("webhook_receiver.py", tmp_path, SECRET) as webhook,
        example("relay_receiver.py", tmp_path) as relay,
    ):
        cloud.create()
        cloud.record()
        with running(tmp_path, **settings(webhook, relay, cloud)) as machine:
            command = ("transcribe", str(THREE), "--pace", "realtime", "--format", "json")
            client = steno(machine, *command)
            until(lambda: len(webhook.said) > 0)
            machine.kill("notifier")
            webhook.kill()
            relay.kill()
            found = json.loads(printed(client))
            webhook.start()
            relay.start()
            machine.wait_ready()

            texts = [each["text_content"] for each in found["segments"]]
            spoken = [f"{found['session_id']} {text}" for text in texts]
            until(lambda: len(webhook.said) >= len(texts))
            until(lambda: len(relay.said) >= len(texts))
            until(lambda: len(finals_of(cloud)) >= len(texts))
            told = finals_of(cloud)

    assert len(texts) >= 3
    assert webhook.said == spoken
    assert [line.split(" ", 1)[1] for line in relay.said] == texts
    moments = [line.split(" ", 1)[0] for line in relay.said]
    assert all(earlier <= later for earlier, later in itertools.pairwise(moments))
    assert [each["transcriptText"] for each in told] == texts
    assert {each["sessionId"] for each in told} == {found["session_id"]}
