"""What runs on one machine, and at which ports."""

import pytest

from steno_standalone.domain.services import services
from steno_standalone.errors import StandaloneError
from steno_standalone.settings import Settings


def test_one_of_each_runs_on_four_ports_in_a_row() -> None:
    assert [(each.name, each.port(8080)) for each in services()] == [
        ("gateway", 8080), ("transcriber", 8081), ("aggregator", 8082), ("notifier", 8083),
    ]  # fmt: skip
    assert {each.environment(8080)["STENO_PORT"] for each in services()} == {"8080"}
    assert not any("STENO_DEVICE_INDEX" in each.environment(8080) for each in services())


def test_each_further_transcriber_has_a_port_and_a_gpu_of_its_own() -> None:
    second, third = services(3)[4:]
    assert [each.name for each in (second, third)] == ["transcriber-2", "transcriber-3"]
    assert (second.port(8080), third.port(8080)) == (8091, 8101)
    assert second.environment(8080) == {"STENO_PORT": "8090", "STENO_DEVICE_INDEX": "1"}
    assert third.environment(8080) == {"STENO_PORT": "8100", "STENO_DEVICE_INDEX": "2"}
    ports = [each.port(8080) for each in services(16)]
    assert len(set(ports)) == 19


def test_each_engine_has_transcribers_at_ports_of_their_own() -> None:
    found = [each for each in services(2, ["whisper", "aws"]) if each.role == "transcriber"]
    assert [(each.name, each.port(8080)) for each in found] == [
        ("transcriber-whisper", 8081), ("transcriber-whisper-2", 8091),
        ("transcriber-aws", 8101), ("transcriber-aws-2", 8111),
    ]  # fmt: skip
    assert found[3].environment(8080) == {
        "STENO_PORT": "8110", "STENO_DEVICE_INDEX": "1", "STENO_ENGINE": "aws",
        "STENO_ENGINE_NAME": "aws",
    }  # fmt: skip
    assert [each.role for each in services(1, ["whisper", "aws"])] == [
        "gateway", "transcriber", "aggregator", "notifier", "transcriber",
    ]  # fmt: skip


def test_engines_are_read_from_the_policy() -> None:
    settings = Settings.read({"STENO_ENGINES": "whisper, aws", "STENO_ENGINES_ON_REQUEST": "slow"})
    assert settings.engines == ("whisper", "aws", "slow")
    assert Settings.read({"STENO_ENGINES": ""}).engines == ()
    with pytest.raises(StandaloneError, match="from 1 to 8"):
        Settings.read({"STENO_ENGINES": "whisper,aws", "STENO_TRANSCRIBERS": "9"})


@pytest.mark.parametrize("text", ["0", "17", "-1", "two"])
def test_a_number_of_transcribers_that_makes_no_sense_is_refused(text: str) -> None:
    with pytest.raises(StandaloneError, match="STENO_TRANSCRIBERS"):
        Settings.read({"STENO_TRANSCRIBERS": text})


def test_with_a_certificate_only_the_gateway_is_asked_by_tls() -> None:
    pages = [each.ready_url(8080, tls=True) for each in services()]
    assert pages == [
        "https://127.0.0.1:8080/readyz", "http://127.0.0.1:8081/readyz",
        "http://127.0.0.1:8082/readyz", "http://127.0.0.1:8083/readyz",
    ]  # fmt: skip
    assert Settings.read({"STENO_TLS_CERT": "cert.pem"}).url == "https://127.0.0.1:8080"
    assert services()[0].ready_url(9000, tls=False) == "http://127.0.0.1:9000/readyz"
