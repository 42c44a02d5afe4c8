"""One machine with transcribers of two engines, as `make run` starts them."""

import json
import urllib.error
import urllib.request
from pathlib import Path

import numpy as np
import pytest
from tests.e2e.machine import Machine, running

from steno_transcriber.engines.numbers import phrase, silence

SPEECH = np.concatenate([phrase([1, 2, 3]), silence(16_000)]).astype("<i2").tobytes()


def text_of(machine: Machine, query: str = "") -> str:
    """Upload the speech; gives its text."""
    request = urllib.request.Request(
        f"{machine.url}/api/transcriptions{query}", SPEECH, {"Content-Type": "audio/pcm"}
    )
    with urllib.request.urlopen(request, timeout=200) as answer:
        text: str = json.load(answer)["text"]
    return text


def test_a_session_is_recognised_by_the_engine_it_asks_for(tmp_path: Path) -> None:
    with running(tmp_path, STENO_ENGINES="numbered,scripted") as machine:
        said = (tmp_path / "steno.log").read_text()
        assert "Engine   numbered, then scripted (STENO_ENGINES)" in said
        assert text_of(machine) == text_of(machine, "?engines=numbered,scripted") == "1 2 3"
        other = text_of(machine, "?engines=scripted")
        assert other
        assert other != "1 2 3"
        with pytest.raises(urllib.error.HTTPError) as refused:
            text_of(machine, "?engines=aws")
        assert json.load(refused.value)["code"] == "unknown_engine"
        machine.kill("transcriber")
        assert text_of(machine) in ("1 2 3", other)
        machine.wait_ready()
        assert text_of(machine) == "1 2 3"
