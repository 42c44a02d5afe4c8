"""What is opened once for all tests: engines with real models, a thread."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor

import pytest
from bench.random_whisper import write_random_model
from tests.unit.transcriber.sound import MODEL

from steno_transcriber.engines.whisper import WhisperEngine, open_engine
from steno_transcriber.settings import RecognitionSettings


def _opened(settings: RecognitionSettings) -> Iterator[WhisperEngine]:
    with asyncio.Runner() as runner:
        engine = runner.run(open_engine(settings))
        yield engine
        runner.run(engine.aclose())


def _settings(**asked: object) -> RecognitionSettings:
    known = {"engine": "whisper", "whisper_model": str(MODEL), "device": "cpu"}
    return RecognitionSettings(**{**known, "whisper_max_batch": 2, **asked})  # type: ignore[arg-type]


@pytest.fixture(scope="session")
def fit_whisper() -> Iterator[WhisperEngine]:
    """Pads windows no more than needed."""
    yield from _opened(_settings(whisper_window="fit"))


@pytest.fixture(scope="session")
def full_whisper() -> Iterator[WhisperEngine]:
    """Pads windows to 30 s."""
    yield from _opened(_settings(whisper_window="full"))


@pytest.fixture(params=["fit", "full"])
def whisper(request: pytest.FixtureRequest) -> WhisperEngine:
    """Each of them."""
    engine: WhisperEngine = request.getfixturevalue(f"{request.param}_whisper")
    return engine


@pytest.fixture(scope="session")
def babel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WhisperEngine]:
    """A model of 99 languages that understands none: the tokens around the words are real."""
    folder = write_random_model(tmp_path_factory.mktemp("babel"), "nano", seed=1)
    yield from _opened(_settings(whisper_model=str(folder)))


@pytest.fixture(scope="session")
def executor() -> Iterator[Executor]:
    """The thread for what would hold up the event loop."""
    with ThreadPoolExecutor(1) as executor:
        yield executor
