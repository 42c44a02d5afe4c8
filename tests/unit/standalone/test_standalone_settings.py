"""Settings of the supervisor."""

import pytest

from steno_standalone.errors import StandaloneError
from steno_standalone.settings import Settings


def test_an_empty_environment_gives_the_defaults() -> None:
    assert Settings.read({}) == Settings(port=8080, redis_url=None, engine="auto")
    assert Settings.read({"STENO_PORT": "", "STENO_REDIS_URL": ""}) == Settings()


def test_every_variable_is_read() -> None:
    environment = {
        "STENO_PORT": "9000",
        "STENO_REDIS_URL": "redis://db/0",
        "STENO_ENGINE": "whisper",
    }
    assert Settings.read(environment) == Settings(9000, "redis://db/0", "whisper")


@pytest.mark.parametrize("port", ["0", "65385", "http", "-1", "8080.0"])
def test_a_port_that_cannot_be_is_refused(port: str) -> None:
    with pytest.raises(StandaloneError, match="STENO_PORT must be a number from 1 to 65384"):
        Settings.read({"STENO_PORT": port})
